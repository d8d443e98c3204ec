//! Judging by what programs can check.

use toolcrib_policy::{Action, Effect};

use super::scores;
use super::{Checked, Evidence, GIVE_UP, IT_DID_NOT, IT_HAPPENED, Judgement, KEEP, Verdict};
use crate::plan::{SchemaError, validate};
use crate::{EffectState, Question, StepOutcome, ToolFailure, ToolOutput};

/// The first wait before a retry; it doubles with each.
const FIRST_WAIT_MS: u64 = 500;

/// The longest wait that a service can ask for: a run is not to be parked by one reply.
const LONGEST_WAIT_MS: u64 = 60_000;

/// How often a call is begun that is cut off each time.
const CUT_OFF_MAX: u32 = 20;

/// The longest wait that a plan can ask for: an hour.
const LONGEST_PLANNED_WAIT_MS: u64 = 3_600_000;

/// Judges by checks alone.
pub fn judge(evidence: &Evidence<'_>) -> Judgement {
    let judged = match evidence.outcome {
        StepOutcome::Done { .. } if evidence.settings.is_off() => {
            verdict(Verdict::Accept, "accepted; the critic is off")
        }
        StepOutcome::Done { output } => judge_output(evidence, output),
        StepOutcome::Failed { failure } => judge_failure(evidence, failure),
        StepOutcome::NotStarted { why } => retry_cut_off(evidence, why),
        StepOutcome::Unknown { why } => judge_unknown(evidence, why),
    };
    if evidence.settings.is_off() || evidence.serves {
        return judged;
    }
    let scores = scores::of(evidence, judged.verdict == Verdict::Accept);
    let (verdict, why) = match judged.verdict {
        Verdict::Accept => by_table(evidence, &scores, judged.why),
        verdict => (verdict, judged.why),
    };
    Judgement { verdict, why, scores: Some(scores) }
}

/// What the table makes of a result that the checks accept. It cannot do more than the effect lets it.
fn by_table(evidence: &Evidence<'_>, scores: &toolcrib_policy::Scores, why: String) -> (Verdict, String) {
    let (action, Some(rule)) = evidence.settings.action(scores) else { return (Verdict::Accept, why) };
    let said = format!("the table says `{rule}`");
    let (repeatable, tries) = (is_repeatable(evidence.effect), evidence.step.attempts < evidence.caps.attempts);
    let returns = repeatable || matches!(evidence.effect, Effect::Reversible { .. });
    match action {
        Action::Accept => (Verdict::Accept, why),
        Action::Retry if repeatable && tries => (Verdict::Retry { after_ms: 0 }, said),
        Action::Alternative if returns => (Verdict::Backtrack, said),
        Action::Replan if returns => (Verdict::Replan, said),
        Action::Ask => {
            let text = format!(
                "the result of {} (step {}) is doubtful: {said}; is it to count?",
                evidence.step.tool, evidence.step.name
            );
            let choices = [KEEP, GIVE_UP].map(str::to_owned).to_vec();
            let about = Some("doubtful result".to_owned());
            (Verdict::Ask { question: Question { text, about, choices, approval: None } }, said)
        }
        Action::Retry => (Verdict::Accept, format!("{why} ({said}, and it is not made again)")),
        Action::Alternative | Action::Replan => {
            (Verdict::Accept, format!("{why} ({said}, and what it did cannot be taken back)"))
        }
    }
}

/// Whether doing it again is harmless.
pub fn is_repeatable(effect: &Effect) -> bool {
    matches!(effect, Effect::Read | Effect::Idempotent)
}

fn judge_output(evidence: &Evidence<'_>, output: &ToolOutput) -> Judgement {
    // What can be put back closes no more than its own way.
    let stays = *evidence.effect == Effect::Irreversible || evidence.serves;
    let closed = if stays { Verdict::Replan } else { Verdict::Backtrack };
    let promised = evidence.card.is_some_and(|card| card.output_schema.is_some());
    if output.is_empty() && promised && *evidence.effect == Effect::Read {
        return verdict(closed, "the tool gave an empty result");
    }
    if let (Some(schema), Some(value)) =
        (evidence.card.and_then(|card| card.output_schema.as_ref()), &output.structured)
    {
        match validate(schema, value) {
            Ok(faults) if !faults.is_empty() => {
                return verdict(
                    closed,
                    format!("the result does not fit the tool's output schema: {}", crate::plan::faults_line(&faults)),
                );
            }
            Ok(_) => {}
            // A schema that cannot be used is no evidence either way.
            Err(SchemaError { .. }) => {
                return accept_if_met(evidence, output, closed, "accepted; the tool's output schema is not usable");
            }
        }
    }
    accept_if_met(evidence, output, closed, "the result fits schema and expectations")
}

