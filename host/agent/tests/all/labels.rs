//! Labels follow values: by reference exactly, through a planner by all that it could read.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Value, json};
use toolcrib_agent::{
    Answer, Budget, BuiltinPlanner, Cancel, Caps, Draft, EffectState, Event, EventKind, Flow, GivenPlanner, Order,
    Origin, PlanContext, Planner, Ports, Proposal, Run, State, Then, ToolCall, ToolCard, ToolReport, Tools,
};
use toolcrib_policy::{Confidentiality, Effect, Integrity, Label, Labels, Marks, ToolName};

use crate::support::{Book, Dies, Script, Shed, card, failure, ports, tool};

const SECRET: Label = Label { integrity: Integrity::Trusted, confidentiality: Confidentiality::Secret };
const WEB: Label = Label { integrity: Integrity::Untrusted, confidentiality: Confidentiality::Public };
const OWN: Label = Label { integrity: Integrity::Trusted, confidentiality: Confidentiality::Private };

/// A web that nobody vouches for, a folder of one's own, a tool that adds nothing, and a mail that leaves.
struct Sources(Shed);

fn sources() -> Arc<Sources> {
    let cards = ["web.get", "own.read", "x.join", "x.broken"].map(|name| card(name, Effect::Read));
    let cards = cards.into_iter().chain([card("mail.send", Effect::Irreversible)]).collect();
    Arc::new(Sources(Shed::new(cards, |call| match call.tool.to_string().as_str() {
        "web.get" => Ok(json!({
            "status": 200, "body": "buy now", "items": [{ "id": 1, "name": "pen", "token": "t" }, { "id": 2, "name": "ink" }]
        })),
        "own.read" => Ok(json!({ "text": "my diary" })),
        "x.broken" => Err(failure("not-found", EffectState::None)),
        _ => Ok(json!({ "text": call.arguments.to_string() })),
    })))
}

#[async_trait]
impl Tools for Sources {
    fn search(&self, query: &str, limit: usize) -> Vec<ToolCard> {
        self.0.search(query, limit)
    }

    fn get(&self, name: &ToolName) -> Option<ToolCard> {
        self.0.get(name)
    }

    async fn call(&self, call: ToolCall, cancel: Cancel) -> ToolReport {
        let given = call.labels.values().fold(call.under, |all, one| all.join(*one));
        let plugin = call.tool.plugin().to_string();
        let own = match plugin.as_str() {
            "web" => WEB,
            "own" => OWN,
            _ => Label::TRUSTED,
        };
        let mut marks = Marks::from(given.join(own));
        if plugin == "web" {
            marks.set("status".parse().unwrap(), Label::TRUSTED);
            marks.set("items[*].id".parse().unwrap(), Label::TRUSTED);
            marks.set("items[*].token".parse().unwrap(), SECRET);
        }
        let report = self.0.call(call, cancel).await;
        ToolReport { label: Some(marks), ..report }
    }
}

fn with(tools: &Arc<Sources>, planner: Arc<dyn Planner>, book: &Arc<Book>) -> Ports {
    let unused = Arc::new(Shed::new(Vec::new(), |_| Ok(Value::Null)));
    Ports { tools: Arc::clone(tools) as Arc<dyn Tools>, ..ports(unused, planner, Arc::clone(book)) }
}

async fn flow(text: &str) -> Vec<Event> {
    let (tools, book) = (sources(), Arc::new(Book::new(&[], Dies::Never)));
    let flow = Flow::parse(text).unwrap();
    let patches = flow.checked(&*tools).unwrap();
    let ports = with(&tools, Arc::new(GivenPlanner::new("flow")), &book);
    let inputs = flow.with_inputs(json!({ "who": "ada" }).as_object().unwrap()).unwrap();
    let outcome = Run::flow(ports, &flow, flow.budget, patches, inputs).drive(&Cancel::new()).await.unwrap();
    assert_eq!(outcome.name(), "reached", "{outcome:?}");
    book.events()
}

