//! Scripted models.

use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;
use toolcrib_model::{
    Arguments, Delta, Message, Model, ModelError, Request, Response, RetryPolicy, Retrying, ScriptedModel, StopReason,
    ToolCall, ToolSpec, Usage,
};

pub(crate) fn script(text: &str) -> ScriptedModel {
    ScriptedModel::parse("tests/demo.yaml", text).unwrap()
}

pub(crate) fn tool(name: &str) -> ToolSpec {
    ToolSpec { name: name.into(), description: "a tool".into(), parameters: json!({ "type": "object" }) }
}

pub(crate) fn asks(text: &str) -> Request {
    Request { messages: vec![Message::user(text)], ..Request::default() }
}

pub(crate) async fn complete(model: &impl Model, request: &Request) -> (Result<Response, ModelError>, Vec<Delta>) {
    let mut deltas = Vec::new();
    let result = model.complete(request, &mut |delta| deltas.push(delta)).await;
    (result, deltas)
}

async fn answer(model: &impl Model, request: &Request) -> Response {
    complete(model, request).await.0.unwrap()
}

async fn refusal(model: &impl Model, request: &Request) -> String {
    let error = complete(model, request).await.0.unwrap_err();
    assert_eq!((error.code(), error.retryable()), ("off-script", false));
    error.to_string()
}

/// The text that deltas make.
pub(crate) fn told(deltas: &[Delta]) -> String {
    let pieces = deltas.iter().filter_map(|delta| match delta {
        Delta::Text { text } => Some(text.as_str()),
        _ => None,
    });
    pieces.collect()
}

#[tokio::test(start_paused = true)]
async fn the_example_of_the_page_plays() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/models.md")).unwrap();
    let text = page.split("```yaml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let model = ScriptedModel::parse("docs/notes.yaml", text).unwrap();
    assert_eq!(model.name(), "script:notes");
    assert_eq!(model.unused().len(), 3);
    let mut request = Request { tools: vec![tool("files.read")], ..asks("What is in /docs/notes.md?") };

    let (first, deltas) = complete(&model, &request).await;
    let first = first.unwrap();
    assert_eq!((first.text.as_deref(), &first.stop), (Some("I read the file."), &StopReason::ToolCalls));
    assert_eq!(first.usage, Usage { input: 120, output: 18, cached: 0 });
    let Arguments::Json(arguments) = &first.tool_calls[0].arguments else { panic!("{first:?}") };
    assert_eq!(arguments["path"], "/docs/notes.md");
    assert_eq!(told(&deltas), "I read the file.");
    let begins = Delta::ToolCall { index: 0, name: "files.read".into(), fragment: String::new() };
    let written = r#"{"path":"/docs/notes.md"}"#.to_owned();
    let goes_on = Delta::ToolCall { index: 0, name: "files.read".into(), fragment: written };
    assert_eq!(deltas[deltas.len() - 3..], [begins, goes_on, Delta::Usage { usage: first.usage }]);

    request.messages.push(first.to_message());
    request.messages.push(Message::tool(&first.tool_calls[0], "buy milk", false));
    let (cut, deltas) = complete(&model, &request).await;
    assert_eq!(cut.unwrap_err().code(), "cut-stream");
    assert_eq!(told(&deltas), "You have to");
    let begin = Instant::now();
    assert_eq!(answer(&model, &request).await.text.as_deref(), Some("You have to buy milk."));
    assert_eq!(begin.elapsed(), Duration::from_millis(50));
    assert_eq!(model.unused(), []);
}

const TWO: &str = "\
version: 1
exchanges:
  - expect: { user: { contains: one } }
    answer: { text: first }
  - expect: { user: { contains: two } }
    answer: { text: second }
    times: 2
";

