//! Runs for OpenTelemetry: a run is a trace, each call in it a span, each event a log record.
//!
//! ```text
//!  run ─► trace (id from ledger and run)
//!   ├─ step-started … step-finished ─► span ─┬─ uses of capabilities ─► span events
//!   │                                        └─ calls inside ─► child spans
//!   └─ every event ─► log record, with the trace and the span that it belongs to
//! ```
//!
//! Ids are derived, never drawn: an export that is made again gives the same ones. What goals, arguments and results say is
//! private, and is written only where it is asked for. A run is read event by event; what is kept of it in memory are the
//! steps that have not finished and one batch.

mod post;
mod shape;
mod spans;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::io;

use sha2::{Digest as _, Sha256};
use toolcrib_agent::{Event as RunEvent, EventKind, NodeId, StepOutcome};
use toolcrib_ledger::{Event, Ledger, LedgerError, LedgerId, RunId, Seq, UnixMicros};

use shape::{AnyValue, KeyValue, LogRecord, Logs, Resource, ResourceLogs, ResourceSpans, Scope, ScopeLogs};
use shape::{ScopeSpans, Span, Traces, with};
use spans::{Open, Work};

pub use post::{Collector, CollectorError, Signal};

/// Spans or records in one line.
const BATCH: usize = 128;

/// Why an export ended early.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The ledger could not be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The lines could not be written.
    #[error("the export could not be written: {0}")]
    Write(#[from] io::Error),
}

/// Where the lines go, without their line ends.
pub type LineSink<'a> = &'a mut dyn FnMut(&str) -> io::Result<()>;

/// A run on its way to OpenTelemetry.
#[derive(Debug, Clone, Copy)]
pub struct OtlpExport<'l> {
    /// The ledger.
    pub ledger: &'l Ledger,
    /// The run.
    pub run: RunId,
    /// Also titles, arguments, results and messages.
    pub values: bool,
}

impl OtlpExport<'_> {
    /// Writes the spans of the run.
    ///
    /// # Errors
    /// The run cannot be read to its end, or a line cannot be written.
    pub fn traces(&self, sink: LineSink<'_>) -> Result<(), ExportError> {
        let mut batch = Batch { export: self, items: Vec::new(), sink };
        let mut steps: HashMap<NodeId, Open> = HashMap::new();
        let mut root = Root::default();
        for event in self.ledger.events(self.run)? {
            let event = event?;
            root.note(&event);
            match self.meaning(&event) {
                Some(EventKind::StepStarted { node, attempt, tool, arguments, effect, .. }) => {
                    let open =
                        Open { seq: event.seq, at: event.at, attempt, tool: tool.to_string(), effect, arguments };
                    steps.insert(node, open);
                }
                Some(EventKind::StepFinished { node, outcome, receipt, .. }) => {
                    let work = Work { open: steps.remove(&node), event: &event, outcome: Some(outcome), receipt };
                    for span in self.step(work) {
                        batch.push_span(span)?;
                    }
                }
                _ => {}
            }
        }
        let mut left: Vec<Open> = steps.into_values().collect();
        left.sort_by_key(|open| open.seq);
        for open in left {
            batch.push_span(self.unfinished(open, root.last))?;
        }
        batch.push_span(self.root(&root))?;
        batch.flush_spans()
    }

    /// Writes the events of the run as log records.
    ///
    /// # Errors
    /// As [`OtlpExport::traces`].
    pub fn logs(&self, sink: LineSink<'_>) -> Result<(), ExportError> {
        let mut batch = Batch { export: self, items: Vec::new(), sink };
        let mut steps: HashMap<NodeId, Seq> = HashMap::new();
        for event in self.ledger.events(self.run)? {
            let event = event?;
            let meaning = self.meaning(&event);
            let step = match &meaning {
                Some(EventKind::StepStarted { node, .. }) => {
                    steps.insert(*node, event.seq);
                    Some(event.seq)
                }
                Some(EventKind::StepFinished { node, .. }) => steps.remove(node).or(Some(event.seq)),
                _ => None,
            };
            batch.push_record(self.record(&event, meaning.as_ref(), step))?;
        }
        batch.flush_records()
    }

    /// What the event says, where it is one of the agent's and was not erased.
    fn meaning(&self, event: &Event) -> Option<EventKind> {
        let payload = event.payload.clone()?;
        serde_json::from_value::<RunEvent>(payload).ok().map(|event| event.kind)
    }

    fn record(&self, event: &Event, meaning: Option<&EventKind>, step: Option<Seq>) -> LogRecord {
        let failed = match meaning {
            Some(EventKind::StepFinished { outcome, .. }) => !matches!(outcome, StepOutcome::Done { .. }),
            Some(EventKind::StepBlocked { .. } | EventKind::GoalFailed { .. } | EventKind::BudgetSpent { .. }) => true,
            _ => false,
        };
        let (severity_number, severity_text) = if failed { (13, "WARN") } else { (9, "INFO") };
        let mut attributes = vec![with("toolcrib.run", self.run.to_string()), with("toolcrib.seq", event.seq.get())];
        if let Some(status) = &event.status {
            attributes.push(with("toolcrib.status", status.as_str()));
        }
        match &event.payload {
            None => attributes.push(with("toolcrib.erased", true)),
            Some(payload) if self.values => attributes.push(with("toolcrib.payload", payload.to_string())),
            Some(_) => {}
        }
        LogRecord {
            time_unix_nano: nanos(event.at),
            observed_time_unix_nano: nanos(event.at),
            severity_number,
            severity_text,
            event_name: format!("toolcrib.{}", event.kind),
            body: AnyValue::from(event.kind.as_str()),
            attributes,
            trace_id: self.trace_id(),
            span_id: step.map_or_else(|| self.root_id(), |seq| self.step_id(seq)),
        }
    }

    fn resource(&self) -> Resource {
        let ledger = self.ledger.id().to_string();
        Resource {
            attributes: vec![
                with("service.name", "toolcrib"),
                with("service.version", env!("CARGO_PKG_VERSION")),
                with("toolcrib.ledger", ledger),
            ],
        }
    }

    /// The same for the same run of the same ledger.
    fn trace_id(&self) -> String {
        hex(&id::<16>(self.ledger.id(), self.run, "trace"))
    }

    fn root_id(&self) -> String {
        hex(&id::<8>(self.ledger.id(), self.run, "run"))
    }

    fn step_id(&self, started: Seq) -> String {
        hex(&id::<8>(self.ledger.id(), self.run, &format!("step {started}")))
    }
}

