//! `list`, `read` and `search`.

use std::os::unix::fs::symlink;

use serde_json::{Value, json};
use toolcrib_sdk::{Effect, ErrorKind};

use super::support::Folder;
use crate::PLUGIN;

fn tree() -> Folder {
    Folder::with(&[
        ("b.md", b"one\ntwo\n"),
        ("a/ü.md", "grün\nblau\n".as_bytes()),
        ("a/deep/c.rs", b"fn main() {}\r\n"),
        ("empty.txt", b""),
    ])
}

fn names(listing: &Value, folder: &Folder) -> Vec<String> {
    let entries = listing["entries"].as_array().unwrap().iter();
    entries.map(|entry| entry["path"].as_str().unwrap().replace(&folder.path(""), "")).collect()
}

#[test]
fn every_tool_says_what_it_does_and_describes_its_arguments() {
    let effects: Vec<_> = PLUGIN.describe().into_iter().map(|tool| (tool.name.to_string(), tool.effect)).collect();
    let expected = [
        ("list", Effect::Read),
        ("read", Effect::Read),
        ("write", Effect::Idempotent),
        ("append", Effect::Irreversible),
        ("search", Effect::Read),
        ("edit", Effect::Irreversible),
    ];
    assert_eq!(effects, expected.map(|(name, effect)| (name.to_owned(), Some(effect))));
    for tool in PLUGIN.describe() {
        for (name, property) in tool.input_schema["properties"].as_object().unwrap() {
            assert!(property["description"].is_string(), "{}.{name}", tool.name);
        }
    }
}

#[test]
fn a_folder_is_listed_by_name_with_kind_and_size() {
    let folder = tree();
    symlink("b.md", folder.path("link")).unwrap();
    let listing = folder.call("list", "", json!({}));
    assert_eq!(names(&listing, &folder), ["/a", "/b.md", "/empty.txt", "/link"]);
    let entries = &listing["entries"];
    assert_eq!(entries[0]["kind"], "directory");
    assert_eq!((&entries[1]["kind"], &entries[1]["size"]), (&json!("file"), &json!(8)));
    assert_eq!(entries[3]["kind"], "other");
    assert_eq!(listing["truncated"], false);
}

#[test]
fn a_tree_is_listed_folder_by_folder_and_a_glob_narrows_it() {
    let folder = tree();
    let listed = |arguments| names(&folder.call("list", "", arguments), &folder);
    let all = ["/a", "/a/deep", "/a/deep/c.rs", "/a/ü.md", "/b.md", "/empty.txt"];
    assert_eq!(listed(json!({ "recursive": true })), all);
    assert_eq!(listed(json!({ "glob": "*.md" })), ["/b.md"]);
    assert_eq!(listed(json!({ "glob": "*.md", "recursive": true })), ["/a/ü.md", "/b.md"]);
    assert_eq!(listed(json!({ "glob": "**/*.rs" })), ["/a/deep/c.rs"]);
}

#[test]
fn a_listing_says_when_it_is_not_complete() {
    let folder = tree();
    assert_eq!(folder.call("list", "", json!({ "limit": 2 }))["truncated"], true);
    assert_eq!(folder.call("list", "", json!({ "limit": 3 }))["truncated"], false);
    assert_eq!(folder.call("list", "", json!({ "limit": 0 }))["entries"], json!([]));
    assert_eq!(folder.call("list", "a/deep", json!({}))["truncated"], false);
}

#[test]
fn links_are_no_way_to_walk_in_circles() {
    let folder = tree();
    symlink(folder.path(""), folder.path("a/up")).unwrap();
    let listing = folder.call("list", "", json!({ "recursive": true }));
    assert_eq!(listing["entries"].as_array().unwrap().len(), 7);
}

#[test]
fn a_very_deep_tree_is_walked_as_far_as_the_bound() {
    let folder = Folder::with(&[(&format!("{}x.md", "d/".repeat(80)), b"deep")]);
    let listing = folder.call("list", "", json!({ "recursive": true }));
    assert_eq!(listing["truncated"], true);
    assert_eq!(listing["entries"].as_array().unwrap().len(), 64);
}

