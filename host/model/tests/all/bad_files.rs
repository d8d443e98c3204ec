//! Scripts and recordings that are none: the file, the line, what is wrong, and no panic.

use proptest::prelude::*;
use toolcrib_model::{FileError, ReplayModel, ScriptedModel};

use crate::scripts::script;

fn refused(text: &str) -> String {
    ScriptedModel::parse("demo.yaml", text).unwrap_err().to_string()
}

/// A script with one exchange, whose answer stands in line 4.
fn with_answer(answer: &str) -> String {
    refused(&format!("version: 1\nexchanges:\n  - answer:\n      {answer}\n"))
}

#[test]
fn unknown_keys_are_errors_with_their_line() {
    insta::assert_snapshot!(refused("version: 1\nexchange: []"), @"`demo.yaml`, line 2: unknown field `exchange`, expected one of version, any-order, exchanges; docs/models.md has the format");
    insta::assert_snapshot!(refused("version: 1\nexchanges:\n  - answer: { text: a }\n    time: 2"), @"`demo.yaml`, line 4: unknown field `time`, expected one of expect, answer, times, after-ms; docs/models.md has the format");
    for (text, line, key) in [
        ("version: 1\nexchanges:\n  - expect:\n      usr: { contains: a }\n    answer: { text: a }", 4, "usr"),
        ("version: 1\nexchanges:\n  - expect:\n      user:\n        contain: a\n    answer: { text: a }", 5, "contain"),
        ("version: 1\nexchanges:\n  - expect:\n      tools:\n        denied: a\n    answer: { text: a }", 5, "denied"),
        (
            "version: 1\nexchanges:\n  - expect:\n      tool-results:\n        - name: a\n    answer: { text: a }",
            5,
            "name",
        ),
        ("version: 1\nexchanges:\n  - answer:\n      txt: a", 4, "txt"),
        ("version: 1\nexchanges:\n  - answer:\n      calls:\n        - name: a.b", 5, "name"),
        ("version: 1\nexchanges:\n  - answer:\n      text: a\n      usage:\n        in: 1", 6, "in"),
        ("version: 1\nexchanges:\n  - answer:\n      error:\n        kind: auth\n        why: x", 6, "why"),
    ] {
        let said = refused(text);
        assert!(said.starts_with(&format!("`demo.yaml`, line {line}: unknown field `{key}`")), "{said}");
        assert!(said.ends_with("; docs/models.md has the format"), "{said}");
    }
}

