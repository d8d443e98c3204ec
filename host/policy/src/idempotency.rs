//! Idempotency keys: what tells a server that two requests are one and the same wish.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::approval::canonical;
use crate::digest::Digest;
use crate::line::LineError;
use crate::names::{ToolName, shortened};

/// The key of one call. It looks like a UUID (of version 8, RFC 9562), which servers that check keys accept.
///
/// It follows from the run, the step and the call alone: every try of the call has the same one, also after a crash, and
/// no other call has it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IdempotencyKey(Arc<str>);

impl IdempotencyKey {
    /// The key of a call that a step of a run makes.
    pub fn of_call(run: &str, step: &str, tool: &ToolName, arguments: &Value) -> Self {
        Self::of(&["call", run, step, &tool.to_string(), &canonical(arguments).to_string()])
    }

    /// The key of the `nth` request, from 0, that a call sends; the first has the call's own.
    #[must_use]
    pub fn of_request(&self, nth: u64) -> Self {
        if nth == 0 { self.clone() } else { Self::of(&["request", &self.0, &nth.to_string()]) }
    }

    /// The key of the `nth` call that a call makes itself.
    #[must_use]
    pub fn of_inner(&self, nth: u64) -> Self {
        Self::of(&["inner", &self.0, &nth.to_string()])
    }

    /// The parts are told apart by their lengths, so that no two lists of parts are the same text.
    fn of(parts: &[&str]) -> Self {
        let text: String = parts.iter().map(|part| format!("{}:{part};", part.len())).collect();
        let hex = Digest::of(text.as_bytes()).hex();
        // The digit of the version, and one of the four that stand for the variant.
        let variant = ['8', '9', 'a', 'b'][usize::from(hex.as_bytes()[16]) % 4];
        let (one, two, three) = (&hex[0..8], &hex[8..12], &hex[13..16]);
        Self(format!("{one}-{two}-8{three}-{variant}{}-{}", &hex[17..20], &hex[20..32]).into())
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The header in which the host sends the key, in lower case.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KeyHeader(String);

/// What a grant says, and the header that is meant where it says no other.
const WORD: &str = "idempotency-key";

/// Headers that are no place for a key: they say where a message goes, where it ends, how it is read, or who sends it.
const NO_PLACE: [&str; 18] = [
    "accept-encoding",
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "expect",
    "host",
    "keep-alive",
    "range",
    "set-cookie",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
    "date",
];

impl KeyHeader {
    /// Whether a part of a line is meant as this, right or wrong.
    pub(crate) fn is_meant(part: &str) -> bool {
        part.split_whitespace().next() == Some(WORD)
    }

    /// Reads `idempotency-key` or `idempotency-key in X-Request-Key`.
    pub(crate) fn parse(part: &str) -> Result<Self, LineError> {
        let wrong = || LineError::KeyHeader(shortened(part.trim()));
        let words: Vec<&str> = part.split_whitespace().collect();
        let name = match words[..] {
            [WORD] => WORD.to_owned(),
            [WORD, "in", name] => name.to_ascii_lowercase(),
            _ => return Err(wrong()),
        };
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        let fits = name.len() <= 100 && name.bytes().all(plain);
        if !fits || NO_PLACE.contains(&name.as_str()) || name.starts_with("proxy-") {
            Err(wrong())
        } else {
            Ok(Self(name))
        }
    }

    /// The header's name, in lower case.
    pub fn name(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == WORD { f.write_str(WORD) } else { write!(f, "{WORD} in {}", self.0) }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn key(run: &str, step: &str, arguments: Value) -> IdempotencyKey {
        IdempotencyKey::of_call(run, step, &"shop.pay".parse().unwrap(), &arguments)
    }

    #[test]
    fn a_key_is_the_same_for_each_try_and_no_other_call_has_it() {
        let one = key("run", "n3", json!({ "a": 1, "b": 2 }));
        assert_eq!(one, key("run", "n3", json!({ "b": 2, "a": 1 })), "whatever the order of keys");
        let others = [
            key("run2", "n3", json!({ "a": 1, "b": 2 })),
            key("run", "n4", json!({ "a": 1, "b": 2 })),
            key("run", "n3", json!({ "a": 1, "b": 3 })),
            key("ru", "nn3", json!({ "a": 1, "b": 2 })),
            one.of_request(1),
            one.of_request(2),
            one.of_inner(0),
            one.of_inner(1),
        ];
        assert!(!others.contains(&one));
        assert_eq!(std::collections::BTreeSet::from(others).len(), 8);
        assert_eq!(one.of_request(0), one);
    }

    #[test]
    fn a_key_looks_like_a_uuid() {
        for n in 0..100 {
            let key = key("run", &format!("n{n}"), json!({}));
            let lengths: Vec<usize> = key.as_str().split('-').map(str::len).collect();
            assert_eq!(lengths, [8, 4, 4, 4, 12], "{key}");
            assert!(key.as_str()[14..].starts_with('8') && "89ab".contains(&key.as_str()[19..20]), "{key}");
        }
    }

    #[test]
    fn a_key_has_no_place_in_a_header_that_says_something_else() {
        assert_eq!(KeyHeader::parse("idempotency-key").unwrap().name(), "idempotency-key");
        assert_eq!(
            KeyHeader::parse(" idempotency-key in X-Request-Id").unwrap().to_string(),
            "idempotency-key in x-request-id"
        );
        for wrong in [
            "idempotency-key in Host",
            "idempotency-key X",
            "idempotency-key in",
            "idempotency-key in Proxy-Auth",
            "idempotency-key in a:b",
        ] {
            assert!(KeyHeader::parse(wrong).is_err(), "{wrong}");
        }
    }
}
