//! `kill -9` anywhere: the real command as a child, a server that counts, and whatever is left is taken up by `resume`.
//!
//! How a run is killed at an exact place, without a word in the product that is there for it:
//!
//! - *after the n-th event*: the host writes a line about each event that it has recorded to its log. Its log is a pipe
//!   that is full, so that it stands still in that very line, behind the event and before anything that follows from it.
//! - *during an effect*: the server holds the request, before it counts or before it answers.

mod deaths;
mod server;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use toolcrib_runtime::RunLog;
use toolcrib_runtime::agent::{Event, EventKind, State, Status, StepOutcome};
use toolcrib_runtime::ledger_store::Ledger;

use crate::bench::Bench;
use deaths::Death;
use server::{Hold, Server};

/// How many random kills there are; the environment can ask for more.
const KILLS: &str = "TOOLCRIB_KILLS";
const SEED: &str = "TOOLCRIB_KILLS_SEED";
/// The chance that a resumed run is killed again, in percent.
const AGAIN: u64 = 40;

/// The events that a flow begins with, which are recorded together.
const OPENING: usize = 3;

/// Steps that cannot be taken back, as paths below the run's own.
const ONCE: [&str; 4] = ["order", "mail-a", "mail-b", "ship"];

/// Steps that the server does once for each idempotency key.
const KEYED: [&str; 2] = ["charge/a", "charge/b"];

fn flow(address: &str) -> String {
    let url = |path: &str| format!("http://{address}/{{{{ inputs.tag }}}}/{path}");
    let post = |step: &str, path: &str| {
        format!("{{ step: {step}, tool: http.fetch, arguments: {{ url: \"{}\", method: POST, body: x }} }}", url(path))
    };
    format!(
        r#"
flow: kills
inputs: {{ tag: string }}
steps:
  - {{ step: price, tool: http.fetch, arguments: {{ url: "{price}" }} }}
  - {order}
  - {{ step: note, tool: files.write, arguments: {{ path: "/out/{{{{ inputs.tag }}}}.txt", text: "price {{{{ steps.price.status }}}}" }} }}
  - each: "['a', 'b']"
    as: to
    step: mails
    steps:
      - {mail}
      - {charge}
  - parallel:
      - {{ step: stock, tool: http.fetch, arguments: {{ url: "{stock}" }} }}
      - {ship}
result: {{ ok: "{{{{ steps.price.status }}}}" }}
"#,
        price = url("price"),
        stock = url("stock"),
        order = post("order", "order"),
        mail = post("mail", "mail-{{ to }}"),
        charge = post("charge", "charge/{{ to }}"),
        ship = post("ship", "ship"),
    )
}

/// One run, killed and taken up, and what is known of it.
struct Case<'b> {
    bench: &'b Bench,
    server: &'b Server,
    tag: String,
    run: Option<String>,
    /// The events that were seen, as they stand in the ledger.
    seen: Vec<Value>,
    told: usize,
}

fn ground() -> (Bench, Server) {
    let (bench, server) = (Bench::new(), Server::start());
    let (any, keyed) =
        (format!("GET,POST http://{}/**", server.address), format!("POST http://{}/*/charge/*", server.address));
    bench.grant(&format!("[plugin.http]\nhttp = [\"{any}\", \"{keyed}, idempotency-key\"]"));
    bench.write("kills.yaml", &flow(&server.address.to_string()));
    (bench, server)
}

impl<'b> Case<'b> {
    fn new(bench: &'b Bench, server: &'b Server, tag: &str) -> Self {
        Case { bench, server, tag: tag.to_owned(), run: None, seen: Vec::new(), told: 0 }
    }

    fn ledger(&self) -> Option<Ledger> {
        Ledger::open_read_only(self.bench.path(".local/share/toolcrib")).ok()
    }