#[test]
fn what_makes_no_sense_is_refused_with_its_line() {
    insta::assert_snapshot!(refused(""), @"`demo.yaml`, line 1: unexpected end of file; docs/models.md has the format");
    insta::assert_snapshot!(refused("version: 2\nexchanges:\n  - answer: { text: a }"), @"`demo.yaml`, line 1: version 2 is not known here; write `version: 1`");
    insta::assert_snapshot!(refused("version: 1\nexchanges: []"), @"`demo.yaml`, line 2: there is no exchange; docs/models.md has the format");
    insta::assert_snapshot!(refused("version: 1\nversion: 1\nexchanges: []"), @"`demo.yaml`, line 2: duplicate mapping key `version` is not allowed here; docs/models.md has the format");
    insta::assert_snapshot!(with_answer("{}"), @"`demo.yaml`, line 4: the answer has neither `text`, `json`, `calls` nor `error`; docs/models.md has the format");
    insta::assert_snapshot!(with_answer("{ text: a, json: {} }"), @"`demo.yaml`, line 4: the answer has both `text` and `json`: take one; docs/models.md has the format");
    insta::assert_snapshot!(with_answer("text: ' '"), @"`demo.yaml`, line 4: the text is blank: an answer that says nothing is `error: empty`; docs/models.md has the format");
    insta::assert_snapshot!(with_answer("error: tired"), @"`demo.yaml`, line 4: unknown variant `tired`, expected one of auth, rate-limited, quota-exhausted, unavailable, unreachable, not-found, bad-request, context-too-long, refused, malformed, cut-stream, empty, too-large, timed-out; docs/models.md has the format");
    insta::assert_snapshot!(with_answer("{ error: auth, calls: [{ tool: a.b }] }"), @"`demo.yaml`, line 4: beside `error` only `text` and `usage` can stand: what came before it; docs/models.md has the format");
    insta::assert_snapshot!(with_answer("error: { kind: auth, retry-after-ms: 1 }"), @"`demo.yaml`, line 4: `retry-after-ms` stands only with `rate-limited` and `unavailable`; docs/models.md has the format");
    insta::assert_snapshot!(with_answer("error: { kind: empty, detail: x }"), @"`demo.yaml`, line 4: this kind of error has no `detail`; docs/models.md has the format");
    insta::assert_snapshot!(with_answer("error: { kind: unavailable, retry-after-ms: 600001 }"), @"`demo.yaml`, line 4: `retry-after-ms` is at most 600000; docs/models.md has the format");
    insta::assert_snapshot!(with_answer("text: a\n    after-ms: 600001"), @"`demo.yaml`, line 5: `after-ms` is at most 600000; docs/models.md has the format");
    insta::assert_snapshot!(with_answer("text: a\n    times: 0"), @"`demo.yaml`, line 5: invalid value: integer `0`, expected a nonzero u32; docs/models.md has the format");
    insta::assert_snapshot!(with_answer("json: {}\n    expect: { schema: false }"), @"`demo.yaml`, line 4: the answer is `json`, but `schema: false` is expected; docs/models.md has the format");
    insta::assert_snapshot!(with_answer("text: a\n    expect: { user: { contains: '' } }"), @"`demo.yaml`, line 5: a blank text is expected, which every text holds; docs/models.md has the format");
    insta::assert_snapshot!(with_answer("text: a\n    expect: { user: { contains: 7 } }"), @"`demo.yaml`, line 5: invalid type: integer `7`, expected a text or a list of texts (a number as text stands in quotes); docs/models.md has the format");
}

#[test]
fn a_small_file_that_unfolds_to_a_large_one_is_refused() {
    let mut text =
        "version: 1\nexchanges:\n  - answer:\n      json:\n        a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let alias = format!("*a{}", level - 1);
        let aliases = vec![alias; 10].join(", ");
        text.push_str(&format!("        a{level}: &a{level} [{aliases}]\n"));
    }
    assert!(refused(&text).starts_with("`demo.yaml`, line "));
    let deep = format!("version: 1\nexchanges: [{{ answer: {{ json: {}{} }} }}]", "[".repeat(9000), "]".repeat(9000));
    assert!(refused(&deep).starts_with("`demo.yaml`, line "));
}

#[test]
fn a_file_that_is_missing_or_too_large_or_not_text_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("demo.yaml");
    let missing = ScriptedModel::open(&path).unwrap_err();
    assert!(matches!(&missing, FileError::Access { kind: "script", act: "read", .. }), "{missing}");
    let missing = ReplayModel::open(&path).unwrap_err();
    assert!(missing.to_string().ends_with("; check the path and its permissions"), "{missing}");
    std::fs::write(&path, " ".repeat(4 * 1024 * 1024 + 1)).unwrap();
    assert!(matches!(ScriptedModel::open(&path).unwrap_err(), FileError::TooLarge { limit: 4_194_304, .. }));
    std::fs::write(&path, b"version: 1\n\xff").unwrap();
    let error = ScriptedModel::open(&path).unwrap_err();
    assert!(matches!(&error, FileError::Invalid { line: 2, problem, .. } if problem.contains("UTF-8")), "{error}");
    assert!(ScriptedModel::open(folder.path()).is_err());
}

fn recording(bytes: &[u8]) -> Result<ReplayModel, FileError> {
    ReplayModel::read("run.jsonl", bytes)
}

const LINE: &str = concat!(
    r#"{"v":1,"model":"m","request":{"messages":[{"role":"user","parts":[{"type":"text","text":"hi"}]}]},"#,
    r#""response":{"text":"a","stop":"end","usage":{"input":1,"output":1,"cached":0}},"ms":1}"#,
    "\n",
);

