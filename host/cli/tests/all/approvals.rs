//! A rule that asks: the question waits in the inbox, another process answers, and the call is made once.

use std::io::Read;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::bench::{Bench, Done};

const RULE: &str =
    "[[rule]]\nname = \"writes\"\ntools = [\"files.append\"]\nthen = \"ask\"\nbecause = \"it cannot be undone\"";

fn bench(approval: &str) -> Bench {
    let bench = Bench::new();
    bench.grant(&format!("[approval]\n{approval}\n{RULE}"));
    bench
}

fn arguments(text: &str) -> String {
    format!("{{\"path\": \"/out/log.txt\", \"text\": \"{text}\"}}")
}

fn append(bench: &Bench, text: &str) -> Done {
    bench.toolcrib(&["call", "--unattended", "files.append", &arguments(text), "--json"])
}

fn questions(bench: &Bench) -> Vec<Value> {
    let json = bench.toolcrib(&["approvals", "--json"]).json();
    json["questions"].as_array().cloned().unwrap_or_default()
}

/// The one open question, once it is there.
#[track_caller]
fn question(bench: &Bench) -> String {
    let begun = Instant::now();
    loop {
        let open = questions(bench);
        if let [one] = open.as_slice() {
            return one["id"].as_str().expect("an id").to_owned();
        }
        assert!(begun.elapsed() < Duration::from_secs(600), "{open:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn answer(bench: &Bench, arguments: &[&str]) -> Done {
    let done = bench.toolcrib(&[&["approvals"], arguments].concat());
    assert_eq!(done.code, 0, "{}{}", done.out, done.err);
    done
}

fn log(bench: &Bench) -> String {
    std::fs::read_to_string(bench.path("out/log.txt")).unwrap_or_default()
}

/// A call that waits for an answer from elsewhere.
fn waiting(bench: &Bench, text: &str) -> Child {
    let mut command = bench.command();
    command.args(["call", "--unattended", "files.append", &arguments(text), "--json"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the command runs")
}

fn ended(mut child: Child) -> (i32, String) {
    let code = child.wait().expect("an end").code().unwrap_or(-1);
    let mut out = String::new();
    child.stdout.take().expect("its output").read_to_string(&mut out).expect("text");
    (code, out)
}

#[test]
fn a_call_that_nobody_attends_ends_with_its_question_and_one_yes_is_one_call() {
    let bench = bench("");
    let asked = append(&bench, "a");
    assert_eq!((asked.code, asked.json()["error"]["code"].as_str()), (4, Some("approval-needed")), "{}", asked.out);
    assert_eq!(log(&bench), "");
    let id = question(&bench);
    assert_eq!(asked.json()["error"]["approval"], id.as_str());

    let shown = bench.toolcrib(&["approvals", "show", &id]);
    for line in ["may `files.append` be called?", "  text = \"a\"", "  rule `writes` asks: it cannot be undone"] {
        assert!(shown.out.contains(line), "{line}\n{}", shown.out);
    }
    answer(&bench, &["approve", &id]);
    answer(&bench, &["approve", &id]);
    assert_eq!(append(&bench, "b").code, 4, "another text is another call");
    assert_eq!(append(&bench, "a").code, 0);
    assert_eq!(append(&bench, "a").code, 4, "once is once");
    assert_eq!(log(&bench), "a");
    // The ledger has the question, the answer and its use.
    assert_eq!(bench.toolcrib(&["verify"]).code, 0);
    assert!(bench.toolcrib(&["approvals", "--all"]).out.contains("  used  "));
}

#[test]
fn a_call_that_waits_goes_on_when_another_process_says_yes_and_ends_when_it_says_no() {
    let bench = bench("unattended = \"wait\"");
    let call = waiting(&bench, "a");
    let id = question(&bench);
    assert_eq!(log(&bench), "");
    answer(&bench, &["approve", &id]);
    let (code, out) = ended(call);
    assert_eq!((code, log(&bench).as_str()), (0, "a"), "{out}");

    let call = waiting(&bench, "b");
    answer(&bench, &["deny", &question(&bench), "--reason", "not today"]);
    let (code, out) = ended(call);
    assert_eq!((code, log(&bench).as_str()), (3, "a"), "{out}");
    assert!(out.contains("not today"), "{out}");
    let why = bench.toolcrib(&["why"]);
    assert!(why.out.contains("rule `writes` asks a person") && why.out.contains("not today"), "{}", why.out);
}

#[test]
fn a_question_that_nobody_answers_expires_as_the_operator_said() {
    for (default, code, written) in [("deny", 3, ""), ("allow", 0, "a")] {
        let bench = bench(&format!("unattended = \"wait\"\nexpires = \"1 s\"\ndefault = \"{default}\""));
        let (ended, out) = ended(waiting(&bench, "a"));
        assert_eq!((ended, log(&bench).as_str()), (code, written), "{default}: {out}");
        assert!(questions(&bench).is_empty());
    }
}

#[test]
fn an_answer_after_the_question_expired_does_not_count() {
    let bench = bench("expires = \"1 s\"");
    assert_eq!(append(&bench, "a").code, 4);
    let all = bench.toolcrib(&["approvals", "--all", "--json"]).json();
    let id = all["questions"][0]["id"].as_str().expect("an id").to_owned();
    std::thread::sleep(Duration::from_millis(1100));
    let late = bench.toolcrib(&["approvals", "approve", &id]);
    assert_eq!(late.code, 2, "{}{}", late.out, late.err);
    assert_eq!(append(&bench, "a").code, 4);
    assert_eq!(log(&bench), "");
}

#[test]
fn a_yes_until_a_time_covers_the_arguments_that_the_person_left_open() {
    let bench = bench("");
    append(&bench, "a");
    answer(&bench, &["approve", &question(&bench), "--for", "8 h", "--any", "text"]);
    for text in ["a", "b", "c"] {
        assert_eq!(append(&bench, text).code, 0, "{text}");
    }
    assert_eq!(log(&bench), "abc");
    let elsewhere = "{\"path\": \"/out/other.txt\", \"text\": \"a\"}";
    let other = bench.toolcrib(&["call", "--unattended", "files.append", elsewhere]);
    assert_eq!(other.code, 4, "{}", other.err);

    let all = bench.toolcrib(&["approvals", "--all", "--json"]).json();
    let standing =
        all["questions"].as_array().expect("questions").iter().find(|q| q["standing"] == "valid").expect("one");
    answer(&bench, &["revoke", standing["id"].as_str().expect("an id")]);
    assert_eq!(append(&bench, "d").code, 4, "what was taken back does not count");
    assert_eq!(log(&bench), "abc");
}

#[test]
fn a_question_at_the_terminal_ends_with_ctrl_c_and_with_an_answer_from_elsewhere() {
    let bench = bench("");
    let call = |text: &str| bench.at_terminal(&["call", "files.append", &arguments(text)]);
    let mut asked = call("a");
    asked.until("or `no`?");
    asked.interrupt();
    assert_eq!((asked.ended(), log(&bench).as_str()), (130, ""));

    let mut asked = call("b");
    let shown = asked.until(") > ");
    let id = shown.rsplit("(question ").next().and_then(|rest| rest.split(')').next()).expect("its name");
    answer(&bench, &["approve", id]);
    assert_eq!((asked.ended(), log(&bench).as_str()), (0, "b"));

    let mut asked = bench.at_terminal(&["run", "Write the summary to a file"]);
    asked.until("> ");
    asked.interrupt();
    assert_eq!(asked.ended(), 130);
}

#[test]
fn no_answer_comes_back_to_life_because_what_followed_from_it_was_erased() {
    let state = |bench: &Bench, id: &str| {
        let all = bench.toolcrib(&["approvals", "--all"]).out;
        let line = all.lines().find(|line| line.starts_with(id)).expect("the question").to_owned();
        line.split("  ").nth(2).expect("its state").to_owned()
    };
    let erase = |bench: &Bench, kind: &str| {
        let runs = bench.toolcrib(&["runs", "--json"]).json();
        for run in runs["runs"].as_array().expect("runs") {
            let run = run["run"].as_str().expect("a name");
            let events = bench.toolcrib(&["show", run, "--events"]).out;
            for event in events.lines().map(|line| serde_json::from_str::<Value>(line).expect("an event")) {
                if event["kind"] == kind {
                    let target = format!("{run}#{}", event["seq"]);
                    let done = bench.toolcrib(&["erase", &target, "--reason", "a test", "--yes"]);
                    assert_eq!(done.code, 0, "{}", done.err);
                }
            }
        }
    };
    // A yes for one call that was made.
    let once = bench("");
    append(&once, "a");
    let id = question(&once);
    answer(&once, &["approve", &id]);
    assert_eq!(append(&once, "a").code, 0);
    erase(&once, "approval-used");
    assert_eq!((state(&once, &id).as_str(), append(&once, "a").code, log(&once).as_str()), ("lapsed", 4, "a"));

    // A yes that was taken back.
    let revoked = bench("");
    append(&revoked, "b");
    let id = question(&revoked);
    answer(&revoked, &["approve", &id, "--for", "8 h"]);
    answer(&revoked, &["revoke", &id]);
    assert_eq!(state(&revoked, &id), "revoked");
    erase(&revoked, "approval-revoked");
    assert_eq!((state(&revoked, &id).as_str(), append(&revoked, "b").code, log(&revoked).as_str()), ("lapsed", 4, ""));

    // A no.
    let denied = bench("");
    append(&denied, "c");
    let id = question(&denied);
    answer(&denied, &["deny", &id, "--reason", "token abcd1234efgh leaked"]);
    erase(&denied, "approval-answered");
    assert_eq!(state(&denied, &id), "lapsed");
    let late = denied.toolcrib(&["approvals", "approve", &id]);
    assert_eq!((late.code, log(&denied).as_str()), (2, ""), "{}", late.out);
}

#[test]
fn a_plugin_that_was_changed_has_lost_its_approvals() {
    let bench = Bench::new();
    bench.grant("[[rule]]\nname = \"oracle\"\ntools = [\"oracle.*\"]\nthen = \"ask\"");
    let put = |answer: u32| {
        let text = format!(
            r#"(component (core module $m (func (export "ask") (result i32) (i32.const {answer})))
              (core instance $i (instantiate $m))
              (func $ask (result u32) (canon lift (core func $i "ask"))) (export "ask" (func $ask)))"#
        );
        std::fs::create_dir_all(bench.path("plugins")).expect("a folder");
        std::fs::write(bench.path("plugins/oracle.wasm"), wat::parse_str(text).expect("a component")).expect("a file");
    };
    let ask = || bench.toolcrib(&["call", "--unattended", "oracle.ask", "--json"]);
    put(42);
    assert_eq!(ask().code, 4);
    answer(&bench, &["approve", &question(&bench), "--for", "7 d"]);
    assert_eq!(ask().json()["result"], 42);
    put(43);
    assert_eq!(bench.toolcrib(&["update", "--yes"]).code, 0);
    assert_eq!(ask().code, 4, "the yes was for what it was");
}

#[test]
fn a_run_is_asked_as_a_call_is() {
    let bench = bench("");
    std::fs::write(bench.path("docs/a.txt"), "one two\n").expect("a file");
    bench.grant("[[rule]]\nname = \"reads\"\ntools = [\"files.read\"]\nwhen = '!run.attended'\nthen = \"ask\"");
    let goal = ["run", "--unattended", "How many words are in /docs/a.txt?"];
    let asked = bench.toolcrib(&goal);
    assert_eq!(asked.code, 4, "{}{}", asked.out, asked.err);
    let id = question(&bench);
    assert!(asked.err.contains(&format!("toolcrib approvals approve {id}")), "{}", asked.err);
    answer(&bench, &["approve", &id]);
    let reached = bench.toolcrib(&goal);
    assert_eq!((reached.code, reached.out.as_str()), (0, "words: 2\n"), "{}", reached.err);
}

#[test]
fn nothing_that_a_call_says_moves_the_terminal_of_the_person_who_is_asked() {
    let bench = bench("");
    let tricky = "x\\u001b[2K\\r  text = harmless\\u202e";
    append(&bench, tricky);
    let shown = bench.toolcrib(&["approvals", "show", &question(&bench)]);
    assert!(
        !shown.out.contains('\u{1b}') && !shown.out.contains('\r') && !shown.out.contains('\u{202e}'),
        "{:?}",
        shown.out
    );
    assert!(shown.out.contains("\\u{202e}"), "{}", shown.out);
}