/// The labels of each call to `mail.send`, in order: each argument's, and what the call hangs on.
fn sent(events: &[Event]) -> Vec<(Labels, Label)> {
    let of_mail = |event: &Event| match &event.kind {
        EventKind::StepStarted { tool: called, labels, under, .. } if *called == tool("mail.send") => {
            Some((labels.clone(), *under))
        }
        _ => None,
    };
    events.iter().filter_map(of_mail).collect()
}

fn shown(sent: &[(Labels, Label)]) -> String {
    let one = |(labels, under): &(Labels, Label)| {
        let labels: Vec<String> = labels.iter().map(|(name, label)| format!("{name} {label}")).collect();
        let under = if under.is_trusted() { String::new() } else { format!(" | {under}") };
        format!("{}{under}", labels.join(", "))
    };
    sent.iter().map(one).collect::<Vec<_>>().join("\n")
}

const EXACT: &str = r#"
flow: exact
inputs: { who: string }
steps:
  - { step: page, tool: web.get, arguments: { url: "https://x" } }
  - { step: diary, tool: own.read }
  - { step: joined, tool: x.join, arguments: { a: "{{ steps.diary.text }}", b: { deep: ["{{ steps.page.body }}"] } } }
  - { step: made, value: { id: "{{ steps.page.items[0].id }}", body: "{{ steps.page.body }}", word: plain, who: "{{ inputs.who }}" } }
  - { step: m1, tool: mail.send, arguments: { a: "{{ inputs.who }}", b: "{{ steps.page.status }}", c: "{{ steps.page.body }}", d: "{{ steps.diary.text }}" } }
  - { step: m2, tool: mail.send, arguments: { a: "{{ steps.page.items[1].id }}", b: "{{ steps.page.items[1].name }}", c: "{{ steps.page.items[0] }}", d: { $ref: steps.page } } }
  - { step: m3, tool: mail.send, arguments: { a: "{{ steps.joined.text }}", b: "{{ steps.page.status == 200 ? 'x' : steps.diary.text }}", c: "at {{ steps.page.status }}: {{ steps.diary.text }}", d: "{{ steps.page.items.map(i, i.id) }}" } }
  - { step: m4, tool: mail.send, arguments: { a: "{{ steps.made.id }}", b: "{{ steps.made.body }}", c: "{{ steps.made.word }}", d: "{{ steps.made.who }}", e: "{{ steps.made }}" } }
"#;

