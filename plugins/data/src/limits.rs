//! How much a call may take and give back.

use std::fmt;
use std::io;

use jaq_json::Val;

/// The most levels of arrays and objects, in and out: readers of JSON commonly stop at 128, and results are wrapped.
pub(crate) const MAX_DEPTH: usize = 100;

/// The most bytes that a call gives back: a model reads them.
pub(crate) const MAX_OUTPUT: usize = 3 << 20;

/// The most results of a jq program: `range(infinite)` is short to write.
pub(crate) const MAX_RESULTS: usize = 100_000;

/// The most values that the aliases of a YAML text may stand for: nine lines can stand for billions.
pub(crate) const MAX_NODES: usize = 1_000_000;

/// The longest jq program, in bytes: the compiler recurses over it.
pub(crate) const MAX_PROGRAM: usize = 16 << 10;

/// The most open brackets in a jq program: the parser recurses over them.
pub(crate) const MAX_BRACKETS: usize = 100;

/// Why a value cannot be given back.
#[derive(Debug)]
pub(crate) enum Excess {
    /// Too many levels.
    Depth,
    /// Too many bytes.
    Size,
    /// An object with a key that is not a string.
    Key,
}

impl fmt::Display for Excess {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Depth => write!(formatter, "it has more than {MAX_DEPTH} levels of arrays and objects"),
            Self::Size => write!(formatter, "it is longer than {MAX_OUTPUT} bytes"),
            Self::Key => formatter.write_str("it has an object with a key that is not a string"),
        }
    }
}

/// The least bytes of a value as JSON. Values share their parts, so a small one can be endless on paper: the walk has
/// its own stack and ends at the limit.
pub(crate) fn measure(value: &Val) -> Result<usize, Excess> {
    let mut size = 0;
    let mut open = vec![(value, 0)];
    while let Some((value, depth)) = open.pop() {
        size += match value {
            Val::TStr(text) | Val::BStr(text) => quoted(text),
            Val::Arr(items) => 2 + items.len(),
            Val::Obj(members) => 2 + 3 * members.len(),
            Val::Bool(_) | Val::Null => 4,
            Val::Num(_) => 1,
        };
        if size > MAX_OUTPUT {
            return Err(Excess::Size);
        }
        match value {
            Val::Arr(_) | Val::Obj(_) if depth == MAX_DEPTH => return Err(Excess::Depth),
            Val::Arr(items) => open.extend(items.iter().map(|item| (item, depth + 1))),
            Val::Obj(members) => {
                for (key, member) in members.iter() {
                    let Val::TStr(key) = key else {
                        return Err(Excess::Key);
                    };
                    size += quoted(key);
                    open.push((member, depth + 1));
                }
            }
            _ => {}
        }
    }
    if size > MAX_OUTPUT { Err(Excess::Size) } else { Ok(size) }
}

/// Whether the levels of a value are few enough, for values that cannot share their parts.
pub(crate) fn is_shallow(value: &Val) -> bool {
    let mut open = vec![(value, 0)];
    while let Some((value, depth)) = open.pop() {
        match value {
            Val::Arr(_) | Val::Obj(_) if depth == MAX_DEPTH => return false,
            Val::Arr(items) => open.extend(items.iter().map(|item| (item, depth + 1))),
            Val::Obj(members) => open.extend(members.values().map(|member| (member, depth + 1))),
            _ => {}
        }
    }
    true
}

/// The bytes of a text as a JSON string.
fn quoted(text: &[u8]) -> usize {
    let escaped = text.iter().map(|byte| match byte {
        b'"' | b'\\' => 2,
        0..0x20 => 6,
        _ => 1,
    });
    escaped.sum::<usize>() + 2
}

/// Text that is not allowed to grow beyond what a call gives back.
#[derive(Debug, Default)]
pub(crate) struct Bounded(Vec<u8>);

impl Bounded {
    /// What was written.
    pub(crate) fn into_text(self) -> String {
        String::from_utf8(self.0).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
    }

    /// Whether `more` bytes still fit.
    fn has_room(&self, more: usize) -> bool {
        self.0.len().saturating_add(more) <= MAX_OUTPUT
    }
}

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !self.has_room(bytes.len()) {
            return Err(io::Error::other(Excess::Size.to_string()));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl fmt::Write for Bounded {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if !self.has_room(text.len()) {
            return Err(fmt::Error);
        }
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

/// The first part of what something prints, without printing the rest: an error may quote a value of any size.
pub(crate) fn excerpt(shown: &dyn fmt::Display, most: usize) -> String {
    struct Start {
        text: String,
        left: usize,
    }

    impl fmt::Write for Start {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            for letter in text.chars() {
                if self.left == 0 {
                    self.text.push('…');
                    return Err(fmt::Error);
                }
                self.left -= 1;
                self.text.push(letter);
            }
            Ok(())
        }
    }

    let mut start = Start { text: String::new(), left: most };
    // The error is the end that was asked for.
    let _ = fmt::write(&mut start, format_args!("{shown}"));
    start.text
}
