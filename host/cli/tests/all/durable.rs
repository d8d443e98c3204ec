//! Runs that go on, end from elsewhere, and begin again where another one was.

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::bench::Bench;

const GOAL: &str = "Read /docs/todo.txt, replace TODO with DONE and save the result as /out/done.txt";
const ENDLESS: &str = "run this javascript: `while (true) {}`";

fn bench() -> Bench {
    let bench = Bench::new();
    bench.write("docs/todo.txt", "TODO first\ndone\nTODO second\n");
    bench.grant("");
    bench
}

/// The newest run: its name and its status.
fn newest(bench: &Bench) -> (String, String) {
    let runs = bench.toolcrib(&["runs", "--json"]).json();
    let text = |key: &str| runs["runs"][0][key].as_str().expect("a run").to_owned();
    (text("run"), text("status"))
}

fn events(bench: &Bench, run: &str) -> Vec<Value> {
    let done = bench.toolcrib(&["show", run, "--events"]);
    done.out.lines().map(|line| serde_json::from_str(line).expect("an event")).collect()
}

/// The number of the first event of this kind.
fn first(events: &[Value], kind: &str) -> u64 {
    let event = events.iter().find(|event| event["kind"] == kind).unwrap_or_else(|| panic!("no {kind}"));
    event["seq"].as_u64().expect("a number")
}

/// Starts a run that does not end, and waits until its call is under way.
fn endless(bench: &Bench) -> (Child, String) {
    let mut command = bench.command();
    command.args(["run", "--quiet", ENDLESS]).stdout(Stdio::null()).stderr(Stdio::null());
    let child = command.spawn().expect("the command runs");
    let run = began(bench);
    (child, run)
}

/// The newest run, once a call of it is under way.
fn began(bench: &Bench) -> String {
    let begun = Instant::now();
    loop {
        assert!(begun.elapsed() < Duration::from_secs(600), "no call began");
        std::thread::sleep(Duration::from_millis(50));
        let runs = bench.toolcrib(&["runs", "--json"]).json();
        let Some(run) = runs["runs"][0]["run"].as_str() else { continue };
        if events(bench, run).iter().any(|event| event["kind"] == "step-started") {
            return run.to_owned();
        }
    }
}

