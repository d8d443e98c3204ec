//! Recording and replay.

use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};
use tempfile::TempDir;
use toolcrib_model::{
    Message, Model, ModelConfig, ModelError, RECORDING_VERSION, Recorder, ReplayModel, Request, ScriptedModel, connect,
};

use crate::answers::ANSWERS;
use crate::scripts::{asks, complete, script, told, tool};
use crate::server::{Server, config, status, stream};

const SCRIPT: &str = "\
version: 1
exchanges:
  - answer: { text: the first of two, usage: { input: 3, output: 4 } }
  - answer: { text: the second }
  - answer: { error: { kind: rate-limited, detail: slow, retry-after-ms: 7 } }
  - answer: { calls: [{ tool: a.b, arguments: { x: 0.1, y: [1, 18446744073709551615] } }] }
";

/// What `SCRIPT` is asked: the first twice the same.
fn requests() -> [Request; 4] {
    let offers = Request { tools: vec![tool("a.b")], temperature: Some(0.7), ..asks("call it") };
    [asks("same"), asks("same"), asks("other"), offers]
}

fn recorder(path: &Path) -> Recorder<ScriptedModel> {
    Recorder::open(script(SCRIPT), path).unwrap()
}

async fn record(path: &Path) -> Vec<Result<toolcrib_model::Response, ModelError>> {
    let model = recorder(path);
    assert_eq!(model.name(), "script:demo");
    let mut outcomes = Vec::new();
    for request in requests() {
        outcomes.push(complete(&model, &request).await.0);
    }
    outcomes
}

fn lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.ends_with('\n'));
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn what_was_recorded_is_answered_again_errors_included() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("run.jsonl");
    let outcomes = record(&path).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 3);

    let model = ReplayModel::open(&path).unwrap();
    assert_eq!((model.name(), model.unused()), ("replay:run", vec![1, 2, 3, 4]));
    // In another order, but the equal ones in theirs.
    for index in [3, 0, 2, 1] {
        let (outcome, deltas) = complete(&model, &requests()[index]).await;
        assert_eq!(outcome, outcomes[index]);
        let text = outcomes[index].as_ref().ok().and_then(|response| response.text.clone());
        assert_eq!(told(&deltas), text.unwrap_or_default());
    }
    assert!(model.unused().is_empty());
}

#[tokio::test]
async fn a_line_has_a_version_and_what_crossed_the_trait() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("run.jsonl");
    record(&path).await;
    // A second recorder goes on where the first ended.
    record(&path).await;
    let lines = lines(&path);
    assert_eq!(lines.len(), 8);
    for (line, request) in lines.iter().zip(requests().iter().chain(&requests())) {
        assert_eq!((&line["v"], &line["model"]), (&json!(RECORDING_VERSION), &json!("script:demo")));
        assert_eq!(serde_json::from_value::<Request>(line["request"].clone()).unwrap(), *request);
        assert!(line["ms"].is_u64() && line["response"].is_object() != line["error"].is_object(), "{line}");
    }
    #[cfg(unix)]
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&path.metadata().unwrap().permissions()) & 0o777, 0o600);
}

/// The key is sent, and a server says it back, in an error and in an answer's headers; the file has it nowhere.
#[tokio::test]
async fn no_key_and_no_header_is_recorded() {
    const KEY: &str = "sk-test-0123456789";
    let folder = TempDir::new().unwrap();
    for (wire, content_type, body) in ANSWERS {
        let path = folder.path().join(format!("{wire}.jsonl"));
        let echo = format!(r#"{{"error":{{"message":"bad key {KEY}"}}}}"#);
        let scripts = vec![status(401, &format!("x-key: {KEY}\r\n"), &echo), stream(content_type, body)];
        let server = Server::play(scripts).await;
        let record = Some(path.clone());
        let model = connect(ModelConfig { record, ..config(wire, &server.origin).into() }).unwrap();
        let request = Request { tools: vec![tool("files.read"), tool("time.now")], ..asks("hello") };
        let error = complete(&model, &request).await.0.unwrap_err();
        assert_eq!(error.code(), "auth");
        let answer = complete(&model, &request).await.0.unwrap();

        assert!(server.asked().iter().all(|asked| asked.head.contains(KEY)), "the key was not sent");
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().count(), 2);
        assert!(text.contains("bad key [key]"), "{text}");
        for header in [KEY, "uthorization", "x-key", "api-key", "Bearer"] {
            assert!(!text.contains(header), "{header} in {text}");
        }
        // And the whole of a real wire's answer comes back, what the wire wants to see again included.
        let replay = ReplayModel::open(&path).unwrap();
        assert_eq!(complete(&replay, &request).await.0.unwrap_err(), error);
        assert_eq!(complete(&replay, &request).await.0.unwrap(), answer);
    }
}

