//! The state machine under chance: any order of events that it asks for, planners and tools that do anything, cuts and
//! resumptions anywhere.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::{Value, json};
use toolcrib_agent::critic::{self, GIVE_UP, IT_DID_NOT, IT_HAPPENED, KEEP, MAKE_IT};
use toolcrib_agent::{
    Affordable, Answer, Budget, Caps, Check, ChildAgent, Command, Draft, DraftGoal, DraftStep, EffectState, Event,
    EventKind, Expectation, Millis, NodeId, Order, Outcome, Patch, Question, Service, Share, State, Status, StepName,
    StepOutcome, Then, ToolCard, ToolOutput, plan,
};
use toolcrib_model::Usage;
use toolcrib_policy::{
    ApprovalAnswer, ApprovalId, ApprovalRequest, ApprovalScope, BoundCall, CriticMode, CriticSettings, Digest, Effect,
    Money, Otherwise, ScoreRule, ToolName, ToolPattern,
};

use crate::support::{card, failure, tool};

/// Far more events than any run here may need: reaching it means that the machine runs in circles.
const EVENTS_MAX: usize = 4_000;

/// Choices from a list of bytes; zeros when it ends, which must end every run.
struct Dice<'b>(std::slice::Iter<'b, u8>);

impl Dice<'_> {
    fn roll(&mut self, sides: usize) -> usize {
        usize::from(self.0.next().copied().unwrap_or_default()) % sides
    }

    fn pick<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.roll(of.len())].clone()
    }
}

fn cards() -> Vec<ToolCard> {
    let undo = "unmove".to_owned();
    vec![
        card("t.read", Effect::Read),
        card("t.put", Effect::Idempotent),
        card("t.send", Effect::Irreversible),
        card("t.move", Effect::Reversible { undo }),
        card("t.unmove", Effect::Idempotent),
    ]
}

fn find(name: &ToolName) -> Option<ToolCard> {
    cards().into_iter().find(|card| card.name == *name)
}

/// A run that nobody drives: every command is answered by chance.
struct Sim<'b> {
    dice: Dice<'b>,
    state: State,
    events: Vec<Event>,
    snapshots: Vec<State>,
    clock: u64,
    /// Calls that may have taken effect, by tool and arguments, as an outside server counts them.
    effects: BTreeMap<String, u32>,
    /// Calls of which a person said that they did not happen.
    forgiven: BTreeSet<String>,
    /// Steps that a person said yes to.
    allowed: BTreeSet<NodeId>,
    /// Requests to models that are under way, with what was set aside.
    asked: BTreeMap<NodeId, (u64, Money)>,
    /// Calls that took another one back.
    undone: BTreeSet<NodeId>,
}

impl<'b> Sim<'b> {
    fn new(bytes: &'b [u8]) -> Self {
        let state = State::default();
        let mut sim = Self {
            dice: Dice(bytes.iter()),
            state,
            events: Vec::new(),
            snapshots: Vec::new(),
            clock: 1_000,
            effects: BTreeMap::new(),
            forgiven: BTreeSet::new(),
            allowed: BTreeSet::new(),
            asked: BTreeMap::new(),
            undone: BTreeSet::new(),
        };
        let budget = Budget { steps: 25, wall_ms: 1_000_000, tokens: 5_000, money: Some(Money::from_nano(4_000)) };
        let caps = Caps { nodes: 120, ..Caps::default() };
        let rules =
            ["coherence < 40: retry", "coherence < 40: alternative", "coherence < 90: re-plan", "coherence < 40: ask"];
        let table = vec![ScoreRule::parse(rules[sim.dice.roll(rules.len())]).unwrap()];
        let hold = sim.dice.roll(8) == 1;
        sim.record(EventKind::RunStarted {
            version: 1,
            goal: "g".into(),
            planner: "dice".into(),
            budget,
            caps,
            inputs: json!(null),
            critic: CriticSettings { mode: CriticMode::All, judge: Some("j".into()), table, ..Default::default() },
            hold,
        });
        sim
    }

