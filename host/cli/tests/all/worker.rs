//! A language model on this machine that reacts to what it is shown. It speaks Chat Completions.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};

use serde_json::{Value, json};

/// The model. It answers for as long as the process lives.
pub(crate) struct Worker(String);

impl Worker {
    /// Answers with what `react` says: `{tool, arguments}` for a call, `{text}` for a text.
    pub(crate) fn start(react: impl Fn(&Value) -> Vec<Value> + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let Some(body) = request(&stream) else { continue };
                let said = answer(&react(&serde_json::from_slice(&body).unwrap_or_default()));
                let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close";
                let _ = write!(&stream, "{head}\r\ncontent-length: {}\r\n\r\n{said}", said.len());
            }
        });
        Self(format!("openai-chat:worker@http://{address}/v1"))
    }

    /// The model as the command line names it.
    pub(crate) fn spec(&self) -> &str {
        &self.0
    }
}

/// The body of a request; none where there is no request.
fn request(stream: &TcpStream) -> Option<Vec<u8>> {
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length: ") {
            length = value.trim().parse().ok()?;
        }
        if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(body)
}

fn answer(said: &[Value]) -> String {
    let call = |(index, call): (usize, &Value)| {
        let name = call["tool"].as_str().unwrap_or_default().replace('.', "__");
        let function = json!({ "name": name, "arguments": call["arguments"].to_string() });
        json!({ "index": index, "id": format!("call{index}"), "type": "function", "function": function })
    };
    let (delta, reason) = match said {
        [only] if only["text"].is_string() => (json!({ "content": only["text"] }), "stop"),
        calls => (json!({ "tool_calls": calls.iter().enumerate().map(call).collect::<Vec<_>>() }), "tool_calls"),
    };
    let piece = |delta: Value, reason: Value| {
        let choice = json!({ "index": 0, "delta": delta, "finish_reason": reason });
        format!("data: {}\n\n", json!({ "id": "x", "choices": [choice] }))
    };
    format!("{}{}data: [DONE]\n\n", piece(delta, Value::Null), piece(json!({}), reason.into()))
}