#[tokio::test]
async fn exchanges_come_in_order_and_a_request_that_does_not_fit_uses_up_nothing() {
    let model = script(TWO);
    insta::assert_snapshot!(refusal(&model, &asks("two, please")).await, @r#"the request does not fit `tests/demo.yaml`, exchange 1 (line 3): the last user message does not contain "one", it is "two, please"; what came: user said "two, please", 1 message, no tools; change its `expect`, or add an exchange for this request before it"#);
    assert_eq!(answer(&model, &asks("one")).await.text.as_deref(), Some("first"));
    assert!(refusal(&model, &asks("one")).await.contains("exchange 2 (line 5)"));
    assert_eq!(answer(&model, &asks("two")).await.text.as_deref(), Some("second"));
    let unused: Vec<String> = model.unused().iter().map(ToString::to_string).collect();
    assert_eq!(unused, ["exchange 2 (line 5) was used 1 of 2 times"]);
    assert_eq!(answer(&model, &asks("two")).await.text.as_deref(), Some("second"));
    assert_eq!(model.unused(), []);
    insta::assert_snapshot!(refusal(&model, &asks("two")).await, @r#"`tests/demo.yaml` has no exchange left of its 2; what came: user said "two", 1 message, no tools; add an exchange for this request, or raise `times`"#);
}

#[tokio::test]
async fn in_any_order_a_request_takes_the_first_that_fits_and_is_left() {
    let model = script(&format!("any-order: true\n{TWO}"));
    assert_eq!(answer(&model, &asks("two")).await.text.as_deref(), Some("second"));
    assert_eq!(answer(&model, &asks("one and two")).await.text.as_deref(), Some("first"));
    assert_eq!(answer(&model, &asks("one and two")).await.text.as_deref(), Some("second"));
    assert_eq!(model.unused(), []);
    let model = script(&format!("any-order: true\n{TWO}"));
    insta::assert_snapshot!(refusal(&model, &asks("three")).await, @r#"the request fits none that is left in `tests/demo.yaml`, exchange 1 (line 4): the last user message does not contain "one", it is "three"; exchange 2 (line 6): the last user message does not contain "two", it is "three"; what came: user said "three", 1 message, no tools; change an `expect`, or add an exchange for this request"#);
}

#[tokio::test]
async fn many_requests_at_once_use_each_exchange_once() {
    let model = std::sync::Arc::new(script("version: 1\nexchanges: [{ answer: { text: a }, times: 20, after-ms: 1 }]"));
    let tasks: Vec<_> = (0..30)
        .map(|_| {
            let model = std::sync::Arc::clone(&model);
            tokio::spawn(async move { complete(&model, &asks("x")).await.0.is_ok() })
        })
        .collect();
    let mut answered = 0;
    for task in tasks {
        answered += usize::from(task.await.unwrap());
    }
    assert_eq!((answered, model.unused().len()), (20, 0));
}

/// A request with something of everything.
fn full() -> Request {
    let call = ToolCall { id: "c".into(), name: "files.read".into(), arguments: Arguments::parse(r#"{"path":"/x"}"#) };
    let assistant =
        Message::Assistant { text: Some("let me see".into()), tool_calls: vec![call.clone()], continuation: None };
    Request {
        system: Some("you plan".into()),
        messages: vec![
            Message::user("early words"),
            assistant,
            Message::tool(&call, "no such file", true),
            Message::user("late words"),
        ],
        tools: vec![tool("files.read")],
        response_schema: Some(json!({ "type": "object" })),
        ..Request::default()
    }
}

#[tokio::test]
async fn each_expectation_holds_or_says_why_not() {
    for (holds, fails, why) in [
        (
            "system: { contains: plan }",
            "system: { contains: act }",
            "the system text does not contain \"act\", it is \"you plan\"",
        ),
        ("system: { lacks: [act] }", "system: { lacks: [act, plan] }", "the system text contains \"plan\""),
        (
            "user: { contains: [late, words] }",
            "user: { contains: [late, early] }",
            "the last user message does not contain \"early\"",
        ),
        ("user: { lacks: early }", "user: { lacks: late }", "the last user message contains \"late\""),
        (
            "anywhere: { contains: [early, plan, no such, let me, '\"/x\"'] }",
            "anywhere: { contains: 'a tool' }",
            "\"a tool\" is nowhere in the request",
        ),
        ("anywhere: { lacks: password }", "anywhere: { lacks: such }", "\"such\" is in the request"),
        ("tools: { offered: files.read }", "tools: { offered: [files.read, a.b] }", "tool `a.b` is not offered"),
        ("tools: { not-offered: a.b }", "tools: { not-offered: [files.read] }", "tool `files.read` is offered"),
        ("messages: 4", "messages: 1", "4 messages instead of 1"),
        (
            "tool-results: [{ tool: files.read, contains: no such, failed: true }]",
            "tool-results: [{ tool: files.read, failed: false }]",
            "no successful result of `files.read`; the last failed with \"no such file\"",
        ),
        ("tool-results: [{ lacks: milk }]", "tool-results: [{ lacks: file }]", "no result that lacks \"file\""),
        ("tool-results: [{}]", "tool-results: [{ tool: a.b }]", "no result of `a.b`"),
        ("schema: true", "schema: false", "JSON is asked for"),
    ] {
        let one = |expect: &str| {
            script(&format!("version: 1\nexchanges:\n- expect: {{ {expect} }}\n  answer: {{ text: a }}"))
        };
        assert!(complete(&one(holds), &full()).await.0.is_ok(), "{holds}");
        let said = refusal(&one(fails), &full()).await;
        assert!(said.contains(why), "{fails}: {said}");
    }
}

#[tokio::test]
async fn what_is_missing_from_a_request_is_said() {
    let model = script(
        "version: 1\nexchanges:\n- expect: { system: { contains: a, lacks: b }, schema: true }\n  answer: { text: a }",
    );
    insta::assert_snapshot!(refusal(&model, &Request::default()).await, @r#"the request does not fit `tests/demo.yaml`, exchange 1 (line 3): the system text does not contain "a", there is none, no JSON is asked for; what came: no user message, 0 messages, no tools; change its `expect`, or add an exchange for this request before it"#);
}

#[tokio::test]
async fn long_texts_are_shortened_and_stay_on_one_line() {
    let model = script(TWO);
    let mut request = asks(&format!("line\n{}", "ö".repeat(5000)));
    request.tools = (0..30).map(|number| tool(&format!("t.n{number}"))).collect();
    let said = refusal(&model, &request).await;
    assert!(said.chars().count() < 600 && !said.contains('\n'), "{said}");
    assert!(said.contains("`t.n7`, 22 more"), "{said}");
}

#[tokio::test]
async fn json_is_answered_only_where_it_is_asked_for() {
    let text = "version: 1\nexchanges:\n- answer: { json: { found: [1, 2.5, null, true] } }";
    let said = refusal(&script(text), &asks("x")).await;
    assert!(said.contains("no JSON is asked for"), "{said}");
    let request = Request { response_schema: Some(json!({})), ..asks("x") };
    let text = answer(&script(text), &request).await.text.unwrap();
    assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), json!({ "found": [1, 2.5, null, true] }));
}

#[tokio::test]
async fn arguments_may_be_what_a_model_wrote_wrongly() {
    let text = "version: 1\nexchanges:\n- answer: { calls: [{ tool: a.b, arguments: '{\"x\": ' }, { tool: a.c, arguments: [1] }, { tool: a.d, arguments: '{\"x\": 1}' }, { tool: a.e }] }";
    let calls = answer(&script(text), &asks("x")).await.tool_calls;
    assert!(matches!(&calls[0].arguments, Arguments::Malformed { raw, .. } if raw == "{\"x\": "), "{calls:?}");
    assert!(matches!(&calls[1].arguments, Arguments::Malformed { raw, .. } if raw == "[1]"), "{calls:?}");
    assert_eq!(calls[2].arguments.as_object().unwrap()["x"], 1);
    assert!(calls[3].arguments.as_object().unwrap().is_empty());
}

#[tokio::test]
async fn calls_get_ids_that_the_conversation_does_not_have() {
    let model = script("version: 1\nexchanges: [{ answer: { calls: [{ tool: a.b }, { tool: a.b }] }, times: 2 }]");
    let mut request = asks("x");
    let first = answer(&model, &request).await;
    request.messages.push(first.to_message());
    let second = answer(&model, &request).await;
    let mut ids: Vec<_> = first.tool_calls.iter().chain(&second.tool_calls).map(|call| &call.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 4);
}

#[tokio::test]
async fn each_kind_of_error_is_called_as_its_code() {
    for kind in [
        "auth",
        "rate-limited",
        "quota-exhausted",
        "unavailable",
        "unreachable",
        "not-found",
        "bad-request",
        "context-too-long",
        "refused",
        "malformed",
        "cut-stream",
        "empty",
        "too-large",
        "timed-out",
    ] {
        for written in [kind.to_owned(), format!("{{ kind: {kind} }}")] {
            let model = script(&format!("version: 1\nexchanges: [{{ answer: {{ error: {written} }} }}]"));
            assert_eq!(complete(&model, &asks("x")).await.0.unwrap_err().code(), kind);
        }
    }
    let model = script(
        "version: 1\nexchanges: [{ answer: { error: { kind: unavailable, detail: down, retry-after-ms: 20 } } }]",
    );
    let retry_after = Some(Duration::from_millis(20));
    assert_eq!(
        complete(&model, &asks("x")).await.0.unwrap_err(),
        ModelError::Unavailable { detail: "down".into(), retry_after }
    );
}

#[tokio::test(start_paused = true)]
async fn a_script_tries_what_wraps_a_model() {
    let model = script(
        "version: 1\nexchanges:\n- answer: { text: half, error: cut-stream, usage: { output: 3 } }\n- answer: { text: whole, usage: { output: 4 } }",
    );
    let (result, deltas) = complete(&Retrying::new(model, RetryPolicy::default()), &asks("x")).await;
    let response = result.unwrap();
    assert_eq!((response.text.as_deref(), response.usage.output), (Some("whole"), 7));
    assert!(deltas.iter().any(|delta| matches!(delta, Delta::Retry { attempt: 1, .. })), "{deltas:?}");
}

#[tokio::test]
async fn the_end_of_an_answer_is_found_out_or_said() {
    for (answer, stop) in [
        ("text: a", StopReason::End),
        ("calls: [{ tool: a.b }]", StopReason::ToolCalls),
        ("text: a, stop: max-tokens", StopReason::MaxTokens),
    ] {
        let model = script(&format!("version: 1\nexchanges: [{{ answer: {{ {answer} }} }}]"));
        assert_eq!(complete(&model, &asks("x")).await.0.unwrap().stop, stop);
    }
}
