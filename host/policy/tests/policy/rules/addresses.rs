//! Rules about addresses, and that no spelling of one is a way around them.

use serde_json::{Value, json};
use toolcrib_policy::{DecisionCase, Effect, OperatorFile, Verdict};

use super::{Call, holds};
use crate::operator;

#[test]
fn an_address_is_read_as_the_gate_reads_it() {
    for url in
        ["https://api.example.com@evil.example/", "https://api.example.com%2eevil.example/", "api.example.com", ""]
    {
        assert!(holds("host(args.url) == 'api.example.com'", json!({ "url": url })).is_err(), "{url}");
    }
    assert_eq!(
        holds("host(args.url) == 'api.example.com'", json!({"url": "https://api.example.com.evil.example/"})),
        Ok(false)
    );
    assert_eq!(holds("host(args.url) == '127.0.0.1'", json!({"url": "http://127.0.0.1:80/"})), Ok(true));
}

#[test]
fn a_path_is_read_as_the_gate_reads_it_however_it_is_written() {
    let path = |url: &str| holds("path(args.url) == args.path", json!({ "url": url, "path": "/people/ann" }));
    for url in [
        "https://a.example.com/people/ann",
        "https://a.example.com/%70eople/ann",
        "HTTPS://a.example.com:443/%70%65%6f%70%6C%65/ann?x=/%2f#y",
        "https://a.example.com/prices/../people/./ann",
        "https://a.example.com/prices/%2e%2E/people/ann",
        "https://a.example.com/prices/.%2e/people/ann",
    ] {
        assert_eq!(path(url), Ok(true), "{url}");
    }
    // What servers read in two ways has no path, and the rule denies.
    for url in [
        "https://a.example.com/people%2Fann",
        "https://a.example.com/%2570eople/ann",
        "https://a.example.com/x/..;/people/ann",
        "https://a.example.com/people%00/ann",
        "https://a.example.com\\people\\ann",
        "/people/ann",
        "",
    ] {
        assert!(path(url).is_err(), "{url}");
    }
    let same = |url: &str, text: &str| holds("path(args.url) == args.path", json!({ "url": url, "path": text }));
    assert_eq!(same("https://a.example.com", "/"), Ok(true));
    assert_eq!(same("https://a.example.com/v1/x%3Adelete", "/v1/x:delete"), Ok(true));
    assert_eq!(same("https://a.example.com/m%C3%BCller/a%20b", "/müller/a b"), Ok(true));
    assert_eq!(same("https://a.example.com/müller/100%25", "/müller/100%"), Ok(true));
    assert_eq!(
        holds("under(path(args.url), '/people')", json!({"url": "https://a.example.com//people//ann"})),
        Ok(true)
    );
    assert_eq!(holds("under(path(args.url), '/people')", json!({"url": "https://a.example.com/peoples"})), Ok(false));
    insta::assert_snapshot!(holds("path(args.url) == '/'", json!({"url": "https://a.com/a%2fhunter2"})).unwrap_err(), @"`shop.buy` may not be called so: the operator's rule `r` could not be evaluated at toolcrib.toml:3:16 (`path` needs an absolute URL whose path every server reads in the same way), and a rule that fails denies");
}

/// A case of `docs/example/decisions.toml`, or one like it.
fn case(file: &OperatorFile, tool: &str, args: Value) -> (Verdict, Option<String>) {
    let call = Call { tool: tool.parse().unwrap(), effect: Effect::Read, ..Call::new(args) };
    let decision = call.decide(file);
    (decision.verdict(), decision.rule().map(str::to_owned))
}

#[test]
fn the_example_of_the_documents_cannot_be_walked_around() {
    let file = operator(include_str!("../../../../../docs/example/toolcrib.toml"));
    let cases = DecisionCase::parse_table(include_str!("../../../../../docs/example/decisions.toml"), "decisions.toml");
    for case in cases.unwrap() {
        let effect = case.effect.clone().unwrap_or(Effect::Read);
        let call = Call { tool: case.tool, args: case.args, effect, labels: case.labels, run: case.run };
        let decision = call.decide(&file);
        assert_eq!(decision.verdict(), case.expect, "{}", case.name);
        assert!(case.rule.is_none() || case.rule.as_deref() == decision.rule(), "{}", case.name);
    }
    let url = "https://api.example.com/orders";
    for method in ["POST", "post", "Post"] {
        let order = case(&file, "http.fetch", json!({ "url": url, "method": method }));
        assert_eq!(order, (Verdict::Ask, Some("orders".to_owned())), "{method}");
        let large = json!({ "url": url, "method": method, "body": "x".repeat(10_001) });
        assert_eq!(case(&file, "http.fetch", large).0, Verdict::Deny, "{method}");
    }
    for other in [json!({ "url": url }), json!({ "url": url, "method": "get" })] {
        assert_eq!(case(&file, "http.fetch", other).0, Verdict::Allow);
    }
}

#[test]
fn the_rule_of_the_walk_cannot_be_walked_around() {
    let walk = include_str!("../../../../../docs/walk.md");
    let lines = walk.lines().skip_while(|line| !line.contains("> toolcrib.toml <<")).skip(1);
    let text: String = lines
        .take_while(|line| *line != "> END")
        .map(|line| format!("{}\n", line.strip_prefix("> ").unwrap_or_default()))
        .collect();
    let file = operator(&text);
    let at = |path: &str| case(&file, "courier.fetch", json!({ "url": format!("http://127.0.0.1:8765{path}") })).0;
    assert_eq!((at("/prices.json"), at("/orders.json")), (Verdict::Allow, Verdict::Allow));
    for path in ["/people/ann.json", "/%70eople/ann.json", "/x/../people/ann.json", "//people/ann.json", "/people"] {
        assert_eq!(at(path), Verdict::Ask, "{path}");
    }
    assert_eq!(at("/people%2fann.json"), Verdict::Deny);
}
