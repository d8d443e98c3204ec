//! `docs/trying.md` and `docs/walk.md` do what they say: the commands of a page run in one shell, and what they print is
//! what stands below them.

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::Stdio;

use crate::bench::{Bench, serve, serve_with};

/// What the page serves with Python, which a machine with only Rust need not have; here the test serves it.
const SERVERS: [&str; 2] = ["python3 -m http.server 8765 ", "python3 shop.py 8765 "];
/// What the page takes from where it was built.
const COPY: &str = "cp ~/toolcrib/";
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
                (None, Some(step)) if line.starts_with('>') && step.prints.is_empty() => {
                    step.command.push('\n');
                    step.command.push_str(line.strip_prefix("> ").unwrap_or_default());
                }
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
    let server = serve(&[("/items.json", "application/json", ITEMS)]);
    follow(&Bench::new(), include_str!("../../../../docs/trying.md"), server, 15);
}

#[test]
fn the_walk_of_an_operator_goes_as_it_says() {
    let bench = Bench::new();
    std::fs::create_dir_all(bench.path("plugins/courier")).expect("a folder");
    let http = toolcrib_bundled::PLUGINS.iter().find(|plugin| plugin.name == "http").expect("the tool for HTTP");
    std::fs::write(bench.path("plugins/courier/courier.wasm"), http.component).expect("a file");
    let server = serve(&[
        ("/prices.json", "application/json", r#"{"pen":3}"#),
        ("/people/ann.json", "application/json", r#"{"name":"Ann"}"#),
    ]);
    follow(&bench, include_str!("../../../../docs/walk.md"), server, 20);
}

#[test]
fn a_goal_is_planned_anew_twice_and_another_way_is_taken_once_as_the_page_says() {
    // The shop of the page, without Python.
    let bench = Bench::new();
    follow(&bench, include_str!("../../../../docs/replanning.md"), shop(&bench), 5);
}

/// The shop, and the script of the model that plans for it, in the folder of a bench.
pub(crate) fn shop(bench: &Bench) -> SocketAddr {
    let server = serve_with(vec![
        ("/v1/prices", "503 Service Unavailable", "text/plain", "closed for stocktaking"),
        (
            "/v2/prices",
            "200 OK",
            "application/json",
            r#"{"items":[{"name":"pen","price":3},{"name":"desk","price":120}]}"#,
        ),
    ]);
    let script = include_str!("../../../../docs/replanning/script.yaml");
    bench.write("script.yaml", &script.replace("127.0.0.1:8765", &server.to_string()));
    server
}

/// Runs the commands of a page, of which there are at least so many.
fn follow(bench: &Bench, page: &str, server: SocketAddr, least: usize) {
    let page = page.replace("127.0.0.1:8765", &server.to_string());
    let steps = steps(&page);
    assert!(steps.len() > least, "{} commands are not the page", steps.len());

    let mut shell = bench.shell().stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("a shell");
    let mut input = shell.stdin.take().expect("its input");
    let mut output = BufReader::new(shell.stdout.take().expect("its output"));
    writeln!(input, "exec 2>&1").expect("a command");
    let elsewhere = |step: &&Step| {
        !SERVERS.iter().any(|server| step.command.starts_with(server)) && !step.command.starts_with(COPY)
    };
    for step in steps.iter().filter(elsewhere) {
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
