//! What can be shown of a run that has lost values to an erasure: everything but them.

use serde_json::json;
use toolcrib_runtime::CribError;
use toolcrib_runtime::ledger_store::{Event, Ledger, RunSummary, Seq, UnixMicros};

use crate::render::{counted, outln, plain};

/// The kind of the record of an erasure.
const RECORD: &str = "ledger.erased";

/// What is gone of a run, and by which erasures.
pub(super) struct Erasures {
    gone: Vec<Seq>,
    records: Vec<Record>,
}

struct Record {
    at: UnixMicros,
    from: u64,
    to: u64,
    reason: String,
}

impl Erasures {
    /// Looks through a run; `None` if it has all its values.
    pub(super) fn of(ledger: &Ledger, run: &RunSummary) -> Result<Option<Self>, CribError> {
        let mut erasures = Erasures { gone: Vec::new(), records: Vec::new() };
        for event in ledger.events(run.run)? {
            let event = event?;
            match &event.payload {
                None => erasures.gone.push(event.seq),
                Some(_) if event.kind == RECORD => erasures.records.extend(record(&event)),
                Some(_) => {}
            }
        }
        Ok((!erasures.gone.is_empty()).then_some(erasures))
    }

    /// Prints what is left.
    pub(super) fn show(&self, ledger: &Ledger, run: &RunSummary, as_json: bool) -> Result<(), CribError> {
        if as_json {
            let record = |record: &Record| json!({ "at": record.at, "from": record.from, "to": record.to, "reason": record.reason });
            let records: Vec<_> = self.records.iter().map(record).collect();
            let erased = json!({ "events": self.gone, "erasures": records });
            outln!("{}", json!({ "run": run, "plan": null, "steps": [], "result": null, "erased": erased }));
            return Ok(());
        }
        let all = counted(run.last_seq.get() + 1, "event");
        outln!("run {}  {}  {}  {all}", run.run, run.started_at, plain(&run.status));
        outln!(
            "{} erased, so that plan and steps cannot be shown; `toolcrib verify` proves the rest",
            gone(self.gone.len())
        );
        for Record { at, from, to, reason } in &self.records {
            outln!("  {at}  events {from} to {to}: {}", plain(reason));
        }
        for event in ledger.events(run.run)? {
            let event = event?;
            let erased = if event.payload.is_none() { "  (erased)" } else { "" };
            outln!("#{:<4} {}  {}{erased}", event.seq.get(), event.at, plain(&event.kind));
        }
        Ok(())
    }
}

fn gone(count: usize) -> String {
    if count == 1 { "1 value was".to_owned() } else { format!("{} were", counted(count as u64, "value")) }
}

fn record(event: &Event) -> Option<Record> {
    let payload = event.payload.as_ref()?;
    Some(Record {
        at: event.at,
        from: payload.get("from")?.as_u64()?,
        to: payload.get("to")?.as_u64()?,
        reason: payload.get("reason")?.as_str()?.to_owned(),
    })
}
