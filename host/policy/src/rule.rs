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
