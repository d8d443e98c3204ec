//! How a step stands, as numbers.

use toolcrib_policy::{Effect, Scores};

use super::{Checked, Evidence};
use crate::{Expectation, StepOutcome};

/// A result that nothing is known of but that it came.
const UNCHECKED: u8 = 70;
/// A result that fits a schema or an expectation.
const FITS: u8 = 85;
/// A result that a look at the world confirmed.
const CONFIRMED: u8 = 100;
/// A result that came, and does not fit.
const UNFIT: u8 = 10;
/// What a judge's doubt leaves, at most.
pub(super) const DOUBTED: u8 = 30;

/// The scores of a step whose outcome the checks accept, or do not.
pub(super) fn of(evidence: &Evidence<'_>, accepted: bool) -> Scores {
    let done = matches!(evidence.outcome, StepOutcome::Done { .. });
    let tested = evidence.card.is_some_and(|card| card.output_schema.is_some()) || expects(&evidence.step.expect);
    let coherence = match (done, accepted, &evidence.checked) {
        (true, true, Some(Checked::Passed)) => CONFIRMED,
        (true, true, _) if tested => FITS,
        (true, true, _) => UNCHECKED,
        (true, false, _) => UNFIT,
        (false, ..) => 0,
    };
    let empty = matches!(evidence.outcome, StepOutcome::Done { output } if output.is_empty());
    let progress = match (accepted, empty, evidence.repeated) {
        (false, ..) => 0,
        (true, true, _) => 20,
        (true, false, true) => 50,
        (true, false, false) => 100,
    };
    Scores { coherence, grounding: evidence.grounding, progress, risk: risk(evidence.effect, evidence.grounding) }
}

fn expects(expect: &[Expectation]) -> bool {
    !expect.is_empty()
}

/// What a call could do that is wrong: the more, the harder it is to take back and the less its arguments rest on.
fn risk(effect: &Effect, grounding: u8) -> u8 {
    let base: u16 = match effect {
        Effect::Read => 0,
        Effect::Idempotent => 30,
        Effect::Reversible { .. } => 40,
        Effect::Irreversible => 70,
    };
    let made_up = u16::from(100 - grounding.min(100));
    u8::try_from((base + base * made_up / 100).min(100)).unwrap_or(100)
}