    /// The run's events; none before it began.
    fn events(&self) -> Vec<(u64, Event)> {
        let Some(ledger) = self.ledger() else { return Vec::new() };
        let Some(run) = &self.run else { return Vec::new() };
        let run = ledger.resolve(run).expect("what began is there");
        RunLog::numbered(&ledger, run).expect("events").into_iter().map(|(seq, event)| (seq.get(), event)).collect()
    }

    /// Finds the run by its tag, once its first event is there.
    fn find(&mut self) {
        if self.run.is_some() {
            return;
        }
        let Some(ledger) = self.ledger() else { return };
        let runs = ledger.run_ids(None).expect("runs");
        let ours = |run: &&_| {
            let events = RunLog::events(&ledger, **run).unwrap_or_default();
            let first = events.first().map(|event| &event.kind);
            matches!(first, Some(EventKind::RunStarted { inputs, .. }) if inputs["tag"] == self.tag.as_str())
        };
        self.run = runs.iter().rev().find(ours).map(ToString::to_string);
    }

    fn arguments(&self, answer: Option<&str>) -> Vec<String> {
        let tag = format!("tag={}", self.tag);
        let mut words = match &self.run {
            None => vec!["flow", "run", "kills.yaml", "--unattended", "--quiet", "--input", &tag],
            Some(run) => vec!["resume", run, "--unattended", "--quiet"],
        };
        words.extend(answer.map(|answer| ["--answer", answer]).into_iter().flatten());
        words.into_iter().map(str::to_owned).collect()
    }

    /// Looks at what the dead left: nothing that was seen is missing, nothing was done twice.
    fn look(&mut self) {
        self.server.settle();
        self.find();
        let events = self.events();
        let now: Vec<Value> = events.iter().map(|event| json!(event)).collect();
        assert!(now.starts_with(&self.seen), "{}: an event is lost: {:?}", self.tag, self.seen);
        self.seen = now;
        for path in ONCE {
            let times = self.server.times(&self.path(path));
            assert!(times <= 1, "{}: {path} was done {times} times", self.tag);
            assert!(self.server.keys(&self.path(path)).iter().all(Option::is_none), "only where the grant says so");
        }
        let keys = self.keys();
        assert!(!keys.contains(&None), "{}: a request without its key", self.tag);
        assert!(keys.len() <= KEYED.len(), "{}: a call has one key, whatever happens: {keys:?}", self.tag);
    }

    /// The keys that the server saw in this run.
    fn keys(&self) -> BTreeSet<Option<String>> {
        KEYED.iter().flat_map(|path| self.server.keys(&self.path(path))).collect()
    }

    fn path(&self, path: &str) -> String {
        format!("/{}/{path}", self.tag)
    }

    fn state(&self) -> State {
        let events: Vec<Event> = self.events().into_iter().map(|(_, event)| event).collect();
        State::fold(&events).expect("the events make a run")
    }