    fn record(&mut self, kind: EventKind) {
        // The clock may stand still, and even go back.
        self.clock = (self.clock + self.dice.roll(4) as u64).saturating_sub(1);
        let event = kind.at(Millis(self.clock));
        self.state.apply(&event).unwrap_or_else(|error| panic!("{error}: {event:?}"));
        self.events.push(event);
        self.snapshots.push(self.state.clone());
        let undo = |node: &&toolcrib_agent::Node| node.serves.is_some_and(|serves| serves.service == Service::Undo);
        let done: Vec<_> =
            self.state.plan().nodes().iter().filter(undo).map(|node| (node.id, node.status.clone())).collect();
        for (by, _) in done.into_iter().filter(|(_, status)| *status == Status::Done) {
            if self.undone.insert(by) {
                let of = self.state.plan().node(by).and_then(|node| node.serves).unwrap().of;
                self.effects.remove(&self.key(of));
            }
        }
        assert!(self.events.len() < EVENTS_MAX, "the machine runs in circles");
    }

    /// Drives to the end, by chance.
    fn drive(&mut self) {
        let mut cuts = 6;
        while self.state.outcome().is_none() {
            match self.dice.roll(40) {
                1 if cuts > 0 => {
                    cuts -= 1;
                    self.cut();
                }
                2 if !self.state.is_ending() => self.record(EventKind::CancelRequested),
                _ => self.turn(),
            }
        }
        if self.state.outcome().is_some_and(Outcome::is_resumable) && self.dice.roll(2) == 1 && cuts > 0 {
            self.record(EventKind::Resumed { budget: None });
            self.asked.clear();
            self.drive();
        }
    }

    /// The process dies, and goes on from what was recorded.
    fn cut(&mut self) {
        self.state = State::fold(&self.events).unwrap();
        let recover = self.state.recover();
        self.record(EventKind::Resumed { budget: None });
        self.asked.clear();
        recover.into_iter().for_each(|kind| self.record(kind));
    }

    fn turn(&mut self) {
        let commands = self.state.decide();
        let flying: Vec<NodeId> = self.state.in_flight().collect();
        let planning: Vec<NodeId> = self.planning();
        let busy = flying.len() + planning.len();
        assert!(busy > 0 || !commands.is_empty(), "nothing to do and nothing under way: {:?}", self.state.plan());
        let choice = self.dice.roll(commands.len() + busy);
        if let Some(command) = commands.get(choice) {
            return self.obey(command.clone());
        }
        match flying.get(choice - commands.len()) {
            Some(node) => self.land(*node),
            None => self.plan(planning[choice - commands.len() - flying.len()]),
        }
    }

