//! Flows as people write and run them.

use crate::bench::Bench;

const FLOW: &str = r#"
flow: todo-report
description: Counts the TODO lines of the files of a folder and writes a report.
inputs:
  folder: string
  least: { type: integer, default: 1, description: the fewest lines that are worth a report }
steps:
  - step: listing
    tool: files.list
    arguments: { path: "{{ inputs.folder }}" }
    retry: { attempts: 2, wait: 100 ms }
  - step: names
    value: "{{ steps.listing.entries.filter(e, e.kind == 'file').map(e, e.path) }}"
  - each: steps.names
    as: name
    step: found
    parallel: true
    steps:
      - { step: text, tool: files.read, arguments: { path: "{{ name }}" } }
      - { step: lines, tool: text.search, arguments: { text: "{{ steps.text.text }}", pattern: TODO } }
  - parallel:
      - { step: stats, tool: text.stats, arguments: { text: "{{ inputs.folder }}" } }
      - { step: counts, value: "{{ steps.found.map(f, f.count) }}" }
  - when: size(steps.counts) >= inputs.least
    try:
      - { step: missing, tool: files.read, arguments: { path: /docs/not-there.txt } }
    catch:
      - step: report
        tool: files.write
        arguments: { path: /out/report.txt, text: "{{ size(steps.names) }} files, counts {{ steps.counts }}" }
        timeout: 10 s
        ask: true
result: { files: "{{ steps.names }}", counts: "{{ steps.counts }}" }
"#;

fn bench() -> Bench {
    let bench = Bench::new();
    bench.write("docs/a.txt", "TODO first\ndone\nTODO second\n");
    bench.write("docs/b.txt", "one TODO\n");
    bench.write("report.yaml", FLOW);
    bench.grant("");
    bench
}

#[test]
fn a_flow_is_checked_run_approved_resumed_and_saved() {
    let bench = bench();
    let checked = bench.toolcrib(&["flow", "check", "report.yaml"]);
    assert_eq!(checked.code, 0, "{}", checked.err);
    for line in
        ["  input folder: string, required", "  input least: integer, default 1", "  calls files.write [idempotent]"]
    {
        assert!(checked.out.contains(line), "{}", checked.out);
    }
    let missing = bench.toolcrib(&["flow", "run", "report.yaml"]);
    assert_eq!(missing.code, 2);
    assert!(missing.err.contains("the input `folder` is missing"), "{}", missing.err);

    // The step that wants a person's word waits for it, and only that step.
    let run = ["flow", "run", "report.yaml", "--input", "folder=/docs", "--unattended"];
    let asked = bench.toolcrib(&run);
    assert_eq!(asked.code, 4, "{}", asked.err);
    assert!(!bench.path("out/report.txt").exists());
    let questions = bench.toolcrib(&["approvals", "--json"]).json();
    let question = &questions["questions"][0];
    assert_eq!(question["request"]["call"]["arguments"]["text"], "2 files, counts [2,1]");
    let (id, run) = (question["id"].as_str().expect("an id"), question["run"].as_str().expect("a run"));
    assert_eq!(bench.toolcrib(&["approvals", "approve", id]).code, 0);
    let resumed = bench.toolcrib(&["resume", run, "--json"]);
    assert_eq!(resumed.code, 0, "{}{}", resumed.out, resumed.err);
    let value = &resumed.json()["result"]["answer"]["value"];
    assert_eq!(*value, serde_json::json!({ "counts": [2, 1], "files": ["/docs/a.txt", "/docs/b.txt"] }));
    assert_eq!(bench.read("out/report.txt"), "2 files, counts [2,1]");
    let shown = bench.toolcrib(&["show", run]);
    for line in ["✗ files.read {\"path\":\"/docs/not-there.txt\"}", "✓ files.write", "(for each name in steps.names)"]
    {
        assert!(shown.out.contains(line), "{line}\n{}", shown.out);
    }

    // What worked is a flow again, and does the same.
    let saved = bench.toolcrib(&["flow", "save", run, "--name", "again", "--output", "again.yaml"]);
    assert_eq!(saved.code, 0, "{}", saved.err);
    std::fs::remove_file(bench.path("out/report.txt")).expect("removed");
    let again = bench.toolcrib(&["flow", "run", "again.yaml", "--unattended", "--json"]);
    assert_eq!(again.code, 4, "{}\n{}", again.err, bench.read("again.yaml"));
    let taken = bench.toolcrib(&["flow", "save", run, "--output", "again.yaml"]);
    assert_eq!(taken.code, 2, "a file that is there is not replaced");
    assert_eq!(bench.toolcrib(&["verify"]).code, 0);
}

