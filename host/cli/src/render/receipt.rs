//! A receipt for people, on standard error.

use std::time::Duration;

use toolcrib_runtime::sandbox::{Receipt, Uses};

use super::{bytes, count, counted, duration, errln, plain, plain_lines};

/// Shows what a call cost and what it did.
pub(crate) fn show_receipt(receipt: &Receipt) {
    errln!(
        "fuel {}, memory {}, {}, {}",
        count(receipt.fuel),
        bytes(receipt.peak_memory_bytes),
        duration(Duration::from_micros(receipt.wall_us)),
        counted(receipt.host_calls, "host call")
    );
    if let Some(undeclared) = &receipt.undeclared {
        errln!("  note: {undeclared}");
    }
    show_uses(&receipt.uses, "  ");
    for call in &receipt.inner.listed {
        errln!("  called  {}: {}", plain(&call.tool), plain(&call.outcome));
        if let Some(inner) = &call.receipt {
            show_uses(&inner.uses, "    ");
        }
    }
    if receipt.inner.more > 0 {
        errln!("  and {} more", counted(receipt.inner.more, "call"));
    }
    for (name, captured) in [("stdout", &receipt.stdout), ("stderr", &receipt.stderr), ("log", &receipt.log)] {
        if !captured.is_empty() {
            errln!("  {name}: {}", plain_lines(captured.text.trim_end()));
        }
        if captured.dropped_bytes > 0 || captured.dropped_lines > 0 {
            let lines = counted(captured.dropped_lines, "line");
            errln!("  {name}: {} and {lines} more were dropped", bytes(captured.dropped_bytes));
        }
    }
}

fn show_uses(uses: &Uses, indent: &str) {
    for used in &uses.listed {
        let what = format!("{} {} {}", plain(&used.capability), plain(&used.access), plain(&used.target));
        let (word, code) = match (used.allowed, &used.error) {
            (false, _) => ("refused", used.refusal.as_deref()),
            (true, Some(error)) => ("failed ", Some(error.as_str())),
            (true, None) => ("allowed", None),
        };
        let code = code.map(|code| format!(" ({})", plain(code))).unwrap_or_default();
        let times = if used.times > 1 { format!(", {} times", count(used.times)) } else { String::new() };
        let by = used.by.as_deref().map(|line| format!(", by `{}`", plain(line))).unwrap_or_default();
        let took = duration(Duration::from_micros(used.took_us));
        errln!("{indent}{word}  {what}{code}: {}, {took}{times}{by}", bytes(used.bytes));
    }
    if uses.more > 0 {
        errln!("{indent}and {} more, {}", counted(uses.more, "use"), bytes(uses.more_bytes));
    }
}
