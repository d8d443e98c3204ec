//! A long run under a set context size, by a model that knows nothing but what it is shown: the real command, real plugins,
//! real files, a ledger on disk. The run is killed in the middle, and goes on.
//!
//! The table for 500 steps: `cargo test -p toolcrib-cli --test all -- --ignored --nocapture five_hundred_steps`

use std::process::Stdio;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use serde_json::{Value, json};

use crate::bench::{Bench, Done};
use crate::worker::Worker;

/// Steps of one goal: nine files are read, and a line is written.
const BATCH: u64 = 10;
const READS: u64 = BATCH - 1;

/// One task, and what was seen of it.
struct Task {
    batches: u64,
    /// The process is killed before this batch is reviewed; 0 where it is not.
    kill_at: AtomicU64,
    child: AtomicU32,
    data: std::path::PathBuf,
    samples: Mutex<Vec<Sample>>,
}

/// What was measured when the model was asked.
#[derive(Clone, Copy)]
struct Sample {
    steps: u64,
    wire_bytes: u64,
    resident: u64,
    ledger: u64,
    log: u64,
}

/// The code that stands in a file and nowhere else.
fn code(item: u64) -> String {
    format!("K{:05}", item * 7919 % 100_003)
}

fn item(number: u64) -> String {
    let filler = "This line says nothing that anybody would want to know later.\n".repeat(10);
    format!("{filler}Item {number:04} has the code {}.\n{filler}", code(number))
}

/// The codes that stand in a text.
fn codes(text: &str) -> Vec<String> {
    text.match_indices("has the code ")
        .filter_map(|(at, hit)| text.get(at + hit.len()..at + hit.len() + 6))
        .map(str::to_owned)
        .collect()
}

/// What one batch writes.
fn line(batch: u64, batches: u64) -> String {
    let first = (batch - 1) * READS + 1;
    let found: Vec<String> = (first..first + READS).map(code).collect();
    let recalled = if is_late(batch, batches) { format!(" and long ago {}", code(3)) } else { String::new() };
    format!("batch {batch}: {}{recalled}\n", found.join(" "))
}

/// Late in the run an early result is wanted again.
fn is_late(batch: u64, batches: u64) -> bool {
    batch + 1 == batches
}

impl Task {
    fn goal(&self) -> String {
        format!("Note the codes of all items in /out/codes.txt, in {} batches", self.batches)
    }

    /// What the model says to what it is shown. It has no memory of its own.
    fn react(&self, request: &Value) -> Vec<Value> {
        let messages = request["messages"].as_array().cloned().unwrap_or_default();
        let text =
            |message: &Value| message["content"].as_str().map_or_else(|| message["content"].to_string(), str::to_owned);
        let asked = messages.iter().find(|message| message["role"] == "user").map(text).unwrap_or_default();
        let goal = asked.lines().next().unwrap_or_default().trim_start_matches("Goal: ").to_owned();
        let result = |of: &str| -> Vec<String> {
            let ids: Vec<&Value> = messages
                .iter()
                .flat_map(|message| message["tool_calls"].as_array().into_iter().flatten())
                .filter(|call| call["function"]["name"] == of)
                .map(|call| &call["id"])
                .collect();
            let results =
                messages.iter().filter(|message| message["role"] == "tool" && ids.contains(&&message["tool_call_id"]));
            results.map(text).collect()
        };
        let Some(batch) = goal.strip_prefix("Batch ").and_then(|n| n.parse::<u64>().ok()) else {
            return match messages.iter().filter(|message| message["role"] == "user").count() {
                1 => {
                    let goals: Vec<Value> =
                        (1..=self.batches).map(|n| json!({ "goal": format!("Batch {n}") })).collect();
                    vec![json!({ "tool": "propose_plan", "arguments": { "children": goals } })]
                }
                _ => vec![json!({ "text": format!("All {} batches are noted.", self.batches) })],
            };
        };
        let (read, written) = (result("files__read"), result("files__append"));
        self.sample(request, (batch - 1) * BATCH + (read.len() + written.len()) as u64);
        let first = (batch - 1) * READS + 1;
        if read.is_empty() {
            let step = |n: u64| json!({ "step": format!("read_{n}"), "tool": "files.read", "arguments": { "path": format!("/docs/{n:04}.txt") } });
            return vec![
                json!({ "tool": "propose_plan", "arguments": { "children": (first..first + READS).map(step).collect::<Vec<_>>() } }),
            ];
        }
        if !written.is_empty() {
            return vec![json!({ "text": format!("Batch {batch} is noted, from {} on.", code(first)) })];
        }
        if self.kill_at.compare_exchange(batch, 0, Ordering::SeqCst, Ordering::SeqCst).is_ok() {
            let child = i32::try_from(self.child.load(Ordering::SeqCst)).ok().and_then(rustix::process::Pid::from_raw);
            rustix::process::kill_process(child.expect("a process"), rustix::process::Signal::KILL).expect("killed");
        }
        // The results of the goal at hand are whole: each code is in them.
        let mut found: Vec<String> = read.iter().flat_map(|text| codes(text)).collect();
        found.sort_by_key(|found| (first..first + READS).find(|item| code(*item) == *found));
        let mut noted = format!("batch {batch}: {}", found.join(" "));
        if is_late(batch, self.batches) {
            let recalled = result("recall");
            if recalled.is_empty() {
                return vec![json!({ "tool": "recall", "arguments": { "query": "the code of item 0003" } })];
            }
            noted.push_str(&format!(
                " and long ago {}",
                codes(&recalled.join("\n")).first().cloned().unwrap_or_default()
            ));
        }
        vec![json!({ "tool": "files.append", "arguments": { "path": "/out/codes.txt", "text": format!("{noted}\n") } })]
    }