#[test]
fn a_run_of_the_planner_becomes_a_flow_with_inputs() {
    let bench = bench();
    assert_eq!(
        bench.toolcrib(&["run", "Read /docs/a.txt, replace TODO with DONE and save the result as /out/done.txt"]).code,
        0
    );
    let runs = bench.toolcrib(&["runs", "--json"]).json();
    let run = runs["runs"][0]["run"].as_str().expect("a run");
    let saved = bench.toolcrib(&["flow", "save", run, "--name", "replace"]);
    assert_eq!(saved.code, 0, "{}", saved.err);
    assert!(saved.out.starts_with("flow: \"replace\"\nversion: 1\n"), "{}", saved.out);
    assert!(
        saved.out.contains("path: \"{{ inputs.path }}\"") && saved.out.contains("default: \"/docs/a.txt\""),
        "{}",
        saved.out
    );
    bench.write("replace.yaml", &saved.out);
    let other =
        bench.toolcrib(&["flow", "run", "replace.yaml", "--input", "path=/docs/b.txt", "--input", "replacement=LATER"]);
    assert_eq!(other.code, 0, "{}", other.err);
    assert_eq!(bench.read("out/done.txt"), "one LATER\n");
}

#[test]
fn what_is_wrong_with_a_flow_is_said_before_anything_runs() {
    let bench = bench();
    for (text, expected) in [
        ("flow: f\nsteps: [ { tool: files.reed } ]\n", "there is no tool `files.reed`"),
        ("flow: f\nsteps: [ { tool: files.read, arguments: { pth: x } } ]\n", "arguments of `files.read`"),
        ("flow: f\nsteps: [ { tool: files.read, argument: {} } ]\n", "`f.yaml`: steps[0]: unknown key `argument`"),
        ("flow: f\nsteps:\n  - tool: [\n", "`f.yaml`: it is no YAML: "),
    ] {
        bench.write("f.yaml", text);
        for command in [["flow", "check", "f.yaml"], ["flow", "run", "f.yaml"]] {
            let done = bench.toolcrib(&command);
            assert_eq!(done.code, 2, "{text}: {}", done.err);
            assert!(done.err.contains(expected), "{text}: {}", done.err);
        }
    }
    assert_eq!(bench.toolcrib(&["runs", "--json"]).json()["runs"], serde_json::json!([]));
}

#[test]
fn the_flow_of_the_documentation_runs() {
    let bench = bench();
    let page = include_str!("../../../../docs/flows.md");
    let text =
        page.split("<!-- a flow that a test runs -->\n```yaml\n").nth(1).and_then(|rest| rest.split("```").next());
    bench.write("flow.yaml", text.expect("the flow stands there"));
    let done = bench.toolcrib(&["flow", "run", "flow.yaml", "--input", "folder=/docs", "--json"]);
    assert_eq!(done.code, 0, "{}{}", done.out, done.err);
    assert_eq!(done.json()["result"]["answer"]["value"]["counts"], serde_json::json!([2, 1]));
    assert_eq!(bench.read("out/report.txt"), "counts [2,1]");
}

#[test]
fn a_model_that_is_a_file_plans_is_recorded_and_replayed() {
    let bench = bench();
    bench.write(
        "demo.yaml",
        "version: 1\nexchanges:\n  - answer: { calls: [ { tool: files.read, arguments: { path: /docs/b.txt } } ] }\n  - expect: { tool-results: [ { tool: files.read, contains: \"one TODO\" } ] }\n    answer: { text: It says one TODO. }\n",
    );
    let mut command = bench.command();
    command.env("TOOLCRIB_MODEL_RECORD", "rec.jsonl").args([
        "run",
        "--model",
        "script:demo.yaml",
        "Read the file b.txt",
    ]);
    let done = crate::bench::Done::of(&command.output().expect("the command runs"));
    assert_eq!((done.code, done.out.as_str()), (0, "It says one TODO.\n"), "{}", done.err);
    let again = bench.toolcrib(&["run", "--model", "replay:rec.jsonl", "Read the file b.txt"]);
    assert_eq!((again.code, again.out.as_str()), (0, "It says one TODO.\n"), "{}", again.err);
    let other = bench.toolcrib(&["run", "--model", "replay:rec.jsonl", "Read the file a.txt"]);
    assert!(other.code == 1 && other.err.contains("the request is not in `rec.jsonl`"), "{}", other.err);
}
