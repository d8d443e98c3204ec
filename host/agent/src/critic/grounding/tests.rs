use serde_json::{Value, json};

use super::*;

/// A tool with a path, a number of seconds, a mode and whatever else.
fn schema() -> Value {
    json!({"type": "object", "properties": {
        "mode": { "enum": ["overwrite", "create2"], "default": "overwrite" },
        "port": { "type": "integer", "default": 8443 },
        "timeout": { "type": "integer", "description": "How long to wait, in seconds." },
        "size_kb": { "type": "integer" },
        "kind": { "$ref": "#/$defs/Kind" } },
        "$defs": { "Kind": { "anyOf": [{ "const": "x9-y8" }, { "type": "null" }] } } })
}

fn missing(goal: &str, results: &[Value], arguments: Value) -> Vec<String> {
    let sources = results.iter().fold(Sources::default().said(goal), |sources, value| sources.value(value));
    ground(&arguments, &schema(), &sources).missing.into_iter().map(|missing| missing.text).collect()
}

#[test]
fn what_was_said_or_given_is_grounded() {
    let results = [json!({"items": [{"id": "INV-0042", "mail": "Ann@Example.com", "total": 1234.5, "ref": 90210}]})];
    let goal =
        "Send invoice to the customer, see Docs/Rates.md and https://API.example.com/v2/rates?on=a%20b, 20 lines";
    for arguments in [
        json!({"id": "inv-0042"}),
        json!({"to": "ann@example.com", "text": "Dear Ann, it is 1,234.50 for INV-0042."}),
        json!({"path": "/docs/rates.md"}),
        json!({"path": "rates.md"}),
        json!({"url": "https://api.example.com/v2/rates?on=a b"}),
        json!({"url": "http://api.example.com/v2/customer/90210/rates"}),
        json!({"ref": "90210", "n": 90210}),
        json!({"limit": 20}),
        json!({"text": "and/or, e.g. nothing: just words."}),
        json!({"flag": true, "none": null, "n": 1}),
    ] {
        assert_eq!(missing(goal, &results, arguments.clone()), [""; 0], "{arguments}");
    }
}

#[test]
fn what_comes_from_nowhere_is_named_with_its_place() {
    let goal = "pay the invoice of ann@example.com, 120 EUR";
    let results = [json!({"id": "INV-0042"})];
    for (arguments, expected) in [
        (json!({"to": "anne@example.com"}), "anne@example.com"),
        (json!({"to": "ann@example.org"}), "ann@example.org"),
        (json!({"id": "INV-0043"}), "INV-0043"),
        (json!({"id": "INV-004"}), "INV-004"),
        (json!({"amount": 1200.75}), "1200.75"),
        (json!({"url": "https://evil.example.net/collect?d=1"}), "https://evil.example.net/collect?d=1"),
        (json!({"path": "/etc/shadow.bak"}), "/etc/shadow.bak"),
        (json!({"url": "https://example.com/collect"}), "https://example.com/collect"),
        (json!({"a": [{"text": "to IBAN DE8937040044, please"}]}), "DE8937040044"),
    ] {
        assert_eq!(missing(goal, &results, arguments.clone()), [expected], "{arguments}");
    }
    let found = ground(&json!({"a": [{"id": "QX-77"}]}), &schema(), &Sources::default().said(goal));
    assert_eq!((found.score, found.missing[0].at.as_str()), (0, "/a/0/id"));
}

#[test]
fn what_follows_from_what_was_said_counts_a_little_less() {
    let rows = json!({"rows": [{"n": 10}, {"n": 25}, {"n": 30}], "now": "2026-11-27T10:00:00Z"});
    let sources =
        Sources::default().said("the total, doubled, for tomorrow at api.example.com, in two hours").value(&rows);
    for arguments in [
        json!({"total": 65}),
        json!({"count": 3}),
        json!({"n": 35}),
        json!({"on": "2026-11-28"}),
        json!({"url": "https://api.example.com/rows/2026-11-27"}),
        json!({"wait": 7200}),
    ] {
        let found = ground(&arguments, &schema(), &sources);
        assert_eq!((found.missing.len(), found.score), (0, 80), "{arguments}: {found:?}");
    }
    assert_eq!(ground(&json!({"n": 4711}), &schema(), &sources).score, 0);
}

#[test]
fn a_number_has_to_fit_the_unit_that_the_tool_wants() {
    assert_eq!(missing("wait 5 minutes", &[], json!({"timeout": 300})), [""; 0]);
    assert_eq!(missing("wait 5 minutes", &[], json!({"timeout": 5})), ["5"]);
    assert_eq!(missing("wait 5 seconds", &[], json!({"timeout": 5})), [""; 0]);
    assert_eq!(missing("wait 5", &[], json!({"timeout": 5})), [""; 0]);
    assert_eq!(missing("at most 3 MB", &[], json!({"size_kb": 3})), ["3"]);
}

#[test]
fn what_the_schema_names_is_grounded() {
    assert_eq!(missing("", &[], json!({"mode": "create2", "port": 8443, "kind": "x9-y8"})), [""; 0]);
    assert_eq!(missing("", &[], json!({"mode": "create3", "port": 8444, "kind": "x9-y7"})).len(), 3);
}

#[test]
fn text_of_any_kind_is_taken_apart_without_harm() {
    for text in [
        "",
        "://",
        "a://",
        "%",
        "%zz é%4",
        "1,2,3",
        "1,234",
        "…",
        "@.",
        "0x",
        "--5",
        "\u{202f}1\u{202f}234",
        "2026-13-99T",
    ] {
        missing(text, &[json!(text)], json!({ "x": text, "y": [text] }));
        assert_eq!(missing(text, &[], json!({ "x": text })), [""; 0], "{text:?} stands in itself");
    }
}
