//! All questions and answers: a fold over what was recorded of them.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{ApprovalAnswer, ApprovalId, ApprovalRequest, ApprovalScope, BoundCall, UnixMillis, canonical};

/// A question with its place and what came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Asked {
    /// The question.
    pub request: ApprovalRequest,
    /// The run that asks.
    pub run: String,
    /// When it was asked.
    pub at: UnixMillis,
    /// The first answer that closed it, and when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<(ApprovalAnswer, UnixMillis)>,
    /// How many calls were made on its strength.
    #[serde(default)]
    pub used: u64,
    /// Whether a yes was taken back.
    #[serde(default)]
    pub revoked: bool,
    /// Whether something that was said later was erased: nobody can tell any more what became of it.
    #[serde(default)]
    pub lapsed: bool,
}

/// Whether a yes still counts for anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// It waits for a person.
    Open,
    /// It was answered with yes, and calls may still be made on its strength.
    Valid,
    /// Nothing more follows from it.
    Over,
}

impl Asked {
    /// What still follows from it at this time.
    pub fn standing(&self, now: UnixMillis) -> Standing {
        match &self.answer {
            _ if self.lapsed => Standing::Over,
            None if self.request.expires > now => Standing::Open,
            None => Standing::Over,
            Some(_) if self.revoked => Standing::Over,
            Some((ApprovalAnswer::Approved { scope: ApprovalScope::Until(until), .. }, _)) if *until > now => {
                Standing::Valid
            }
            Some((ApprovalAnswer::Approved { scope: ApprovalScope::Run, .. }, _)) => Standing::Valid,
            Some((answer, _)) if answer.allows() && self.used == 0 && !self.lasts() => Standing::Valid,
            Some(_) => Standing::Over,
        }
    }

    /// Whether the answer is a yes to more than one call.
    fn lasts(&self) -> bool {
        matches!(
            &self.answer,
            Some((ApprovalAnswer::Approved { scope: ApprovalScope::Run | ApprovalScope::Until(_), .. }, _))
        )
    }

    /// Whether the answer allows `call` in `run` at this time.
    fn covers(&self, run: &str, now: UnixMillis, call: &BoundCall) -> bool {
        self.standing(now) == Standing::Valid && self.speaks_of(run, call)
    }

    /// Whether the answer is about such a call in that run.
    fn speaks_of(&self, run: &str, call: &BoundCall) -> bool {
        let asked = &self.request.call;
        let here = match &self.answer {
            Some((ApprovalAnswer::Approved { scope: ApprovalScope::Run, .. } | ApprovalAnswer::Expired { .. }, _)) => {
                self.run == run
            }
            _ => true,
        };
        here && asked.plugin == call.plugin
            && asked.tool == call.tool
            && same(&asked.arguments, &call.arguments, self.any())
    }

    fn any(&self) -> Option<&BTreeSet<String>> {
        match &self.answer {
            Some((ApprovalAnswer::Approved { any, .. }, _)) => Some(any),
            _ => None,
        }
    }
}

/// Whether the arguments are the same, those left aside that may differ.
fn same(asked: &Value, given: &Value, any: Option<&BTreeSet<String>>) -> bool {
    let (Some(any), Value::Object(asked), Value::Object(given)) = (any.filter(|any| !any.is_empty()), asked, given)
    else {
        return canonical(asked) == canonical(given);
    };
    let bound = |key: &&String| !any.contains(*key);
    let keys: BTreeSet<&String> = asked.keys().chain(given.keys()).filter(bound).collect();
    keys.into_iter().all(|key| asked.get(key).map(canonical) == given.get(key).map(canonical))
}

/// Every question that is known.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Approvals(BTreeMap<ApprovalId, Asked>);

impl Approvals {
    /// Takes note of a question. Asked again, it is the same question.
    pub fn asked(&mut self, run: &str, at: UnixMillis, request: ApprovalRequest) {
        let asked = Asked { run: run.to_owned(), at, answer: None, used: 0, revoked: false, lapsed: false, request };
        self.0.entry(asked.request.id.clone()).or_insert(asked);
    }

    /// Takes note of an answer. The first that closes the question counts, whatever comes later: `false` for those.
    pub fn answered(&mut self, id: &ApprovalId, at: UnixMillis, answer: ApprovalAnswer) -> bool {
        match self.0.get_mut(id) {
            Some(asked) if asked.answer.is_none() && answer.is_final() => {
                asked.answer = Some((answer, at));
                true
            }
            _ => false,
        }
    }

    /// Takes note of a call that is made on the strength of a yes.
    pub fn used(&mut self, id: &ApprovalId) {
        if let Some(asked) = self.0.get_mut(id) {
            asked.used = asked.used.saturating_add(1);
        }
    }

    /// Takes a yes back.
    pub fn revoked(&mut self, id: &ApprovalId) {
        if let Some(asked) = self.0.get_mut(id) {
            asked.revoked = true;
        }
    }

    /// Takes note of something that was recorded of a question in `run` at this time, and that is not known any more: it
    /// was erased. It may have been a no, the use of a yes, or a yes that was taken back; so whatever was answered by then
    /// lapses, and so do the questions of that run that seem open.
    pub fn lost(&mut self, run: &str, at: UnixMillis) {
        for asked in self.0.values_mut() {
            asked.lapsed |= match &asked.answer {
                Some((_, answered)) => *answered <= at,
                None => asked.run == run && asked.at <= at,
            };
        }
    }

    /// The question of this name.
    pub fn get(&self, id: &ApprovalId) -> Option<&Asked> {
        self.0.get(id)
    }

    /// The questions whose names begin with `text`.
    pub fn beginning_with(&self, text: &str) -> Vec<&Asked> {
        let text = text.trim().to_ascii_lowercase();
        self.0.values().filter(|asked| asked.request.id.as_str().starts_with(&text)).collect()
    }

    /// All questions, the oldest first.
    pub fn all(&self) -> Vec<&Asked> {
        let mut all: Vec<_> = self.0.values().collect();
        all.sort_by_key(|asked| (asked.at, asked.request.id.as_str()));
        all
    }

    /// Whether the yes `id`, which a run has just used, is one to this call.
    pub fn allows(&self, id: &ApprovalId, run: &str, call: &BoundCall) -> bool {
        self.0.get(id).is_some_and(|asked| {
            !asked.lapsed
                && asked.answer.as_ref().is_some_and(|(answer, _)| answer.allows())
                && asked.speaks_of(run, call)
        })
    }

    /// As [`Approvals::covering`], without those that are good for a single call.
    pub fn standing(&self, run: &str, now: UnixMillis, call: &BoundCall) -> Option<&ApprovalId> {
        let lasting = |asked: &&Asked| asked.lasts() && asked.covers(run, now, call);
        self.0.values().find(lasting).map(|asked| &asked.request.id)
    }

    /// The yes that allows `call` in `run` at this time. One that was given for a single call is spent last.
    pub fn covering(&self, run: &str, now: UnixMillis, call: &BoundCall) -> Option<&ApprovalId> {
        let covering = self.0.values().filter(|asked| asked.covers(run, now, call));
        covering.min_by_key(|asked| !asked.lasts()).map(|asked| &asked.request.id)
    }
}