    fn sample(&self, request: &Value, steps: u64) {
        let status =
            std::fs::read_to_string(format!("/proc/{}/status", self.child.load(Ordering::SeqCst))).unwrap_or_default();
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let resident =
            resident.and_then(|line| line.trim().split(' ').next()?.parse::<u64>().ok()).unwrap_or_default() * 1024;
        let (ledger, log) = (bytes_of(&self.data.join("ledger.db")), bytes_of(&self.data.join("ledger.db-wal")));
        let wire_bytes = request.to_string().len() as u64;
        self.samples.lock().expect("samples").push(Sample { steps, wire_bytes, resident, ledger, log });
    }
}

fn bytes_of(file: &std::path::Path) -> u64 {
    file.metadata().map_or(0, |file| file.len())
}

/// What a long run came to.
struct Long {
    /// The tokens of each prompt, with the steps that were over by then.
    prompts: Vec<(u64, u64)>,
    /// The bytes of all results.
    results: u64,
    /// The bytes of the ledger once it is closed.
    ledger: u64,
    samples: Vec<Sample>,
}

/// Runs so many batches under this limit, perhaps killed in the middle, and checks that the result is the same in any case.
fn long(batches: u64, limit: u64, killed: bool) -> Long {
    let bench = Bench::new();
    let items = batches * READS;
    for number in 1..=items {
        bench.write(&format!("docs/{number:04}.txt"), &item(number));
    }
    bench.grant(&format!("[planner]\ncontext = {limit}\n"));
    let task = Task {
        batches,
        kill_at: AtomicU64::new(if killed { batches / 2 } else { 0 }),
        child: AtomicU32::new(0),
        data: bench.path(".local/share/toolcrib"),
        samples: Mutex::default(),
    };
    let task = std::sync::Arc::new(task);
    let worker = Worker::start({
        let task = std::sync::Arc::clone(&task);
        move |request| task.react(request)
    });
    let drive = |arguments: &[&str]| {
        let mut command = bench.command();
        command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().expect("the command runs");
        task.child.store(child.id(), Ordering::SeqCst);
        Done::of(&child.wait_with_output().expect("an end"))
    };
    let budget = ["--quiet", "--max-steps", "2000", "--max-tokens", "100000000", "--max-time", "7200"];
    let goal = task.goal();
    let mut done = drive(&[&["run", "--model", worker.spec(), &goal], &budget[..]].concat());
    let runs = bench.toolcrib(&["runs", "--json"]).json();
    let run = runs["runs"][0]["run"].as_str().expect("a run").to_owned();
    if killed {
        assert_eq!(done.code, -1, "it was to be killed: {}", done.err);
        done = drive(&["resume", &run, "--quiet"]);
    }
    assert_eq!(done.code, 0, "{}\n{}", done.out, done.err);
    assert_eq!(done.out, format!("All {batches} batches are noted.\n"));
    // Every line once, every code read from its file, and the one from long ago found again.
    let expected: String = (1..=batches).map(|batch| line(batch, batches)).collect();
    assert_eq!(bench.read("out/codes.txt"), expected);
    assert_eq!(bench.toolcrib(&["verify"]).code, 0);
    let events: Vec<Value> = bench
        .toolcrib(&["show", &run, "--events"])
        .out
        .lines()
        .map(|line| serde_json::from_str(line).expect("an event"))
        .collect();
    assert_eq!(events.iter().filter(|event| event["kind"] == "looked").count(), 1);
    let (mut steps, mut results, mut prompts) = (0, 0, Vec::new());
    for event in &events {
        if event["kind"] == "step-finished" {
            steps += 1;
            results += event["payload"]["outcome"]["output"].to_string().len() as u64;
        }
        if let Some(tokens) = event["payload"]["usage"]["input"].as_u64().filter(|tokens| *tokens > 0) {
            prompts.push((steps, tokens));
        }
    }
    assert_eq!(steps, batches * BATCH);
    let samples = task.samples.lock().expect("samples").clone();
    Long { prompts, results, ledger: bytes_of(&task.data.join("ledger.db")), samples }
}

