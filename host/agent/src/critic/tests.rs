use serde_json::{Value, json};

use super::*;
use crate::Expectation;

struct Case {
    effect: Effect,
    attempts: u32,
    same_failures: u32,
    output_schema: Option<Value>,
    expect: Vec<Expectation>,
}

impl Case {
    fn of(effect: Effect) -> Self {
        Case { effect, attempts: 1, same_failures: 0, output_schema: None, expect: Vec::new() }
    }

    fn judge(&self, outcome: &StepOutcome) -> Judgement {
        let step = Step {
            name: crate::StepName::nearest("step1"),
            tool: "a.b".parse().expect("a name"),
            arguments: json!({}),
            expect: self.expect.clone(),
            trying: crate::Trying::default(),
            effect: self.effect.clone(),
            attempts: self.attempts,
        };
        let card = ToolCard {
            name: step.tool.clone(),
            title: String::new(),
            description: String::new(),
            input_schema: json!({ "type": "object" }),
            output_schema: self.output_schema.clone(),
            effect: self.effect.clone(),
            open_world: false,
        };
        judge(&Evidence {
            step: &step,
            effect: &self.effect,
            card: Some(&card),
            outcome,
            same_failures: self.same_failures,
            caps: &Caps::default(),
        })
    }
}

fn done(structured: Option<Value>) -> StepOutcome {
    StepOutcome::Done { output: ToolOutput { structured, text: String::new() } }
}

fn failed(code: &str, effect: EffectState) -> StepOutcome {
    let message = "says the tool".to_owned();
    StepOutcome::Failed {
        failure: ToolFailure { code: code.to_owned(), message, effect, grant: None, retry_after_seconds: None },
    }
}

#[test]
fn nothing_is_a_result_where_nothing_was_promised() {
    let mut case = Case::of(Effect::Read);
    assert_eq!(case.judge(&done(None)).verdict, Verdict::Accept);
    case.output_schema = Some(json!({ "type": "object" }));
    assert_eq!(case.judge(&done(None)).verdict, Verdict::Backtrack);
}

#[test]
fn a_result_that_does_not_fit_closes_the_way_and_a_change_is_not_tried_in_another() {
    let schema = Some(json!({ "type": "object", "required": ["n"] }));
    for (effect, verdict) in [(Effect::Read, Verdict::Backtrack), (Effect::Irreversible, Verdict::Replan)] {
        let case = Case { output_schema: schema.clone(), ..Case::of(effect) };
        assert_eq!(case.judge(&done(Some(json!({})))).verdict, verdict);
        assert_eq!(case.judge(&done(Some(json!({ "n": 1 })))).verdict, Verdict::Accept);
    }
}

#[test]
fn an_expectation_outranks_what_the_tool_says_of_itself() {
    let expect = vec![Expectation::Equals { path: "n".to_owned(), value: json!(2) }];
    let judged = Case { expect, ..Case::of(Effect::Read) }.judge(&done(Some(json!({ "n": 1 }))));
    assert_eq!(judged.verdict, Verdict::Backtrack);
    assert!(judged.why.starts_with("expectation not met"), "{}", judged.why);
}

#[test]
fn what_passes_is_tried_again_and_nothing_for_ever() {
    let mut case = Case::of(Effect::Read);
    let busy = failed("unavailable", EffectState::None);
    assert_eq!(case.judge(&busy).verdict, Verdict::Retry { after_ms: 500 });
    case.attempts = 2;
    assert_eq!(case.judge(&busy).verdict, Verdict::Retry { after_ms: 1000 });
    case.attempts = Caps::default().attempts;
    assert_eq!(case.judge(&busy).verdict, Verdict::Backtrack);
    assert_eq!(Case::of(Effect::Read).judge(&failed("not-found", EffectState::None)).verdict, Verdict::Backtrack);
}

#[test]
fn an_effect_that_may_have_happened_is_asked_about_and_one_that_did_is_planned_around() {
    let case = Case::of(Effect::Irreversible);
    assert!(matches!(case.judge(&failed("failed", EffectState::Unknown)).verdict, Verdict::Ask { .. }));
    assert_eq!(case.judge(&failed("failed", EffectState::Done)).verdict, Verdict::Replan);
    let cut = StepOutcome::Unknown { why: "the host ended".to_owned() };
    assert!(matches!(case.judge(&cut).verdict, Verdict::Ask { .. }));
    assert_eq!(Case::of(Effect::Idempotent).judge(&cut).verdict, Verdict::Retry { after_ms: 0 });
}
