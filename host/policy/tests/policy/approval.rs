//! Questions, answers, and what a yes is good for.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use toolcrib_policy::{
    ApprovalAnswer, ApprovalId, ApprovalRequest, ApprovalScope, Approvals, BoundCall, Digest, Effect, Otherwise,
    Standing,
};

fn call(bytes: &str, tool: &str, arguments: Value) -> BoundCall {
    BoundCall { plugin: Digest::of(bytes.as_bytes()), tool: tool.parse().unwrap(), arguments }
}

fn mail(to: &str) -> BoundCall {
    call("v1", "mail.send", json!({ "to": to, "body": "hello" }))
}

fn request(place: &str, call: &BoundCall) -> ApprovalRequest {
    ApprovalRequest {
        id: ApprovalId::of(place, call),
        call: call.clone(),
        effect: Effect::Irreversible,
        rule: "mail".to_owned(),
        because: Some("mail leaves the house".to_owned()),
        expires: 1_000,
        otherwise: Otherwise::Deny,
    }
}

fn yes(scope: ApprovalScope, any: &[&str]) -> ApprovalAnswer {
    let any: BTreeSet<String> = any.iter().map(|name| (*name).to_owned()).collect();
    ApprovalAnswer::Approved { scope, any, by: "ada at the terminal".to_owned() }
}

fn answered(answer: ApprovalAnswer) -> (Approvals, ApprovalId) {
    let mut approvals = Approvals::default();
    let request = request("r1/n2/1", &mail("bob"));
    let id = request.id.clone();
    approvals.asked("r1", 10, request);
    assert!(approvals.answered(&id, 20, answer));
    (approvals, id)
}

#[test]
fn a_yes_is_good_for_that_call_and_no_other() {
    let (approvals, id) = answered(yes(ApprovalScope::Once, &[]));
    assert_eq!(approvals.covering("r1", 30, &mail("bob")), Some(&id));
    // Another person, another tool, another version of the plugin, more arguments, fewer arguments.
    for other in [
        mail("eve"),
        call("v1", "mail.draft", json!({ "to": "bob", "body": "hello" })),
        call("v2", "mail.send", json!({ "to": "bob", "body": "hello" })),
        call("v1", "mail.send", json!({ "to": "bob", "body": "hello", "bcc": "eve" })),
        call("v1", "mail.send", json!({ "to": "bob" })),
    ] {
        assert_eq!(approvals.covering("r1", 30, &other), None, "{other:?}");
    }
}

