//! `docs/trying.md` does what it says: its commands run in one shell, and what they print is what stands below them.

use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use crate::bench::{Bench, serve};

/// What the page serves with Python, which a machine with only Rust need not have; here the test serves it.
const SERVER: &str = "python3 -m http.server 8765 ";
const ITEMS: &str = r#"{"items":[{"name":"pen","price":3},{"name":"desk","price":120},{"name":"lamp","price":45}]}"#;

struct Step {
    command: String,
    prints: String,
}

/// The commands of all `console` blocks, with what stands below each.
fn steps(page: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut inside = false;
    for line in page.lines() {
        match (inside, line) {
            (false, "```console") => inside = true,
            (true, "```") => inside = false,
            (true, line) => match (line.strip_prefix("$ "), steps.last_mut()) {
                (Some(command), _) => steps.push(Step { command: command.to_owned(), prints: String::new() }),
                (None, Some(step)) => {
                    step.prints.push_str(line);
                    step.prints.push('\n');
                }
                (None, None) => panic!("`{line}` stands before any command"),
            },
            _ => {}
        }
    }
    steps
}

#[test]
fn the_page_of_examples_does_what_it_says() {
    let page = include_str!("../../../../docs/trying.md");
    let server = serve(&[("/items.json", "application/json", ITEMS)]);
    let page = page.replace("127.0.0.1:8765", &server.to_string());
    let steps = steps(&page);
    assert!(steps.len() > 15, "{} commands are not the page", steps.len());

    let bench = Bench::new();
    let mut shell = bench.shell().stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("a shell");
    let mut input = shell.stdin.take().expect("its input");
    let mut output = BufReader::new(shell.stdout.take().expect("its output"));
    writeln!(input, "exec 2>&1").expect("a command");
    for step in steps.iter().filter(|step| !step.command.starts_with(SERVER)) {
        // The mark begins a line of its own, also behind output without a line end, and leaves `$?` as it was.
        writeln!(input, "{}\nleft=$?; printf '\\n@@\\n'; (exit $left)", step.command).expect("a command");
        let mut printed = String::new();
        loop {
            let mut line = String::new();
            assert!(output.read_line(&mut line).expect("text") > 0, "the shell ended in `{}`", step.command);
            if line == "@@\n" {
                break;
            }
            printed.push_str(&line);
        }
        let (printed, prints) = (printed.trim_end_matches('\n'), step.prints.trim_end_matches('\n'));
        snapbox::Assert::new().normalize_paths(false).eq(printed, snapbox::Data::text(prints.to_owned()));
    }
    drop(input);
    assert!(shell.wait().expect("an end").success());
}
