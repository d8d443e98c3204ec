//! The tools as the host calls them.

use proptest::prelude::*;
use serde_json::{Value, json};
use toolcrib_sdk::{ErrorKind, testing};

use crate::PLUGIN;

fn call(tool: &str, arguments: Value) -> Value {
    testing::call_structured(&PLUGIN, tool, arguments).unwrap()
}

fn refusal(tool: &str, arguments: Value) -> String {
    let error = testing::call(&PLUGIN, tool, arguments).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArguments);
    error.message().to_owned()
}

#[test]
fn every_tool_only_reads_and_describes_its_arguments_and_result() {
    let tools = PLUGIN.describe();
    assert_eq!(tools.len(), 6);
    for tool in tools {
        assert_eq!(tool.effect, Some(toolcrib_sdk::Effect::Read), "{}", tool.name);
        assert!(!tool.open_world);
        assert_eq!(tool.input_schema["type"], "object");
        assert_eq!(tool.input_schema["additionalProperties"], false);
        for (name, property) in tool.input_schema["properties"].as_object().unwrap() {
            assert!(property["description"].is_string(), "{}.{name}", tool.name);
        }
        assert_eq!(tool.output_schema.unwrap()["type"], "object");
    }
}

#[test]
fn stats_count_everything_once() {
    let text = "The cat sat. The cat—a fat one—slept!\nWhy? It's 3.14 degrees...\n";
    assert_eq!(
        call("stats", json!({ "text": text })),
        json!({
            "bytes": 68, "characters": 64, "words": 13, "lines": 2, "sentences": 4, "unique_words": 11,
            "longest_line": 37,
            "most_common": [
                { "word": "cat", "count": 2 }, { "word": "the", "count": 2 }, { "word": "3.14", "count": 1 },
                { "word": "a", "count": 1 }, { "word": "degrees", "count": 1 }, { "word": "fat", "count": 1 },
                { "word": "it's", "count": 1 }, { "word": "one", "count": 1 }, { "word": "sat", "count": 1 },
                { "word": "slept", "count": 1 },
            ],
        })
    );
}

#[test]
fn stats_of_nothing_are_zero() {
    for (text, lines) in [("", 0), ("\n", 1), (" \t", 1), ("—!?", 1)] {
        let stats = call("stats", json!({ "text": text }));
        assert_eq!(stats["words"], 0, "{text:?}");
        assert_eq!(stats["sentences"], 0, "{text:?}");
        assert_eq!(stats["lines"], lines, "{text:?}");
        assert_eq!(stats["most_common"], json!([]), "{text:?}");
    }
}

#[test]
fn stats_know_other_scripts() {
    let stats = call("stats", json!({ "text": "Grüße grüße ΑΒΓ。你好！😀" }));
    assert_eq!(stats["words"], 3);
    assert_eq!(stats["sentences"], 2);
    assert_eq!(stats["most_common"][0], json!({ "word": "grüße", "count": 2 }));
}

#[test]
fn search_tells_line_and_column_in_characters() {
    let found = call("search", json!({ "text": "äö x1\nno\nx22 x3", "pattern": r"x(\d+)" }));
    assert_eq!(
        found,
        json!({
            "matches": [
                { "line": 1, "column": 4, "text": "x1", "groups": ["1"] },
                { "line": 3, "column": 1, "text": "x22", "groups": ["22"] },
                { "line": 3, "column": 5, "text": "x3", "groups": ["3"] },
            ],
            "count": 3,
        })
    );
}

#[test]
fn search_counts_beyond_its_limit() {
    let found = call("search", json!({ "text": "aaaa", "pattern": "a", "limit": 1 }));
    assert_eq!(found["count"], 4);
    assert_eq!(found["matches"].as_array().unwrap().len(), 1);
    assert_eq!(call("search", json!({ "text": "aa", "pattern": "a", "limit": 0 }))["count"], 2);
    assert_eq!(call("search", json!({ "text": "", "pattern": "a" })), json!({ "matches": [], "count": 0 }));
}

#[test]
fn search_ignores_case_in_every_script_and_anchors_at_lines() {
    assert_eq!(call("search", json!({ "text": "Über ÜBER", "pattern": "über", "ignore_case": true }))["count"], 2);
    assert_eq!(call("search", json!({ "text": "a\nb\na", "pattern": "^a$" }))["count"], 2);
    assert_eq!(call("search", json!({ "text": "naïve", "pattern": r"^\w+$" }))["count"], 1);
}

