use serde_json::{Value, json};

use toolcrib_policy::{CriticMode, ScoreRule};

use super::*;
use crate::{EffectState, Expectation, ToolFailure, ToolOutput};

struct Case {
    effect: Effect,
    attempts: u32,
    same_failures: u32,
    output_schema: Option<Value>,
    expect: Vec<Expectation>,
    settings: CriticSettings,
    checked: Option<Checked>,
    grounding: u8,
}

impl Case {
    fn of(effect: Effect) -> Self {
        Case {
            effect,
            attempts: 1,
            same_failures: 0,
            output_schema: None,
            expect: Vec::new(),
            settings: CriticSettings::default(),
            checked: None,
            grounding: 100,
        }
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
            check: None,
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
            settings: &self.settings,
            arguments: &step.arguments,
            checked: self.checked.clone(),
            grounding: self.grounding,
            repeated: false,
            serves: false,
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

fn table(lines: &[&str]) -> CriticSettings {
    let table = lines.iter().map(|line| ScoreRule::parse(line).expect("a line")).collect();
    CriticSettings { table, ..CriticSettings::default() }
}

#[test]
fn a_check_that_fails_outranks_what_the_tool_says() {
    let failed = |effect| Case { checked: Some(Checked::Failed("it is not there".to_owned())), ..Case::of(effect) };
    let done = done(Some(json!({ "written": 3 })));
    let verdict = |case: &Case| case.judge(&done).verdict;
    assert_eq!(verdict(&failed(Effect::Idempotent)), Verdict::Retry { after_ms: 0 });
    assert_eq!(verdict(&Case { attempts: 3, ..failed(Effect::Idempotent) }), Verdict::Backtrack);
    assert_eq!(verdict(&failed(Effect::Reversible { undo: "back".to_owned() })), Verdict::Backtrack);
    assert_eq!(verdict(&failed(Effect::Irreversible)), Verdict::Replan);
    let passed = Case { checked: Some(Checked::Passed), ..Case::of(Effect::Irreversible) }.judge(&done);
    assert_eq!((passed.verdict, passed.scores.map(|scores| scores.coherence)), (Verdict::Accept, Some(100)));
    let not_made = Case { checked: Some(Checked::NotMade("refused".to_owned())), ..Case::of(Effect::Idempotent) };
    assert_eq!(verdict(&not_made), Verdict::Accept);
}

#[test]
fn scores_tell_how_a_step_stands() {
    let done = done(Some(json!({ "n": 1 })));
    let scores = |case: &Case| case.judge(&done).scores.expect("scores");
    let read = scores(&Case::of(Effect::Read));
    assert_eq!((read.coherence, read.grounding, read.progress, read.risk), (70, 100, 100, 0));
    let send = scores(&Case { grounding: 50, ..Case::of(Effect::Irreversible) });
    assert_eq!((send.grounding, send.risk), (50, 100));
    let fits = scores(&Case { expect: vec![Expectation::Exists("n".to_owned())], ..Case::of(Effect::Read) });
    assert_eq!(fits.coherence, 85);
}

#[test]
fn the_table_does_no_more_than_the_effect_lets_it() {
    let settings = table(&["grounding < 60: alternative"]);
    let done = done(Some(json!({ "n": 1 })));
    let verdict = |effect| Case { settings: settings.clone(), grounding: 50, ..Case::of(effect) }.judge(&done).verdict;
    assert_eq!(verdict(Effect::Read), Verdict::Backtrack);
    assert_eq!(verdict(Effect::Reversible { undo: "back".to_owned() }), Verdict::Backtrack);
    assert_eq!(verdict(Effect::Irreversible), Verdict::Accept);
    let again = Case { settings: table(&["grounding < 60: retry"]), grounding: 50, ..Case::of(Effect::Read) };
    assert_eq!(again.judge(&done).verdict, Verdict::Retry { after_ms: 0 });
    assert_eq!(Case { attempts: 3, ..again }.judge(&done).verdict, Verdict::Accept);
}

#[test]
fn a_critic_that_is_off_still_repeats_nothing_that_may_have_happened() {
    let off = || CriticSettings { mode: CriticMode::Off, ..CriticSettings::default() };
    let expect = vec![Expectation::Exists("zz".to_owned())];
    let case = Case { settings: off(), expect, ..Case::of(Effect::Irreversible) };
    assert_eq!(
        case.judge(&done(Some(json!({})))),
        Judgement { verdict: Verdict::Accept, why: "accepted; the critic is off".to_owned(), scores: None }
    );
    let unknown = StepOutcome::Unknown { why: "cut off".to_owned() };
    assert!(matches!(
        Case { settings: off(), ..Case::of(Effect::Irreversible) }.judge(&unknown).verdict,
        Verdict::Ask { .. }
    ));
    let busy = Case { settings: off(), ..Case::of(Effect::Read) }.judge(&failed("unavailable", EffectState::None));
    assert_eq!(busy.verdict, Verdict::Backtrack);
}