#[test]
fn what_is_missing_and_what_is_of_the_wrong_kind_is_told_by_name() {
    let folder = tree();
    for tool in ["list", "read"] {
        let (kind, message) = folder.refusal(tool, "nothing", json!({}));
        assert_eq!(kind, ErrorKind::NotFound);
        assert!(message.contains("/nothing`"), "{message}");
    }
    assert_eq!(folder.refusal("list", "b.md", json!({})).0, ErrorKind::InvalidArguments);
    let (kind, message) = folder.refusal("read", "a", json!({}));
    assert_eq!(kind, ErrorKind::InvalidArguments);
    assert!(message.contains("is a folder"), "{message}");
    assert_eq!(folder.refusal("list", "", json!({ "glob": "[" })).0, ErrorKind::InvalidArguments);
}

#[test]
fn a_file_is_read_whole_or_by_lines() {
    let folder = Folder::with(&[("a.txt", "eins\nzwei\r\ndreißig".as_bytes())]);
    let path = folder.path("a.txt");
    assert_eq!(
        folder.call("read", "a.txt", json!({})),
        json!({ "path": path, "text": "eins\nzwei\r\ndreißig", "lines": 3, "bytes": 19, "truncated": false })
    );
    let part = folder.call("read", "a.txt", json!({ "offset_lines": 1, "limit_lines": 1 }));
    assert_eq!(part, json!({ "path": path, "text": "zwei\r\n", "lines": 1, "bytes": 19, "truncated": true }));
    let last = folder.call("read", "a.txt", json!({ "offset_lines": 2, "limit_lines": 9 }));
    assert_eq!((&last["text"], &last["truncated"]), (&json!("dreißig"), &json!(false)));
    let behind = folder.call("read", "a.txt", json!({ "offset_lines": 99 }));
    assert_eq!((&behind["text"], &behind["truncated"]), (&json!(""), &json!(false)));
    assert_eq!(folder.call("read", "a.txt", json!({ "limit_lines": 0 }))["truncated"], true);
}

#[test]
fn an_empty_file_is_empty_text() {
    let folder = tree();
    let read = folder.call("read", "empty.txt", json!({}));
    assert_eq!((&read["text"], &read["lines"], &read["truncated"]), (&json!(""), &json!(0), &json!(false)));
}

#[test]
fn a_long_file_is_cut_between_two_characters() {
    let folder = Folder::with(&[("long.txt", "€".repeat(400_000).as_bytes())]);
    let read = folder.call("read", "long.txt", json!({}));
    assert_eq!(read["truncated"], true);
    assert_eq!(read["bytes"], 1_200_000);
    let text = read["text"].as_str().unwrap();
    assert!(text.len() <= 1024 * 1024 && text.len() > 1024 * 1024 - 3);
    assert!(text.chars().all(|letter| letter == '€'));
}

#[test]
fn bytes_are_refused_as_text_and_come_in_base64() {
    let folder = Folder::with(&[("a.bin", b"\x00\x01\xFF"), ("latin.txt", b"Gr\xFC\xDFe")]);
    for name in ["a.bin", "latin.txt"] {
        let (kind, message) = folder.refusal("read", name, json!({}));
        assert_eq!(kind, ErrorKind::Failed);
        assert!(message.contains("is not UTF-8 text") && message.contains("bytes"), "{message}");
    }
    assert_eq!(folder.call("read", "a.bin", json!({ "encoding": "base64" }))["text"], "AAH/");
    let (kind, _) = folder.refusal("read", "a.bin", json!({ "encoding": "base64", "limit_lines": 1 }));
    assert_eq!(kind, ErrorKind::InvalidArguments);
}

