//! What changed between two texts.

use similar::{ChangeTag, TextDiff};
use toolcrib_sdk::value;

/// The most lines of context: more than any text has, and far from overflowing.
const MAX_CONTEXT: usize = 1_000_000;

/// A comparison of two texts.
#[value(output)]
pub(crate) struct Comparison {
    /// The unified diff; empty where the texts are the same.
    pub(crate) diff: String,
    /// Lines that only the new text has.
    pub(crate) added: usize,
    /// Lines that only the old text has.
    pub(crate) removed: usize,
}

pub(crate) fn of(before: &str, after: &str, context: usize) -> Comparison {
    let changes = TextDiff::from_lines(before, after);
    let count = |tag: ChangeTag| changes.iter_all_changes().filter(|change| change.tag() == tag).count();
    let (added, removed) = (count(ChangeTag::Insert), count(ChangeTag::Delete));
    let diff = if added + removed == 0 {
        String::new()
    } else {
        changes.unified_diff().context_radius(context.min(MAX_CONTEXT)).header("before", "after").to_string()
    };
    Comparison { diff, added, removed }
}
