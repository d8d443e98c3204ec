//! From steps and receipts to spans.

use serde_json::Value;
use toolcrib_agent::StepOutcome;
use toolcrib_ledger::{Event, Seq, UnixMicros};
use toolcrib_policy::Effect;
use toolcrib_sandbox::{CapabilityUse, InnerCall, Receipt};

use super::shape::{KIND_INTERNAL, KIND_SERVER, KeyValue, Span, SpanEvent, Status, with};
use super::{OtlpExport, Root, id, nanos, some};

/// A step that has begun.
pub(super) struct Open {
    pub(super) seq: Seq,
    pub(super) at: UnixMicros,
    pub(super) attempt: u32,
    pub(super) tool: String,
    pub(super) effect: Effect,
    pub(super) arguments: Value,
}

/// A step that is over.
pub(super) struct Work<'e> {
    /// Its beginning, unless that was erased.
    pub(super) open: Option<Open>,
    pub(super) event: &'e Event,
    pub(super) outcome: Option<StepOutcome>,
    pub(super) receipt: Value,
}

/// How a call ended, in the words of the attributes.
struct End {
    outcome: &'static str,
    code: Option<String>,
    message: Option<String>,
    result: Option<String>,
}

impl End {
    fn of(outcome: Option<&StepOutcome>) -> Self {
        let end = |outcome, code: Option<&str>, message: Option<&String>| End {
            outcome,
            code: code.map(str::to_owned),
            message: message.cloned(),
            result: None,
        };
        match outcome {
            Some(StepOutcome::Done { output }) => {
                End { result: Some(output.value().to_string()), ..end("done", None, None) }
            }
            Some(StepOutcome::Failed { failure }) => end("failed", Some(&failure.code), Some(&failure.message)),
            Some(StepOutcome::NotStarted { why }) => end("not-started", Some("not-started"), Some(why)),
            Some(StepOutcome::Unknown { why }) => end("unknown", Some("unknown"), Some(why)),
            None => end("unfinished", Some("unfinished"), None),
        }
    }

    fn status(&self, values: bool) -> Status {
        match &self.code {
            None => Status { code: 1, message: String::new() },
            Some(code) => {
                let message = self.message.as_ref().filter(|_| values).unwrap_or(code);
                Status { code: 2, message: message.clone() }
            }
        }
    }
}