#[tokio::test(start_paused = true)]
async fn a_reference_has_the_label_of_its_part_and_an_expression_that_of_all_that_it_reads() {
    let events = flow(EXACT).await;
    insta::assert_snapshot!(shown(&sent(&events)), @r"
    a trusted public, b trusted public, c untrusted public, d trusted private
    a trusted public, b untrusted public, c untrusted secret, d untrusted secret
    a untrusted private, b trusted private, c trusted private, d untrusted secret
    a trusted public, b untrusted public, c trusted public, d trusted public, e untrusted public
    ");
}

const DECIDED: &str = r#"
flow: decided
inputs: { who: string }
steps:
  - { step: page, tool: web.get }
  - { step: diary, tool: own.read }
  - when: steps.page.status == 200
    steps:
      - { step: m1, tool: mail.send, arguments: { to: "{{ inputs.who }}" } }
  - when: steps.page.body != ""
    steps:
      - when: steps.diary.text != ""
        steps:
          - { step: m2, tool: mail.send, arguments: { to: "{{ inputs.who }}", n: 2 } }
          - { step: found, value: "yes" }
  - { step: m3, tool: mail.send, arguments: { text: "{{ has(steps.found) ? steps.found : 'no' }}" } }
  - each: steps.page.items
    as: item
    step: all
    steps:
      - { step: m4, tool: mail.send, arguments: { id: "{{ item.id }}", name: "{{ item.name }}", to: "{{ inputs.who }}" } }
      - { step: kept, value: "{{ item.id }}" }
  - each: "[1]"
    as: n
    step: clean
    steps:
      - { step: also, value: { n: "{{ n }}", text: "{{ steps.diary.text }}" } }
  - { step: m5, tool: mail.send, arguments: { a: "{{ steps.all }}", b: "{{ steps.clean }}" } }
  - try:
      - { step: first, tool: x.broken, arguments: { q: "{{ steps.page.body }}" } }
    catch:
      - { step: m6, tool: mail.send, arguments: { text: "{{ error }}", to: "{{ inputs.who }}" } }
"#;

#[tokio::test(start_paused = true)]
async fn conditions_loops_and_error_branches_pass_on_what_they_read() {
    let events = flow(DECIDED).await;
    insta::assert_snapshot!(shown(&sent(&events)), @r"
    to trusted public
    n trusted public, to trusted public | untrusted private
    text untrusted private
    id trusted public, name untrusted public, to trusted public | untrusted secret
    id trusted public, name untrusted public, to trusted public | untrusted secret
    a untrusted secret, b trusted private
    text untrusted public, to trusted public
    ");
}

/// Cuts a run after every event: what the fold of the first part knows and what is recorded after it are the same.
#[tokio::test(start_paused = true)]
async fn labels_survive_a_restart_at_every_event() {
    for text in [EXACT, DECIDED] {
        let whole = flow(text).await;
        let expected = sent(&whole);
        let plan = whole.iter().position(|event| event.kind.name() == "expanded").unwrap();
        for at in plan + 1..whole.len() {
            let (tools, book) = (sources(), Arc::new(Book::new(&whole[..at], Dies::Never)));
            // The state is written down and read back, as a stored one is.
            let state = State::fold(&whole[..at]).unwrap();
            let stored: State = serde_json::from_str(&serde_json::to_string(&state).unwrap()).unwrap();
            assert_eq!(stored, state, "cut after {at}");
            let ports = with(&tools, Arc::new(GivenPlanner::new("flow")), &book);
            let mut run = Run::resume(ports, &whole[..at], None).unwrap();
            run.drive(&Cancel::new()).await.unwrap();
            // A mail that was under way is nobody's to repeat; every other cut leads to the same end.
            let cut = matches!(&whole[at - 1].kind, EventKind::StepStarted { tool: called, .. } if *called == tool("mail.send"));
            let now = sent(&book.events());
            assert!(expected.starts_with(&now) && (now == expected || cut), "cut after {at}: {now:?}");
        }
    }
}

/// A run that begins where another one was has the labels that were known there.
#[tokio::test(start_paused = true)]
async fn a_fork_and_a_replay_have_the_labels_of_the_run() {
    let whole = flow(EXACT).await;
    let over = whole.len() - 1;
    let replayed = State::fold(&whole[..over]).unwrap();
    let forked = toolcrib_agent::fork(&whole, over, "r1", over as u64, replayed.now(), true).unwrap();
    let forked = State::fold(&forked.events).unwrap();
    for name in ["page", "diary", "joined", "made", "m2"] {
        let name = name.to_owned().try_into().unwrap();
        assert_eq!(forked.marks(&name), replayed.marks(&name), "{name}");
        assert!(forked.marks(&name).is_some_and(|marks| !marks.all().is_trusted()), "{name}");
    }
}

fn step(name: &str, called: &str, arguments: Value) -> Draft {
    Draft::step(&name.to_owned().try_into().unwrap(), tool(called), arguments)
}

fn expand(children: Vec<Draft>) -> Result<Proposal, toolcrib_agent::PlannerError> {
    Ok(Proposal::Expand { order: Order::Sequence, then: Then::Review, children })
}

async fn planned(planner: Arc<dyn Planner>, goal: &str) -> Vec<Event> {
    let (tools, book) = (sources(), Arc::new(Book::new(&[], Dies::Never)));
    let ports = with(&tools, planner, &book);
    Run::start(ports, goal, Budget::default(), Caps::default()).drive(&Cancel::new()).await.unwrap();
    book.events()
}

#[tokio::test(start_paused = true)]
async fn what_a_planner_wrote_before_it_read_is_trusted_and_what_it_wrote_after_is_as_what_it_read() {
    let planner = Script::new(|asked, _: &PlanContext| match asked {
        0 => expand(vec![
            step("one", "x.join", json!({ "a": 1 })),
            step("early", "mail.send", json!({ "to": "ada" })),
            step("page", "web.get", json!({ "url": "https://x" })),
            step("late", "mail.send", json!({ "to": "bob", "text": { "$ref": "steps.page.body" } })),
            Draft::later("something else"),
        ]),
        // A goal inside: what it was asked with is what was there when it was asked.
        1 => expand(vec![
            step("after", "mail.send", json!({ "to": "eve", "id": { "$ref": "steps.page.status" } })),
            step("diary", "own.read", json!({})),
        ]),
        2 => expand(vec![step("last", "mail.send", json!({ "to": "eve" }))]),
        _ => Ok(Proposal::Answer(Answer::text("done"))),
    });
    let events = planned(planner, "the goal").await;
    insta::assert_snapshot!(shown(&sent(&events)), @r"
    to trusted public
    text untrusted public, to trusted public
    id untrusted secret, to untrusted secret
    to untrusted secret
    ");
    let state = State::fold(&events).unwrap();
    let (node, _) = state.plan().named(&"last".to_owned().try_into().unwrap()).unwrap();
    let origins = state.origins(node.id);
    let Origin::Written { after, .. } = &origins[0].1[0] else { panic!("{origins:?}") };
    assert_eq!(after.iter().map(ToString::to_string).collect::<Vec<_>>(), ["page"]);
}

#[tokio::test(start_paused = true)]
async fn the_builtin_planner_refers_and_does_not_copy() {
    let planner: Arc<dyn Planner> = Arc::new(BuiltinPlanner);
    assert_eq!(planner.writes(), toolcrib_agent::Writes::ByReference);
    let (tools, book) = (sources(), Arc::new(Book::new(&[], Dies::Never)));
    let first = Script::new(|_, _: &PlanContext| {
        expand(vec![step("page", "web.get", json!({})), Draft::later("send mail to ada")])
    });
    // The rest of a plan by another planner: the goal is as good as whoever wrote it, whatever has been read since.
    let mut run = Run::start(with(&tools, first, &book), "the goal", Budget::default(), Caps::default());
    let cancel = Cancel::new();
    let until = async {
        while !book.kinds().contains(&"step-finished") {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await
        }
    };
    tokio::select! { _ = run.drive(&cancel) => {}, () = until => {} }
    let state = State::fold(&book.events()).unwrap();
    let goals: Vec<_> = state.plan().nodes().iter().filter(|node| state.plan().goal(node.id).is_some()).collect();
    let inner = goals.last().unwrap().id;
    let label = |text: &str| {
        let patches = [toolcrib_agent::Patch::Expand {
            node: inner,
            order: Order::Sequence,
            then: Then::Close,
            children: vec![step("m", "mail.send", json!({ "to": text, "text": { "$ref": "steps.page.body" } }))],
        }];
        state.label_of_plan(inner, planner.writes(), &patches)
    };
    assert_eq!(label("ada"), Label::TRUSTED);
    // A word that only a result has was copied after all.
    assert!(label(".items[] | .token").is_untrusted());
}

#[tokio::test(start_paused = true)]
async fn events_of_older_versions_mean_the_worst() {
    let mut events: Vec<Value> = flow(EXACT).await.iter().map(|event| serde_json::to_value(event).unwrap()).collect();
    for event in &mut events {
        event.as_object_mut().unwrap().remove("label");
    }
    let events: Vec<Event> = events.into_iter().map(|event| serde_json::from_value(event).unwrap()).collect();
    let state = State::fold(&events).unwrap();
    let marks = |name: &str| state.marks(&name.to_owned().try_into().unwrap()).unwrap().all();
    assert_eq!(marks("diary"), Label::UNKNOWN);
    assert_eq!(marks("made"), Label::UNKNOWN);
}