#[test]
fn search_finds_lines_in_text_files_by_path_and_number() {
    let folder = tree();
    let found = folder.call("search", "", json!({ "pattern": "^(ZWEI|two|blau)$", "ignore_case": true }));
    assert_eq!(
        found["matches"],
        json!([
            { "path": folder.path("a/ü.md"), "line": 2, "text": "blau" },
            { "path": folder.path("b.md"), "line": 2, "text": "two" },
        ])
    );
    assert_eq!((&found["files_searched"], &found["truncated"]), (&json!(4), &json!(false)));
}

#[test]
fn search_takes_one_file_or_a_glob_and_drops_carriage_returns() {
    let folder = tree();
    let found = folder.call("search", "a/deep/c.rs", json!({ "pattern": "\\}$" }));
    assert_eq!(found["matches"][0]["text"], "fn main() {}");
    let found = folder.call("search", "", json!({ "pattern": ".", "glob": "*.md" }));
    assert_eq!(found["files_searched"], 2);
    assert_eq!(found["matches"].as_array().unwrap().len(), 4);
}

#[test]
fn an_empty_line_is_a_line_and_the_end_of_a_file_is_none() {
    let folder = Folder::with(&[("a", b"\n\nx\n"), ("b", b"")]);
    let found = folder.call("search", "", json!({ "pattern": "^$" }));
    let lines: Vec<_> = found["matches"].as_array().unwrap().iter().map(|hit| hit["line"].clone()).collect();
    assert_eq!(lines, [1, 2]);
}

#[test]
fn a_match_lies_in_one_line() {
    let folder = Folder::with(&[("a", b"a\nb\r\nab\r\na b\n\na  b")]);
    let lines = |pattern: &str| {
        let found = folder.call("search", "", json!({ "pattern": pattern }));
        let numbers: Vec<_> =
            found["matches"].as_array().unwrap().iter().map(|hit| hit["line"].as_u64().unwrap()).collect();
        numbers
    };
    assert_eq!(lines("a\\s+b"), [4, 6]);
    assert_eq!(lines("[^x]*b$"), [2, 3, 4, 6]);
    assert_eq!(lines("\\Aa"), [1, 3, 4, 6]);
    assert_eq!(lines("b\\z"), [2, 3, 4, 6]);
    assert_eq!(lines("(?s)a.*b"), [3, 4, 6]);
    assert_eq!(lines("^"), [1, 2, 3, 4, 5, 6]);
    assert_eq!(lines("^\\s*$"), [5]);
}

#[test]
fn search_leaves_binary_files_out_and_says_when_it_stops() {
    let folder = Folder::with(&[("a.bin", b"x\x00x"), ("a.txt", b"x\nx\n"), ("latin.txt", b"x Gr\xFC\xDFe")]);
    let found = folder.call("search", "", json!({ "pattern": "x" }));
    assert_eq!((&found["files_searched"], &found["truncated"]), (&json!(2), &json!(false)));
    assert_eq!(found["matches"].as_array().unwrap().len(), 3);
    let found = folder.call("search", "", json!({ "pattern": "x", "limit": 3 }));
    assert_eq!(found["truncated"], false);
    let found = folder.call("search", "", json!({ "pattern": "x", "limit": 1 }));
    assert_eq!((found["matches"].as_array().unwrap().len(), &found["truncated"]), (1, &json!(true)));
}

#[test]
fn a_long_line_is_shown_around_the_match() {
    let line = format!("{}HIT{}", "ä".repeat(5000), "ö".repeat(5000));
    let folder = Folder::with(&[("min.js", line.as_bytes())]);
    let found = folder.call("search", "", json!({ "pattern": "HIT" }));
    let text = found["matches"][0]["text"].as_str().unwrap();
    assert_eq!(text.chars().count(), 402);
    assert!(text.starts_with("…ä") && text.contains("äHITö") && text.ends_with("ö…"));
}

#[test]
fn a_pattern_that_is_none_or_too_large_is_refused() {
    let folder = tree();
    for pattern in ["(", "\\w{5000}{5000}"] {
        let (kind, message) = folder.refusal("search", "", json!({ "pattern": pattern }));
        assert_eq!(kind, ErrorKind::InvalidArguments);
        assert!(message.contains("`pattern`"), "{message}");
    }
}
