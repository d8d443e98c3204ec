//! What a run has spent on models and tools.

use serde_json::{Value, json};
use toolcrib_runtime::agent::{Bill, State};

use super::text::{count, counted, plain};

/// A line for each model and each tool with a price, and one for the sum where there is one.
pub(crate) fn bills(state: &State) -> Vec<String> {
    let purse = state.purse();
    let money = |bill: &Bill| match bill.money.is_zero() {
        true => String::new(),
        false => format!(", {} {}", bill.money, plain(&purse.currency)),
    };
    let failed =
        |bill: &Bill| if bill.failed > 0 { format!(" ({} without an answer)", bill.failed) } else { String::new() };
    let mut lines = Vec::new();
    for (model, bill) in &purse.models {
        let requests = counted(bill.times, "request");
        let (read, written) = (count(bill.usage.input), count(bill.usage.output));
        let tokens = match bill.usage.total() {
            0 => String::new(),
            _ => format!(", {read} tokens read, {written} written"),
        };
        lines.push(format!("{}: {requests}{}{tokens}{}", plain(model), failed(bill), money(bill)));
    }
    for (tool, bill) in &purse.tools {
        lines.push(format!("{tool}: {}{}{}", counted(bill.times, "call"), failed(bill), money(bill)));
    }
    let (spent, aside) = (purse.spent, purse.reserved());
    if spent.is_zero() && aside.is_zero() && state.budget().money.is_none() {
        return lines;
    }
    let of = state.budget().money.map(|most| format!(" of {most}")).unwrap_or_default();
    let aside = match aside.is_zero() {
        true => String::new(),
        false => format!(", and at most {aside} on what was under way"),
    };
    lines.push(format!("spent: {spent}{of} {}{aside}", plain(&purse.currency)));
    lines
}

/// The same for programs.
pub(crate) fn bills_json(state: &State) -> Value {
    let purse = state.purse();
    json!({
        "currency": purse.currency, "spent": purse.spent, "set_aside": purse.reserved(), "budget": state.budget().money,
        "steps": state.spent().steps, "tokens": state.spent().tokens, "models": purse.models, "tools": purse.tools,
    })
}