#[test]
fn a_pattern_that_is_none_is_explained() {
    assert!(refusal("search", json!({ "text": "", "pattern": "(" })).contains("unclosed group"));
    assert!(refusal("search", json!({ "text": "", "pattern": "(?=a)" })).contains("look-around"));
    assert!(refusal("search", json!({ "text": "", "pattern": r"\w{500}{500}" })).contains("compiled"));
}

#[test]
fn a_pattern_that_explodes_elsewhere_is_quick_here() {
    let text = "a".repeat(5_000);
    assert_eq!(call("search", json!({ "text": text, "pattern": "^(a+)+b$" }))["count"], 0);
}

#[test]
fn replace_fills_in_groups_unless_it_is_literal() {
    let swapped = call("replace", json!({ "text": "a=1, b=2", "pattern": r"(\w)=(?<n>\d)", "replacement": "${n}:$1" }));
    assert_eq!(swapped, json!({ "text": "1:a, 2:b", "replacements": 2 }));
    let literal = call("replace", json!({ "text": "a.c abc", "pattern": "a.c", "replacement": "$1", "literal": true }));
    assert_eq!(literal, json!({ "text": "$1 abc", "replacements": 1 }));
    assert!(
        refusal("replace", json!({ "text": "a", "pattern": "", "replacement": "b", "literal": true }))
            .contains("empty")
    );
}

#[test]
fn replace_does_not_grow_without_bound() {
    let arguments = json!({ "text": "a".repeat(20_000), "pattern": "a", "replacement": "b".repeat(2_000) });
    assert!(refusal("replace", arguments).contains("longer than"));
}

#[test]
fn diff_is_empty_for_equal_texts_and_counts_the_others() {
    let same = call("diff", json!({ "before": "a\nb\n", "after": "a\nb\n" }));
    assert_eq!(same, json!({ "diff": "", "added": 0, "removed": 0 }));
    let changed = call("diff", json!({ "before": "a\nb\nc\n", "after": "a\nB\nc\nd\n", "context": 0 }));
    assert_eq!(changed["added"], 2);
    assert_eq!(changed["removed"], 1);
    assert_eq!(changed["diff"], "--- before\n+++ after\n@@ -2 +2 @@\n-b\n+B\n@@ -3,0 +4 @@\n+d\n");
}

#[test]
fn diff_shows_the_lines_around_each_change() {
    let numbers = |changed: &[usize]| {
        let line = |at: usize| if changed.contains(&at) { format!("{at}!\n") } else { format!("{at}\n") };
        (1..=20).map(line).collect::<String>()
    };
    let changed = call("diff", json!({ "before": numbers(&[]), "after": numbers(&[3, 15]), "context": 1 }));
    assert_eq!(
        changed["diff"],
        "--- before\n+++ after\n@@ -2,3 +2,3 @@\n 2\n-3\n+3!\n 4\n@@ -14,3 +14,3 @@\n 14\n-15\n+15!\n 16\n"
    );
    let near = call("diff", json!({ "before": numbers(&[]), "after": numbers(&[3, 8]) }));
    assert_eq!(near["diff"].as_str().unwrap().matches("@@ -1,11 +1,11 @@").count(), 1, "{near}");
    assert_eq!(
        call("diff", json!({ "before": "", "after": "a\nb\n" }))["diff"],
        "--- before\n+++ after\n@@ -0,0 +1,2 @@\n+a\n+b\n"
    );
}

#[test]
fn diff_notices_a_missing_last_line_end() {
    let changed = call("diff", json!({ "before": "a", "after": "a\n" }));
    assert_eq!((&changed["added"], &changed["removed"]), (&json!(1), &json!(1)));
    assert!(changed["diff"].as_str().unwrap().contains("No newline at end of file"));
}

