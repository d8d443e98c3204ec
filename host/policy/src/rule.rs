//! Lines that allow or deny: deny wins.

use std::fmt;

use crate::line::LineError;

/// A line of the operator's file.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Rule<P> {
    /// What the pattern matches is allowed.
    Allow(P),
    /// What the pattern matches is denied, whatever else allows it.
    Deny(P),
}

/// How much of one pattern another one has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Share {
    Nothing,
    Part,
    Whole,
}

/// Why a list of rules does not allow something.
pub(crate) enum KeptOut<'a, P> {
    /// This line denies it.
    Denied(&'a P),
    /// No line allows it.
    NotAllowed,
}

impl<P: fmt::Display> fmt::Display for Rule<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Rule::Allow(what) => what.fmt(f),
            Rule::Deny(what) => write!(f, "deny {what}"),
        }
    }
}

impl<P> Rule<P> {
    /// Reads a line: `deny ` and what is denied, or what is allowed.
    pub(crate) fn parse(line: &str, parse: impl Fn(&str) -> Result<P, LineError>) -> Result<Self, LineError> {
        match line.trim_start().strip_prefix("deny ") {
            Some(rest) => Ok(Self::Deny(parse(rest)?)),
            None => Ok(Self::Allow(parse(line)?)),
        }
    }

    /// What keeps something out of these rules of a ceiling: the line that denies it, or that none allows it.
    pub(crate) fn keeps_out(
        rules: &[Self],
        denies: impl Fn(&P) -> bool,
        allows: impl Fn(&P) -> bool,
    ) -> Option<KeptOut<'_, P>> {
        if let Some(line) = rules.iter().filter_map(Rule::denies).find(|line| denies(line)) {
            return Some(KeptOut::Denied(line));
        }
        (!rules.iter().filter_map(Rule::allows).any(allows)).then_some(KeptOut::NotAllowed)
    }

    /// What is allowed, if the line allows.
    pub(crate) fn allows(&self) -> Option<&P> {
        match self {
            Rule::Allow(what) => Some(what),
            Rule::Deny(_) => None,
        }
    }

    /// What is denied, if the line denies.
    pub(crate) fn denies(&self) -> Option<&P> {
        match self {
            Rule::Allow(_) => None,
            Rule::Deny(what) => Some(what),
        }
    }
}
