//! What a long run costs the agent's core: folding its events, deciding what is next, and making a prompt of it.
//! `cargo bench -p toolcrib-agent --bench fold`
//!
//! The baseline is reading the same events from their JSON, measured in the same run.
#![expect(clippy::print_stdout, reason = "a bench prints its table")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use serde_json::{Value, json};
use toolcrib_agent::{
    Answer, Budget, Cancel, Caps, Draft, Event, EventKind, Memory, Millis, ModelPlanner, ModelView, NodeId, Order,
    Patch, PlanContext, PlanReason, Planner, State, StepName, StepOutcome, Then, ToolCall, ToolCard, ToolOutput,
    ToolReport, Tools, Verdict,
};
use toolcrib_model::{Delta, Model, ModelError, Request, Response, StopReason, Usage};
use toolcrib_policy::{CriticSettings, Effect, Label, Labels, ToolName};

const EVENTS: usize = 10_000;
const STEPS_OF_GOAL: u32 = 10;
/// Asking, planning, three for each step, asking, and the answer.
const EVENTS_OF_GOAL: usize = 4 + 3 * STEPS_OF_GOAL as usize;
const SAMPLES: usize = 15;

fn main() {
    // `cargo test --benches` runs benches for their compilation alone.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let events = events();
    let json: Vec<String> = events.iter().map(|event| serde_json::to_string(event).expect("JSON")).collect();
    let parse = || -> Vec<Event> { json.iter().map(|json| serde_json::from_str(json).expect("an event")).collect() };
    let parsing = median(|| drop(black_box(parse())));
    let row = |what: &str, took: Duration, target: &str| {
        let ratio = took.as_secs_f64() / parsing.as_secs_f64();
        println!("{what:<58} {:>9.3} ms  {ratio:>7.3}  {target}", took.as_secs_f64() * 1e3);
    };
    println!("{:<58} {:>12}  {:>7}  target", "what", "measured", "ratio");
    row(&format!("{EVENTS} events read from JSON (the baseline)"), parsing, "");
    let folding = median(|| drop(black_box(State::fold(&events).expect("a run"))));
    row(&format!("{EVENTS} events folded"), folding, "<= 50 ms");
    let half = median(|| drop(black_box(State::fold(&events[..EVENTS / 2]).expect("a run"))));
    row("the first half of them", half, "half of that");
    let state = Arc::new(State::fold(&events).expect("a run"));
    row("what is next, decided at the end of them", median(|| drop(black_box(state.decide()))), "");
    row("the state copied", median(|| drop(black_box((*state).clone()))), "");
    let query = "what was the colour of item 17";
    row("a result found again by words", median(|| drop(black_box(Memory::of(&state).search(query)))), "");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let tools: Arc<dyn Tools> = Arc::new(Nothing);
    let planner = ModelPlanner::new(Arc::new(Mute), ModelView::default());
    let context = PlanContext {
        state: Arc::clone(&state),
        node: NodeId::ROOT,
        reason: PlanReason::Review,
        tools,
        meter: Arc::new(()),
    };
    let asking = median(|| drop(black_box(runtime.block_on(planner.plan(&context)))));
    row("a prompt of 32,000 tokens made of them", asking, "");
}

fn median(mut work: impl FnMut()) -> Duration {
    let mut times: Vec<Duration> = (0..SAMPLES)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed()
        })
        .collect();
    times.sort();
    times[SAMPLES / 2]
}

