//! The shapes of OTLP JSON (<https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding>): ids as hexadecimal
//! digits, 64 bit numbers as text, enumerations as numbers. Only what is written here.

use serde::Serialize;

/// One line of a file of traces: an `ExportTraceServiceRequest`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Traces {
    pub(super) resource_spans: [ResourceSpans; 1],
}

/// The spans of one installation.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ResourceSpans {
    pub(super) resource: Resource,
    pub(super) scope_spans: [ScopeSpans; 1],
}

/// The spans of one writer.
#[derive(Debug, Serialize)]
pub(super) struct ScopeSpans {
    pub(super) scope: Scope,
    pub(super) spans: Vec<Span>,
}

/// One line of a file of logs: an `ExportLogsServiceRequest`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Logs {
    pub(super) resource_logs: [ResourceLogs; 1],
}

/// The records of one installation.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ResourceLogs {
    pub(super) resource: Resource,
    pub(super) scope_logs: [ScopeLogs; 1],
}

/// The records of one writer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ScopeLogs {
    pub(super) scope: Scope,
    pub(super) log_records: Vec<LogRecord>,
}

/// Who tells.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Resource {
    pub(super) attributes: Vec<KeyValue>,
}

/// What wrote it.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Scope {
    pub(super) name: &'static str,
    pub(super) version: &'static str,
}

/// A piece of work.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Span {
    pub(super) trace_id: String,
    pub(super) span_id: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) parent_span_id: String,
    pub(super) name: String,
    pub(super) kind: u8,
    pub(super) start_time_unix_nano: String,
    pub(super) end_time_unix_nano: String,
    pub(super) attributes: Vec<KeyValue>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) events: Vec<SpanEvent>,
    #[serde(skip_serializing_if = "is_zero")]
    pub(super) dropped_events_count: u32,
    pub(super) status: Status,
}

/// Work of this process, called from outside it.
pub(super) const KIND_SERVER: u8 = 2;
/// Work inside this process.
pub(super) const KIND_INTERNAL: u8 = 1;

/// How a span ended.
#[derive(Debug, Default, Serialize)]
pub(super) struct Status {
    /// 0: not known, 1: well, 2: with an error.
    pub(super) code: u8,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) message: String,
}

/// Something that happened in a span.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SpanEvent {
    pub(super) time_unix_nano: String,
    pub(super) name: String,
    pub(super) attributes: Vec<KeyValue>,
}

/// Something that was recorded.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LogRecord {
    pub(super) time_unix_nano: String,
    pub(super) observed_time_unix_nano: String,
    pub(super) severity_number: u8,
    pub(super) severity_text: &'static str,
    pub(super) event_name: String,
    pub(super) body: AnyValue,
    pub(super) attributes: Vec<KeyValue>,
    pub(super) trace_id: String,
    pub(super) span_id: String,
}

/// A named value.
#[derive(Debug, Clone, Serialize)]
pub(super) struct KeyValue {
    pub(super) key: &'static str,
    pub(super) value: AnyValue,
}

/// A value.
#[derive(Debug, Clone, Serialize)]
pub(super) enum AnyValue {
    /// Text.
    #[serde(rename = "stringValue")]
    Text(String),
    /// A truth value.
    #[serde(rename = "boolValue")]
    Bool(bool),
    /// A whole number, written as text.
    #[serde(rename = "intValue")]
    Int(String),
}

impl From<&str> for AnyValue {
    fn from(text: &str) -> Self {
        AnyValue::Text(text.to_owned())
    }
}

impl From<String> for AnyValue {
    fn from(text: String) -> Self {
        AnyValue::Text(text)
    }
}

impl From<bool> for AnyValue {
    fn from(value: bool) -> Self {
        AnyValue::Bool(value)
    }
}

impl From<u64> for AnyValue {
    /// A number beyond the reach of 64 bits with a sign is written as the largest.
    fn from(number: u64) -> Self {
        AnyValue::Int(i64::try_from(number).unwrap_or(i64::MAX).to_string())
    }
}

/// An attribute.
pub(super) fn with(key: &'static str, value: impl Into<AnyValue>) -> KeyValue {
    KeyValue { key, value: value.into() }
}

fn is_zero(count: &u32) -> bool {
    *count == 0
}