impl OtlpExport<'_> {
    /// The span of a step, and those of the calls inside it.
    pub(super) fn step(&self, work: Work<'_>) -> Vec<Span> {
        let receipt: Receipt = serde_json::from_value(work.receipt).unwrap_or_default();
        let wall = i64::try_from(receipt.wall_us).unwrap_or(i64::MAX);
        let end_at = work.event.at;
        let start =
            work.open.as_ref().map_or_else(|| UnixMicros::new(end_at.get().saturating_sub(wall)), |open| open.at);
        let end = End::of(work.outcome.as_ref());
        let seq = work.open.as_ref().map_or(work.event.seq, |open| open.seq);
        let tool = work.open.as_ref().map_or("a call whose beginning was erased", |open| open.tool.as_str());
        let mut span = self.span(tool, self.step_id(seq), self.root_id(), start, end_at.max(start));
        span.status = end.status(self.values);
        span.attributes = self.attributes(work.open.as_ref(), &end);
        // The sandbox's clock begins when the call does, soon after the intent was recorded.
        let began = UnixMicros::new(end_at.get().saturating_sub(wall)).max(start);
        let mut spans = Vec::new();
        self.fill(&mut span, &receipt, began, &mut spans);
        spans.insert(0, span);
        spans
    }

    /// The span of a step without an end: the run was cut off, or goes on.
    pub(super) fn unfinished(&self, open: Open, last: Option<UnixMicros>) -> Span {
        let until = last.unwrap_or(open.at).max(open.at);
        let end = End::of(None);
        let mut span = self.span(&open.tool, self.step_id(open.seq), self.root_id(), open.at, until);
        span.status = end.status(self.values);
        span.attributes = self.attributes(Some(&open), &end);
        span
    }

    /// The span of the run.
    pub(super) fn root(&self, root: &Root) -> Span {
        let start = root.first.unwrap_or(UnixMicros::new(0));
        let mut span = self.span("run", self.root_id(), String::new(), start, root.last.unwrap_or(start));
        span.kind = KIND_SERVER;
        span.status.code = match root.status.as_str() {
            "reached" => 1,
            "running" | "asked" | "" => 0,
            _ => 2,
        };
        span.attributes = vec![
            with("toolcrib.run", self.run.to_string()),
            with("toolcrib.status", root.status.as_str()),
            with("toolcrib.events", root.events),
        ];
        span.attributes.extend(some("toolcrib.title", Some(root.title.as_str()).filter(|_| self.values)));
        span
    }

    fn span(&self, name: &str, span_id: String, parent_span_id: String, start: UnixMicros, end: UnixMicros) -> Span {
        Span {
            trace_id: self.trace_id(),
            span_id,
            parent_span_id,
            name: name.to_owned(),
            kind: KIND_INTERNAL,
            start_time_unix_nano: nanos(start),
            end_time_unix_nano: nanos(end),
            attributes: Vec::new(),
            events: Vec::new(),
            dropped_events_count: 0,
            status: Status::default(),
        }
    }

    fn attributes(&self, open: Option<&Open>, end: &End) -> Vec<KeyValue> {
        let mut attributes = vec![with("toolcrib.run", self.run.to_string()), with("toolcrib.outcome", end.outcome)];
        attributes.extend(some("error.type", end.code.as_deref()));
        if let Some(open) = open {
            attributes.extend([
                with("gen_ai.operation.name", "execute_tool"),
                with("gen_ai.tool.name", open.tool.as_str()),
                with("toolcrib.seq", open.seq.get()),
                with("toolcrib.attempt", u64::from(open.attempt)),
                with("toolcrib.effect", open.effect.as_str()),
            ]);
        }
        if self.values {
            attributes.extend(some("toolcrib.arguments", open.map(|open| open.arguments.to_string())));
            attributes.extend(some("toolcrib.result", end.result.as_deref()));
        }
        attributes
    }

    /// Puts what the receipt says into the span, and the calls inside it behind.
    fn fill(&self, span: &mut Span, receipt: &Receipt, began: UnixMicros, spans: &mut Vec<Span>) {
        span.attributes.extend([
            with("toolcrib.fuel", receipt.fuel),
            with("toolcrib.peak_memory_bytes", receipt.peak_memory_bytes),
            with("toolcrib.argument_bytes", receipt.argument_bytes),
            with("toolcrib.result_bytes", receipt.result_bytes),
            with("toolcrib.host_calls", receipt.host_calls),
            with("toolcrib.host_call_bytes", receipt.host_call_bytes),
        ]);
        span.events = receipt.uses.listed.iter().map(|used| event(used, began)).collect();
        span.dropped_events_count = u32::try_from(receipt.uses.more).unwrap_or(u32::MAX);
        for (nth, call) in receipt.inner.listed.iter().enumerate() {
            self.inner(span, nth, call, began, spans);
        }
    }

    fn inner(&self, parent: &Span, nth: usize, call: &InnerCall, outer: UnixMicros, spans: &mut Vec<Span>) {
        let began = after(outer, call.at_us);
        let wall = call.receipt.as_ref().map_or(0, |receipt| receipt.wall_us);
        let path = format!("call {nth} in {}", parent.span_id);
        let span_id = super::hex(&id::<8>(self.ledger.id(), self.run, &path));
        let mut span = self.span(&call.tool, span_id, parent.span_id.clone(), began, after(began, wall));
        let failed = call.outcome != "ok";
        span.status = match failed {
            false => Status { code: 1, message: String::new() },
            true => Status { code: 2, message: call.outcome.clone() },
        };
        span.attributes = vec![
            with("toolcrib.run", self.run.to_string()),
            with("toolcrib.outcome", if failed { "failed" } else { "done" }),
            with("gen_ai.operation.name", "execute_tool"),
            with("gen_ai.tool.name", call.tool.as_str()),
        ];
        span.attributes.extend(some("error.type", Some(call.outcome.as_str()).filter(|_| failed)));
        let at = spans.len();
        if let Some(receipt) = &call.receipt {
            self.fill(&mut span, receipt, began, spans);
        }
        spans.insert(at, span);
    }
}

fn event(used: &CapabilityUse, began: UnixMicros) -> SpanEvent {
    let mut attributes = vec![
        with("toolcrib.capability", used.capability.as_str()),
        with("toolcrib.access", used.access.as_str()),
        with("toolcrib.target", used.target.as_str()),
        with("toolcrib.allowed", used.allowed),
        with("toolcrib.times", used.times),
        with("toolcrib.bytes", used.bytes),
        with("toolcrib.took_us", used.took_us),
    ];
    attributes.extend(some("toolcrib.by", used.by.as_deref()));
    attributes.extend(some("toolcrib.refusal", used.refusal.as_deref()));
    attributes.extend(some("error.type", used.error.as_deref()));
    SpanEvent {
        time_unix_nano: nanos(after(began, used.at_us)),
        name: format!("{} {}", used.capability, used.access),
        attributes,
    }
}

fn after(at: UnixMicros, micros: u64) -> UnixMicros {
    UnixMicros::new(at.get().saturating_add(i64::try_from(micros).unwrap_or(i64::MAX)))
}