    fn planning(&self) -> Vec<NodeId> {
        let planning = |node: &&toolcrib_agent::Node| node.status == toolcrib_agent::Status::Planning;
        self.state.plan().nodes().iter().filter(planning).map(|node| node.id).collect()
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Record(kind) => self.record(kind),
            Command::Finish { result } => self.record(EventKind::RunFinished { result }),
            Command::CallPlanner { node, reason } => {
                self.record(EventKind::PlanAsked { node, reason });
                self.ask_model(node);
            }
            Command::Wait { until } => self.record(EventKind::Waited { until }),
            Command::Judge { node } => self.judge(node),
            Command::Ask { node, .. } => {
                let words =
                    [Some("blue"), Some(IT_HAPPENED), Some(IT_DID_NOT), Some(GIVE_UP), Some(KEEP), Some(MAKE_IT), None];
                let answer = self.dice.pick(&words).map(str::to_owned);
                let about = self.state.plan().node(node).and_then(|node| match &node.status {
                    toolcrib_agent::Status::Asking { about, .. } => *about,
                    _ => None,
                });
                if let (Some(step), Some(IT_DID_NOT)) = (about, answer.as_deref()) {
                    let key = self.key(step);
                    self.forgiven.insert(key);
                }
                self.record(EventKind::Answered { node, answer });
            }
            Command::Review { node } => {
                let events = self.state.evidence_events(node);
                let cites = if self.dice.roll(6) == 0 { vec![9_999] } else { vec![self.dice.pick(&events)] };
                let opinion = critic::Opinion { sound: self.dice.roll(2) == 0, why: "so".into(), cites };
                let critic::Reviewed { opinion, scores, follow, why } = critic::weigh(&self.state, node, Ok(opinion));
                let (by, usage) = ("j".to_owned(), Usage::default());
                self.record(EventKind::Reviewed { node, by, opinion, scores, then: follow, why, usage });
            }
            Command::Undo { node } => {
                let arguments = json!({ "x": self.dice.roll(2) });
                let undoing =
                    EventKind::Undoing { node, tool: tool("t.unmove"), arguments, effect: Effect::Idempotent };
                let cannot = EventKind::NotUndone { node, why: "no".into() };
                let event = if self.dice.roll(4) == 0 { cannot } else { undoing };
                self.record(event);
            }
            Command::Rerun { .. } => panic!("no step here is a program"),
            Command::Approve { node, request } => {
                let answer = self.answer_about(node);
                self.record(EventKind::ApprovalAnswered { node, id: request.id, answer });
            }
            Command::CallTool { node, attempt, tool, arguments, from, labels, under, trying: _ } => {
                let Some(effect) = find(&tool).map(|card| card.effect) else { panic!("no card for {tool}") };
                if effect == Effect::Irreversible && !self.allowed.remove(&node) && self.dice.roll(3) == 1 {
                    let request = self.request(node, tool, arguments);
                    let inside = Default::default();
                    return self.record(EventKind::ApprovalAsked { node, from, request, inside });
                }
                let start = EventKind::StepStarted {
                    node,
                    attempt,
                    tool,
                    arguments,
                    from,
                    effect: effect.clone(),
                    labels,
                    price: None,
                    program: None,
                    key: None,
                    folders: Vec::new(),
                    under,
                };
                self.record(start);
                let key = self.key(node);
                if self.forgiven.remove(&key) {
                    self.effects.remove(&key);
                }
                assert_eq!(
                    self.effects.get(&key).copied().unwrap_or_default(),
                    0,
                    "an effect would be done twice: {key}"
                );
            }
        }
    }

    fn request(&self, node: NodeId, tool: ToolName, arguments: Value) -> ApprovalRequest {
        let call = BoundCall { plugin: Digest::of(b"t"), tool, arguments };
        ApprovalRequest {
            id: ApprovalId::of(&format!("{node}/{}", self.state.asks(node)), &call),
            call,
            effect: Effect::Irreversible,
            rule: "sending".to_owned(),
            because: None,
            expires: u64::MAX,
            otherwise: Otherwise::Deny,
        }
    }

    fn answer_about(&mut self, node: NodeId) -> ApprovalAnswer {
        let answer = self.dice.pick(&[
            ApprovalAnswer::Approved { scope: ApprovalScope::Once, any: BTreeSet::new(), by: "ada".to_owned() },
            ApprovalAnswer::Denied { by: "ada".to_owned(), reason: None },
            ApprovalAnswer::Expired { otherwise: Otherwise::Deny },
            ApprovalAnswer::Nobody,
        ]);
        if answer.allows() {
            self.allowed.insert(node);
        }
        answer
    }

    fn key(&self, node: NodeId) -> String {
        let (step, record) = (self.state.plan().step(node).unwrap(), self.state.record(node).unwrap());
        format!("{} {}", step.tool, record.arguments)
    }

    fn land(&mut self, node: NodeId) {
        let output =
            |value: Value| StepOutcome::Done { output: ToolOutput { structured: Some(value), text: String::new() } };
        let state = self.dice.pick(&[EffectState::None, EffectState::None, EffectState::Done, EffectState::Unknown]);
        let code = self.dice.pick(&["not-found", "unavailable", "rate-limited", "denied", "failed"]);
        let outcome = match self.dice.roll(6) {
            0..=2 => output(json!({ "n": 1, "text": "some" })),
            3 => output(json!({})),
            4 => StepOutcome::Failed { failure: failure(code, state) },
            _ => StepOutcome::Unknown { why: "cut".into() },
        };
        let touched = match &outcome {
            StepOutcome::Failed { failure } => failure.effect != EffectState::None,
            StepOutcome::NotStarted { .. } => false,
            StepOutcome::Done { .. } | StepOutcome::Unknown { .. } => true,
        };
        if touched && !critic::is_repeatable(&self.state.record(node).unwrap().effect) {
            *self.effects.entry(self.key(node)).or_default() += 1;
        }
        self.record(EventKind::StepFinished { node, outcome, receipt: Value::Null, label: None });
    }

    fn judge(&mut self, node: NodeId) {
        let state = self.state.clone();
        let card = find(&state.plan().step(node).unwrap().tool);
        let critic::Judgement { verdict, why, scores } = critic::judge(&state.evidence(node, card.as_ref()).unwrap());
        self.record(EventKind::Judged { node, verdict, why, by: "checks".into(), scores });
    }

    /// Sets aside what a request may cost, where it can be paid.
    fn ask_model(&mut self, node: NodeId) {
        let reserved = Money::from_nano(self.dice.roll(250) as u64);
        if self.state.affords(node, reserved) == Affordable::Yes {
            let (request, model) = (self.state.purse().next_request(), "m:m".to_owned());
            self.record(EventKind::ModelAsked {
                node,
                request,
                model,
                worst: Usage::default(),
                reserved: Some(reserved),
            });
            self.asked.insert(node, (request, reserved));
        }
    }

    /// Counts what it did cost.
    fn answer_model(&mut self, node: NodeId) {
        let Some((request, reserved)) = self.asked.remove(&node) else { return };
        let cost = Money::from_nano(self.dice.roll(256) as u64).min(reserved);
        let failed = (self.dice.roll(4) == 1).then(|| "unavailable".to_owned());
        let (model, usage) = ("m:m".to_owned(), Usage::default());
        self.record(EventKind::ModelAnswered { request, model, usage, cost: Some(cost), failed });
        let most = self.state.budget().money.unwrap();
        assert!(self.state.purse().spent.plus(self.state.purse().reserved()) <= most, "more was spent than there is");
    }

    fn plan(&mut self, node: NodeId) {
        self.answer_model(node);
        let usage = Usage { input: self.dice.roll(100) as u64, output: 1, cached: 0 };
        let kind = match self.dice.roll(8) {
            0 => EventKind::GoalReached { node, answer: Some(Answer::text("yes")), usage },
            1 => EventKind::GoalFailed { node, why: "no".into(), usage },
            2 => EventKind::Asked { node, question: Question::open("which?"), about: None, usage },
            3 => EventKind::PlanRejected { node, faults: vec!["nonsense".into()], usage },
            _ => self.patches(node, usage),
        };
        self.record(kind);
    }

    fn patches(&mut self, node: NodeId, usage: Usage) -> EventKind {
        let count = self.dice.roll(3) + 1;
        let children: Vec<_> = (0..count).map(|_| self.draft(0)).collect();
        let order = self.dice.pick(&[Order::Sequence, Order::Parallel, Order::Alternatives]);
        let then = self.dice.pick(&[Then::Close, Then::Review]);
        let any = NodeId(self.dice.roll(self.state.plan().nodes().len()) as u32);
        let mut patches = vec![Patch::Expand { node, order, then, children }];
        match self.dice.roll(6) {
            1 => patches.push(Patch::Remove { node: any }),
            2 => patches.push(Patch::Replace { node: any, with: Box::new(self.draft(0)) }),
            3 => patches.insert(0, Patch::Append { node: any, children: vec![self.draft(0)] }),
            _ => {}
        }
        match plan::check(self.state.plan(), node, patches, self.state.caps(), &find) {
            Ok(patches) => EventKind::Expanded { node, patches, note: String::new(), usage, label: None, given: false },
            Err(faults) => {
                let faults = faults.iter().map(ToString::to_string).collect();
                EventKind::PlanRejected { node, faults, usage }
            }
        }
    }

    fn with_budget(&mut self, draft: Draft) -> Draft {
        let budget = match self.dice.roll(4) {
            3 => Share { money: Some(Money::from_nano(self.dice.roll(200) as u64)), ..Share::default() },
            0 => Share { steps: Some(self.dice.roll(3) as u32), ..Share::default() },
            1 => Share { tokens: Some(self.dice.roll(40) as u64), ..Share::default() },
            _ => Share { wall_ms: Some(self.dice.roll(9) as u64), ..Share::default() },
        };
        match draft {
            Draft::Goal(goal) => Draft::Goal(DraftGoal { budget: Some(budget), ..goal }),
            other => other,
        }
    }

    fn for_an_agent(&mut self, goal: DraftGoal) -> Draft {
        let tools = [self.dice.pick(&["*", "t.*", "t.read", "t.send"])].map(|line| ToolPattern::parse(line).unwrap());
        let name = (self.dice.roll(2) == 1).then(|| StepName::nearest(&format!("agent_{}", self.events.len())));
        let agent = ChildAgent { name, tools: tools.to_vec(), model: None, given: json!(null) };
        Draft::Goal(DraftGoal { agent: Some(agent), ..goal })
    }

    fn draft(&mut self, depth: usize) -> Draft {
        if depth < 3 && self.dice.roll(3) == 1 {
            let count = self.dice.roll(3);
            let children = (0..count).map(|_| self.draft(depth + 1)).collect();
            let order = self.dice.pick(&[Order::Sequence, Order::Parallel, Order::Alternatives]);
            let goal = match Draft::goal("sub", order, children) {
                Draft::Goal(goal) if goal.children.is_empty() && self.dice.roll(2) == 1 => self.for_an_agent(goal),
                goal => goal,
            };
            return if self.dice.roll(3) == 1 { self.with_budget(goal) } else { goal };
        }
        let names: Vec<StepName> = self.state.plan().steps().map(|(_, step)| step.name.clone()).collect();
        let arguments = match self.dice.roll(4) {
            1 if !names.is_empty() => json!({ "x": { "$ref": format!("steps.{}.n", self.dice.pick(&names)) } }),
            2 => json!({ "x": "{{ steps.nobody.n }}" }),
            _ => json!({ "x": self.dice.roll(5) }),
        };
        let expect = if self.dice.roll(4) == 1 { vec![Expectation::Exists("n".into())] } else { Vec::new() };
        let named = self.dice.pick(&["t.read", "t.put", "t.send", "t.send", "t.move"]);
        let check = (self.dice.roll(4) == 1).then(|| {
            let expect = vec![Expectation::Holds("result.n == 1".into())];
            Box::new(Check { tool: tool("t.read"), arguments: json!({ "x": { "$ref": "arguments.x" } }), expect })
        });
        Draft::Step(DraftStep { arguments, expect, check, ..DraftStep::of(tool(named)) })
    }
}

