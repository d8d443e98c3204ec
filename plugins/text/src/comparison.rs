//! What changed between two texts.

use std::convert::Infallible;
use std::ops::Range;

use similar::DiffOp;
use similar::algorithms::{Capture, Replace, myers};
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
    let before: Vec<&str> = before.split_inclusive('\n').collect();
    let after: Vec<&str> = after.split_inclusive('\n').collect();
    // The one algorithm by its own name: the general entry brings all of them, which is a quarter of the component.
    let mut steps = Replace::new(Capture::new());
    let Ok::<(), Infallible>(()) =
        myers::diff(&mut steps, before.as_slice(), 0..before.len(), after.as_slice(), 0..after.len());
    let hunks = steps.into_inner().into_grouped_ops(context.min(MAX_CONTEXT));
    let mut comparison = Comparison { diff: String::new(), added: 0, removed: 0 };
    for hunk in &hunks {
        comparison.add(hunk, &before, &after);
    }
    comparison
}

impl Comparison {
    /// Writes one group of changes with the unchanged lines around it.
    fn add(&mut self, hunk: &[DiffOp], before: &[&str], after: &[&str]) {
        let (Some(first), Some(last)) = (hunk.first(), hunk.last()) else {
            return;
        };
        if self.diff.is_empty() {
            self.diff.push_str("--- before\n+++ after\n");
        }
        let old = extent(&(first.old_range().start..last.old_range().end));
        let new = extent(&(first.new_range().start..last.new_range().end));
        self.diff.push_str(&format!("@@ -{old} +{new} @@\n"));
        for step in hunk {
            if let DiffOp::Equal { .. } = step {
                self.lines(' ', &before[step.old_range()]);
                continue;
            }
            self.removed += step.old_range().len();
            self.added += step.new_range().len();
            self.lines('-', &before[step.old_range()]);
            self.lines('+', &after[step.new_range()]);
        }
    }

    fn lines(&mut self, mark: char, lines: &[&str]) {
        for line in lines {
            self.diff.push(mark);
            self.diff.push_str(line);
            if !line.ends_with('\n') {
                self.diff.push_str("\n\\ No newline at end of file\n");
            }
        }
    }
}

/// Where a hunk begins and how long it is: one line is the length that is left out, and nothing stands after the line
/// before it.
fn extent(range: &Range<usize>) -> String {
    match range.len() {
        0 => format!("{},0", range.start),
        1 => (range.start + 1).to_string(),
        length => format!("{},{length}", range.start + 1),
    }
}
