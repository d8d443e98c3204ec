//! The person at the terminal.

use std::collections::BTreeSet;
use std::io::{IsTerminal, Write};
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use toolcrib_runtime::agent::{Person, Question};
use toolcrib_runtime::policy::{ApprovalAnswer, ApprovalRequest, ApprovalScope};

use crate::answer::{self, Wanted};
use crate::render::{Live, plain};

/// Asks on standard error, reads from standard input.
pub(crate) struct Terminal {
    live: Live,
}

impl Terminal {
    /// The person, where there is one: both ends are a terminal.
    pub(crate) fn attended(live: Live) -> Option<Self> {
        let there = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
        there.then_some(Terminal { live })
    }
}

/// An answer that somebody left on the command line. It is for one question; where that has choices, it is one of them.
pub(crate) struct Word(Mutex<Option<String>>);

impl Word {
    pub(crate) fn left(text: String) -> Self {
        Word(Mutex::new(Some(text)))
    }
}

#[async_trait]
impl Person for Word {
    fn is_there(&self) -> bool {
        false
    }

    async fn ask(&self, question: &Question) -> Option<String> {
        let mut word = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = |word: &mut String| {
            let word = word.trim();
            question.choices.is_empty() || question.choices.iter().any(|choice| choice.eq_ignore_ascii_case(word))
        };
        word.take_if(fits)
    }
}

/// What can be said to a question about a call.
const WORDS: [&str; 3] = ["once", "run", "no"];

#[async_trait]
impl Person for Terminal {
    async fn ask(&self, question: &Question) -> Option<String> {
        let (question, live) = (question.clone(), self.live.clone());
        let (_wants, wanted) = Wanted::pair();
        tokio::task::spawn_blocking(move || live.suspend(|| ask_now(&question, &wanted))).await.ok().flatten()
    }

    async fn approve(&self, request: &ApprovalRequest) -> Option<ApprovalAnswer> {
        let (request, live) = (request.clone(), self.live.clone());
        let (_wants, wanted) = Wanted::pair();
        tokio::task::spawn_blocking(move || live.suspend(|| approve_now(&request, &wanted))).await.ok().flatten()
    }
}

/// Who answers here, for the record.
pub(crate) fn who(door: &str) -> String {
    let user = std::env::var("USER").unwrap_or_else(|_| "somebody".to_owned());
    format!("{user} {door}")
}

fn approve_now(request: &ApprovalRequest, wanted: &Wanted) -> Option<ApprovalAnswer> {
    let mut out = std::io::stderr().lock();
    let _ = writeln!(out);
    for line in request.lines() {
        let _ = writeln!(out, "{}", plain(&line));
    }
    let by = who("at the terminal");
    loop {
        let _ = write!(out, "yes `once`, for the `run`, or `no`? (question {}) > ", request.id);
        let _ = out.flush();
        let line = answer::line(wanted)?;
        let word = line.trim().to_ascii_lowercase();
        let approved = |scope| Some(ApprovalAnswer::Approved { scope, any: BTreeSet::new(), by: by.clone() });
        match WORDS.iter().find(|known| !word.is_empty() && known.starts_with(&word)) {
            Some(&"once") => return approved(ApprovalScope::Once),
            Some(&"run") => return approved(ApprovalScope::Run),
            Some(_) => return Some(ApprovalAnswer::Denied { by, reason: None }),
            None => {
                let _ = writeln!(out, "  please say once, run or no; `toolcrib approvals approve` can say more");
            }
        }
    }
}

fn ask_now(question: &Question, wanted: &Wanted) -> Option<String> {
    let mut out = std::io::stderr().lock();
    loop {
        let _ = writeln!(out, "\n? {}", plain(&question.text));
        for (number, choice) in question.choices.iter().enumerate() {
            let _ = writeln!(out, "  {}) {}", number + 1, plain(choice));
        }
        let _ = write!(out, "> ");
        let _ = out.flush();
        let line = answer::line(wanted)?;
        let answer = line.trim();
        if question.choices.is_empty() {
            return Some(answer.to_owned());
        }
        let by_number = answer.parse::<usize>().ok().and_then(|n| question.choices.get(n.checked_sub(1)?));
        if let Some(choice) = by_number.or_else(|| question.choices.iter().find(|c| *c == answer)) {
            return Some(choice.clone());
        }
        let _ = writeln!(out, "  please choose one of the answers above");
    }
}