#[test]
fn hashes_agree_with_the_published_vectors() {
    for (algorithm, expected) in [
        ("sha256", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        ("sha1", "a9993e364706816aba3e25717850c26c9cd0d89d"),
        ("md5", "900150983cd24fb0d6963f7d28e17f72"),
        ("blake3", "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85"),
    ] {
        let hash = call("hash", json!({ "text": "abc", "algorithm": algorithm }));
        assert_eq!(hash, json!({ "algorithm": algorithm, "hash": expected }));
    }
    let long = call("hash", json!({ "text": "abc", "algorithm": "sha512" }));
    assert!(long["hash"].as_str().unwrap().starts_with("ddaf35a193617abacc417349ae204131"));
    assert_eq!(call("hash", json!({ "text": "" }))["hash"].as_str().unwrap().len(), 64);
    assert!(refusal("hash", json!({ "text": "", "algorithm": "crc32" })).contains("`sha256`"));
}

#[test]
fn encodings_agree_with_their_standards() {
    for (encoding, encoded) in [
        ("base64", "w7w/Pj4mYQ=="),
        ("base64url", "w7w_Pj4mYQ"),
        ("hex", "c3bc3f3e3e2661"),
        ("url", "%C3%BC%3F%3E%3E%26a"),
        ("html", "ü?&gt;&gt;&amp;a"),
    ] {
        assert_eq!(call("encode", json!({ "text": "ü?>>&a", "encoding": encoding }))["text"], encoded);
        let back = json!({ "text": encoded, "encoding": encoding, "direction": "decode" });
        assert_eq!(call("encode", back)["text"], "ü?>>&a");
    }
}

#[test]
fn decoding_forgives_line_ends_and_padding_and_knows_named_entities() {
    let decode = |text: &str, encoding: &str| {
        call("encode", json!({ "text": text, "encoding": encoding, "direction": "decode" }))["text"].clone()
    };
    assert_eq!(decode("YWJj\nZA", "base64"), "abcd");
    assert_eq!(decode("61 62\n63", "hex"), "abc");
    assert_eq!(decode("&hearts;&#x41;&#66;&nope;", "html"), "♥AB&nope;");
}

#[test]
fn what_does_not_decode_is_explained() {
    let refused = |text: &str, encoding: &str| {
        refusal("encode", json!({ "text": text, "encoding": encoding, "direction": "decode" }))
    };
    assert!(refused("a!", "base64").contains("not Base64"));
    assert!(refused("abc", "hex").contains("whole number of bytes"));
    assert!(refused("zz", "hex").contains("`z` is not a digit"));
    assert!(refused("50%", "url").contains("byte 2"));
    assert!(refused("ff", "hex").contains("not UTF-8 text but 1 bytes"));
}

#[test]
fn wrong_arguments_are_named() {
    assert_eq!(refusal("stats", json!({ "txt": "a" })), "there is no argument `txt`: did you mean `text`?");
    assert_eq!(refusal("stats", json!({})), "the argument `text` is missing");
    assert_eq!(
        refusal("stats", json!({ "text": 1 })),
        "the argument `text` does not fit: expected a string, found integer `1`"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(128) })]

    #[test]
    fn what_was_encoded_decodes_to_itself(text in ".*", encoding in prop::sample::select(vec!["base64", "base64url", "hex", "url", "html"])) {
        let encoded = call("encode", json!({ "text": text, "encoding": encoding }));
        let back = json!({ "text": encoded["text"], "encoding": encoding, "direction": "decode" });
        prop_assert_eq!(&call("encode", back)["text"], &json!(text));
    }

    #[test]
    fn no_text_and_no_pattern_stop_a_tool(text in "(?s).*", pattern in ".{0,20}") {
        let _ = testing::call(&PLUGIN, "stats", json!({ "text": text }));
        let _ = testing::call(&PLUGIN, "search", json!({ "text": text, "pattern": pattern }));
        let _ = testing::call(&PLUGIN, "replace", json!({ "text": text, "pattern": pattern, "replacement": text }));
        let _ = testing::call(&PLUGIN, "diff", json!({ "before": text, "after": pattern, "context": u32::MAX }));
        let _ = testing::call(&PLUGIN, "encode", json!({ "text": text, "encoding": "html", "direction": "decode" }));
    }

    #[test]
    fn a_diff_holds_both_texts(before in "(a\n|b\n|c\n|\n){0,12}", after in "(a\n|b\n|c\n|\n){0,12}") {
        let changed = call("diff", json!({ "before": before, "after": after, "context": 100 }));
        prop_assert_eq!(changed["diff"] == "", before == after);
        prop_assume!(before != after);
        let lines = || changed["diff"].as_str().unwrap().lines().skip(3);
        let of = |mark: char| -> String {
            let kept = lines().filter_map(|line| line.strip_prefix([' ', mark]));
            kept.map(|line| format!("{line}\n")).collect()
        };
        prop_assert_eq!(of('-'), before);
        prop_assert_eq!(of('+'), after);
        let count = |mark| lines().filter(|line| line.starts_with(mark)).count();
        prop_assert_eq!(&changed["removed"], &json!(count('-')));
        prop_assert_eq!(&changed["added"], &json!(count('+')));
    }
}
