//! Folders put back to any step of a run, through the command, and killed in the middle.

use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;

use crate::bench::Bench;

const FLOW: &str = r#"
flow: writes
steps:
  - { step: first, tool: files.write, arguments: { path: /out/a.txt, text: one } }
  - { step: second, tool: files.write, arguments: { path: /out/deep/b.txt, text: two } }
  - { step: look, tool: files.read, arguments: { path: /out/a.txt } }
  - { step: third, tool: files.append, arguments: { path: /out/a.txt, text: " more" } }
"#;

fn bench() -> (Bench, String) {
    let bench = Bench::new();
    let files = "files = [\"read ./docs as /docs\", \"read-write ./out as /out, versioned\"]";
    bench.write("toolcrib.toml", &format!("[plugin.files]\n{files}\n"));
    bench.write("out/kept.txt", "was there");
    bench.write("writes.yaml", FLOW);
    let done = bench.toolcrib(&["flow", "run", "writes.yaml", "--json"]);
    assert_eq!(done.code, 0, "{}{}", done.out, done.err);
    let run = done.json()["run"].as_str().expect("a run").to_owned();
    (bench, run)
}

fn text(bench: &Bench, path: &str) -> Option<String> {
    std::fs::read_to_string(bench.path(path)).ok()
}

#[test]
fn a_run_is_rolled_back_to_any_of_its_steps() {
    let (bench, run) = bench();
    let back = |more: &[&str]| bench.toolcrib(&[&["rollback", run.as_str()], more].concat());
    let (a, b) = ("out/a.txt", "out/deep/b.txt");
    assert_eq!(bench.read(a), "one more");

    let dry = back(&["--to", "first", "--dry-run"]);
    assert_eq!(dry.code, 0, "{}", dry.err);
    assert!(dry.out.contains("  change a.txt\n  remove deep\n  remove deep/b.txt\n"), "{}", dry.out);
    assert_eq!(bench.read(a), "one more");

    let some = |text: &str| Some(text.to_owned());
    let states: [(&[&str], _, _); 5] = [
        (&["--to", "first"], some("one"), None),
        (&["--to", "third"], some("one more"), some("two")),
        (&["--to", "third", "--before"], some("one"), some("two")),
        (&["--to", "first", "--before"], None, None),
        (&["--to", "second"], some("one"), some("two")),
    ];
    for (to, is_a, is_b) in states {
        let done = back(to);
        assert_eq!(done.code, 0, "{to:?}: {}", done.err);
        assert_eq!((text(&bench, a), text(&bench, b)), (is_a, is_b), "{to:?}");
        assert_eq!(bench.read("out/kept.txt"), "was there");
    }
    let unknown = back(&["--to", "fourth"]);
    assert_eq!(unknown.code, 2);
    assert!(unknown.err.contains("`first`, `second`, `look`, `third`"), "{}", unknown.err);

    // Somebody else's work is not lost without a word.
    bench.write("out/mine.txt", "mine");
    let refused = back(&["--to", "first"]);
    assert_eq!(refused.code, 2, "{}", refused.err);
    assert!(refused.err.contains("somebody else changed `mine.txt`"), "{}", refused.err);
    assert_eq!((text(&bench, b), text(&bench, "out/mine.txt")), (some("two"), some("mine")));
    let forced = back(&["--to", "first", "--force", "--json"]);
    assert_eq!(forced.code, 0, "{}", forced.err);
    assert_eq!(forced.json()["folders"][0]["lost"][0]["path"], "mine.txt");
    assert_eq!((text(&bench, b), text(&bench, "out/mine.txt")), (None, None));

    // Each roll-back stands in the run, before and after, and the run can be shown and verified as ever.
    let events = bench.toolcrib(&["show", &run, "--events"]).out;
    let rolled: Vec<Value> = events
        .lines()
        .map(|line| serde_json::from_str(line).expect("an event"))
        .filter(|event: &Value| event["kind"] == "rolled-back")
        .collect();
    assert_eq!(rolled.len(), 2 * 6);
    assert_eq!((&rolled[0]["payload"]["done"], &rolled[1]["payload"]["done"]), (&false.into(), &true.into()));
    assert_eq!(bench.toolcrib(&["verify"]).code, 0);
    assert_eq!(bench.toolcrib(&["show", &run]).code, 0);

    // What a run no longer says, nobody needs to keep.
    let objects = || walk(&bench.path(".local/share/toolcrib/versions/objects"));
    assert!(objects() >= 4, "{}", objects());
    let pruned = bench.toolcrib(&["prune", "--older-than", "0 s"]);
    assert_eq!(pruned.code, 0, "{}", pruned.err);
    assert!(pruned.out.contains(&run), "{}", pruned.out);
    // The state that the folder has now: two files.
    assert_eq!(objects(), 2);
}