fn accept_if_met(evidence: &Evidence<'_>, output: &ToolOutput, closed: Verdict, why: &str) -> Judgement {
    let value = output.value();
    let met = |expectation: &crate::Expectation| expectation.check_with(&value, evidence.arguments);
    if let Some(unmet) = evidence.step.expect.iter().find_map(|expectation| met(expectation).err()) {
        // A call that serves a step is closed as an answer where it says no, and as none where it says nothing.
        let closed = if evidence.serves && !unmet.undecided { Verdict::Backtrack } else { closed };
        return verdict(closed, format!("expectation not met: {}", unmet.why));
    }
    match &evidence.checked {
        Some(Checked::Failed(why)) if is_repeatable(evidence.effect) => {
            retry_or(evidence, 0, closed, &format!("the check of it failed: {why}"))
        }
        Some(Checked::Failed(why)) => verdict(closed, format!("the check of it failed: {why}")),
        Some(Checked::Passed) => verdict(Verdict::Accept, format!("{why}, and the check of it passed")),
        Some(Checked::NotMade(cause)) => verdict(Verdict::Accept, format!("{why}; not checked: {cause}")),
        None => verdict(Verdict::Accept, why),
    }
}

fn judge_failure(evidence: &Evidence<'_>, failure: &ToolFailure) -> Judgement {
    let why = format!("{}: {}", failure.code, failure.message);
    let repeatable = is_repeatable(evidence.effect);
    match failure.effect {
        EffectState::Unknown if !repeatable => return judge_unknown(evidence, &why),
        EffectState::Done if !repeatable => {
            return verdict(Verdict::Replan, format!("the effect happened, and yet {why}"));
        }
        _ => {}
    }
    if evidence.settings.is_off() {
        return verdict(Verdict::Backtrack, why);
    }
    if evidence.same_failures > evidence.caps.attempts.max(evidence.step.trying.attempts.unwrap_or(0)) {
        return verdict(
            Verdict::Backtrack,
            format!("the same call failed in the same way {} times: {why}", evidence.same_failures),
        );
    }
    match failure.code.as_str() {
        "unavailable" | "rate-limited" => {
            let asked = failure.retry_after_seconds.map(|seconds| u64::from(seconds) * 1000);
            let doubled = FIRST_WAIT_MS << evidence.step.attempts.saturating_sub(1).min(7);
            let wait = planned_wait(evidence).unwrap_or(doubled);
            retry_or(evidence, asked.unwrap_or(wait).min(LONGEST_WAIT_MS), Verdict::Backtrack, &why)
        }
        // Whoever said how often it is tried meant every failure but those that the same call cannot but repeat.
        code if evidence.step.trying.attempts.is_some() && code != "invalid-arguments" && !failure.is_refusal() => {
            retry_or(evidence, planned_wait(evidence).unwrap_or(0), Verdict::Backtrack, &why)
        }
        _ => verdict(Verdict::Backtrack, why),
    }
}

fn judge_unknown(evidence: &Evidence<'_>, why: &str) -> Judgement {
    if is_repeatable(evidence.effect) {
        return retry_cut_off(evidence, why);
    }
    let text = format!(
        "the call of {} (step {}) was cut off, and nobody can tell whether it took effect ({why}); did it?",
        evidence.step.tool, evidence.step.name
    );
    let choices = [IT_HAPPENED, IT_DID_NOT, GIVE_UP].map(str::to_owned).to_vec();
    let question = Question { text, about: Some("unknown effect".to_owned()), choices, approval: None };
    verdict(Verdict::Ask { question }, format!("unknown whether the effect happened, not repeated: {why}"))
}

/// A call that was cut off did not fail: it is made again, more often than one that fails. A call that takes the host down
/// with it ends all the same.
fn retry_cut_off(evidence: &Evidence<'_>, why: &str) -> Judgement {
    if evidence.step.attempts < CUT_OFF_MAX {
        return verdict(Verdict::Retry { after_ms: 0 }, why);
    }
    retry_or(evidence, 0, Verdict::Backtrack, why)
}

fn retry_or(evidence: &Evidence<'_>, after_ms: u64, otherwise: Verdict, why: &str) -> Judgement {
    if evidence.step.attempts < evidence.step.trying.attempts.unwrap_or(evidence.caps.attempts) {
        verdict(Verdict::Retry { after_ms }, why)
    } else {
        verdict(otherwise, format!("{why} (tried {} times)", evidence.step.attempts))
    }
}

/// The wait that the plan wants before the next try, in milliseconds.
fn planned_wait(evidence: &Evidence<'_>) -> Option<u64> {
    let trying = &evidence.step.trying;
    let growth = u64::from(trying.growth_percent.unwrap_or(100));
    let grow = |wait: u64, _| wait.saturating_mul(growth) / 100;
    Some((1..evidence.step.attempts.min(64)).fold(trying.wait_ms?, grow).min(LONGEST_PLANNED_WAIT_MS))
}

fn verdict(verdict: Verdict, why: impl Into<String>) -> Judgement {
    Judgement { verdict, why: why.into(), scores: None }
}
