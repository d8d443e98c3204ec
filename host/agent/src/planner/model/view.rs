//! How much a model sees at once, and how that is measured.

use serde::Serialize;
use serde_json::Value;
use toolcrib_model::Request;

/// What one token is counted as, in bytes of the request's JSON. Vendors' own counts lie between three and five bytes for
/// English and for JSON, and near three for other scripts: three is too careful rather than too bold.
pub(super) const TOKEN_BYTES: u64 = 3;

/// What the model planner may show its model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ModelView {
    /// The most tokens of one request, as [`tokens`] counts them: instructions, functions, goal and results. The answer comes
    /// on top.
    pub context: u64,
    /// Up to how many tools are all shown. Where there are more, the model searches.
    pub tools: usize,
    /// Whether it may look into what earlier runs came to.
    pub earlier: bool,
}

impl ModelView {
    /// The least context in which instructions, functions and a goal have room, in tokens.
    pub const CONTEXT_MIN: u64 = 4_000;
}

impl Default for ModelView {
    /// 32,000 tokens, which every model of today takes, and 24 tools, beyond which models begin to choose worse.
    fn default() -> Self {
        Self { context: 32_000, tools: 24, earlier: false }
    }
}

/// How many tokens a request is counted as: a third of the bytes of its JSON, rounded up.
pub fn tokens(request: &Request) -> u64 {
    bytes(request).div_ceil(TOKEN_BYTES)
}

/// The bytes of the JSON of a value.
pub(super) fn bytes(value: &impl Serialize) -> u64 {
    let mut count = Count(0);
    // A request has no map with keys that are no text, so it can be written.
    let _ = serde_json::to_writer(&mut count, value);
    count.0
}

struct Count(u64);

impl std::io::Write for Count {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The longest beginning of a text that takes so many bytes in JSON, and how many characters are left.
pub(super) fn beginning(text: &str, most: u64) -> (&str, usize) {
    let mut taken = 0;
    for (at, c) in text.char_indices() {
        taken += weight(c);
        if taken > most {
            return (&text[..at], text[at..].chars().count());
        }
    }
    (text, 0)
}

/// What a character takes in JSON.
pub(super) fn weight(c: char) -> u64 {
    match c {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
        c if c < ' ' => 6,
        c => c.len_utf8() as u64,
    }
}

/// A text cut to so many bytes of JSON, with a word on what is missing.
pub(super) fn cut(text: &str, most: u64) -> String {
    match beginning(text, most) {
        (all, 0) => all.to_owned(),
        (some, left) => format!("{some}… ({left} more characters)"),
    }
}

/// What stands at the end of a value that is not shown to its end.
const CUT: &str = "… (cut)";

/// The JSON of a value, of which no more is written than is shown: results may be large, and there may be many.
pub(super) fn preview(value: &Value, most: u64) -> String {
    struct Bounded(Vec<u8>, usize);
    impl std::io::Write for Bounded {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            let room = self.1.saturating_sub(self.0.len());
            self.0.extend_from_slice(&bytes[..bytes.len().min(room)]);
            if bytes.len() <= room { Ok(bytes.len()) } else { Err(std::io::ErrorKind::StorageFull.into()) }
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut written = Bounded(Vec::new(), usize::try_from(most).unwrap_or(usize::MAX));
    let all = match value {
        Value::String(text) => std::io::Write::write_all(&mut written, text.as_bytes()).is_ok(),
        value => serde_json::to_writer(&mut written, value).is_ok(),
    };
    let text = String::from_utf8_lossy(&written.0);
    // A character may have been cut in two.
    let text = text.trim_end_matches('\u{fffd}');
    if all { text.to_owned() } else { format!("{}{CUT}", beginning(text, most.saturating_sub(CUT.len() as u64)).0) }
}

/// A schema without what is for people, for where the whole of it takes too much room.
pub(super) fn slim(schema: &Value) -> Value {
    const PROPERTIES: usize = 40;
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
        return serde_json::json!({ "type": "object" });
    };
    let kind = |schema: &Value| {
        schema.get("type").map_or(Value::Object(Default::default()), |kind| serde_json::json!({ "type": kind }))
    };
    let slim: serde_json::Map<_, _> =
        properties.iter().take(PROPERTIES).map(|(name, schema)| (name.clone(), kind(schema))).collect();
    let mut found = serde_json::json!({ "type": "object", "properties": slim });
    if let Some(required) =
        schema.get("required").filter(|required| required.as_array().is_some_and(|r| r.len() <= PROPERTIES))
    {
        found["required"] = required.clone();
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beginning_weighs_what_its_json_weighs() {
        let text = "a\"b\\c\n\u{1}\u{7f}é漢🦀";
        for most in 0..40 {
            let (some, left) = beginning(text, most);
            assert!(bytes(&some) - 2 <= most, "{some:?}");
            assert_eq!(some.chars().count() + left, text.chars().count());
            let next: String = text.chars().take(some.chars().count() + 1).collect();
            assert!(left == 0 || bytes(&next) - 2 > most, "{some:?} could be longer");
        }
    }
}
