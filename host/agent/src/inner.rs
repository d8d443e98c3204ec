//! Calls that a program makes while it runs: a tool whose code calls other tools.
//!
//! ```text
//! program ─► Inside::begin ─► driver: replayed? gate, budget, intent ─► Begun ─► the call ─► Inside::end ─► outcome
//! ```
//!
//! The driver stays the only one who writes to the ledger. A program that was cut off is run again: what it called
//! before is answered from the ledger, and its clock and its random numbers follow from its [`Program`].

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};
use toolcrib_policy::{ApprovalId, Label, Labels, Marks, ToolName};

use crate::{Millis, NodeId, StepOutcome};

/// How deep calls nest: a program calls a program, and so on. A longer chain is a loop.
pub const INNER_DEPTH_MAX: usize = 4;

/// The place of an inner call in its step: `2` is the second call of the program, `2.1` the first call of what that called.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct InnerPath(Vec<u32>);

impl InnerPath {
    /// The step's own program.
    pub const ROOT: Self = Self(Vec::new());

    /// Whether it is the step's own program.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The call with this number, from 1, of what is here.
    #[must_use]
    pub fn child(&self, number: u32) -> Self {
        Self(self.0.iter().copied().chain([number]).collect())
    }

    /// What made the call; none of the step's own program.
    pub fn parent(&self) -> Option<Self> {
        self.0.split_last().map(|(_, above)| Self(above.to_vec()))
    }

    /// Its number among the calls of what made it, from 0.
    pub fn number(&self) -> u32 {
        self.0.last().map_or(0, |number| number.saturating_sub(1))
    }

    /// How many calls it is inside of.
    pub fn depth(&self) -> usize {
        self.0.len()
    }
}

impl fmt::Display for InnerPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, number) in self.0.iter().enumerate() {
            write!(f, "{}{number}", if at == 0 { "" } else { "." })?;
        }
        Ok(())
    }
}

impl FromStr for InnerPath {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let numbers = text.split('.').filter(|_| !text.is_empty());
        numbers.map(str::parse).collect::<Result<_, _>>().map(Self)
    }
}

impl Serialize for InnerPath {
    fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for InnerPath {
    fn deserialize<D: serde::Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        String::deserialize(input)?.parse().map_err(serde::de::Error::custom)
    }
}

/// What makes a program run the same way again: where its clock begins, and what its random numbers follow from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    /// When its clock begins. The clock goes on by what the ledger says, never by itself.
    pub clock: Millis,
    /// What its random numbers follow from, in hexadecimal digits.
    pub seed: String,
    /// Whether it may change something by itself, so that it must not be run again.
    #[serde(default, skip_serializing_if = "is_false")]
    pub once: bool,
}

fn is_false(value: &bool) -> bool {
    !*value
}

/// What is to be done about an inner call.
#[derive(Debug, Clone, PartialEq)]
pub enum Begun {
    /// Its intent is recorded: make it, and tell [`Inside::end`].
    Make {
        /// Its place.
        path: InnerPath,
        /// The labels of its arguments.
        labels: Labels,
        /// The label of all that the program has received.
        under: Label,
        /// The person's yes that it is made on the strength of.
        approval: Option<ApprovalId>,
        /// Where it is a program itself.
        program: Option<Program>,
    },
    /// It is over, or is not made: this came of it.
    Over {
        /// What came of it.
        outcome: StepOutcome,
        /// Its receipt.
        receipt: Value,
        /// When it was over.
        finished: Millis,
    },
}

/// What a program tells the driver.
#[derive(Debug)]
pub(crate) enum Word {
    Begin { node: NodeId, of: InnerPath, tool: ToolName, arguments: Value, reply: oneshot::Sender<Begun> },
    End { node: NodeId, path: InnerPath, ended: Ended, reply: oneshot::Sender<Millis> },
}

/// What came of an inner call.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) outcome: StepOutcome,
    pub(crate) receipt: Value,
    pub(crate) label: Option<Marks>,
}

/// A program's way to the driver of its run.
#[derive(Debug, Clone)]
pub struct Inside {
    node: NodeId,
    words: mpsc::UnboundedSender<Word>,
}

impl Inside {
    pub(crate) fn of(node: NodeId, words: mpsc::UnboundedSender<Word>) -> Self {
        Self { node, words }
    }

    /// Before a call is made by the program at `of`. It may wait for a person. Where the program has to end instead it
    /// never returns: the program is cancelled.
    pub async fn begin(&self, of: &InnerPath, tool: &ToolName, arguments: &Value) -> Begun {
        let (reply, answer) = oneshot::channel();
        let (node, tool, arguments) = (self.node, tool.clone(), arguments.clone());
        let word = Word::Begin { node, of: of.clone(), tool, arguments, reply };
        match self.words.send(word).is_ok() {
            true => match answer.await {
                Ok(begun) => begun,
                Err(_) => std::future::pending().await,
            },
            false => std::future::pending().await,
        }
    }

    /// After it. Gives the time when its end was recorded; none where the run is over.
    /// Where nothing is said of its label, the result may be anything.
    pub async fn end(
        &self,
        path: &InnerPath,
        outcome: StepOutcome,
        receipt: Value,
        label: Option<Marks>,
    ) -> Option<Millis> {
        let (reply, answer) = oneshot::channel();
        let (node, path) = (self.node, path.clone());
        let ended = Ended { outcome, receipt, label };
        self.words.send(Word::End { node, path, ended, reply }).ok()?;
        answer.await.ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_reads_as_it_is_written() {
        for path in [InnerPath::ROOT, InnerPath::ROOT.child(2), InnerPath::ROOT.child(10).child(1).child(3)] {
            let written = serde_json::to_string(&path).unwrap();
            assert_eq!(serde_json::from_str::<InnerPath>(&written).unwrap(), path, "{written}");
        }
        let path = InnerPath::ROOT.child(2).child(1);
        assert_eq!((path.to_string().as_str(), path.depth()), ("2.1", 2));
        assert_eq!(path.parent(), Some(InnerPath::ROOT.child(2)));
        assert!(InnerPath::ROOT.child(2) < InnerPath::ROOT.child(10));
        assert!("1.x".parse::<InnerPath>().is_err());
    }
}