#[test]
fn what_somebody_changed_between_two_calls_of_a_run_is_not_lost_either() {
    let bench = Bench::new();
    bench.write("toolcrib.toml", "[plugin.files]\nfiles = [\"read-write ./out as /out, versioned\"]\n");
    bench.write(
        "asks.yaml",
        "
flow: asks
steps:
  - { step: first, tool: files.write, arguments: { path: /out/a.txt, text: one } }
  - { step: second, tool: files.write, arguments: { path: /out/a.txt, text: two }, ask: true }
",
    );
    let asked = bench.toolcrib(&["flow", "run", "asks.yaml", "--unattended", "--json"]);
    assert_eq!(asked.code, 4, "{}{}", asked.out, asked.err);
    let run = asked.json()["run"].as_str().expect("a run").to_owned();
    bench.write("out/mine.txt", "mine");
    let questions = bench.toolcrib(&["approvals", "--json"]).json();
    let id = questions["questions"][0]["id"].as_str().expect("a question").to_owned();
    assert_eq!(bench.toolcrib(&["approvals", "approve", &id]).code, 0);
    assert_eq!(bench.toolcrib(&["resume", &run, "--quiet"]).code, 0);
    assert_eq!(bench.read("out/a.txt"), "two");

    let refused = bench.toolcrib(&["rollback", &run, "--to", "first"]);
    assert_eq!(refused.code, 2, "{}", refused.out);
    assert!(refused.err.contains("somebody else changed `mine.txt`"), "{}", refused.err);
    // Before the second call it was there already.
    assert_eq!(bench.toolcrib(&["rollback", &run, "--to", "second", "--before"]).code, 0);
    assert_eq!((bench.read("out/a.txt").as_str(), bench.read("out/mine.txt").as_str()), ("one", "mine"));
}

fn walk(folder: &std::path::Path) -> usize {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| if entry.path().is_dir() { walk(&entry.path()) } else { 1 }).sum()
}

#[test]
fn a_rollback_that_was_killed_is_done_again_and_comes_to_the_same() {
    let bench = Bench::new();
    bench.write("toolcrib.toml", "[plugin.files]\nfiles = [\"read-write ./out as /out, versioned\"]\n");
    let file = |n: usize| format!("out/{n:03}.txt");
    for n in 0..300 {
        bench.write(&file(n), &format!("before {n}"));
    }
    // A run that changes one file of many; what changed the others is forced aside below, so that much is to be put back.
    let done = bench.toolcrib(&["call", "files.write", r#"{"path":"/out/000.txt","text":"changed"}"#, "--json"]);
    assert_eq!(done.code, 0, "{}{}", done.out, done.err);
    let run = done.json()["run"].as_str().expect("a run").to_owned();
    std::fs::create_dir(bench.path("out/new")).expect("a folder");
    for n in 0..300 {
        match n % 3 {
            0 => std::fs::remove_file(bench.path(&file(n))).expect("removed"),
            _ => bench.write(&file(n), "after"),
        }
        bench.write(&format!("out/new/{n}.txt"), "new");
    }
    let rollback = ["rollback", run.as_str(), "--to", "write", "--before"];
    assert_eq!(bench.toolcrib(&rollback).code, 2, "nobody said --force");
    let mut killed = 0;
    for round in 0..12 {
        let mut command = bench.command();
        command.args(rollback).stdout(Stdio::null()).stderr(Stdio::null());
        if round == 0 {
            command.arg("--force");
        }
        let mut child = command.spawn().expect("the command runs");
        std::thread::sleep(Duration::from_millis(20 + 35 * (round % 6)));
        killed += u32::from(child.try_wait().expect("a state").is_none());
        child.kill().expect("SIGKILL");
        child.wait().expect("an end");
        if round == 0 && bench.read(&file(1)) == "after" {
            // It died before it had noted what it was about: nothing has changed, and the word is needed again.
            let forced = bench.toolcrib(&[rollback.as_slice(), &["--force"]].concat());
            assert_eq!(forced.code, 0, "{}", forced.err);
        }
    }
    assert!(killed > 0, "every one was quicker");
    let done = bench.toolcrib(&rollback);
    assert_eq!(done.code, 0, "{}", done.err);
    for n in 0..300 {
        assert_eq!(bench.read(&file(n)), format!("before {n}"));
    }
    assert_eq!(std::fs::read_dir(bench.path("out")).expect("a folder").count(), 300);
    assert_eq!(bench.toolcrib(&["verify"]).code, 0);
}
