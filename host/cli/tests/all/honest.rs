//! The builtin planner acts on what it has understood, and says what it has not.

use crate::bench::{Bench, Done};

fn bench() -> Bench {
    let bench = Bench::new();
    bench.write("docs/notes.md", "one two three\nfour TODO five\nsix\n");
    bench.write("docs/todo.txt", "TODO first\n");
    bench.write("docs/items.csv", "name,price\npen,3\ndesk,120\n");
    bench.write("out/a.txt", "TODO a\n");
    bench.write("out/b.txt", "b\n");
    bench.grant("");
    bench
}

fn run(bench: &Bench, goal: &str) -> Done {
    bench.toolcrib(&["run", "--unattended", goal])
}

/// The files that a goal could have changed, with their contents.
fn written(bench: &Bench) -> Vec<(String, String)> {
    let entries = std::fs::read_dir(bench.path("out")).expect("a folder");
    let names = entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned());
    let mut files: Vec<_> = names.map(|name| (name.clone(), bench.read(&format!("out/{name}")))).collect();
    files.sort();
    files
}

#[test]
fn what_nothing_here_can_do_is_said_and_nothing_is_changed() {
    let bench = bench();
    let before = written(&bench);
    for (goal, says) in [
        ("Rename /out/a.txt to /out/b.txt", "can rename"),
        ("Swap /out/a.txt and /out/b.txt", "can swap"),
        ("Delete /out/a.txt", "can delete"),
        ("Clear /out/a.txt", "can clear"),
        ("Insert \"head\" at the beginning of /out/a.txt", "can insert"),
        ("Never write \"x\" to /out/never.txt", "“never”"),
        ("Do not delete /out/a.txt", "“not”"),
        ("If /docs/notes.md contains \"zzz\", write \"yes\" to /out/yes.txt", "“if”"),
        ("Write \"new\" to /out/a.txt unless it exists", "“unless”"),
        ("Write \"a\" to /out/one.txt and \"b\" to /out/two.txt", "“b”"),
        ("How many words are in /docs/notes.md and /docs/todo.txt?", "“/docs/todo.txt”"),
        ("How big is /docs/items.csv?", "no tool fits"),
    ] {
        let done = run(&bench, goal);
        assert_eq!(done.code, 1, "{goal}: {}\n{}", done.out, done.err);
        assert!(done.err.contains("not reached: ") && done.err.contains(says), "{goal}: {}", done.err);
        assert_eq!(written(&bench), before, "{goal}");
    }
}

#[test]
fn a_part_is_not_taken_for_the_whole() {
    let bench = bench();
    bench.write("docs/big.log", &"line\n".repeat(300_000));
    for goal in
        ["How many words are in /docs/big.log?", "sha256 of /docs/big.log", "Copy /docs/big.log to /out/big.log"]
    {
        let done = run(&bench, goal);
        assert_eq!(done.code, 1, "{goal}: {}", done.out);
        assert!(done.err.contains("only a part"), "{goal}: {}", done.err);
    }
    assert!(run(&bench, "Read /docs/big.log").out.ends_with("… this is only a part\n"));
}

#[test]
fn what_is_saved_elsewhere_stays_as_it_was() {
    let bench = bench();
    assert_eq!(run(&bench, "Replace TODO with DONE in /out/a.txt and save it as /out/c.txt").code, 0);
    assert_eq!((bench.read("out/a.txt"), bench.read("out/c.txt")), ("TODO a\n".into(), "DONE a\n".into()));
    assert_eq!(run(&bench, "Append the text of /docs/todo.txt to /out/b.txt").code, 0);
    assert_eq!(bench.read("out/b.txt"), "b\nTODO first\n");
    assert_eq!(run(&bench, "Write the number of words of /docs/notes.md to /out/n.txt").code, 0);
    assert_eq!(bench.read("out/n.txt"), "7\n");
}

#[test]
fn what_is_asked_is_answered() {
    let bench = bench();
    std::fs::create_dir(bench.path("docs/my folder")).expect("a folder");
    bench.write("docs/my folder/größe 1.txt", "alpha beta\n");
    for (goal, answer) in [
        ("How many words are in \"/docs/my folder/größe 1.txt\"?", "words: 2\n"),
        ("What is the average price in /docs/items.csv?", "61.5\n"),
        ("Encode \"hello\" as base64", "aGVsbG8=\n"),
        ("replace a with b in \"banana\"", "bbnbnb\n"),
    ] {
        let done = run(&bench, goal);
        assert_eq!((done.code, done.out.as_str()), (0, answer), "{goal}: {}", done.err);
    }
    let files = run(&bench, "Which files in /docs contain the word TODO?").out;
    assert!(files.contains("/docs/notes.md") && files.contains("/docs/todo.txt"), "{files}");
    assert!(run(&bench, "List all files").out.contains("/docs"));
}
