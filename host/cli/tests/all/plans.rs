//! Plans that a person sees before they run: shown, held, changed, gone through without a call.

use crate::bench::{Bench, Done, serve};
use crate::transcript::shop;

fn bench() -> Bench {
    let bench = Bench::new();
    bench.write("docs/notes.md", "one two three\n");
    bench.grant("[[rule]]\nname = \"writing\"\nwhen = \"tool == 'files.write'\"\nthen = \"ask\"");
    bench
}

fn run_of(done: &Done) -> String {
    let run = done.err.lines().find_map(|line| line.strip_prefix("run "));
    run.unwrap_or_else(|| panic!("no run: {}", done.err)).to_owned()
}

#[test]
fn a_plan_is_shown_and_held_and_done_when_it_is_resumed() {
    let bench = bench();
    let done = bench.toolcrib(&["run", "--plan", "How many words are in /docs/notes.md?"]);
    assert_eq!(done.code, 0, "{}", done.err);
    for part in
        ["files.read", "text.stats", "read, as `", "with what `", "expects `truncated` to be false", "2 to 6 calls"]
    {
        assert!(done.out.contains(part), "{part}: {}", done.out);
    }
    assert!(done.err.contains("nothing was called") && !done.err.contains("→"), "{}", done.err);
    let run = run_of(&done);
    assert!(bench.toolcrib(&["runs", "--status", "held"]).out.starts_with(&run));
    let done = bench.toolcrib(&["resume", &run]);
    assert_eq!((done.code, done.out.contains("words: 3")), (0, true), "{}{}", done.out, done.err);
    // What is over is not held any more.
    let done = bench.toolcrib(&["plan", &run, "--edit", "-"]);
    assert_eq!(done.code, 2, "{}", done.err);
    assert!(done.err.contains("is not held (reached)"), "{}", done.err);
}

#[test]
fn what_a_person_makes_of_a_plan_is_checked_and_done() {
    let bench = bench();
    let run = run_of(&bench.toolcrib(&["run", "--plan", "How many words are in /docs/notes.md?"]));
    let text = bench.toolcrib(&["plan", &run, "--yaml"]).out;
    assert!(text.starts_with("plan: \"How many words are in /docs/notes.md?\"\nsteps:\n"), "{text}");
    // What is printed is what is read.
    bench.write("same.yaml", &text);
    let done = bench.toolcrib(&["plan", &run, "--edit", "same.yaml"]);
    assert_eq!((done.code, done.err.contains("nothing was changed")), (0, true), "{}", done.err);

    let wrong = text.replace("files.read", "files.red");
    let done = bench.with_input(&["plan", &run, "--edit", "-"], wrong.as_bytes());
    assert_eq!(done.code, 2, "{}", done.err);
    assert!(done.err.contains("steps[0]: there is no tool `files.red` (line 3, column 5)"), "{}", done.err);

    let other = text.replace("/docs/notes.md\"\n    expect", "/docs/more.md\"\n    expect");
    assert_ne!(other, text, "{text}");
    bench.write("docs/more.md", "four more words here\n");
    bench.write("edit.sh", &format!("cat > \"$1\" <<'END'\n{other}END\n"));
    let mut command = bench.command();
    command.env("EDITOR", "sh edit.sh").env("PATH", "/usr/bin:/bin").args(["plan", &run, "--edit"]);
    let done = Done::of(&command.output().expect("the command runs"));
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(done.out.contains("/docs/more.md") && done.out.contains("written by a person"), "{}", done.out);
    let done = bench.toolcrib(&["resume", &run]);
    assert!(done.out.contains("words: 4"), "{}{}", done.out, done.err);
    assert!(bench.toolcrib(&["show", &run, "--events"]).out.contains("\"plan-edited\""));
}