    /// Lives until `death`, and looks; gives the phase in which it was killed, none where it was quicker.
    fn live(&mut self, answer: Option<&str>, death: &Death) -> Option<&'static str> {
        let before = self.seen.len();
        let acknowledged = deaths::live(self, &self.arguments(answer), death);
        self.look();
        let acknowledged = acknowledged?;
        // What the host said that it had recorded, is.
        let kinds: Vec<String> = self.seen[before..].iter().map(|event| event[1]["event"].to_string()).collect();
        let said: Vec<String> = acknowledged.iter().map(|kind| format!("\"{kind}\"")).collect();
        assert!(kinds.starts_with(&said), "{}: recorded and lost: {said:?} {kinds:?}", self.tag);
        Some(self.phase())
    }

    /// Where the run was when it was killed.
    fn phase(&self) -> &'static str {
        let state = self.state();
        if self.seen.is_empty() || state.outcome().is_some() {
            return if self.seen.is_empty() { "before the run" } else { "after the end" };
        }
        let under_way = state.in_flight().filter_map(|node| self.target(&state, node));
        let phase = |path: String| match (self.server.times(&path), self.server.has_arrived(&path)) {
            (0, false) => "after the intent",
            (0, true) => "during the effect",
            _ => "after the effect, before the outcome",
        };
        let reads = state.in_flight().next().is_some();
        under_way.map(phase).max().unwrap_or(if reads { "during a call that may be repeated" } else { "between calls" })
    }

    /// The path of a call that cannot be taken back.
    fn target(&self, state: &State, node: toolcrib_runtime::agent::NodeId) -> Option<String> {
        let url = state.record(node)?.arguments["url"].as_str()?.to_owned();
        ONCE.iter().map(|path| self.path(path)).find(|path| url.ends_with(path.as_str()))
    }

    /// Takes the run up until it is over. `kills` says how it dies on the way, as long as it has something to say. The
    /// questions about effects are answered with the truth.
    fn take_up(&mut self, mut kills: impl FnMut() -> Option<Death>, mut met: impl FnMut(&'static str)) {
        let begun = Instant::now();
        loop {
            assert!(begun.elapsed() < Duration::from_secs(300), "{}: it does not come to its end", self.tag);
            let state = self.state();
            let over = state.outcome().map(|outcome| (outcome.name(), outcome.is_resumable()));
            match over {
                Some((_, false)) => break,
                Some(("asked", true)) => self.told += 1,
                _ => {}
            }
            let answer = (over == Some(("asked", true))).then(|| self.truth(&state));
            let death = kills().unwrap_or(Death::None);
            if let Some(phase) = self.live(answer, &death) {
                met(phase);
            }
        }
        self.over();
    }

    /// What happened to the call that is asked about.
    fn truth(&self, state: &State) -> &'static str {
        let asking = state.plan().nodes().iter().find_map(|node| match node.status {
            Status::Asking { about: Some(step), .. } => Some(step),
            _ => None,
        });
        let path = asking.and_then(|step| self.target(state, step)).expect("a call that cannot be taken back");
        if self.server.times(&path) == 1 { "it happened" } else { "it did not happen" }
    }

    /// The run came to its end: everything was done, and once; each intent that had no outcome was told as unknown.
    fn over(&self) {
        let outcome = self.state().outcome().cloned().expect("an end");
        assert_eq!(outcome.name(), "reached", "{}: {outcome:?}", self.tag);
        for path in ONCE {
            assert_eq!(self.server.times(&self.path(path)), 1, "{}: {path}", self.tag);
        }
        assert_eq!(self.keys().len(), KEYED.len(), "{}: each round has a key of its own", self.tag);
        assert!(!self.bench.read(&format!("out/{}.txt", self.tag)).is_empty(), "{}", self.tag);
        // After an intent that cannot be taken back comes its outcome; `unknown` is followed by the question.
        let mut asked: BTreeMap<String, usize> = BTreeMap::new();
        for (_, event) in self.events() {
            match event.kind {
                EventKind::StepFinished { node, outcome: StepOutcome::Unknown { .. }, .. } => {
                    *asked.entry(node.to_string()).or_default() += 1;
                }
                EventKind::Asked { about: Some(node), .. } => {
                    *asked.get_mut(&node.to_string()).expect("only what is unknown is asked") -= 1;
                }
                _ => {}
            }
        }
        assert!(asked.values().all(|left| *left == 0), "{}: unknown and not told: {asked:?}", self.tag);
    }
}

fn verify(bench: &Bench) {
    let verified = bench.toolcrib(&["verify"]);
    assert_eq!(verified.code, 0, "{}{}", verified.out, verified.err);
}

/// How many events a run of the flow has when nobody kills it.
fn whole(bench: &Bench, server: &Server) -> (usize, Duration) {
    let mut case = Case::new(bench, server, "whole");
    // The first run of all compiles.
    case.take_up(|| None, |_| ());
    let begun = Instant::now();
    let mut case = Case::new(bench, server, "again");
    case.take_up(|| None, |_| ());
    (case.seen.len(), begun.elapsed())
}

fn many() -> Option<u64> {
    std::env::var(KILLS).ok()?.parse().ok()
}