/// How many, unless the usual variable says so.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(400)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), ..ProptestConfig::default() })]

    /// Whatever planners, tools, people and crashes do: each event that the machine asks for is legal, it ends, and an
    /// irreversible call that may have taken effect is made again only on a person's word.
    #[test]
    fn every_run_ends_and_does_nothing_twice(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let mut sim = Sim::new(&bytes);
        sim.drive();
        prop_assert!(sim.state.outcome().is_some());
        prop_assert!(sim.state.decide().is_empty());
    }

    #[test]
    fn a_fold_of_every_prefix_is_the_state_that_was_live(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let mut sim = Sim::new(&bytes);
        sim.drive();
        let mut folded = State::default();
        for (event, live) in sim.events.iter().zip(&sim.snapshots) {
            folded.apply(event).unwrap();
            prop_assert_eq!(&folded, live);
        }
        // Also when events and state go through their written form.
        let written: Vec<Event> = serde_json::from_str(&serde_json::to_string(&sim.events).unwrap()).unwrap();
        prop_assert_eq!(&State::fold(&written).unwrap(), &sim.state);
        let stored: State = serde_json::from_str(&serde_json::to_string(&sim.state).unwrap()).unwrap();
        prop_assert_eq!(&stored, &sim.state);
    }

    #[test]
    fn events_in_any_order_are_refused_or_folded_but_never_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..200), order in prop::collection::vec(any::<prop::sample::Index>(), 0..60),
    ) {
        let mut sim = Sim::new(&bytes);
        sim.drive();
        let mut state = State::default();
        for at in order {
            let mut next = state.clone();
            if next.apply(at.get(&sim.events)).is_ok() {
                state = next;
                let _ = state.decide();
                let _ = state.recover();
            }
        }
    }
}