#[test]
fn a_dry_run_says_what_policy_would_say_and_calls_nothing() {
    let bench = bench();
    let server = serve(&[("/x.json", "application/json", "{}")]);
    let flow = format!(
        "flow: f\ninputs: {{ path: string }}\nsteps:\n  - step: got\n    tool: http.fetch\n    arguments: {{ url: \"http://{server}/x.json\" }}\n  \
         - step: read\n    tool: files.read\n    arguments: {{ path: \"{{{{ inputs.path }}}}\" }}\n  \
         - step: kept\n    tool: files.write\n    arguments: {{ path: /out/x.txt, text: \"{{{{ steps.read.text }}}}\" }}\n    retry: {{ attempts: 1 }}\n"
    );
    bench.write("f.yaml", &flow);
    let dry = ["flow", "run", "f.yaml", "--input", "path=/docs/notes.md", "--dry-run"];
    let done = bench.toolcrib(&dry);
    assert_eq!(done.code, 0, "{}", done.err);
    for part in [
        "files.read {\"path\":\"{{ inputs.path }}\"}",
        "✗ net-address-blocked: plugin `http` asked for `GET http://",
        "· its arguments decide",
        "reaches files read ",
        "3 to 7 calls, retries included, of 100 that the budget has",
    ] {
        assert!(done.out.contains(part), "{part}: {}{}", done.out, done.err);
    }
    let advice = format!("[plugin.http]\nhttp = [\"GET http://{server}/x.json\"]");
    assert!(done.err.contains(&advice), "{}", done.err);
    assert!(bench.toolcrib(&["runs"]).err.contains("no runs yet"));

    // With its argument known the rule is asked as the call itself will be.
    bench.write("f.yaml", &flow.replace("{{ steps.read.text }}", "x"));
    let seen = bench.toolcrib(&[&dry[..], &["--json"]].concat()).json();
    let calls = seen["preview"]["calls"].as_array().expect("calls");
    let gates: Vec<_> = calls.iter().map(|call| call["gate"]["gate"].as_str().unwrap_or_default()).collect();
    assert_eq!(gates, ["allow", "allow", "ask"], "{seen}");
    assert_eq!((&calls[2]["gate"]["rule"], &calls[1]["missing"]), (&"writing".into(), &serde_json::json!([])));
    assert!(!bench.path("out/x.txt").exists());

    // A goal is planned for it, as far as it goes, and the run can go on.
    let done = bench.toolcrib(&["run", "--dry-run", "Read /docs/notes.md and save the result as /out/y.txt"]);
    assert!(
        done.out.contains("✓ no rule denies it") && done.out.contains("planned when its turn comes"),
        "{}",
        done.out
    );
    assert!(done.out.contains("1 goal without a plan yet"), "{}", done.out);
    assert!(!bench.path("out/y.txt").exists());
}

#[test]
fn the_live_tree_shows_what_failed_and_what_took_its_place() {
    let bench = Bench::new();
    let server = shop(&bench);
    bench.grant(&format!("[plugin.http]\nhttp = [\"GET http://{server}/**\"]"));
    let goal = "Write the price of the desk to /out/price.txt: it is in /docs/prices.json, or the shop has it";
    let mut terminal = bench.at_terminal(&["run", "--model", "script:script.yaml", goal]);
    let seen = terminal.until("The desk costs 120; that stands in /out/price.txt now.");
    let last = &seen[seen.rfind("✓ Write the price").expect("the finished tree")..];
    let order = [
        "✗ files.read",
        "not-found: ",
        "✗ ↩ http.fetch",
        "unavailable: ",
        "↻ planned anew: The first version of the shop is closed",
        "✗ data.query",
        "expectation not met: ",
        "↻ planned anew: The prices are a list",
        "✓ data.query",
        "✓ files.write",
    ];
    let places: Vec<_> = order.iter().map(|part| last.find(part)).collect();
    assert!(places.iter().all(Option::is_some), "{places:?} {last}");
    assert_eq!(terminal.ended(), 0);
}
