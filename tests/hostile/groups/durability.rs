//! Runs whose process is killed, and taken up by the next.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::json;
use toolcrib_agent::{
    Answer, Budget, Cancel, Caps, Draft, NodeId, Order, Outcome, Person, PlanContext, Planned, Planner, PlannerError,
    Ports, Proposal, Question, Run, SystemClock, Then, ToolCall, ToolCard, ToolOutput, ToolReport, Tools,
};
use toolcrib_ledger::{Ledger, RunId, RunMeta};
use toolcrib_policy::{CriticMode, CriticSettings, Effect, ToolName};
use toolcrib_runtime::RunLog;

use crate::host::alone;

/// Names the folder to the child, which is this program once more.
const FOLDER: &str = "TOOLCRIB_HOSTILE_DURABILITY";
/// How often the process is killed.
const KILLS: u64 = 40;
/// The steps of a run.
const STEPS: usize = 8;

/// The world: a file that gets a line for each effect, never twice the same if all is well.
struct World(PathBuf);

impl World {
    fn effects(folder: &Path) -> BTreeMap<String, usize> {
        let text = std::fs::read_to_string(folder.join("effects")).unwrap_or_default();
        let mut effects = BTreeMap::new();
        for line in text.lines() {
            *effects.entry(line.to_owned()).or_default() += 1;
        }
        effects
    }
}

#[async_trait]
impl Tools for World {
    fn search(&self, _query: &str, _limit: usize) -> Vec<ToolCard> {
        Vec::new()
    }

    fn get(&self, name: &ToolName) -> Option<ToolCard> {
        Some(ToolCard {
            name: name.clone(),
            title: "Send".to_owned(),
            description: "sends".to_owned(),
            input_schema: json!({ "type": "object" }),
            output_schema: None,
            effect: Effect::Irreversible,
            open_world: true,
        })
    }

    /// Takes some time before and after its effect, so that a kill meets each part of it.
    async fn call(&self, call: ToolCall, _cancel: Cancel) -> ToolReport {
        tokio::time::sleep(Duration::from_micros(700)).await;
        let mut file = std::fs::File::options().append(true).create(true).open(self.0.join("effects")).expect("a file");
        file.write_all(format!("{}\n", call.arguments["what"].as_str().expect("a text")).as_bytes()).expect("a line");
        tokio::time::sleep(Duration::from_micros(700)).await;
        let output = ToolOutput { structured: None, text: "sent".to_owned() };
        ToolReport { outcome: Ok(output), receipt: json!({ "fuel": 1 }), label: None }
    }
}

/// Sends so many things, one after the other.
struct Sender(RunId);

#[async_trait]
impl Planner for Sender {
    fn name(&self) -> &str {
        "sender"
    }

    async fn plan(&self, context: &PlanContext) -> Result<Planned, PlannerError> {
        if context.node != NodeId::ROOT || context.state.plan().steps().next().is_some() {
            return Ok(Proposal::Answer(Answer::text("all sent")).into());
        }
        let step = |n| {
            let arguments = json!({ "what": format!("{} {n}", self.0) });
            let step = json!({ "step": format!("number_{n}"), "tool": "mail.send", "arguments": arguments });
            serde_json::from_value::<Draft>(step).expect("a step")
        };
        let children = (0..STEPS).map(step).collect();
        Ok(Proposal::Expand { order: Order::Sequence, then: Then::Review, children }.into())
    }
}

/// Looks whether it happened, and says so.
struct Witness(PathBuf, RunId);

#[async_trait]
impl Person for Witness {
    async fn ask(&self, question: &Question) -> Option<String> {
        assert!(question.text.contains("nobody can tell whether it took effect"), "{question:?}");
        std::fs::File::options()
            .append(true)
            .create(true)
            .open(self.0.join("questions"))
            .and_then(|mut file| file.write_all(b"?\n"))
            .expect("a line");
        let asked =
            question.text.split("(step number_").nth(1).and_then(|rest| rest.split(')').next()).expect("a step");
        let happened = World::effects(&self.0).contains_key(&format!("{} {asked}", self.1));
        let answer = if happened { "it happened" } else { "it did not happen" };
        Some(answer.to_owned())
    }
}

