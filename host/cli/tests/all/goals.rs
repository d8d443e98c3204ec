//! Goals in plain words, reached with the builtin planner.

use crate::bench::{Bench, Done, serve};

const NOTES: &str = "one two three\nfour TODO five\nsix\n";
const ITEMS: &str = r#"{"items":[{"name":"pen","price":3},{"name":"desk","price":120},{"name":"lamp","price":45}]}"#;

fn bench() -> Bench {
    let bench = Bench::new();
    bench.write("docs/notes.md", NOTES);
    bench.write("docs/todo.txt", "TODO first\ndone\nTODO second\n");
    bench.write("docs/data.csv", "name,age\nAda,36\nGrace,85\n");
    bench.grant("");
    bench
}

fn run(bench: &Bench, goal: &str) -> Done {
    bench.toolcrib(&["run", goal])
}

#[track_caller]
fn reaches(bench: &Bench, goal: &str, answer: &str) -> Done {
    let done = run(bench, goal);
    assert_eq!(done.code, 0, "{goal}\n{}\n{}", done.out, done.err);
    assert!(done.out.contains(answer), "{goal}: {:?} has no {answer:?}\n{}", done.out, done.err);
    done
}

#[test]
fn a_question_about_a_file_chains_reading_and_counting() {
    let done = reaches(&bench(), "How many words are in /docs/notes.md?", "words: 7");
    assert!(done.err.contains("files.read") && done.err.contains("text.stats"), "{}", done.err);
}

#[test]
fn three_tools_in_a_row_change_a_copy_of_a_file() {
    let bench = bench();
    reaches(
        &bench,
        "Read /docs/todo.txt, replace TODO with DONE and save the result as /out/done.txt",
        "/out/done.txt",
    );
    assert_eq!(bench.read("out/done.txt"), "DONE first\ndone\nDONE second\n");
    assert_eq!(bench.read("docs/todo.txt"), "TODO first\ndone\nTODO second\n");
}

#[test]
fn data_from_a_server_is_filtered_and_written() {
    let bench = bench();
    let server = serve(&[("/items.json", "application/json", ITEMS)]);
    bench.grant(&format!("[plugin.http]\nhttp = [\"GET http://{server}/**\"]"));
    let goal = format!(
        "Fetch http://{server}/items.json, take the names of all items whose price is over 10 and write them to \
         /out/names.txt"
    );
    reaches(&bench, &goal, "/out/names.txt");
    assert_eq!(bench.read("out/names.txt"), "desk\nlamp");
}

#[test]
fn what_was_found_is_counted() {
    reaches(&bench(), "Find all TODO lines in /docs and count them", "3");
}

#[test]
fn a_first_candidate_that_fails_gives_way_to_the_next() {
    // `files.read` fits best, and a folder cannot be read; listing it can be.
    let done = reaches(&bench(), "Read /docs", "notes.md");
    assert!(done.out.contains("todo.txt"), "{}", done.out);
    let order = ["→ files.read", "✗ invalid-arguments", "↩ another way", "→ files.list", "✓"];
    let places: Vec<_> = order.iter().map(|part| done.err.find(part)).collect();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{}", done.err);
}

#[test]
fn what_is_missing_is_asked_for() {
    let done = run(&bench(), "Write the summary to a file");
    assert_eq!(done.code, 4, "{}", done.err);
    assert!(done.err.contains("`path`") && done.err.contains("files.write"), "{}", done.err);
}

#[test]
fn what_cannot_be_put_into_a_query_is_asked_for() {
    let done = run(&bench(), "Sum the numbers in /docs/todo.txt");
    assert_eq!(done.code, 4, "{}", done.err);
    assert!(done.err.contains("`query`") && done.err.contains("data.query"), "{}", done.err);
}

#[test]
fn what_is_appended_stands_behind_what_was_there() {
    let bench = bench();
    bench.write("out/log.txt", "one\n");
    reaches(&bench, "Append \"two\" to /out/log.txt", "/out/log.txt");
    assert_eq!(bench.read("out/log.txt"), "one\ntwo");
}

#[test]
fn what_policy_refuses_comes_with_the_grant_to_add() {
    let done = run(&bench(), "Read /etc/passwd");
    assert_eq!(done.code, 3, "{}", done.err);
    assert!(done.err.contains("the operator has not granted it"), "{}", done.err);
    let advice = "in [plugin.files] of toolcrib.toml, add to `files`:\n\"read ./etc as /etc\"\nreplace `./etc` by";
    assert!(done.err.contains(advice), "{}", done.err);
    assert!(!done.out.contains("root:"));
    let done = Bench::new().toolcrib(&["run", "Read /etc/passwd"]);
    assert!(done.err.contains("[plugin.files]\nfiles = [\"read ./etc as /etc\"]"), "{}", done.err);
}

