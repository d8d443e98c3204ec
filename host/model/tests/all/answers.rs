//! One full answer per wire: text with characters of several bytes, two tool calls whose arguments come in
//! pieces where the wire allows it, and usage.

/// Wire, content type, stream.
pub(crate) const ANSWERS: [(&str, &str, &str); 5] = [
    ("openai", "text/event-stream", RESPONSES),
    ("openai-chat", "text/event-stream; charset=utf-8", CHAT),
    ("anthropic", "text/event-stream", MESSAGES),
    ("gemini", "text/event-stream", GEMINI),
    ("ollama", "application/x-ndjson", OLLAMA),
];

const RESPONSES: &str = r#"event: response.created
data: {"type":"response.created","response":{"id":"r","status":"in_progress"}}

data: {"type":"response.output_item.done","output_index":0,"item":{"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"secret-thought","status":"completed"}}

data: {"type":"response.output_text.delta","output_index":1,"delta":"Gr"}

data: {"type":"response.output_text.delta","output_index":1,"delta":"üße 🦀"}

data: {"type":"response.output_item.added","output_index":2,"item":{"type":"function_call","id":"fc_1","call_id":"c1","name":"files__read","arguments":""}}

data: {"type":"response.function_call_arguments.delta","output_index":2,"delta":"{\"path\":"}

data: {"type":"response.output_item.added","output_index":3,"item":{"type":"function_call","id":"fc_2","call_id":"c2","name":"time__now","arguments":""}}

data: {"type":"response.function_call_arguments.delta","output_index":2,"delta":"\"ä.txt\"}"}

data: {"type":"response.output_item.done","output_index":2,"item":{"type":"function_call","call_id":"c1","name":"files__read","arguments":"{\"path\":\"ä.txt\"}"}}

data: {"type":"response.output_item.done","output_index":3,"item":{"type":"function_call","call_id":"c2","name":"time__now","arguments":"{}"}}

event: response.completed
data: {"type":"response.completed","response":{"id":"r","status":"completed","usage":{"input_tokens":20,"input_tokens_details":{"cached_tokens":5},"output_tokens":7}}}

"#;

const CHAT: &str = r#"data: {"id":"x","choices":[{"index":0,"delta":{"role":"assistant","content":"Gr"},"finish_reason":null}]}

: a comment
data: {"id":"x","choices":[{"index":0,"delta":{"content":"üße 🦀"}}],"usage":null}

data: {"id":"x","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"c1","type":"function","function":{"name":"files__read","arguments":""}}]}}]}

data: {"id":"x","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"path\":"}}]}}]}

data: {"id":"x","choices":[{"index":0,"delta":{"tool_calls":[{"index":1,"id":"c2","type":"function","function":{"name":"time__now","arguments":""}}]}}]}

data: {"id":"x","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"\"ä.txt\"}"}}]}}]}

data: {"id":"x","choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}

data: {"id":"x","choices":[],"usage":{"prompt_tokens":20,"completion_tokens":7,"prompt_tokens_details":{"cached_tokens":5}}}

data: [DONE]

"#;

const MESSAGES: &str = r#"event: message_start
data: {"type":"message_start","message":{"id":"m","usage":{"input_tokens":11,"cache_creation_input_tokens":4,"cache_read_input_tokens":5,"output_tokens":1}}}

event: content_block_start
data: {"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}

data: {"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"hm"}}

data: {"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"secret-thought"}}

data: {"type":"content_block_stop","index":0}

data: {"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}}

event: ping
data: {"type":"ping"}

data: {"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"Gr"}}

data: {"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"üße 🦀"}}

data: {"type":"content_block_start","index":2,"content_block":{"type":"tool_use","id":"c1","name":"files__read","input":{}}}

data: {"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"{\"path\":"}}

data: {"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"\"ä.txt\"}"}}

data: {"type":"content_block_start","index":3,"content_block":{"type":"tool_use","id":"c2","name":"time__now","input":{}}}

data: {"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":7}}

event: message_stop
data: {"type":"message_stop"}

"#;

const GEMINI: &str = r#"data: {"candidates":[{"content":{"role":"model","parts":[{"text":"hm","thought":true}]}}]}

data: {"candidates":[{"content":{"role":"model","parts":[{"text":"Gr"}]}}],"usageMetadata":{"promptTokenCount":20,"candidatesTokenCount":1}}

data: {"candidates":[{"content":{"role":"model","parts":[{"text":"üße 🦀"}]}}]}

data: {"candidates":[{"content":{"role":"model","parts":[{"functionCall":{"id":"c1","name":"files__read","args":{"path":"ä.txt"}},"thoughtSignature":"secret-thought"},{"functionCall":{"id":"c2","name":"time__now","args":{}}}]}}]}

data: {"candidates":[{"content":{"parts":[]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":20,"candidatesTokenCount":4,"thoughtsTokenCount":3,"cachedContentTokenCount":5}}

"#;

const OLLAMA: &str = r#"{"message":{"role":"assistant","content":"Gr"},"done":false}
{"message":{"role":"assistant","content":"üße 🦀"},"done":false}
{"message":{"role":"assistant","content":"","tool_calls":[{"id":"c1","function":{"name":"files__read","arguments":{"path":"ä.txt"}}},{"id":"c2","function":{"name":"time__now","arguments":{}}}]},"done":false}
{"message":{"role":"assistant","content":""},"done":true,"done_reason":"stop","prompt_eval_count":20,"eval_count":7}
"#;
