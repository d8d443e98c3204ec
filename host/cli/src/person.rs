//! The person at the terminal.

use std::io::{BufRead, IsTerminal, Write};

use async_trait::async_trait;
use toolcrib_runtime::agent::{Person, Question};

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

#[async_trait]
impl Person for Terminal {
    async fn ask(&self, question: &Question) -> Option<String> {
        let (question, live) = (question.clone(), self.live.clone());
        tokio::task::spawn_blocking(move || live.suspend(|| ask_now(&question))).await.ok().flatten()
    }
}

fn ask_now(question: &Question) -> Option<String> {
    let mut out = std::io::stderr().lock();
    let mut input = std::io::stdin().lock();
    loop {
        let _ = writeln!(out, "\n? {}", plain(&question.text));
        for (number, choice) in question.choices.iter().enumerate() {
            let _ = writeln!(out, "  {}) {}", number + 1, plain(choice));
        }
        let _ = write!(out, "> ");
        let _ = out.flush();
        let mut line = String::new();
        if input.read_line(&mut line).ok()? == 0 {
            return None;
        }
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
