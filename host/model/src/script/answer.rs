//! What a scripted model answers.

use std::fmt;
use std::time::Duration;

use serde::Deserialize;
use serde::de::value::{MapAccessDeserializer, StrDeserializer};
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde_json::Value;

use super::format::MAX_DELAY;
use crate::names::Names;
use crate::{Arguments, ModelError, Phase, Request, Response, StopReason, ToolCall, Usage};

/// An answer as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    text: Option<String>,
    json: Option<Value>,
    #[serde(default)]
    calls: Vec<Call>,
    stop: Option<Stop>,
    #[serde(default)]
    usage: Tokens,
    error: Option<Failure>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Call {
    tool: String,
    /// JSON, or a text: what the model wrote, right or wrong.
    #[serde(default)]
    arguments: Value,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Stop {
    End,
    ToolCalls,
    MaxTokens,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Tokens {
    input: u64,
    output: u64,
    cached: u64,
}

/// An error: its kind alone, or a map.
#[derive(Debug)]
struct Failure(FailureMap);

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct FailureMap {
    kind: Kind,
    detail: Option<String>,
    retry_after_ms: Option<u64>,
}

/// The words of [`ModelError::code`], but those that only a file can cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Auth,
    RateLimited,
    QuotaExhausted,
    Unavailable,
    Unreachable,
    NotFound,
    BadRequest,
    ContextTooLong,
    Refused,
    Malformed,
    CutStream,
    Empty,
    TooLarge,
    TimedOut,
}

impl<'de> Deserialize<'de> for Failure {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct WordOrMap;

        impl<'de> Visitor<'de> for WordOrMap {
            type Value = Failure;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a kind of error, or a map with `kind`")
            }

            fn visit_str<E: de::Error>(self, word: &str) -> Result<Failure, E> {
                let kind = Kind::deserialize(StrDeserializer::new(word))?;
                Ok(Failure(FailureMap { kind, detail: None, retry_after_ms: None }))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Failure, A::Error> {
                FailureMap::deserialize(MapAccessDeserializer::new(map)).map(Failure)
            }
        }

        from.deserialize_any(WordOrMap)
    }
}

/// An answer that makes sense.
#[derive(Debug)]
pub(super) struct Answer {
    /// What is said; with an error, what is said before it.
    pub(super) text: Option<String>,
    /// Whether the text is JSON that was asked for.
    pub(super) structured: bool,
    pub(super) usage: Usage,
    pub(super) then: Then,
}

/// How an answer ends.
#[derive(Debug)]
pub(super) enum Then {
    Answered { calls: Vec<(String, Arguments)>, stop: StopReason },
    Failed(ModelError),
}

impl Written {
    /// The answer, or what is wrong with it.
    pub(super) fn check(self) -> Result<Answer, String> {
        let structured = self.json.is_some();
        let text = match (self.text, self.json) {
            (Some(_), Some(_)) => return Err("the answer has both `text` and `json`: take one".to_owned()),
            (None, Some(json)) => Some(json.to_string()),
            (text, None) => text,
        };
        if text.as_ref().is_some_and(|text| text.trim().is_empty()) {
            return Err("the text is blank: an answer that says nothing is `error: empty`".to_owned());
        }
        let usage = Usage { input: self.usage.input, output: self.usage.output, cached: self.usage.cached };
        let Some(failure) = self.error else {
            if text.is_none() && self.calls.is_empty() {
                return Err("the answer has neither `text`, `json`, `calls` nor `error`".to_owned());
            }
            let stop = match self.stop {
                Some(Stop::End) => StopReason::End,
                Some(Stop::ToolCalls) => StopReason::ToolCalls,
                Some(Stop::MaxTokens) => StopReason::MaxTokens,
                None if self.calls.is_empty() => StopReason::End,
                None => StopReason::ToolCalls,
            };
            let calls = self.calls.into_iter().map(|call| (call.tool, arguments(call.arguments))).collect();
            return Ok(Answer { text, structured, usage, then: Then::Answered { calls, stop } });
        };
        if structured || !self.calls.is_empty() || self.stop.is_some() {
            return Err("beside `error` only `text` and `usage` can stand: what came before it".to_owned());
        }
        Ok(Answer { text, structured, usage, then: Then::Failed(failure.0.check()?) })
    }
}

/// Arguments as the model wrote them: a text is read as a back end would read it.
fn arguments(written: Value) -> Arguments {
    match written {
        Value::String(raw) => Arguments::parse(&raw),
        other => Arguments::from_value(other),
    }
}

impl FailureMap {
    fn check(self) -> Result<ModelError, String> {
        let kind = self.kind;
        if self.retry_after_ms.is_some() && !matches!(kind, Kind::RateLimited | Kind::Unavailable) {
            return Err("`retry-after-ms` stands only with `rate-limited` and `unavailable`".to_owned());
        }
        if self.detail.is_some() && matches!(kind, Kind::Empty | Kind::TooLarge | Kind::TimedOut) {
            return Err("this kind of error has no `detail`".to_owned());
        }
        let retry_after = self.retry_after_ms.map(Duration::from_millis);
        if retry_after.is_some_and(|wait| wait > MAX_DELAY) {
            return Err(format!("`retry-after-ms` is at most {}", MAX_DELAY.as_millis()));
        }
        let detail = self.detail.unwrap_or_else(|| "the script says so".to_owned());
        Ok(match kind {
            Kind::Auth => ModelError::Auth { detail, advice: "change the script".to_owned() },
            Kind::RateLimited => ModelError::RateLimited { detail, retry_after },
            Kind::QuotaExhausted => ModelError::QuotaExhausted { detail },
            Kind::Unavailable => ModelError::Unavailable { detail, retry_after },
            Kind::Unreachable => ModelError::Unreachable { address: "the scripted model".to_owned(), detail },
            Kind::NotFound => ModelError::NotFound { detail },
            Kind::BadRequest => ModelError::BadRequest { detail },
            Kind::ContextTooLong => ModelError::ContextTooLong { detail },
            Kind::Refused => ModelError::Refused { detail },
            Kind::Malformed => ModelError::Malformed { detail },
            Kind::CutStream => ModelError::CutStream { detail },
            Kind::Empty => ModelError::Empty { stop: StopReason::End },
            // As large and as long as a real back end's by default.
            Kind::TooLarge => ModelError::TooLarge { limit: 16 * 1024 * 1024 },
            Kind::TimedOut => ModelError::TimedOut { phase: Phase::Idle, after: Duration::from_secs(180) },
        })
    }
}

impl Answer {
    /// The outcome of one exchange. Calls get ids that are new in the conversation of `request`.
    pub(super) fn outcome(&self, request: &Request) -> Result<Response, ModelError> {
        let (calls, stop) = match &self.then {
            Then::Failed(error) => return Err(error.clone()),
            Then::Answered { calls, stop } => (calls, stop),
        };
        let mut names = Names::of(request);
        let mut tool_calls = Vec::with_capacity(calls.len());
        for (name, arguments) in calls {
            tool_calls.push(ToolCall { id: names.fresh_id(), name: name.clone(), arguments: arguments.clone() });
        }
        Ok(Response { text: self.text.clone(), tool_calls, stop: stop.clone(), usage: self.usage, continuation: None })
    }
}