async fn off_script(model: &ReplayModel, request: &Request) -> String {
    let error = complete(model, request).await.0.unwrap_err();
    assert_eq!(error.code(), "off-script");
    error.to_string()
}

#[tokio::test]
async fn a_request_that_was_not_recorded_is_shown_beside_the_nearest() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("run.jsonl");
    record(&path).await;
    let text = std::fs::read(&path).unwrap();
    let model = ReplayModel::read("run.jsonl", &*text).unwrap();

    let mut request = requests()[3].clone();
    request.messages.push(Message::user("more"));
    insta::assert_snapshot!(off_script(&model, &request).await, @r#"the request is not in `run.jsonl`; the nearest is in line 4, where `/messages/1` was nothing, and now is {"parts":[{"text":"more","type":"text"}],"role":"user"}; record it again, or make the request as it was"#);
    request.messages = vec![Message::user("call it, please, and soon")];
    insta::assert_snapshot!(off_script(&model, &request).await, @r#"the request is not in `run.jsonl`; the nearest is in line 4, where `/messages/0/parts/0/text` was "call it", and now is "call it, please, and soon"; record it again, or make the request as it was"#);
    // Nothing was used up by that.
    assert_eq!(model.unused().len(), 4);
    for _ in 0..2 {
        assert!(complete(&model, &asks("same")).await.0.is_ok());
    }
    insta::assert_snapshot!(off_script(&model, &asks("same")).await, @"`run.jsonl` has no further answer to the request of line 1, 2; record it again, with as many such requests");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn lines_stay_whole_where_many_record_at_once() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("run.jsonl");
    let long = "x".repeat(100_000);
    let mut tasks = Vec::new();
    for _ in 0..4 {
        let answers = "version: 1\nexchanges: [{ answer: { text: a }, times: 20 }]";
        let model = Arc::new(Recorder::open(script(answers), &path).unwrap());
        for _ in 0..20 {
            let (model, request) = (Arc::clone(&model), asks(&long));
            tasks.push(tokio::spawn(async move { complete(&model, &request).await.0.is_ok() }));
        }
    }
    for task in tasks {
        assert!(task.await.unwrap());
    }
    assert_eq!(lines(&path).len(), 80);
    assert_eq!(ReplayModel::open(&path).unwrap().unused().len(), 80);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn an_answer_that_cannot_be_recorded_is_an_error() {
    let model = Recorder::open(script(SCRIPT), "/dev/full").unwrap();
    let error = complete(&model, &asks("x")).await.0.unwrap_err();
    assert_eq!((error.code(), error.retryable()), ("not-recorded", false));
    assert!(error.to_string().starts_with("the exchange could not be recorded in `/dev/full`: "), "{error}");
}

#[tokio::test]
async fn a_recorder_appends_to_nothing_but_a_recording() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("notes.md");
    let refused = |text: &[u8]| {
        std::fs::write(&path, text).unwrap();
        let error = Recorder::open(script(SCRIPT), &path).unwrap_err().to_string();
        assert_eq!(std::fs::read(&path).unwrap(), text);
        error.replace(&folder.path().display().to_string(), "")
    };
    insta::assert_snapshot!(refused(b"# My notes\n"), @"`/notes.md`, line 1: this is no recording: expected value at column 1; record into another file");
    insta::assert_snapshot!(refused(b"\xff\n"), @"`/notes.md`, line 1: this is no recording: invalid utf-8 sequence of 1 bytes from index 0; record into another file");
    let good = folder.path().join("run.jsonl");
    record(&good).await;
    let mut text = std::fs::read(&good).unwrap();
    text.pop();
    insta::assert_snapshot!(refused(&text), @"`/notes.md`, line 4: the line has no end: it was cut while it was written; remove the line");
    let missing = Recorder::open(script(SCRIPT), "/no/such/folder/run.jsonl").unwrap_err();
    assert!(missing.to_string().starts_with("the recording `/no/such/folder/run.jsonl` cannot be written: "));
}
