//! `write` and `edit`.

use std::fs;
use std::os::unix::fs::symlink;

use proptest::prelude::*;
use serde_json::json;
use toolcrib_sdk::ErrorKind;

use super::support::Folder;

#[test]
fn a_file_is_created_with_the_folders_on_the_way() {
    let folder = Folder::new();
    let written = folder.call("write", "a/b/ü.txt", json!({ "text": "grün" }));
    assert_eq!(written, json!({ "path": folder.path("a/b/ü.txt"), "bytes": 5, "created": true }));
    assert_eq!(folder.contents("a/b/ü.txt"), "grün".as_bytes());
    let (kind, _) = folder.refusal("write", "x/y.txt", json!({ "text": "", "parents": false }));
    assert_eq!(kind, ErrorKind::NotFound);
    assert_eq!(folder.names(), ["a"]);
}

#[test]
fn a_file_is_replaced_and_nothing_is_left_beside_it() {
    let folder = Folder::with(&[("a.txt", b"a longer text"), (".a.txt.0.partial", b"of a killed call")]);
    let written = folder.call("write", "a.txt", json!({ "text": "short" }));
    assert_eq!((&written["bytes"], &written["created"]), (&json!(5), &json!(false)));
    assert_eq!(folder.contents("a.txt"), b"short");
    assert_eq!(folder.names(), [".a.txt.0.partial", "a.txt"]);
    assert_eq!(folder.contents(".a.txt.0.partial"), b"of a killed call");
}

#[test]
fn create_refuses_to_replace_and_append_writes_behind() {
    let folder = Folder::new();
    assert_eq!(folder.call("write", "a.txt", json!({ "text": "1\n", "mode": "create" }))["created"], true);
    let (kind, message) = folder.refusal("write", "a.txt", json!({ "text": "2\n", "mode": "create" }));
    assert_eq!(kind, ErrorKind::InvalidArguments);
    assert!(message.contains("exists"), "{message}");
    assert_eq!(folder.call("append", "a.txt", json!({ "text": "2\n" }))["created"], false);
    assert_eq!(folder.contents("a.txt"), b"1\n2\n");
    assert_eq!(folder.call("append", "b.txt", json!({ "text": "" }))["created"], true);
    assert_eq!(folder.contents("b.txt"), b"");
}

#[test]
fn a_link_stays_and_what_it_leads_to_is_written() {
    let folder = Folder::with(&[("a.txt", b"old")]);
    symlink("a.txt", folder.path("link")).unwrap();
    folder.call("write", "link", json!({ "text": "new" }));
    folder.call("edit", "link", json!({ "find": "new", "replace": "newer" }));
    assert_eq!(folder.contents("a.txt"), b"newer");
    assert!(fs::symlink_metadata(folder.path("link")).unwrap().is_symlink());
}

#[test]
fn bytes_are_written_from_base64() {
    let folder = Folder::new();
    folder.call("write", "a.bin", json!({ "text": "AAH/\n", "encoding": "base64" }));
    assert_eq!(folder.contents("a.bin"), b"\x00\x01\xFF");
    let (kind, message) = folder.refusal("write", "b.bin", json!({ "text": "§", "encoding": "base64" }));
    assert_eq!(kind, ErrorKind::InvalidArguments);
    assert!(message.contains("Base64"), "{message}");
}

#[test]
fn a_folder_is_not_written_over() {
    let folder = Folder::with(&[("a/b", b"")]);
    let writes = ["create", "overwrite"].map(|mode| ("write", json!({ "text": "x", "mode": mode })));
    for (tool, arguments) in writes.into_iter().chain([("append", json!({ "text": "x" }))]) {
        let (kind, message) = folder.refusal(tool, "a", arguments);
        assert_eq!(kind, ErrorKind::InvalidArguments);
        assert!(message.contains("is a folder"), "{message}");
    }
}

#[test]
fn what_may_not_be_written_is_denied() {
    // `/proc` is refused to everybody, root included.
    let error = toolcrib_sdk::testing::call(&crate::PLUGIN, "write", json!({ "path": "/proc/version", "text": "x" }))
        .unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Denied | ErrorKind::Failed), "{error}");
    assert!(error.message().starts_with("`/proc/version`"), "{error}");
}