#[test]
fn ten_thousand_events_are_folded_quickly() {
    let bytes: Vec<u8> = Vec::new();
    let mut sim = Sim::new(&bytes);
    sim.events.truncate(1);
    let budget = Budget { steps: 1_000_000, wall_ms: u64::MAX, tokens: u64::MAX, money: None };
    let caps = Caps { nodes: 1_000_000, ..Caps::default() };
    let root = NodeId::ROOT;
    let (version, goal, planner, inputs, critic) = (1, "g".into(), "p".into(), json!(null), Default::default());
    let start = EventKind::RunStarted { version, goal, planner, budget, caps, inputs, critic, hold: false };
    let mut events = vec![start.at(Millis(1))];
    for number in 0..2_000_u32 {
        let step = DraftStep {
            name: Some(StepName::nearest(&format!("s{number}"))),
            arguments: json!({ "x": number }),
            effect: Some(Effect::Read),
            ..DraftStep::of(tool("t.read"))
        };
        let node = NodeId(number + 1);
        let patches = vec![Patch::Expand {
            node: root,
            order: Order::Sequence,
            then: Then::Review,
            children: vec![Draft::Step(step)],
        }];
        let output = ToolOutput { structured: Some(json!({ "n": number })), text: String::new() };
        for kind in [
            EventKind::PlanAsked { node: root, reason: toolcrib_agent::PlanReason::Open },
            EventKind::Expanded {
                node: root,
                patches,
                note: String::new(),
                usage: Usage::default(),
                label: None,
                given: false,
            },
            EventKind::StepStarted {
                node,
                attempt: 1,
                tool: tool("t.read"),
                arguments: json!({ "x": number }),
                from: Vec::new(),
                effect: Effect::Read,
                labels: Default::default(),
                price: None,
                program: None,
                key: None,
                folders: Vec::new(),
                under: Default::default(),
            },
            EventKind::StepFinished { node, outcome: StepOutcome::Done { output }, receipt: Value::Null, label: None },
            EventKind::Judged {
                node,
                verdict: critic::Verdict::Accept,
                why: String::new(),
                by: "checks".into(),
                scores: None,
            },
        ] {
            events.push(kind.at(Millis(u64::from(number))));
        }
    }
    let begun = std::time::Instant::now();
    let state = State::fold(&events).unwrap();
    assert_eq!(state.results().len(), 2_000);
    // Unoptimised and on a busy machine; the point is that it is not quadratic.
    assert!(begun.elapsed().as_secs() < 10, "{:?}", begun.elapsed());
}
