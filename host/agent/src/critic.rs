//! The critic: what a step's outcome means for the plan. This one is deterministic; a model critic stands
//! beside it later and can only overturn an [`Verdict::Accept`] that no check supports.

use serde::{Deserialize, Serialize};
use toolcrib_policy::Effect;

use crate::plan::{SchemaError, validate};
use crate::{Caps, EffectState, Question, Step, StepOutcome, ToolCard, ToolFailure, ToolOutput};

/// What is to happen after a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "is")]
pub enum Verdict {
    /// The result counts.
    Accept,
    /// The same call again, after a wait.
    Retry {
        /// The wait in milliseconds.
        after_ms: u64,
    },
    /// This way is closed; an alternative may be tried.
    Backtrack,
    /// This way is closed, and alternatives must not be tried without the planner.
    Replan,
    /// A person has to say whether the effect happened.
    Ask {
        /// The question.
        question: Question,
    },
}

/// A verdict with its reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// The reason, for people and planners.
    pub why: String,
}

/// What a verdict rests on.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'e> {
    /// The step.
    pub step: &'e Step,
    /// The effect class of the call that was made.
    pub effect: &'e Effect,
    /// The tool, where it still exists.
    pub card: Option<&'e ToolCard>,
    /// What came of the call.
    pub outcome: &'e StepOutcome,
    /// How often the very same call has now failed with the very same failure in this run.
    pub same_failures: u32,
    /// The caps of the run.
    pub caps: &'e Caps,
}

/// The answer to an unknown effect that lets the plan go on.
pub const IT_HAPPENED: &str = "it happened";
/// The answer to an unknown effect that makes the call again.
pub const IT_DID_NOT: &str = "it did not happen";
/// The answer to an unknown effect that gives the step up.
pub const GIVE_UP: &str = "give up this step";

/// The first wait before a retry; it doubles with each.
const FIRST_WAIT_MS: u64 = 500;

/// The longest wait that a service can ask for: a run is not to be parked by one reply.
const LONGEST_WAIT_MS: u64 = 60_000;

/// The longest wait that a plan can ask for: an hour.
const LONGEST_PLANNED_WAIT_MS: u64 = 3_600_000;

/// Judges by checks alone.
pub fn judge(evidence: &Evidence<'_>) -> Judgement {
    match evidence.outcome {
        StepOutcome::Done { output } => judge_output(evidence, output),
        StepOutcome::Failed { failure } => judge_failure(evidence, failure),
        StepOutcome::NotStarted { why } => retry_or(evidence, 0, Verdict::Backtrack, why),
        StepOutcome::Unknown { why } => judge_unknown(evidence, why),
    }
}

/// Whether doing it again is harmless.
pub fn is_repeatable(effect: &Effect) -> bool {
    matches!(effect, Effect::Read | Effect::Idempotent)
}

fn judge_output(evidence: &Evidence<'_>, output: &ToolOutput) -> Judgement {
    let closed = if is_repeatable(evidence.effect) { Verdict::Backtrack } else { Verdict::Replan };
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
    match evidence.step.expect.iter().find_map(|expectation| expectation.check(&value).err()) {
        Some(unmet) => verdict(closed, format!("expectation not met: {}", unmet.0)),
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
        return retry_or(evidence, 0, Verdict::Backtrack, why);
    }
    let text = format!(
        "the call of {} (step {}) was cut off, and nobody can tell whether it took effect ({why}); did it?",
        evidence.step.tool, evidence.step.name
    );
    let choices = [IT_HAPPENED, IT_DID_NOT, GIVE_UP].map(str::to_owned).to_vec();
    let question = Question { text, about: Some("unknown effect".to_owned()), choices, approval: None };
    verdict(Verdict::Ask { question }, format!("unknown whether the effect happened, not repeated: {why}"))
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
    Judgement { verdict, why: why.into() }
}

#[cfg(test)]
mod tests;