#[test]
fn a_recording_is_refused_at_the_first_bad_line() {
    assert!(recording(LINE.as_bytes()).is_ok());
    let refused = |second: &str| recording(format!("{LINE}{second}").as_bytes()).unwrap_err().to_string();
    insta::assert_snapshot!(recording(b"").unwrap_err(), @"`run.jsonl`, line 1: the recording is empty; record at least one exchange");
    insta::assert_snapshot!(refused(LINE.trim_end()), @"`run.jsonl`, line 2: the line has no end: it was cut while it was written; remove the line");
    insta::assert_snapshot!(refused("\n"), @"`run.jsonl`, line 2: EOF while parsing a value at column 0; record it again, or remove the line");
    insta::assert_snapshot!(refused("{\"v\":2}\n"), @"`run.jsonl`, line 2: version 2 is not known here; this program reads version 1: record it again");
    insta::assert_snapshot!(refused(&LINE.replace("\"ms\"", "\"key\":1,\"ms\"")), @"`run.jsonl`, line 2: unknown field `key`, expected one of `v`, `model`, `request`, `response`, `error`, `ms` at column 182; record it again, or remove the line");
    insta::assert_snapshot!(refused(&LINE.replace("\"response\"", "\"error\":{\"error\":\"bad_request\",\"detail\":\"x\"},\"response\"")), @"`run.jsonl`, line 2: a line has either `response` or `error`; record it again, or remove the line");
    let error = recording(&[LINE.as_bytes(), b"\xff\n"].concat()).unwrap_err();
    assert!(matches!(error, FileError::Invalid { line: 2, .. }), "{error}");
}

const GOOD: &str = "\
version: 1
any-order: true
exchanges:
  - expect: { user: { contains: [a, b] }, tool-results: [{ tool: x.y, failed: true }] }
    answer: { text: a, calls: [{ tool: a.b, arguments: { x: 1 } }], usage: { input: 1 } }
  - answer: { error: { kind: unavailable, retry-after-ms: 20 }, text: b }
    times: 2
";

/// `text` with some of its bytes replaced, left out, or doubled.
fn damaged(text: &'static str) -> impl Strategy<Value = Vec<u8>> {
    let damage = (0..text.len(), any::<u8>(), 0..3_u8);
    prop::collection::vec(damage, 1..4).prop_map(move |damages| {
        let mut bytes = text.as_bytes().to_vec();
        for (at, byte, how) in damages {
            let at = at.min(bytes.len().saturating_sub(1));
            match how {
                0 => bytes[at] = byte,
                1 => drop(bytes.drain(at..(at + usize::from(byte % 8)).min(bytes.len()))),
                _ => bytes.insert(at, byte),
            }
        }
        bytes
    })
}

proptest! {
    #[test]
    fn no_bytes_are_a_script_by_chance(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), &bytes).unwrap();
        prop_assert!(ScriptedModel::open(file.path()).is_err());
        prop_assert!(ReplayModel::open(file.path()).is_err());
    }

    #[test]
    fn no_text_that_looks_like_yaml_makes_a_panic(text in "([a-z]{1,8}|[:\\-\\[\\]{}&*!|>'\"#%@,? \n]){0,60}") {
        prop_assert!(ScriptedModel::parse("demo.yaml", &text).is_err());
    }

    #[test]
    fn a_damaged_script_is_read_or_refused_with_a_line_in_it(bytes in damaged(GOOD)) {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), &bytes).unwrap();
        match ScriptedModel::open(file.path()) {
            Ok(model) => prop_assert!(!model.unused().is_empty()),
            Err(FileError::Invalid { line, problem, .. }) => {
                let lines = bytes.iter().filter(|byte| matches!(byte, b'\n' | b'\r')).count() as u64 + 1;
                prop_assert!(line >= 1 && line <= lines + 1 && !problem.is_empty(), "{line}: {problem}");
            }
            Err(other) => prop_assert!(false, "{other}"),
        }
    }

    #[test]
    fn a_damaged_recording_is_read_or_refused_with_a_line(bytes in damaged(LINE)) {
        match recording(&bytes) {
            Ok(model) => prop_assert!(!model.unused().is_empty()),
            Err(error) => prop_assert!(matches!(error, FileError::Invalid { line: 1..=5, .. }), "{error}"),
        }
    }
}

#[test]
fn the_script_that_is_damaged_is_good() {
    assert_eq!(script(GOOD).unused().len(), 2);
}
