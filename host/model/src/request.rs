//! What is asked of a model.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// One request: a conversation so far and the tools that may be called next.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// Standing instructions, apart from the conversation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// The conversation, oldest first.
    pub messages: Vec<Message>,
    /// The tools that the model may call.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<ToolSpec>,
    /// Whether, and which, tool is to be called. Without tools it has no effect.
    #[serde(default)]
    pub tool_choice: ToolChoice,
    /// The most tokens to write. `None` leaves it to the back end (one that demands a figure gets a default).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u32>,
    /// Sampling temperature. `None` leaves it out of the request, which some models insist on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f32>,
    /// A JSON Schema that the text of the answer must fit. The back end is asked for it; check the answer anyway.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_schema: Option<Value>,
}

/// One turn of a conversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "role", rename_all = "snake_case")]
pub enum Message {
    /// What a person, or the program in front of the model, said.
    User {
        /// Its parts, in order.
        parts: Vec<Part>,
    },
    /// What the model said and which tools it called. [`Response::to_message`](crate::Response::to_message) makes one.
    Assistant {
        /// What it said, if anything.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<String>,
        /// Which tools it called. Each call is answered by one [`Message::Tool`] after this message.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        tool_calls: Vec<ToolCall>,
        /// What the back end wants to see again with this turn.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        continuation: Option<Continuation>,
    },
    /// What a tool answered.
    Tool {
        /// The [`ToolCall::id`] that this answers.
        call_id: String,
        /// The name of the tool, as in the call.
        name: String,
        /// The result or the error, as text (usually JSON).
        content: String,
        /// Whether the call failed.
        #[serde(default)]
        is_error: bool,
    },
}

impl Message {
    /// A turn of a person with one text.
    pub fn user(text: impl Into<String>) -> Self {
        Self::User { parts: vec![Part::Text { text: text.into() }] }
    }

    /// A turn of the model with text alone.
    pub fn assistant(text: impl Into<String>) -> Self {
        Self::Assistant { text: Some(text.into()), tool_calls: Vec::new(), continuation: None }
    }

    /// The answer to `call`.
    pub fn tool(call: &ToolCall, content: impl Into<String>, is_error: bool) -> Self {
        Self::Tool { call_id: call.id.clone(), name: call.name.clone(), content: content.into(), is_error }
    }
}

/// A piece of a person's turn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Part {
    /// Text.
    Text {
        /// The text.
        text: String,
    },
    /// A picture.
    Image {
        /// Its media type, such as `image/png`.
        media_type: String,
        /// Its bytes in standard base64.
        data: String,
    },
}

/// A tool as it is shown to the model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolSpec {
    /// The qualified name, `plugin.tool`. Back ends that allow fewer characters get an encoded form of it;
    /// callers never see that form.
    pub name: String,
    /// What it does, for the model to read.
    pub description: String,
    /// A JSON Schema of type `object` for its arguments.
    pub parameters: Value,
}

/// Whether, and which, tool is to be called.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToolChoice {
    /// The model decides.
    #[default]
    Auto,
    /// No tool.
    None,
    /// At least one tool, the model decides which.
    Required,
    /// This tool, by its qualified name.
    Named(String),
}

/// A call that the model asks for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolCall {
    /// Unique within the conversation; made up here where the back end gives none.
    pub id: String,
    /// The qualified name of the tool. It may be a name that the request did not offer: check it.
    pub name: String,
    /// The arguments.
    pub arguments: Arguments,
}

/// The arguments of a call, as the model wrote them.
///
/// Models sometimes write broken JSON. That is not an error of the exchange: the text is kept, so that the
/// caller can show the model its mistake. It is a case of its own, so that nobody calls a tool with nothing
/// by accident.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Arguments {
    /// A JSON object.
    Json(Map<String, Value>),
    /// Something else.
    Malformed {
        /// What was written.
        raw: String,
        /// What is wrong with it, in words that can be told to the model.
        reason: String,
    },
}

impl Arguments {
    /// Reads arguments from text. Nothing at all stands for `{}`, as several back ends write it.
    pub fn parse(raw: &str) -> Self {
        if raw.trim().is_empty() {
            return Self::Json(Map::new());
        }
        match serde_json::from_str::<Value>(raw) {
            Ok(value) => Self::from_value(value),
            Err(error) => Self::Malformed { raw: raw.to_owned(), reason: format!("not valid JSON: {error}") },
        }
    }

    /// Takes arguments that arrived as JSON; `null` stands for `{}`.
    pub fn from_value(value: Value) -> Self {
        match value {
            Value::Object(map) => Self::Json(map),
            Value::Null => Self::Json(Map::new()),
            other => {
                Self::Malformed { raw: other.to_string(), reason: "the arguments must be a JSON object".to_owned() }
            }
        }
    }

    /// The object, if it is one.
    pub fn as_object(&self) -> Option<&Map<String, Value>> {
        match self {
            Self::Json(map) => Some(map),
            Self::Malformed { .. } => None,
        }
    }
}

impl From<Map<String, Value>> for Arguments {
    fn from(map: Map<String, Value>) -> Self {
        Self::Json(map)
    }
}

/// What a back end gave along with a turn and wants back unchanged when the conversation goes on, such as
/// signed or encrypted reasoning. Opaque to callers; a back end of another wire ignores it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Continuation {
    pub(crate) wire: String,
    pub(crate) data: Value,
}