#[test]
fn more_access_to_a_folder_changes_its_line() {
    let bench = bench();
    let write = ["call", "files.write", "{\"path\":\"/docs/new.txt\",\"text\":\"x\"}"];
    let done = bench.toolcrib(&write);
    assert_eq!(done.code, 3, "{}", done.err);
    let change = "change the line `read ./docs as /docs` into `read-write ./docs as /docs` in [plugin.files]";
    assert!(done.err.contains(change), "{}", done.err);
    let file = bench.read("toolcrib.toml").replace("read ./docs as /docs", "read-write ./docs as /docs");
    bench.write("toolcrib.toml", &file);
    assert_eq!(bench.toolcrib(&write).code, 0);
}

#[test]
fn what_a_deny_line_or_the_ceiling_refuses_is_refused_in_runs_as_in_calls() {
    let bench = bench();
    let server = serve(&[("/", "text/plain", "secret")]);
    let address = format!("http://{server}/");
    let granted = format!("http = [\"GET {address}**\"");
    for file in [
        format!("[plugin.http]\n{granted}, \"deny GET {address}**\"]\n"),
        format!("[ceiling]\nhttp = [\"GET https://example.com/**\"]\n[plugin.http]\n{granted}]\n"),
    ] {
        bench.write("toolcrib.toml", &file);
        let run = run(&bench, &format!("Fetch {address}"));
        assert_eq!(run.code, 3, "{file}{}", run.err);
        assert!(!run.err.contains("to allow it"), "{}", run.err);
        let arguments = format!("{{\"url\":\"{address}\"}}");
        assert_eq!(bench.toolcrib(&["call", "http.fetch", &arguments]).code, 3, "{file}");
    }
}

#[test]
fn a_plugin_that_the_ceiling_keeps_out_is_no_tool_and_says_why() {
    let bench = bench();
    bench.write("toolcrib.toml", "[ceiling]\nreject-imports = [\"wasi:http\"]\n");
    let tools = bench.toolcrib(&["tools"]);
    assert!(!tools.out.contains("http.fetch") && tools.out.contains("text.stats"), "{}", tools.out);
    assert!(tools.err.contains("problem: plugin `http`") && tools.err.contains("has `wasi:http`"), "{}", tools.err);
    let run = run(&bench, "Fetch http://127.0.0.1:9/");
    assert!(run.code != 0 && run.err.contains("`reject-imports` has `wasi:http`"), "{}", run.err);
    assert_eq!(bench.toolcrib(&["call", "http.fetch", "{\"url\":\"http://127.0.0.1:9/\"}"]).code, 3);
}

#[test]
fn a_server_that_nobody_granted_is_not_reached() {
    let bench = bench();
    let server = serve(&[("/", "text/plain", "secret")]);
    let done = run(&bench, &format!("Fetch http://{server}/"));
    assert_eq!(done.code, 3, "{}", done.err);
    assert!(done.err.contains(&format!("http = [\"GET http://{server}/\"]")), "{}", done.err);
}

#[test]
fn times_hashes_sums_and_conversions_are_reached() {
    let bench = bench();
    reaches(&bench, "How many days between 2024-01-01 and 2026-11-23?", "days: 1057");
    reaches(&bench, "What time is it in Tokyo?", "+09:00");
    reaches(&bench, "sha256 of the file /docs/todo.txt", "hash: ");
    reaches(&bench, "compute 2+2*10 with javascript", "22");
    reaches(&bench, "convert /docs/data.csv to JSON and save it as /out/data.json", "/out/data.json");
    let data: serde_json::Value = serde_json::from_str(&bench.read("out/data.json")).expect("JSON");
    assert_eq!(data[1]["name"], "Grace");
}

#[test]
fn a_run_is_in_the_ledger_and_the_ledger_is_sound() {
    let bench = bench();
    let done = bench.toolcrib(&["run", "--json", "How many words are in /docs/notes.md?"]);
    let run = done.json()["run"].as_str().expect("a run").to_owned();
    assert_eq!(done.json()["result"]["outcome"], "reached");
    let shown = bench.toolcrib(&["show", &run]);
    assert!(shown.out.contains("text.stats") && shown.out.contains("words: 7"), "{}", shown.out);
    let verified = bench.toolcrib(&["verify"]);
    assert_eq!(verified.code, 0, "{}", verified.err);
    assert!(bench.toolcrib(&["runs"]).out.contains(&run));
}

#[test]
fn the_first_command_of_the_readme_reaches_its_goal() {
    let readme = include_str!("../../../../README.md");
    let command = readme.lines().find(|line| line.starts_with("$ cargo run --bin toolcrib -- ")).expect("a command");
    // What stands in single quotes are the grant and the goal.
    let quoted: Vec<&str> = command.split('\'').skip(1).step_by(2).collect();
    let [grant, goal] = quoted.as_slice() else { panic!("{command}") };
    let bench = Bench::new();
    bench.write("README.md", readme);
    let done = bench.toolcrib(&["run", "--grant", grant, goal]);
    assert_eq!(done.code, 0, "{}", done.err);
    // What a word is, is the tool's to say: asked directly, it counts the same.
    let arguments = serde_json::json!({ "text": readme }).to_string();
    let counted = bench.toolcrib(&["call", "--json", "text.stats", &arguments]).json();
    assert_eq!(done.out.trim(), format!("words: {}", counted["result"]["words"]));
}