#[test]
fn the_order_of_keys_makes_no_other_call() {
    let (approvals, _) = answered(yes(ApprovalScope::Once, &[]));
    let turned: Value = serde_json::from_str(r#"{ "body": "hello", "to": "bob" }"#).unwrap();
    assert!(approvals.covering("r1", 30, &call("v1", "mail.send", turned)).is_some());
}

#[test]
fn once_is_once() {
    let (mut approvals, id) = answered(yes(ApprovalScope::Once, &[]));
    approvals.used(&id);
    assert_eq!(approvals.covering("r1", 30, &mail("bob")), None);
    assert_eq!(approvals.get(&id).unwrap().standing(30), Standing::Over);
}

#[test]
fn for_the_run_is_for_every_such_call_of_that_run_alone() {
    let (mut approvals, id) = answered(yes(ApprovalScope::Run, &[]));
    approvals.used(&id);
    assert!(approvals.covering("r1", 30, &mail("bob")).is_some());
    assert!(approvals.covering("r2", 30, &mail("bob")).is_none());
}

#[test]
fn until_a_date_is_for_every_run_before_it() {
    let (mut approvals, id) = answered(yes(ApprovalScope::Until(500), &[]));
    approvals.used(&id);
    assert!(approvals.covering("r2", 499, &mail("bob")).is_some());
    assert!(approvals.covering("r2", 500, &mail("bob")).is_none());
}

#[test]
fn arguments_that_the_person_left_open_may_differ_and_the_others_may_not() {
    let (approvals, _) = answered(yes(ApprovalScope::Run, &["body"]));
    let with = |to: &str, body: Value| call("v1", "mail.send", json!({ "to": to, "body": body }));
    assert!(approvals.covering("r1", 30, &with("bob", json!("good bye"))).is_some());
    assert!(approvals.covering("r1", 30, &call("v1", "mail.send", json!({ "to": "bob" }))).is_some());
    assert!(approvals.covering("r1", 30, &with("eve", json!("hello"))).is_none());
    let more = call("v1", "mail.send", json!({ "to": "bob", "body": "x", "bcc": "eve" }));
    assert!(approvals.covering("r1", 30, &more).is_none());
}

#[test]
fn the_first_answer_counts_and_the_same_again_changes_nothing() {
    let (mut approvals, id) = answered(ApprovalAnswer::Denied { by: "ada".to_owned(), reason: None });
    assert!(!approvals.answered(&id, 21, yes(ApprovalScope::Run, &[])));
    assert_eq!(approvals.covering("r1", 30, &mail("bob")), None);
    let (mut approvals, id) = answered(yes(ApprovalScope::Once, &[]));
    approvals.used(&id);
    assert!(!approvals.answered(&id, 21, yes(ApprovalScope::Once, &[])));
    assert_eq!(approvals.covering("r1", 30, &mail("bob")), None);
}

#[test]
fn silence_leaves_the_question_open_and_a_taken_back_yes_is_none() {
    let mut approvals = Approvals::default();
    let request = request("r1/n2/1", &mail("bob"));
    let id = request.id.clone();
    approvals.asked("r1", 10, request);
    assert!(!approvals.answered(&id, 15, ApprovalAnswer::Nobody));
    assert_eq!(approvals.get(&id).unwrap().standing(30), Standing::Open);
    assert!(approvals.answered(&id, 20, yes(ApprovalScope::Until(900), &[])));
    assert!(approvals.covering("r7", 30, &mail("bob")).is_some());
    approvals.revoked(&id);
    assert!(approvals.covering("r7", 30, &mail("bob")).is_none());
}

#[test]
fn a_question_that_nobody_answered_in_time_is_over_and_its_default_counts_once() {
    let (mut approvals, id) = answered(ApprovalAnswer::Expired { otherwise: Otherwise::Allow });
    assert!(approvals.covering("r1", 1_500, &mail("bob")).is_some());
    approvals.used(&id);
    assert!(approvals.covering("r1", 1_500, &mail("bob")).is_none());
    let (approvals, _) = answered(ApprovalAnswer::Expired { otherwise: Otherwise::Deny });
    assert!(approvals.covering("r1", 1_500, &mail("bob")).is_none());
}

#[test]
fn a_yes_for_the_run_is_used_before_one_for_a_single_call() {
    let mut approvals = Approvals::default();
    let (one, two) = (request("r1/n2/1", &mail("bob")), request("r1/n3/1", &mail("bob")));
    let (first, second) = (one.id.clone(), two.id.clone());
    approvals.asked("r1", 10, one);
    approvals.asked("r1", 10, two);
    approvals.answered(&first, 20, yes(ApprovalScope::Once, &[]));
    approvals.answered(&second, 20, yes(ApprovalScope::Run, &[]));
    assert_eq!(approvals.covering("r1", 30, &mail("bob")), Some(&second));
}

#[test]
fn a_question_has_one_name_in_every_process_and_another_for_every_difference() {
    let id = |place: &str, call: &BoundCall| ApprovalId::of(place, call).to_string();
    let usual = id("r1/n2/1", &mail("bob"));
    assert_eq!(usual, id("r1/n2/1", &mail("bob")));
    assert_eq!(usual.parse::<ApprovalId>().unwrap().as_str(), usual);
    assert_eq!(usual.len(), 8);
    assert!([id("r1/n2/2", &mail("bob")), id("r1/n2/1", &mail("eve"))].iter().all(|other| *other != usual));
    for wrong in ["", "short", "not-an-id", "u1234567", "123456789"] {
        assert!(wrong.parse::<ApprovalId>().is_err(), "{wrong}");
    }
}

#[test]
fn what_a_person_reads_hides_nothing() {
    let tricky = call(
        "v1",
        "mail.send",
        json!({ "to": "bob\u{202e}moc.elpmaxe@eve", "body": "a\nb\u{1b}[2K\u{200b}", "x": "z".repeat(3_000) }),
    );
    let lines = request("r1/n2/1", &tricky).lines();
    assert!(lines.iter().all(|line| !line.chars().any(|c| c.is_control() || toolcrib_policy::is_hidden(c))));
    insta::assert_snapshot!(lines.join("\n").replace(&"z".repeat(1_999), "[1999 z]"), @r#"
    may `mail.send` be called?
      body = "a\nb\u001b[2K\u{200b}"
      to = "bob\u{202e}moc.elpmaxe@eve"
      x = "[1999 z]… (1002 characters more)
      effect irreversible, plugin mail at sha256:3bfc269594ef649228e9a74bab00f042efc91d5acc6fbee31a382e80d42388fe
      rule `mail` asks: mail leaves the house
    "#);
}

#[test]
fn what_is_recorded_reads_back() {
    let answers = [
        yes(ApprovalScope::Once, &[]),
        yes(ApprovalScope::Until(7), &["body"]),
        ApprovalAnswer::Denied { by: "ada".to_owned(), reason: Some("no".to_owned()) },
        ApprovalAnswer::Expired { otherwise: Otherwise::Allow },
        ApprovalAnswer::Nobody,
    ];
    for answer in answers {
        let text = serde_json::to_string(&answer).unwrap();
        assert_eq!(serde_json::from_str::<ApprovalAnswer>(&text).unwrap(), answer, "{text}");
    }
}

#[test]
fn the_operator_says_how_long_a_question_waits_and_what_counts_then() {
    use std::path::Path;
    use toolcrib_policy::{OperatorFile, Unattended};
    let read = |text: &str| OperatorFile::parse(text, "toolcrib.toml", Path::new("/"));
    let file = read("[approval]\nexpires = \"2 h\"\ndefault = \"allow\"\nunattended = \"wait\"\n").unwrap();
    assert_eq!(file.approval().expires(1), 2 * 60 * 60 * 1000 + 1);
    assert_eq!((file.approval().otherwise, file.approval().unattended), (Otherwise::Allow, Unattended::Wait));
    let file = read("").unwrap();
    assert_eq!((file.approval().otherwise, file.approval().unattended), (Otherwise::Deny, Unattended::Fail));
    let wrong = |text: &str| read(text).unwrap_err().to_string();
    insta::assert_snapshot!(wrong("[approval]\nunattended = \"hope\"\n"), @"toolcrib.toml:2:14: `unattended` cannot be `hope`: write `fail` or `wait`");
    insta::assert_snapshot!(wrong("[approval]\nexpires = 3\n"), @"toolcrib.toml:2:11: `expires` cannot be `3`: a time needs its unit: write a time such as `5 s`, `250 ms` or `2 min`");
    insta::assert_snapshot!(wrong("[approval]\nexpires = \"0 s\"\n"), @r#"toolcrib.toml:2:11: `expires` cannot be `0 s`: nobody can answer in no time: write one such as `24 h`; a rule that is never to ask says `then = "deny"`"#);
    insta::assert_snapshot!(wrong("[approval]\nexpire = \"2 h\"\n"), @"toolcrib.toml:2:1: unknown key `expire` in `[approval]`: did you mean `expires`?");
}

#[test]
fn what_a_model_sees_is_read_and_checked() {
    use std::path::Path;
    use toolcrib_policy::OperatorFile;
    let read = |text: &str| OperatorFile::parse(text, "toolcrib.toml", Path::new("/"));
    let file = read(
        "[planner]\ncontext = \"48k\"\ntools = 0\nearlier-runs = true\n[planner.model.\"ollama:small\"]\ncontext = 8000\n",
    );
    let file = file.unwrap();
    let planner = file.planner();
    assert_eq!((planner.context("openai:large"), planner.context("ollama:small")), (48_000, 8_000));
    assert_eq!((planner.tools, planner.earlier_runs), (0, true));
    let usual = read("").unwrap();
    assert_eq!(
        (usual.planner().context("any"), usual.planner().tools, usual.planner().earlier_runs),
        (32_000, 24, false)
    );
    let wrong = |text: &str| read(text).unwrap_err().to_string();
    insta::assert_snapshot!(wrong("[planner]\ncontext = 3999\n"), @"toolcrib.toml:2:11: `context` cannot be `3999`: it is at least 4000");
    insta::assert_snapshot!(wrong("[planner]\ntools = 201\n"), @"toolcrib.toml:2:9: `tools` cannot be `201`: it is at most 200");
    insta::assert_snapshot!(wrong("[planner]\ntool = 3\n"), @"toolcrib.toml:2:1: unknown key `tool` in `[planner]`: did you mean `tools`?");
}
