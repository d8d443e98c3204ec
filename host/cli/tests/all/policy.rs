//! `toolcrib policy`: the example of the documentation, and what is said of files that are wrong.

use crate::bench::{Bench, Done};

const EXAMPLE: &str = include_str!("../../../../docs/example/toolcrib.toml");
const DECISIONS: &str = include_str!("../../../../docs/example/decisions.toml");

fn example() -> Bench {
    let bench = Bench::new();
    bench.write("toolcrib.toml", EXAMPLE);
    bench.write("decisions.toml", DECISIONS);
    bench
}

/// The example with one text in place of another.
fn with(bench: &Bench, file: &str, old: &str, new: &str) {
    assert!(EXAMPLE.contains(old), "{old}");
    bench.write(file, &EXAMPLE.replacen(old, new, 1));
}

fn test(bench: &Bench) -> Done {
    bench.toolcrib(&["policy", "test", "decisions.toml"])
}

#[test]
fn the_example_decides_as_its_table_says() {
    let bench = example();
    let done = test(&bench);
    assert_eq!(done.code, 0, "{}{}", done.out, done.err);
    assert!(done.out.ends_with("all 7 as expected\n"), "{}", done.out);
    assert!(done.err.is_empty(), "{}", done.err);
    let checked = bench.toolcrib(&["policy", "check"]);
    assert_eq!((checked.code, checked.err.as_str()), (0, ""), "{}", checked.out);
    assert!(
        checked.out.contains("  reports: ask files.write, files.append, files.edit when under("),
        "{}",
        checked.out
    );
    let rules = bench.toolcrib(&["policy", "check", "--json"]).json()["rules"].clone();
    assert_eq!((rules.as_array().map(Vec::len), &rules[0]["name"]), (Some(5), &"reports".into()));
}

#[test]
fn a_decision_that_is_not_as_expected_is_named_with_its_place_and_rule() {
    let bench = example();
    with(&bench, "toolcrib.toml", "/out/reports\")'", "/out/report\")'");
    let done = test(&bench);
    assert_eq!(done.code, 1);
    let line = "FAILED  reports are looked at: expected ask by `reports`, found allow (decisions.toml:9:1)";
    assert!(done.out.contains(line) && done.out.ends_with("2 of 7 not as expected\n"), "{}", done.out);
    let failed = bench.toolcrib(&["policy", "test", "decisions.toml", "--json"]).json();
    assert_eq!((failed["outcome"].as_str(), failed["failed"].as_u64()), (Some("failed"), Some(2)));
    assert_eq!(failed["cases"][1]["found"]["decision"], "allow");
}

#[test]
fn a_table_that_is_wrong_is_refused_with_its_place() {
    let bench = example();
    let complaint = |table: &str| {
        bench.write("decisions.toml", table);
        let done = test(&bench);
        assert_eq!(done.code, 2, "{}", done.out);
        done.err
    };
    let begin = "[[case]]\ntool = \"files.write\"\n";
    for (table, says) in [
        (
            format!("{begin}expect = \"maybe\"\n"),
            "decisions.toml:3:10: `expect` cannot be `maybe`: write `allow`, `ask` or `deny`",
        ),
        (format!("{begin}expects = \"ask\"\n"), "decisions.toml:1:1: `expect` is missing"),
        (
            format!("{begin}expect = \"ask\"\nargz = {{}}\n"),
            "decisions.toml:4:1: unknown key `argz` in `[[case]]`: did you mean `args`?",
        ),
        (
            format!("{begin}expect = \"ask\"\nargs = 3\n"),
            "decisions.toml:4:8: `args` is a number and has to be a table",
        ),
        (format!("{begin}expect = \"ask\"\nargs = \"[1]\"\n"), "arguments are a JSON object"),
        (
            format!("{begin}expect = \"ask\"\nlabels = {{ path = \"dirty\" }}\n"),
            "decisions.toml:4:19: `path` cannot be `dirty`: write `trusted`",
        ),
        (format!("{begin}expect = \"ask\"\nrun = {{ attended = 1 }}\n"), "decisions.toml:4:20: `attended` is a number"),
        ("cases = []\n".to_owned(), "`case` is missing"),
        ("[[case]]\ntool = \"write\"\nexpect = \"ask\"\n".to_owned(), "decisions.toml:2:8"),
    ] {
        let said = complaint(&table);
        assert!(said.contains(says), "{says}\n{said}");
    }
    assert_eq!(bench.toolcrib(&["policy", "test", "nowhere.toml"]).code, 2);
}