#[test]
fn killed_after_any_event_a_run_goes_on_and_does_nothing_twice() {
    let (bench, server) = ground();
    let (events, _) = whole(&bench, &server);
    // Every event takes some seconds longer; some of them are looked at with every change.
    let each = if many().is_some() { 1 } else { 8 };
    let mut met: BTreeMap<&str, usize> = BTreeMap::new();
    for event in (1..events).step_by(each) {
        let mut case = Case::new(&bench, &server, &format!("after-{event}"));
        let phase = case.live(None, &Death::After(event)).expect("it stands still there");
        assert_eq!(case.seen.len(), event.max(OPENING), "it died behind this event and before the next");
        *met.entry(phase).or_default() += 1;
        case.take_up(|| None, |_| ());
    }
    verify(&bench);
    println!("killed after each of {events} events, every {each}: {met:#?}");
}

#[test]
fn killed_during_an_effect_a_run_tells_that_it_is_unknown() {
    let (bench, server) = ground();
    let each = if many().is_some() { 1 } else { 3 };
    for path in ONCE.iter().step_by(each) {
        for before in [true, false] {
            let mut case = Case::new(&bench, &server, &format!("during-{path}-{before}"));
            let place = case.path(path);
            let hold = if before { Hold::Before(place) } else { Hold::After(place) };
            let phase = case.live(None, &Death::Held(hold)).expect("it is held");
            assert_eq!(phase, if before { "during the effect" } else { "after the effect, before the outcome" });
            case.take_up(|| None, |_| ());
            assert_eq!(case.told, 1, "{path} {before}: it is told");
        }
    }
    // A server that looks at keys can be asked again, and nobody else needs to be.
    let mut case = Case::new(&bench, &server, "keyed");
    let place = case.path(KEYED[0]);
    case.live(None, &Death::Held(Hold::After(place.clone()))).expect("it is held");
    case.take_up(|| None, |_| ());
    assert_eq!((case.told, server.times(&place)), (0, 2));
    let keys: BTreeSet<_> = server.keys(&place).into_iter().collect();
    assert_eq!(keys.len(), 1, "the second time says that it is the first: {keys:?}");
    verify(&bench);
}

#[test]
fn killed_at_random_a_run_loses_nothing_and_does_nothing_twice() {
    let (bench, server) = ground();
    let (_, takes) = whole(&bench, &server);
    let kills = many().unwrap_or(8);
    let seed = std::env::var(SEED).ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(deaths::seed);
    println!("seed {seed}, a run takes {takes:?}");
    let mut chance = deaths::Chance::new(seed);
    let mut met: BTreeMap<&str, u64> = BTreeMap::new();
    let (mut runs, mut told, mut made) = (0, 0, 0);
    while made < kills {
        let mut case = Case::new(&bench, &server, &format!("random-{runs}"));
        runs += 1;
        if let Some(phase) = case.live(None, &Death::Later(chance.within(takes))) {
            made += 1;
            *met.entry(phase).or_default() += 1;
        }
        if case.run.is_none() {
            continue;
        }
        let mut phases = Vec::new();
        let again = || (made < kills && chance.percent() < AGAIN).then(|| Death::Later(chance.within(takes)));
        case.take_up(again, |phase| phases.push(phase));
        for phase in phases {
            made += 1;
            *met.entry(phase).or_default() += 1;
        }
        told += case.told;
    }
    verify(&bench);
    let (effects, doubled, repeated) = server.counts(&KEYED.map(|path| path.split('/').next().unwrap_or_default()));
    println!("{made} random kills over {runs} runs, {effects} effects");
    met.iter().for_each(|(phase, times)| println!("  {times:>4}  {phase}"));
    println!("  {told:>4}  told as unknown and answered");
    println!("  {:>4}  effects doubled ({repeated} requests repeated with the key of the first)", doubled.len());
    assert!(doubled.is_empty(), "{doubled:#?}");
}
