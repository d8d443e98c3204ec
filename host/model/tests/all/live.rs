//! One conversation with a tool against a server that is not ours: a mock of another maker, or the real thing.
//!
//! `TOOLCRIB_TEST_MODEL=openai-chat:m@http://127.0.0.1:9999/v1 cargo test -p toolcrib-model -- --ignored --nocapture`

use serde_json::json;
use toolcrib_model::{Arguments, Message, ModelConfig, Request, StopReason, ToolSpec, connect};

#[tokio::test]
#[ignore = "needs a server: name it in TOOLCRIB_TEST_MODEL"]
async fn a_tool_is_called_and_its_result_answered() {
    let lookup = |name: &str| std::env::var(name).ok();
    let spec = lookup("TOOLCRIB_TEST_MODEL").expect("TOOLCRIB_TEST_MODEL names the model");
    let model = connect(ModelConfig::parse(&spec, lookup).unwrap()).unwrap();
    let mut request = Request {
        messages: vec![Message::user("Use the tool to read the file notes.txt, then say what it holds.")],
        tools: vec![ToolSpec {
            name: "files.read".into(),
            description: "Reads a text file".into(),
            parameters: json!({
                "type": "object",
                "properties": { "path": { "type": "string" } },
                "required": ["path"],
            }),
        }],
        ..Request::default()
    };

    let first = model.complete(&request, &mut |delta| println!("{delta:?}")).await.unwrap();
    println!("{}", serde_json::to_string_pretty(&first).unwrap());
    assert_eq!(first.stop, StopReason::ToolCalls);
    assert_eq!(first.tool_calls[0].name, "files.read");
    let Arguments::Json(arguments) = &first.tool_calls[0].arguments else { panic!("{first:?}") };
    assert_eq!(arguments["path"], "notes.txt");

    request.messages.push(first.to_message());
    request.messages.push(Message::tool(&first.tool_calls[0], "found: the answer is 42", false));
    let second = model.complete(&request, &mut |delta| println!("{delta:?}")).await.unwrap();
    println!("{}", serde_json::to_string_pretty(&second).unwrap());
    assert_eq!(second.stop, StopReason::End);
    assert!(second.text.unwrap().contains("42"));
}
