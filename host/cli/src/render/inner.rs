//! The calls that a step's program made, as a part of the tree and as lines.

use std::time::Duration;

use toolcrib_runtime::agent::{Inner, InnerPath, Journal, StepOutcome};

use super::text::{count, duration, plain};
use super::tree::short;

/// The lines of the calls that the program at `of` made, each with those inside it.
pub(super) fn inner_lines(journal: &Journal, of: &InnerPath, spinner: char, indent: &str, lines: &mut Vec<String>) {
    let below = |path: &InnerPath| path.parent().as_ref() == Some(of);
    let made = journal.calls.iter().filter(|(path, _)| below(path));
    let made = made.map(|(path, call)| (path, inner_line(call, spinner)));
    let asked = journal.asked.iter().filter(|(path, _)| below(path) && !journal.calls.contains_key(path));
    let asked = asked.map(|(path, request)| {
        let call = &request.call;
        (path, format!("? {} {}  question {}", call.tool, plain(&short(&call.arguments)), request.id))
    });
    let mut all: Vec<_> = made.chain(asked).collect();
    all.sort_by_key(|(path, _)| *path);
    let last = all.len();
    for (at, (path, line)) in all.into_iter().enumerate() {
        let (branch, inside) = if at + 1 == last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        lines.push(format!("{indent}{branch}{line}"));
        inner_lines(journal, path, spinner, &format!("{indent}{inside}"), lines);
    }
}

fn inner_line(call: &Inner, spinner: char) -> String {
    let what = format!("{} {}", call.tool, plain(&short(&call.arguments)));
    match &call.outcome {
        None => format!("{spinner} {what}"),
        Some(outcome) => format!("{} {what}{}", mark(outcome), cost(&call.receipt) + &why(outcome)),
    }
}

/// How a call ended, in one letter.
pub(super) fn mark(outcome: &StepOutcome) -> char {
    match outcome {
        StepOutcome::Done { .. } => '✓',
        StepOutcome::Failed { .. } => '✗',
        StepOutcome::NotStarted { .. } => '-',
        StepOutcome::Unknown { .. } => '?',
    }
}

/// Why a call brought no result; nothing where it did.
pub(super) fn why(outcome: &StepOutcome) -> String {
    match outcome {
        StepOutcome::Done { .. } => String::new(),
        StepOutcome::Failed { failure } => format!("  {}: {}", failure.code, plain(&failure.message)),
        StepOutcome::NotStarted { why } => format!("  not started: {}", plain(why)),
        StepOutcome::Unknown { why } => format!("  unknown: {}", plain(why)),
    }
}

/// What a call cost; nothing where it has no receipt.
pub(super) fn cost(receipt: &serde_json::Value) -> String {
    let number = |key: &str| receipt.get(key).and_then(serde_json::Value::as_u64);
    match (number("wall_us"), number("fuel")) {
        (Some(wall), Some(fuel)) => format!("  {}, fuel {}", duration(Duration::from_micros(wall)), count(fuel)),
        _ => String::new(),
    }
}