#[test]
fn an_edit_changes_the_one_place() {
    let folder = Folder::with(&[("a.rs", "let ä = 1;\nlet b = 1;\n".as_bytes())]);
    let edited = folder.call("edit", "a.rs", json!({ "find": "ä = 1", "replace": "ä = 2" }));
    assert_eq!(edited, json!({ "path": folder.path("a.rs"), "replacements": 1 }));
    assert_eq!(folder.contents("a.rs"), "let ä = 2;\nlet b = 1;\n".as_bytes());
}

#[test]
fn an_edit_of_many_places_has_to_be_asked_for() {
    let folder = Folder::with(&[("a.txt", b"x x x")]);
    let (kind, message) = folder.refusal("edit", "a.txt", json!({ "find": "x", "replace": "y" }));
    assert_eq!(kind, ErrorKind::InvalidArguments);
    assert!(message.contains("occurs 3 times"), "{message}");
    assert_eq!(folder.contents("a.txt"), b"x x x");
    assert_eq!(folder.call("edit", "a.txt", json!({ "find": "x", "replace": "", "all": true }))["replacements"], 3);
    assert_eq!(folder.contents("a.txt"), b"  ");
}

#[test]
fn an_edit_that_finds_nothing_says_where_to_look() {
    let folder = Folder::with(&[("a.txt", b"one\n  two\n  three\n")]);
    let (kind, message) = folder.refusal("edit", "a.txt", json!({ "find": "two\nthree", "replace": "" }));
    assert_eq!(kind, ErrorKind::InvalidArguments);
    assert!(message.contains("its first line stands at line 2"), "{message}");
    let (_, message) = folder.refusal("edit", "a.txt", json!({ "find": "four", "replace": "" }));
    assert!(message.contains("does not occur"), "{message}");
    for find in ["", "one"] {
        assert_eq!(
            folder.refusal("edit", "a.txt", json!({ "find": find, "replace": find })).0,
            ErrorKind::InvalidArguments
        );
    }
}

#[test]
fn an_edit_keeps_the_line_ends_of_the_file() {
    let folder = Folder::with(&[("dos.txt", b"a\r\nb\r\nc\r\n"), ("mixed.txt", b"a\r\nb\nc\n")]);
    folder.call("edit", "dos.txt", json!({ "find": "a\nb", "replace": "x\ny\r\nz" }));
    assert_eq!(folder.contents("dos.txt"), b"x\r\ny\r\nz\r\nc\r\n");
    folder.call("edit", "mixed.txt", json!({ "find": "b\nc", "replace": "y\nz" }));
    assert_eq!(folder.contents("mixed.txt"), b"a\r\ny\nz\n");
}

#[test]
fn an_edit_of_bytes_or_of_nothing_is_refused() {
    let folder = Folder::with(&[("a.bin", b"\x00x"), ("empty", b"")]);
    assert_eq!(folder.refusal("edit", "a.bin", json!({ "find": "x", "replace": "y" })).0, ErrorKind::Failed);
    assert_eq!(folder.refusal("edit", "gone", json!({ "find": "x", "replace": "y" })).0, ErrorKind::NotFound);
    assert_eq!(folder.refusal("edit", "empty", json!({ "find": "x", "replace": "y" })).0, ErrorKind::InvalidArguments);
}

#[test]
fn an_edit_that_would_fill_the_memory_is_refused() {
    let folder = Folder::with(&[("a.txt", "x".repeat(1000).as_bytes())]);
    let (kind, message) =
        folder.refusal("edit", "a.txt", json!({ "find": "x", "replace": "y".repeat(100_000), "all": true }));
    assert_eq!(kind, ErrorKind::InvalidArguments);
    assert!(message.contains("would grow beyond"), "{message}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn what_is_written_is_what_is_read(text in "[^\\x00]{0,200}") {
        let folder = Folder::new();
        folder.call("write", "a", json!({ "text": text }));
        let read = folder.call("read", "a", json!({}));
        prop_assert_eq!(&read["text"], &json!(text));
        prop_assert_eq!(&read["bytes"], &json!(text.len()));
    }
}
