//! The way to a part of a result: `items[*].price`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::names::shortened;

/// The longest path, in bytes; one that a person can read is far shorter.
const TEXT_MAX: usize = 512;

/// One step down.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PartStep {
    /// A field.
    Key(String),
    /// An item.
    Index(usize),
    /// Every item, whichever: `[*]`.
    Every,
}

impl PartStep {
    /// Whether both can lead to the same place. A pointer does not tell an item from a field that is called like a number.
    fn meets(&self, other: &PartStep) -> bool {
        match (self, other) {
            (Self::Every, Self::Index(_)) | (Self::Index(_), Self::Every) => true,
            (Self::Key(key), Self::Index(index)) | (Self::Index(index), Self::Key(key)) => *key == index.to_string(),
            _ => self == other,
        }
    }
}

/// A way into a value; the empty one is the whole of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PartPath(Vec<PartStep>);

/// A text that is no way into a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` leads to no part of a result: write fields and items, such as `text`, `items[*].price` or `[\"odd key\"]`"
)]
pub struct PartPathError(String);

impl PartPath {
    /// A way of these steps.
    pub fn new(steps: impl IntoIterator<Item = PartStep>) -> Self {
        Self(steps.into_iter().collect())
    }

    /// The way of one field.
    pub fn key(key: impl Into<String>) -> Self {
        Self(vec![PartStep::Key(key.into())])
    }

    /// The way that a JSON pointer goes.
    pub fn of_pointer(pointer: &str) -> Self {
        let step = |text: &str| {
            let text = text.replace("~1", "/").replace("~0", "~");
            text.parse().map_or(PartStep::Key(text), PartStep::Index)
        };
        Self(pointer.split('/').skip(1).map(step).collect())
    }

    /// Whether it is the whole of the value.
    pub fn is_whole(&self) -> bool {
        self.0.is_empty()
    }

    /// The field that it begins with, where it begins with one.
    pub fn first_key(&self) -> Option<&str> {
        match self.0.first()? {
            PartStep::Key(key) => Some(key),
            PartStep::Index(_) | PartStep::Every => None,
        }
    }

    /// This way, and from its end the other.
    #[must_use]
    pub fn then(&self, other: &PartPath) -> PartPath {
        Self(self.0.iter().chain(&other.0).cloned().collect())
    }

    /// What is left of `other` behind this way, where it can lead through here.
    pub(crate) fn behind<'p>(&self, other: &'p PartPath) -> Option<&'p [PartStep]> {
        let (first, rest) = other.0.split_at_checked(self.0.len())?;
        self.0.iter().zip(first).all(|(one, two)| one.meets(two)).then_some(rest)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

fn is_plain(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

impl fmt::Display for PartPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, step) in self.0.iter().enumerate() {
            match step {
                PartStep::Key(key) if is_plain(key) => write!(f, "{}{key}", if at == 0 { "" } else { "." })?,
                PartStep::Key(key) => write!(f, "[{}]", serde_json::Value::from(key.as_str()))?,
                PartStep::Index(index) => write!(f, "[{index}]")?,
                PartStep::Every => f.write_str("[*]")?,
            }
        }
        Ok(())
    }
}

impl FromStr for PartPath {
    type Err = PartPathError;

    fn from_str(text: &str) -> Result<Self, PartPathError> {
        let wrong = || PartPathError(shortened(text));
        let mut steps = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let (step, left) = step(rest, steps.is_empty()).ok_or_else(wrong)?;
            steps.push(step);
            rest = left;
        }
        if text.len() <= TEXT_MAX { Ok(Self(steps)) } else { Err(wrong()) }
    }
}

fn step(text: &str, first: bool) -> Option<(PartStep, &str)> {
    if let Some(inside) = text.strip_prefix('[') {
        if inside.starts_with('"') {
            let mut stream = serde_json::Deserializer::from_str(inside).into_iter::<String>();
            let key = stream.next()?.ok()?;
            return Some((PartStep::Key(key), inside.get(stream.byte_offset()..)?.strip_prefix(']')?));
        }
        let (index, rest) = inside.split_once(']')?;
        let step = if index == "*" { PartStep::Every } else { PartStep::Index(index.parse().ok()?) };
        return Some((step, rest));
    }
    let text = if first { text } else { text.strip_prefix('.')? };
    let end = text.find(['.', '[']).unwrap_or(text.len());
    let (key, rest) = text.split_at(end);
    is_plain(key).then(|| (PartStep::Key(key.to_owned()), rest))
}

impl TryFrom<String> for PartPath {
    type Error = PartPathError;

    fn try_from(text: String) -> Result<Self, PartPathError> {
        text.parse()
    }
}

impl From<PartPath> for String {
    fn from(path: PartPath) -> String {
        path.to_string()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_leads_nowhere_is_refused() {
        for text in [".a", "a.", "a..b", "a b", "[", "[x]", "[1", "[\"a]", "a[*", "ä", "[*]b"] {
            assert!(text.parse::<PartPath>().is_err(), "{text}");
        }
    }

    fn steps() -> impl Strategy<Value = Vec<PartStep>> {
        let step = prop_oneof![
            ".{0,6}".prop_map(PartStep::Key),
            (0_usize..99).prop_map(PartStep::Index),
            Just(PartStep::Every)
        ];
        prop::collection::vec(step, 0..5)
    }

    proptest! {
        #[test]
        fn a_path_is_what_it_prints(steps in steps()) {
            let path = PartPath::new(steps);
            prop_assert_eq!(path.to_string().parse::<PartPath>(), Ok(path));
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in ".{0,60}") {
            let _ = text.parse::<PartPath>();
        }
    }
}
