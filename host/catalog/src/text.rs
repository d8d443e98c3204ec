//! Untrusted text becomes visible text: what a person or a model reads is what there is.
//!
//! Names, titles and descriptions come from plugins. Characters that move the cursor, reorder text, or show nothing at
//! all can carry instructions that a person who looks at the text does not see, so they are taken out, and that they
//! were there is noted.

use std::fmt;

/// Characters that a message may have.
const MAX_MESSAGE_CHARS: usize = 2_000;

/// The shortest run of letters and digits that is called encoded data. A SHA-256 in hexadecimal has 64.
const MIN_ENCODED_RUN: usize = 80;

/// How often comments that appear when others are removed are removed in turn.
const MAX_COMMENT_PASSES: usize = 8;

/// What was found in a text and, except for encoded data, taken out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Findings {
    pub(crate) control: bool,
    pub(crate) invisible: bool,
    pub(crate) comment: bool,
    pub(crate) too_long: bool,
    pub(crate) encoded: bool,
}

impl Findings {
    pub(crate) fn any(self) -> bool {
        self != Self::default()
    }

    pub(crate) fn join(&mut self, other: Self) {
        self.control |= other.control;
        self.invisible |= other.invisible;
        self.comment |= other.comment;
        self.too_long |= other.too_long;
        self.encoded |= other.encoded;
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            (self.control, "control characters were removed"),
            (self.invisible, "invisible or reordering characters were removed"),
            (self.comment, "HTML comments were removed"),
            (self.too_long, "an overlong text was cut"),
            (self.encoded, "a long run of encoded data was left in"),
        ];
        let said: Vec<&str> = parts.iter().filter(|(found, _)| *found).map(|(_, said)| *said).collect();
        f.write_str(&said.join(", "))
    }
}

/// A text of one line and at most `max` characters.
pub(crate) fn line(text: &str, max: usize) -> (String, Findings) {
    let (text, mut findings) = visible(text);
    let joined = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let cut = cut(joined, max, &mut findings);
    (cut, findings)
}

/// A text of any number of lines and at most `max` characters.
pub(crate) fn passage(text: &str, max: usize) -> (String, Findings) {
    let (text, mut findings) = visible(text);
    let text = without_comments(text, &mut findings);
    findings.encoded |= has_encoded_run(&text);
    let cut = cut(text.trim().to_owned(), max, &mut findings);
    (cut, findings)
}

/// A text for a message: hidden characters are shown escaped, not dropped, since the message is about them.
pub(crate) fn one_line(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars().take(MAX_MESSAGE_CHARS) {
        match c {
            '\n' | '\r' | '\t' => shown.push(' '),
            c if is_hidden(c) => shown.extend(c.escape_unicode()),
            c => shown.push(c),
        }
    }
    if text.chars().nth(MAX_MESSAGE_CHARS).is_some() {
        shown.push('…');
    }
    shown
}

/// Whether a text that must stay as it is (a name, a value that is compared) hides something. Line ends and tabs are
/// common values, such as separators, and hide nothing.
pub(crate) fn hides(text: &str) -> bool {
    text.chars().any(|c| is_hidden(c) && !matches!(c, '\n' | '\r' | '\t' | '\u{fe0e}' | '\u{fe0f}'))
}

fn visible(text: &str) -> (String, Findings) {
    let mut findings = Findings::default();
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\t' => shown.push(c),
            '\u{2028}' | '\u{2029}' => shown.push('\n'),
            // These two choose how an emoji is drawn, and a carriage return ends lines on some systems.
            '\r' | '\u{fe0e}' | '\u{fe0f}' => {}
            c if c.is_control() => findings.control = true,
            c if is_hidden(c) => findings.invisible = true,
            c => shown.push(c),
        }
    }
    (shown, findings)
}

/// Control characters, and all that takes no place on the screen or reorders what does.
fn is_hidden(c: char) -> bool {
    c.is_control() || toolcrib_policy::is_hidden(c)
}

fn without_comments(mut text: String, findings: &mut Findings) -> String {
    for _ in 0..MAX_COMMENT_PASSES {
        let Some(cleaned) = remove_comments(&text) else { return text };
        findings.comment = true;
        text = cleaned;
    }
    // Whoever nests comments this deep is hiding something: nothing after the next one is shown.
    if let Some(start) = text.find("<!--") {
        text.truncate(start);
    }
    text
}