#[test]
fn a_run_whose_budget_ended_goes_on_where_it_was() {
    let bench = bench();
    let stopped = bench.toolcrib(&["run", GOAL, "--max-steps", "1"]);
    assert_eq!(stopped.code, 5, "{}", stopped.err);
    let (run, status) = newest(&bench);
    assert_eq!(status, "budget");
    assert!(stopped.err.contains(&format!("toolcrib resume {run}")), "{}", stopped.err);
    let resumed = bench.toolcrib(&["resume", &run[..8]]);
    assert_eq!(resumed.code, 0, "{}", resumed.err);
    // What was read before is not read again; what was written is looked at.
    assert!(!resumed.err.contains(r#"files.read {"path":"/docs/"#), "{}", resumed.err);
    assert_eq!(bench.read("out/done.txt"), "DONE first\ndone\nDONE second\n");
    let over = bench.toolcrib(&["resume", &run]);
    assert_eq!(over.code, 2, "{}", over.err);
    assert!(over.err.contains("is over (reached)") && over.err.contains("toolcrib fork"), "{}", over.err);
    assert_eq!(bench.toolcrib(&["verify"]).code, 0);
}

#[test]
fn a_run_of_another_process_is_cancelled_in_order() {
    let bench = bench();
    let (mut child, run) = endless(&bench);
    let cancelled = bench.toolcrib(&["cancel", &run]);
    assert_eq!((cancelled.code, cancelled.out.as_str()), (0, "the run is over: cancelled\n"), "{}", cancelled.err);
    assert_eq!(child.wait().expect("an end").code(), Some(130));
    let kinds: Vec<_> = events(&bench, &run).iter().map(|event| event["kind"].clone()).collect();
    let end = ["cancel-requested", "step-finished", "judged", "run-finished"];
    assert_eq!(kinds[kinds.len() - 4..], end, "{kinds:?}");
    // Once more is the same as once.
    let again = bench.toolcrib(&["cancel", &run, "--json"]).json();
    assert_eq!((&again["ended"], &again["result"]["outcome"]), (&true.into(), &"cancelled".into()));
}

#[test]
fn a_run_whose_process_was_killed_is_closed_or_goes_on() {
    let bench = bench();
    let (mut child, run) = endless(&bench);
    let listed = || bench.toolcrib(&["runs"]).out;
    assert!(listed().contains("  running  "), "{}", listed());
    child.kill().expect("killed");
    child.wait().expect("an end");
    assert!(listed().contains("  cut off  "), "{}", listed());
    let cancelled = bench.toolcrib(&["cancel", &run]);
    assert_eq!(cancelled.code, 0, "{}", cancelled.err);
    assert_eq!(newest(&bench), (run.clone(), "cancelled".to_owned()));
    let cut = events(&bench, &run);
    let finished = cut.iter().find(|event| event["kind"] == "step-finished").expect("an outcome");
    // Reading and computing may be done again, and the record says that it did not end.
    assert_eq!(finished["payload"]["outcome"]["outcome"], "not-started", "{finished}");
    let resumed = bench.toolcrib(&["resume", &run, "--max-time", "1", "--json"]);
    assert_eq!(resumed.code, 5, "{}{}", resumed.out, resumed.err);
    assert_eq!(resumed.json()["run"], run.as_str());
}

#[test]
fn a_fork_goes_on_from_any_event_and_repeats_no_effect() {
    let bench = bench();
    bench.write("out/log.txt", "");
    let line = "Append \"hello\" to /out/log.txt";
    let done = bench.toolcrib(&["run", line]);
    assert_eq!(done.code, 0, "{}", done.err);
    assert_eq!(bench.read("out/log.txt"), "hello");
    let (run, _) = newest(&bench);
    let started = first(&events(&bench, &run), "step-started");

    let inside = bench.toolcrib(&["fork", &run, "--at", &started.to_string()]);
    assert_eq!(inside.code, 2);
    let near = format!("({} and {} are the nearest such events)", started - 1, started + 1);
    assert!(inside.err.contains(&near), "{}", inside.err);
    let beyond = bench.toolcrib(&["fork", &run, "--at", "1000"]);
    assert!(beyond.code == 2 && beyond.err.contains("its last event is"), "{}", beyond.err);

    let before = (started - 1).to_string();
    let kept = bench.toolcrib(&["fork", &run, "--at", &before]);
    assert_eq!(kept.code, 1, "{}\n{}", kept.out, kept.err);
    assert!(kept.err.contains("made 1 call later that cannot be taken back"), "{}", kept.err);
    assert!(kept.err.contains(&format!("of run {run} and cannot be taken back")), "{}", kept.err);
    assert_eq!(bench.read("out/log.txt"), "hello");

    let again = bench.toolcrib(&["fork", &run, "--at", &before, "--again", "--quiet"]);
    assert_eq!(again.code, 0, "{}", again.err);
    assert_eq!(bench.read("out/log.txt"), "hellohello");
    assert_eq!(bench.toolcrib(&["verify"]).code, 0);

    let held = bench.toolcrib(&["fork", &run, "--at", &before, "--hold", "--json"]).json();
    assert_eq!((&held["from"], &held["made"]), (&run.as_str().into(), &1.into()));
    let shown = bench.toolcrib(&["replay", held["run"].as_str().expect("a run")]);
    assert!(shown.out.contains("after event") && shown.out.contains("(forked)"), "{}", shown.out);
}

#[test]
fn a_run_is_seen_as_it_was() {
    let bench = bench();
    assert_eq!(bench.toolcrib(&["run", GOAL]).code, 0);
    let (run, _) = newest(&bench);
    let judged = first(&events(&bench, &run), "judged");
    let then = bench.toolcrib(&["replay", &run, "--until", &judged.to_string()]);
    assert_eq!(then.code, 0, "{}", then.err);
    assert!(then.out.contains("└─ ✓ files.read") && then.out.contains("· replace TODO with DONE"), "{}", then.out);
    assert!(then.out.contains("next: record {"), "{}", then.out);
    let now = bench.toolcrib(&["replay", &run]);
    assert!(now.out.ends_with("over: reached\n"), "{}", now.out);
    let none = bench.toolcrib(&["replay", &run, "--until", "0"]);
    assert!(none.code == 2 && none.err.contains("has no event by then"), "{}", none.err);
}

#[test]
fn two_runs_are_compared() {
    let bench = bench();
    for text in ["TODO first\n", "TODO first\n", "TODO other\n"] {
        bench.write("docs/todo.txt", text);
        assert_eq!(bench.toolcrib(&["run", GOAL]).code, 0);
    }
    let runs = bench.toolcrib(&["runs", "--json"]).json();
    let run = |at: usize| runs["runs"][at]["run"].as_str().expect("a run").to_owned();
    // The second run finds the file there already: `created` is what differs.
    let alike = bench.toolcrib(&["diff", &run(2), &run(1)]);
    assert_eq!(alike.code, 0, "{}", alike.err);
    assert!(alike.out.contains("/created\n  - true\n  + false\n"), "{}", alike.out);
    let other = bench.toolcrib(&["diff", &run(1), &run(0)]);
    assert!(other.out.contains("step read1: result /text\n  - TODO first"), "{}", other.out);
    assert!(other.out.contains("then step-finished in one and step-finished in the other"), "{}", other.out);
    let same = bench.toolcrib(&["diff", &run(1), &run(1)]);
    assert!(same.out.ends_with("the same, event by event\n"), "{}", same.out);
    let json = bench.toolcrib(&["diff", &run(1), &run(0), "--json"]).json();
    assert!(json["comparison"]["same"].as_u64().is_some_and(|same| same > 4), "{json}");
}
