//! A plan before it is done: its tree, with what a person wants to know of each call.

use toolcrib_runtime::agent::{Body, Expectation, State};
use toolcrib_runtime::policy::Verdict;
use toolcrib_runtime::{Crib, Foretold, Preview, PreviewedCall};

use super::text::{counted, plain};
use super::tree::{Notes, noted_tree};
use super::{advise, errln, outln};
use crate::args::Common;

/// Shows a plan. With `gates`, what policy would say to each call as well.
pub(crate) fn show_preview(common: &Common, crib: &Crib, preview: &Preview, gates: bool) {
    let mut notes = Notes::new();
    for call in &preview.calls {
        let note = notes.entry(call.node).or_default();
        of_step(&preview.state, call, note);
        if gates {
            of_gates(call, note);
        }
    }
    for goal in &preview.later {
        notes.entry(*goal).or_default().push("planned when its turn comes".to_owned());
    }
    for node in preview.state.plan().nodes() {
        if let Some(when) = node.when.as_ref().filter(|_| node.holds.is_none()) {
            notes.entry(node.id).or_default().insert(0, format!("only when {}", plain(when)));
        }
    }
    for id in &preview.open_loops {
        notes.entry(*id).or_default().push("how often is not known yet; one round is shown".to_owned());
    }
    noted_tree(&preview.state, &notes).iter().for_each(|line| outln!("{line}"));
    outln!("{}", estimate(preview));
    if gates {
        let missing = preview.calls.iter().flat_map(|call| {
            call.missing.iter().filter_map(|refusal| Some((call.tool.plugin(), refusal.grant.as_deref()?)))
        });
        let mut told: Vec<_> = missing.collect();
        told.sort();
        told.dedup();
        advise(common, crib.operator(), told);
        let mut bare: Vec<_> =
            preview.calls.iter().filter(|call| call.nothing_granted).map(|call| call.tool.plugin()).collect();
        bare.sort();
        bare.dedup();
        for plugin in bare {
            errln!("nothing is granted to `{plugin}`, which asks for something: `toolcrib inspect {plugin}` says what");
        }
    }
}

fn of_step(state: &State, call: &PreviewedCall, note: &mut Vec<String>) {
    let mut head = format!("{}, as `{}`", call.effect.as_str(), call.step);
    if !call.waits_for.is_empty() {
        let names: Vec<String> = call.waits_for.iter().map(|name| format!("`{name}`")).collect();
        head.push_str(&format!(", with what {} gives", names.join(" and ")));
    }
    if state.is_by_person(call.node) {
        head.push_str(", written by a person");
    }
    note.push(head);
    let Some(step) = state.plan().node(call.node).and_then(|node| match &node.body {
        Body::Step(step) => Some(step),
        _ => None,
    }) else {
        return;
    };
    for expectation in &step.expect {
        note.push(format!("expects {}", plain(&expected(expectation))));
    }
    if step.trying.ask {
        note.push("the plan wants a person's word".to_owned());
    }
}

fn expected(expectation: &Expectation) -> String {
    match expectation {
        Expectation::Exists(path) => format!("that there is `{path}`"),
        Expectation::Equals { path, value } => format!("`{path}` to be {value}"),
        Expectation::Contains { path, value } => format!("`{path}` to contain {value}"),
        Expectation::Schema(schema) => format!("a result of the shape {schema}"),
        Expectation::Holds(text) => format!("that `{text}` holds"),
    }
}

fn of_gates(call: &PreviewedCall, note: &mut Vec<String>) {
    let because = |because: &Option<String>| because.as_ref().map(|b| format!(" ({b})")).unwrap_or_default();
    note.push(plain(&match &call.gate {
        Foretold::Allow { rule: None } => "✓ no rule denies it or asks about it".to_owned(),
        Foretold::Allow { rule: Some(rule) } => format!("✓ rule `{rule}` allows it"),
        Foretold::Ask { rule, because: why } => format!("? rule `{rule}` asks a person{}", because(why)),
        Foretold::Approved { rule, question } => {
            format!("✓ rule `{rule}` asks a person, who said yes before (question {question})")
        }
        Foretold::Deny { refusal } => format!("✗ {}: {}", refusal.code, refusal.message),
        Foretold::Open { verdicts, rules } => {
            let word = |verdict: &Verdict| match verdict {
                Verdict::Allow => "allow",
                Verdict::Ask => "ask",
                Verdict::Deny => "deny",
            };
            let words: Vec<_> = verdicts.iter().map(word).collect();
            format!("· its arguments decide: {} (rules {})", words.join(" or "), rules.join(", "))
        }
        Foretold::Out { why } => format!("✗ {why}"),
    }));
    for refusal in &call.missing {
        note.push(plain(&format!("✗ {}: {}", refusal.code, refusal.message)));
    }
    if !call.reach.is_empty() {
        let lines: Vec<String> = call.reach.iter().map(|line| format!("{} {}", line.capability, line.line)).collect();
        note.push(plain(&format!("reaches {}", lines.join("; "))));
    }
}

fn estimate(preview: &Preview) -> String {
    let Preview { calls_least: least, calls_most, budget, later, open_loops, .. } = preview;
    let most = match calls_most {
        Some(most) if most == least => counted(u64::from(*least), "call"),
        Some(most) => format!("{least} to {most} calls, retries included"),
        None => format!("at least {}", counted(u64::from(*least), "call")),
    };
    let mut open = Vec::new();
    if !later.is_empty() {
        open.push(format!("{} without a plan yet", counted(later.len() as u64, "goal")));
    }
    if !open_loops.is_empty() {
        open.push(format!("{} of unknown length", counted(open_loops.len() as u64, "loop")));
    }
    let open = if open.is_empty() { String::new() } else { format!("; {}", open.join(", ")) };
    format!("{most}, of {} that the budget has{open}", budget.steps)
}

/// How a held run goes on.
pub(crate) fn hint_held(run: impl std::fmt::Display) {
    errln!("nothing was called: `toolcrib resume {run}` does it, `toolcrib plan {run} --edit` changes it");
}