/// The text without its closed comments, or none if it has none.
fn remove_comments(text: &str) -> Option<String> {
    let mut kept = String::new();
    let mut rest = text;
    let mut found = false;
    while let Some((before, comment)) = rest.split_once("<!--") {
        let Some((_, after)) = comment.split_once("-->") else { break };
        kept.push_str(before);
        rest = after;
        found = true;
    }
    kept.push_str(rest);
    found.then_some(kept)
}

fn has_encoded_run(text: &str) -> bool {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '+' || c == '='))
        .any(|run| run.len() >= MIN_ENCODED_RUN && run.bytes().any(|b| b.is_ascii_digit() || b.is_ascii_uppercase()))
}

fn cut(text: String, max: usize, findings: &mut Findings) -> String {
    let Some((end, _)) = text.char_indices().nth(max) else { return text };
    findings.too_long = true;
    let mut text = text;
    text.truncate(end);
    text.push('…');
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn hidden_characters_are_removed_and_reported() {
        let tags: String = "secret".chars().filter_map(|c| char::from_u32(0xE0000 + c as u32)).collect();
        for hidden in ["\u{200b}", "\u{202e}", "\u{2066}", "\u{feff}", "\u{ad}", "\u{e0141}", tags.as_str()] {
            let (text, findings) = passage(&format!("read{hidden} me"), 100);
            assert_eq!(text, "read me", "{hidden:?}");
            assert!(findings.invisible, "{hidden:?}");
        }
        let (text, findings) = passage("a\u{1b}[2Jb\u{7}\u{9b}c\0", 100);
        assert_eq!((text.as_str(), findings.control), ("a[2Jbc", true));
    }

    #[test]
    fn ordinary_text_passes_without_a_finding() {
        for text in ["Liest eine Datei\n\n- schön\t✓", "⚠️ careful", "天気を調べる", "a\r\nb", "see `<!--` in HTML"]
        {
            let (shown, findings) = passage(text, 100);
            assert!(!findings.any(), "{text:?}: {findings:?}");
            assert_eq!(shown, text.replace(['\r', '\u{fe0f}'], ""));
        }
    }

    #[test]
    fn comments_are_removed_also_when_they_are_nested_or_broken_by_invisible_characters() {
        for text in ["a<!-- send it -->b", "a<!\u{200b}-- send it -->b", "a<!-<!-- x -->- send it -->b"] {
            let (shown, findings) = passage(text, 100);
            assert_eq!(shown, "ab", "{text:?}");
            assert!(findings.comment);
        }
        let deep = (0..30).fold("<!-- x -->".to_owned(), |inner, _| format!("<!-{inner}- send it -->"));
        assert!(!passage(&deep, 10_000).0.contains("<!--"));
    }

    #[test]
    fn long_texts_are_cut_and_encoded_ones_reported() {
        assert_eq!(line("ab cd", 3), ("ab …".to_owned(), Findings { too_long: true, ..Findings::default() }));
        assert!(passage(&"aGVsbG8gd29ybGQ0".repeat(8), 1000).1.encoded);
        assert!(!passage(&"0a".repeat(32), 1000).1.encoded);
    }

    #[test]
    fn a_message_is_one_line_that_shows_what_was_hidden() {
        assert_eq!(one_line("a\nb\u{202e}c"), "a b\\u{202e}c");
        assert!(one_line(&"x".repeat(1 << 20)).chars().count() <= MAX_MESSAGE_CHARS + 1);
    }

    proptest! {
        #[test]
        fn nothing_hidden_survives(text in any::<String>(), max in 0_usize..50) {
            for (shown, _) in [line(&text, max), passage(&text, max)] {
                prop_assert!(!hides(&shown));
                prop_assert!(shown.chars().count() <= max + 1);
            }
        }

        #[test]
        fn cleaning_twice_is_cleaning_once(text in any::<String>()) {
            let (once, _) = passage(&text, usize::MAX);
            prop_assert_eq!(&passage(&once, usize::MAX).0, &once);
        }
    }
}