/// Not a test by itself: takes up the runs that were cut off, then begins new ones, until it is killed or told to end.
#[test]
#[ignore = "the child process of `durability_kill`"]
fn durability_child() {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let ledger = Arc::new(Ledger::open(folder.join("ledger")).expect("the lock died with its holder"));
    let begun = std::fs::read_to_string(folder.join("runs")).unwrap_or_default();
    let begun: Vec<RunId> = begun.lines().filter_map(|line| line.parse().ok()).collect();
    println!("\nready");
    runtime.block_on(async {
        for run in begun {
            drive(&folder, &ledger, run).await;
        }
        println!("\nresumed");
        while std::env::var_os("ONLY_RESUME").is_none() {
            let run = ledger.begin_run(&RunMeta::new("send", "running")).expect("a run");
            let mut runs =
                std::fs::File::options().append(true).create(true).open(folder.join("runs")).expect("a file");
            runs.write_all(format!("{run}\n").as_bytes()).expect("a line");
            drive(&folder, &ledger, run).await;
        }
    });
}

async fn drive(folder: &Path, ledger: &Arc<Ledger>, run: RunId) {
    let ports = Ports {
        tools: Arc::new(World(folder.to_owned())),
        planner: Arc::new(Sender(run)),
        ledger: Arc::new(RunLog::new(ledger.clone(), run)),
        approver: Arc::new(()),
        person: Some(Arc::new(Witness(folder.to_owned(), run))),
        observer: Arc::new(()),
        clock: Arc::new(SystemClock),
        // What is sent here comes from nowhere.
        critic: CriticSettings { mode: CriticMode::Off, ..CriticSettings::default() },
        judge: None,
    };
    let events = RunLog::events(ledger, run).expect("what was recorded can be read");
    let mut driven = match events.is_empty() {
        true => Run::start(ports, "send them", Budget::default(), Caps::default()),
        false => Run::resume(ports, &events, None).expect("the events make a run"),
    };
    let outcome = driven.drive(&Cancel::new()).await.expect("the ledger takes everything");
    assert!(matches!(outcome, Outcome::Reached { .. }), "{run}: {outcome:?}");
}

/// Starts the child; it is killed after `life`, or lives until it has taken up everything.
fn child(folder: &Path, life: Option<Duration>) {
    let mut command = Command::new(std::env::current_exe().expect("a program has a path"));
    command.args(["--exact", "groups::durability::durability_child", "--ignored", "--nocapture"]);
    command.env(FOLDER, folder).stdout(Stdio::piped()).stderr(Stdio::piped());
    if life.is_none() {
        command.env("ONLY_RESUME", "1");
    }
    let mut child = command.spawn().expect("a child");
    let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
    assert!(lines.any(|line| line.expect("text") == "ready"), "the child starts");
    let resumed = match life {
        Some(life) => {
            std::thread::sleep(life);
            child.kill().expect("SIGKILL");
            true
        }
        None => lines.any(|line| line.expect("text") == "resumed"),
    };
    let output = child.wait_with_output().expect("its end");
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(resumed, "not all runs were taken up: {words}");
    assert!(!words.contains("panicked"), "{words}");
}

#[test]
pub(crate) fn durability_kill() {
    alone(async |_host| {
        let ground = tempfile::tempdir().expect("a folder");
        let folder = ground.path();
        for kill in 0..KILLS {
            child(folder, Some(Duration::from_micros(kill * kill * 7919 % 37_000)));
            let twice: Vec<_> = World::effects(folder).into_iter().filter(|(_, times)| *times > 1).collect();
            assert!(twice.is_empty(), "kill {kill}: done twice: {twice:?}");
        }
        child(folder, None);

        // Every run was taken up and came to its end; everything was sent, and once.
        let runs = std::fs::read_to_string(folder.join("runs")).expect("there were runs");
        let effects = World::effects(folder);
        for run in runs.lines() {
            for n in 0..STEPS {
                assert_eq!(effects.get(&format!("{run} {n}")), Some(&1), "{run} {n}");
            }
        }
        assert_eq!(effects.len(), runs.lines().count() * STEPS);
        // What could not be known was asked, not guessed.
        let questions = std::fs::read_to_string(folder.join("questions")).unwrap_or_default().lines().count();
        assert!(questions > 0, "no kill met a call that was under way");
        let ledger = Ledger::open(folder.join("ledger")).expect("the lock died with its holder");
        let report = ledger.verify(|_| ()).expect("it can be read");
        assert!(report.is_sound(), "{report:?}");
    });
}