#[test]
fn sixty_steps_stay_under_the_limit_and_a_kill_in_the_middle_changes_nothing() {
    let limit = 16_000;
    let run = long(6, limit, true);
    let most = run.prompts.iter().map(|(_, tokens)| *tokens).max().unwrap_or_default();
    assert!(most <= limit && most > limit / 2, "{most}");
    // With all that was read, the last prompt would have been beyond it.
    assert!(run.results / 3 > limit * 3 / 2, "{}", run.results / 3);
    // What goes over the wire is as much as was counted, give or take the wire's own frame.
    let wire = run.samples.iter().map(|sample| sample.wire_bytes).max().unwrap_or_default();
    assert!(wire / 3 <= limit * 11 / 10, "{wire}");
}

/// What the function calls of this request are named.
fn offered(request: &Value) -> Vec<String> {
    let tools = request["tools"].as_array().into_iter().flatten();
    tools.filter_map(|tool| tool["function"]["name"].as_str().map(str::to_owned)).collect()
}

#[test]
fn a_model_looks_into_earlier_runs_where_it_may_and_is_not_shown_what_is_denied() {
    let bench = Bench::new();
    bench.write("docs/0003.txt", &item(3));
    let rule = "[[rule]]\nname = \"never\"\ntools = [\"files.append\"]\nthen = \"deny\"\n";
    let said = std::sync::Arc::new(Mutex::new(Vec::new()));
    let kept = std::sync::Arc::clone(&said);
    let worker = Worker::start(move |request| {
        kept.lock().expect("requests").push(request.clone());
        let text = request["messages"].to_string();
        match (text.contains("Goal: again"), text.contains(&code(3)), text.contains("nothing fits")) {
            (_, true, _) => vec![json!({ "text": format!("It is {}.", code(3)) })],
            (true, _, true) => vec![json!({ "text": "Nobody knows." })],
            (true, ..) if !offered(request).contains(&"recall".to_owned()) => vec![json!({ "text": "I cannot look." })],
            (true, ..) => vec![json!({ "tool": "recall", "arguments": { "query": "code of item 0003" } })],
            (false, ..) => vec![json!({ "tool": "files.read", "arguments": { "path": "/docs/0003.txt" } })],
        }
    });
    let run = |goal: &str| bench.toolcrib(&["run", "--quiet", "--model", worker.spec(), goal]).out;
    bench.grant(rule);
    assert_eq!(run("read it"), format!("It is {}.\n", code(3)));
    assert_eq!(run("again"), "I cannot look.\n");
    bench.grant(&format!("{rule}[planner]\nearlier-runs = true\n"));
    assert_eq!(run("again"), format!("It is {}.\n", code(3)));
    let said = said.lock().expect("requests");
    let last = said.last().expect("a request")["messages"].to_string();
    assert!(last.contains("of the earlier run ") && last.contains("(untrusted, private"), "{last}");
    assert!(said.iter().all(|request| offered(request).contains(&"files__write".to_owned())));
    assert!(said.iter().all(|request| !offered(request).contains(&"files__append".to_owned())));
}

#[test]
#[ignore = "minutes: prints the table of a long run"]
fn five_hundred_steps() {
    let limit = 16_000;
    let run = long(50, limit, true);
    let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    println!(
        "{:>6}  {:>14}  {:>10}  {:>7}  {:>17}  {:>10}  {:>17}",
        "steps", "prompt, tokens", "max so far", "limit", "all results would", "RSS, MiB", "ledger + log, MiB"
    );
    let (total, steps) = (run.results, 500);
    for mark in (50..=steps).step_by(50) {
        let mut until = run.prompts.iter().filter(|(steps, _)| *steps <= mark);
        let most = until.clone().map(|(_, tokens)| *tokens).max().unwrap_or_default();
        let now = until.next_back().map_or(0, |(_, tokens)| *tokens);
        let sample = run.samples.iter().rfind(|sample| sample.steps <= mark).expect("a sample");
        println!(
            "{mark:>6}  {now:>14}  {most:>10}  {limit:>7}  {:>17}  {:>10.1}  {:>17}",
            total * mark / steps / 3,
            mib(sample.resident),
            format!("{:.2} + {:.2}", mib(sample.ledger), mib(sample.log))
        );
        assert!(most <= limit);
    }
    println!("the ledger once it is closed: {:.2} MiB", mib(run.ledger));
}