/// A run that works through goals of ten steps, each of which refers to the one before.
fn events() -> Vec<Event> {
    let tool: ToolName = "x.get".parse().expect("a name");
    let goals = (EVENTS / EVENTS_OF_GOAL) as u32;
    let caps = Caps { nodes: 20_000, ..Caps::default() };
    let mut kinds = vec![EventKind::RunStarted {
        version: 1,
        goal: "all of it".to_owned(),
        planner: "bench".to_owned(),
        budget: Budget { steps: u32::MAX, ..Budget::default() },
        caps,
        hold: false,
        critic: CriticSettings::default(),
        inputs: Value::Null,
    }];
    let expanded = |kinds: &mut Vec<EventKind>, node: NodeId, children: Vec<Draft>| {
        kinds.push(EventKind::PlanAsked { node, reason: PlanReason::Open });
        let patch = Patch::Expand { node, order: Order::Sequence, then: Then::Review, children };
        kinds.push(EventKind::Expanded {
            node,
            patches: vec![patch],
            note: String::new(),
            usage: Usage::default(),
            label: None,
            given: false,
        });
    };
    let goal = |n: u32| Draft::later(format!("goal {n}"));
    expanded(&mut kinds, NodeId::ROOT, (0..goals).map(goal).collect());
    let mut next = goals + 1;
    for n in 1..=goals {
        let name = |of: u32| StepName::nearest(&format!("get_{of}"));
        let step = |of: u32| {
            let before = json!({ "$ref": format!("steps.get_{}.n", of.max(1) - 1) });
            let arguments = json!({ "n": of, "before": if of == next { json!(0) } else { before } });
            let mut draft = Draft::step(&name(of), tool.clone(), arguments);
            if let Draft::Step(step) = &mut draft {
                step.effect = Some(Effect::Read);
            }
            draft
        };
        expanded(&mut kinds, NodeId(n), (next..next + STEPS_OF_GOAL).map(step).collect());
        for of in next..next + STEPS_OF_GOAL {
            let node = NodeId(of);
            kinds.push(EventKind::StepStarted {
                node,
                attempt: 1,
                tool: tool.clone(),
                arguments: json!({ "n": of, "before": of - 1 }),
                from: vec![name(of - 1)],
                effect: Effect::Read,
                labels: Labels::new(),
                key: None,
                folders: Vec::new(),
                under: Label::TRUSTED,
                price: None,
                program: None,
            });
            let text = format!("The colour of item {of} is teal. {}", "And so it goes. ".repeat(16));
            let output = ToolOutput { structured: Some(json!({ "n": of, "text": text })), text: String::new() };
            kinds.push(EventKind::StepFinished {
                node,
                outcome: StepOutcome::Done { output },
                receipt: json!({}),
                label: None,
            });
            let (verdict, why, by) = (Verdict::Accept, String::new(), "checks".to_owned());
            kinds.push(EventKind::Judged { node, verdict, why, by, scores: None });
        }
        next += STEPS_OF_GOAL;
        kinds.push(EventKind::PlanAsked { node: NodeId(n), reason: PlanReason::Review });
        let answer = Some(Answer::text(format!("goal {n} came to {next}")));
        kinds.push(EventKind::GoalReached { node: NodeId(n), answer, usage: Usage::default() });
    }
    while kinds.len() < EVENTS {
        kinds.push(EventKind::Waited { until: Millis(1) });
    }
    kinds.into_iter().enumerate().map(|(at, kind)| kind.at(Millis(at as u64))).collect()
}

/// No tools.
struct Nothing;

#[async_trait]
impl Tools for Nothing {
    fn search(&self, _query: &str, _limit: usize) -> Vec<ToolCard> {
        Vec::new()
    }

    fn get(&self, _name: &ToolName) -> Option<ToolCard> {
        None
    }

    async fn call(&self, _call: ToolCall, _cancel: Cancel) -> ToolReport {
        ToolReport { outcome: Ok(ToolOutput::default()), receipt: Value::Null, label: None }
    }
}

/// A model that costs nothing.
struct Mute;

#[async_trait]
impl Model for Mute {
    fn name(&self) -> &str {
        "mute"
    }

    async fn complete(&self, _: &Request, _: &mut (dyn FnMut(Delta) + Send)) -> Result<Response, ModelError> {
        Ok(Response {
            text: Some("done".to_owned()),
            tool_calls: Vec::new(),
            stop: StopReason::End,
            usage: Usage::default(),
            continuation: None,
        })
    }
}
