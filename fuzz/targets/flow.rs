//! Flows, as people write them: whatever the text says, reading ends with a flow or with an error that names a place, and a flow
//! that was checked is taken by the core, which then has something to do.
#![no_main]

use async_trait::async_trait;
use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value, json};
use toolcrib_agent::{
    Cancel, EffectState, EventKind, Flow, FlowError, Millis, NodeId, PlanReason, State, ToolCall, ToolCard,
    ToolFailure, ToolReport, Tools,
};
use toolcrib_model::Usage;
use toolcrib_policy::{CriticSettings, Effect, ToolName};

/// Every tool that a flow can name, each of which takes anything.
struct Anything;

#[async_trait]
impl Tools for Anything {
    fn search(&self, _query: &str, _limit: usize) -> Vec<ToolCard> {
        Vec::new()
    }

    fn get(&self, name: &ToolName) -> Option<ToolCard> {
        let card = json!({ "name": name, "title": "t", "description": "d", "input_schema": { "type": "object" },
            "effect": Effect::Irreversible });
        Some(serde_json::from_value(card).expect("a card"))
    }

    async fn call(&self, _call: ToolCall, _cancel: Cancel) -> ToolReport {
        let (code, message) = ("failed".to_owned(), String::new());
        let failure = ToolFailure { code, message, effect: EffectState::None, grant: None, retry_after_seconds: None };
        ToolReport { outcome: Err(failure), receipt: Value::Null, label: None }
    }
}

fuzz_target!(|text: &str| {
    let flow = match Flow::parse(text) {
        Ok(flow) => flow,
        Err(FlowError::Yaml(why)) => return assert!(!why.is_empty()),
        Err(FlowError::Wrong { at, why, .. }) => return assert!(!at.is_empty() && !why.is_empty(), "{at}: {why}"),
    };
    assert_eq!(Flow::parse(text).as_ref(), Ok(&flow), "the same text is the same flow");
    let Ok(patches) = flow.checked(&Anything) else { return };
    let inputs = flow.with_inputs(&Map::new()).unwrap_or_else(|_| json!({}));
    let (node, planner, note) = (NodeId::ROOT, "flow".to_owned(), String::new());
    let events = [
        EventKind::RunStarted {
            version: toolcrib_agent::event::EVENT_VERSION,
            goal: flow.name.clone(),
            planner,
            budget: flow.budget,
            caps: flow.caps(),
            inputs,
            critic: CriticSettings::default(),
            hold: false,
        },
        EventKind::PlanAsked { node, reason: PlanReason::Open },
        EventKind::Expanded { node, patches, note, usage: Usage::default(), label: None, given: true },
    ];
    let events = events.map(|kind| kind.at(Millis(1)));
    let state = State::fold(&events).expect("what was checked is taken");
    assert!(!state.decide().is_empty(), "there is something to do");
});