/// The span of the run as a whole.
#[derive(Debug, Default)]
struct Root {
    first: Option<UnixMicros>,
    last: Option<UnixMicros>,
    events: u64,
    status: String,
    title: String,
}

impl Root {
    fn note(&mut self, event: &Event) {
        self.events += 1;
        self.first.get_or_insert(event.at);
        // The clock may have been set back; a span does not end before it began.
        self.last = self.last.max(Some(event.at));
        if let Some(status) = &event.status {
            self.status.clone_from(status);
        }
        if event.seq == Seq::FIRST {
            let title = event.payload.as_ref().and_then(|payload| payload.get("title")?.as_str());
            self.title = title.unwrap_or_default().to_owned();
        }
    }
}

/// Lines that are being filled.
struct Batch<'a, 's, T> {
    export: &'a OtlpExport<'a>,
    items: Vec<T>,
    sink: LineSink<'s>,
}

impl<T> Batch<'_, '_, T> {
    fn write(&mut self, line: &impl serde::Serialize) -> Result<(), ExportError> {
        let text = serde_json::to_string(line).map_err(io::Error::from)?;
        Ok((self.sink)(&text)?)
    }
}

impl Batch<'_, '_, Span> {
    fn push_span(&mut self, span: Span) -> Result<(), ExportError> {
        self.items.push(span);
        if self.items.len() >= BATCH { self.flush_spans() } else { Ok(()) }
    }

    fn flush_spans(&mut self) -> Result<(), ExportError> {
        if self.items.is_empty() {
            return Ok(());
        }
        let spans = std::mem::take(&mut self.items);
        let scope_spans = [ScopeSpans { scope: SCOPE, spans }];
        self.write(&Traces { resource_spans: [ResourceSpans { resource: self.export.resource(), scope_spans }] })
    }
}

impl Batch<'_, '_, LogRecord> {
    fn push_record(&mut self, record: LogRecord) -> Result<(), ExportError> {
        self.items.push(record);
        if self.items.len() >= BATCH { self.flush_records() } else { Ok(()) }
    }

    fn flush_records(&mut self) -> Result<(), ExportError> {
        if self.items.is_empty() {
            return Ok(());
        }
        let log_records = std::mem::take(&mut self.items);
        let scope_logs = [ScopeLogs { scope: SCOPE, log_records }];
        self.write(&Logs { resource_logs: [ResourceLogs { resource: self.export.resource(), scope_logs }] })
    }
}

const SCOPE: Scope = Scope { name: "toolcrib", version: env!("CARGO_PKG_VERSION") };

/// The first bytes of a digest over a ledger, a run and what in it. Never all zero, which OpenTelemetry rules out.
fn id<const N: usize>(ledger: LedgerId, run: RunId, what: &str) -> [u8; N] {
    let digest = Sha256::new()
        .chain_update(b"toolcrib-otlp/1\0")
        .chain_update(ledger.as_bytes())
        .chain_update(run.bits().to_be_bytes())
        .chain_update(what)
        .finalize();
    let mut id: [u8; N] = digest.first_chunk().copied().unwrap_or([1; N]);
    id[N - 1] |= u8::from(id.iter().all(|byte| *byte == 0));
    id
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Nanoseconds since 1970, as OTLP JSON writes them. There is no time before.
fn nanos(at: UnixMicros) -> String {
    (u128::from(at.get().max(0).unsigned_abs()) * 1000).min(u128::from(u64::MAX)).to_string()
}

/// The value of an attribute that is left out where there is none.
fn some(key: &'static str, value: Option<impl Into<AnyValue>>) -> Option<KeyValue> {
    value.map(|value| with(key, value))
}
