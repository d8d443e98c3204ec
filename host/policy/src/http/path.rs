//! Patterns of paths.

use std::fmt;

use super::wire::{is_ambiguous_path, normal_path, unescaped};
use crate::line::{LINE_MAX, LineError};
use crate::names::shortened;
use crate::rule::Share;

/// A path: segments, `*` for one of them, `**` at the end for any tail.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct PathPattern {
    segments: Vec<Segment>,
    tail: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Segment {
    Exactly(String),
    One,
}

impl PathPattern {
    /// Reads `/repos/*/issues` or `/repos/acme/**`.
    pub(crate) fn parse(text: &str) -> Result<Self, LineError> {
        let wrong = |problem| LineError::Path { path: shortened(text), problem };
        if text.contains('?') {
            return Err(wrong("has a query: a line speaks of the path alone"));
        }
        let normal = normal_path(text).map_err(|_| wrong("has a character or an escape that a path cannot have"))?;
        if is_ambiguous_path(&normal.text) {
            return Err(wrong("has an escape that servers read differently, such as `%2F`"));
        }
        if normal.dots {
            return Err(wrong("has `.` or `..`: write where it leads"));
        }
        let mut segments = Vec::new();
        let mut pieces = normal.text.split('/').skip(1).peekable();
        while let Some(piece) = pieces.next() {
            match piece {
                "**" if pieces.peek().is_none() => {
                    return Ok(Self { segments, tail: true });
                }
                "**" => return Err(wrong("has `**` before its end: it stands for any tail")),
                "*" => segments.push(Segment::One),
                _ if piece.contains('*') => {
                    return Err(wrong("has a star inside a segment: `*` is one whole segment"));
                }
                _ => segments.push(Segment::Exactly(piece.to_owned())),
            }
        }
        Ok(Self { segments, tail: false })
    }

    /// The smallest pattern for `path`. What a line cannot say exactly (a star, a path that can be read in two ways, one
    /// that is too long to review) is said a little wider.
    pub(crate) fn exactly(path: &str) -> Self {
        if is_ambiguous_path(path) || path.len() > LINE_MAX / 2 {
            return Self { segments: Vec::new(), tail: true };
        }
        let segment = |text: &str| {
            if text.contains('*') { Segment::One } else { Segment::Exactly(text.to_owned()) }
        };
        Self { segments: path.split('/').skip(1).map(segment).collect(), tail: false }
    }

    /// Whether `path`, in its one spelling, is matched. One that a server could read with another structure is matched
    /// only by `/**`, which it cannot escape.
    pub(crate) fn allows(&self, path: &str) -> bool {
        if is_ambiguous_path(path) {
            return self.tail && self.segments.is_empty();
        }
        let mut rest = path.split('/').skip(1);
        for segment in &self.segments {
            match (segment, rest.next()) {
                (Segment::Exactly(wanted), Some(found)) if wanted == found => {}
                (Segment::One, Some(found)) if !found.is_empty() => {}
                _ => return false,
            }
        }
        self.tail || rest.next().is_none()
    }

    /// How much of what `other` allows this pattern allows.
    pub(crate) fn share_of(&self, other: &PathPattern) -> Share {
        for (nth, segment) in self.segments.iter().enumerate() {
            match (segment, other.segments.get(nth)) {
                (_, None) if other.tail => return Share::Part,
                (Segment::Exactly(one), Some(Segment::Exactly(two))) if one == two => {}
                (Segment::One, Some(Segment::Exactly(found))) if !found.is_empty() => {}
                (Segment::One, Some(Segment::One)) => {}
                (Segment::Exactly(wanted), Some(Segment::One)) if !wanted.is_empty() => {
                    // From here on it is a part at most.
                    let rest = |pattern: &PathPattern| PathPattern {
                        segments: pattern.segments.iter().skip(nth + 1).cloned().collect(),
                        tail: pattern.tail,
                    };
                    return rest(self).share_of(&rest(other)).min(Share::Part);
                }
                _ => return Share::Nothing,
            }
        }
        match (self.tail, other.segments.len() > self.segments.len(), other.tail) {
            (true, ..) | (false, false, false) => Share::Whole,
            (false, false, true) => Share::Part,
            (false, true, _) => Share::Nothing,
        }
    }

    /// How much of what `other` allows this pattern [denies](Self::denies).
    pub(crate) fn denied_share_of(&self, other: &PathPattern) -> Share {
        self.folded().share_of(&other.folded())
    }

    /// The pattern as a `deny` compares it: without empty segments, and in small letters.
    fn folded(&self) -> PathPattern {
        let segments = self.segments.iter().filter_map(|segment| match segment {
            Segment::Exactly(text) => Some(folded(text)).filter(|text| !text.is_empty()).map(Segment::Exactly),
            Segment::One => Some(Segment::One),
        });
        PathPattern { segments: segments.collect(), tail: self.tail }
    }

    /// Like [`allows`](Self::allows), but in doubt yes: letter case, escapes, parameters of a segment (`;x`), empty
    /// segments and paths that can be read in two ways are no way around a `deny`.
    pub(crate) fn denies(&self, path: &str) -> bool {
        if is_ambiguous_path(path) {
            return true;
        }
        let mut found = path.split('/').map(folded).filter(|part| !part.is_empty());
        for segment in &self.folded().segments {
            let agrees = match segment {
                Segment::Exactly(wanted) => found.next().is_some_and(|part| part == *wanted),
                Segment::One => found.next().is_some(),
            };
            if !agrees {
                return false;
            }
        }
        self.tail || found.next().is_none()
    }
}

/// A segment as a `deny` compares it: without escapes, without the parameters that some servers drop, in small letters.
fn folded(segment: &str) -> String {
    let bytes = unescaped(segment);
    let name = bytes.split(|byte| *byte == b';').next().unwrap_or_default();
    // Bytes that are no text are kept apart from those that are: each has its own number.
    let text = match std::str::from_utf8(name) {
        Ok(text) => text.to_owned(),
        Err(_) => name.iter().map(|byte| format!("%{byte:02x}")).collect(),
    };
    text.to_ascii_lowercase()
}

impl fmt::Display for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for segment in &self.segments {
            match segment {
                Segment::Exactly(text) => write!(f, "/{text}")?,
                Segment::One => f.write_str("/*")?,
            }
        }
        if self.tail { f.write_str("/**") } else { Ok(()) }
    }
}