#[test]
fn a_change_of_the_file_is_shown_for_what_is_there() {
    let bench = example();
    let same = bench.toolcrib(&["policy", "diff", "toolcrib.toml", "--exit-code"]);
    assert_eq!((same.code, same.out.as_str()), (0, "nothing changes\n"));

    let next = EXAMPLE.replacen(", 100 MiB, 1000 files", "", 1).replacen("12 h", "1 h", 1).replacen(
        "unattended = \"wait\"\n",
        "",
        1,
    ) + "\n[[rule]]\nname = \"no-scripts\"\ntools = [\"javascript.*\"]\nthen = \"deny\"\n\n[plugin.mail]\nenv = [\"LANG\"]\n";
    std::fs::create_dir(bench.path("next")).expect("a folder");
    bench.write("next/toolcrib.toml", &next);
    let done = bench.toolcrib(&["policy", "diff", "next/toolcrib.toml", "--exit-code"]);
    let folder = bench.path("out").display().to_string();
    let expected = format!(
        "the file as a whole\n  - approval expires 43200 s\n  - approval unattended wait\n  + approval expires 3600 s\n  + approval unattended fail\n\
         rules\n  + no-scripts: deny javascript.*\n\
         files\n  - files read-write {folder} as /out, 100 MiB, 1000 files\n  + files read-write {folder} as /out\n\
         javascript\n  javascript.run: allow becomes deny (always `no-scripts`)\n\
         mail (not installed)\n  + env LANG\n"
    );
    assert_eq!(done.out, expected, "{}", done.err);
    assert_eq!(done.code, 1);
    let json = bench.toolcrib(&["policy", "diff", "next/toolcrib.toml", "--json"]).json();
    assert_eq!(json["plugins"][1]["tools"][0]["after"]["calls"]["always"], "no-scripts", "{json}");
}

#[test]
fn a_tool_and_one_call_of_it_are_explained() {
    let bench = example();
    let done = bench.toolcrib(&["policy", "explain", "files.write"]);
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(
        done.out.contains("  reports: ask ") && done.out.contains("      reports go to customers as they are\n"),
        "{}",
        done.out
    );
    assert!(!done.out.contains("orders"), "{}", done.out);
    let call = |path: &str| {
        let arguments = format!("{{\"path\": \"{path}\", \"text\": \"x\"}}");
        bench.toolcrib(&["policy", "explain", "files.write", &arguments, "--json"]).json()["call"].clone()
    };
    assert_eq!(
        (call("/out/x")["decision"].as_str(), call("/out/reports/x")["rule"].as_str()),
        (Some("allow"), Some("reports"))
    );
    assert_eq!(bench.toolcrib(&["policy", "explain", "files.wriet"]).code, 2);
}

#[test]
fn what_would_not_be_enforced_is_refused_with_line_and_column() {
    let bench = example();
    for (old, new, says) in [
        (
            "unattended = ",
            "unatended = ",
            "toolcrib.toml:5:1: unknown key `unatended` in `[approval]`: did you mean `unattended`?",
        ),
        (
            "[[rule]]",
            "[[relabel]]\ntool = \"files.read\"\nlabel = \"trusted\"\n[[rule]]",
            "toolcrib.toml:14:1: `reason` is missing: write why this may be believed",
        ),
        (
            "under(args.path,",
            "under(args.file,",
            "toolcrib.toml:17:15: in rule `reports`: no tool that this rule speaks of has `args.file`",
        ),
        (
            "effect == \"irr",
            "efect == \"irr",
            "toolcrib.toml:43:9: in rule `at-night`: there is no `efect` here: did you mean `effect`?",
        ),
    ] {
        with(&bench, "toolcrib.toml", old, new);
        for command in [vec!["policy", "check"], vec!["call", "files.list", "{\"path\": \"/docs\"}"], vec!["tools"]] {
            let done = bench.toolcrib(&command);
            assert!(done.code == 2 && done.err.contains(says), "{command:?}: {says}\n{}", done.err);
        }
    }
}

#[test]
fn what_a_rule_denies_is_not_done_and_why_names_the_rule() {
    let bench = Bench::new();
    bench.grant("[[rule]]\nname = \"no-notes\"\ntools = [\"files.write\"]\nwhen = 'args.path.endsWith(\".md\")'\nthen = \"deny\"\nbecause = \"notes are written by people\"");
    let call =
        |path: &str| bench.toolcrib(&["call", "files.write", &format!("{{\"path\": \"{path}\", \"text\": \"x\"}}")]);
    assert_eq!(call("/out/a.txt").code, 0);
    let refused = call("/out/a.md");
    assert_eq!(refused.code, 3, "{}", refused.out);
    assert!(
        refused.err.contains("rule-denied") && refused.err.contains("notes are written by people"),
        "{}",
        refused.err
    );
    assert!(!bench.path("out/a.md").exists());
    let why = bench.toolcrib(&["why"]);
    assert!(
        why.out.contains(
            "✗ call    rule-denied: `files.write` may not be called so: the operator's rule `no-notes` denies it"
        ),
        "{}",
        why.out
    );
}
