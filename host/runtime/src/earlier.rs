//! What earlier runs came to, for a planner that the operator lets look.

use toolcrib_agent::{Excerpt, Memory, State};
use toolcrib_ledger::{Ledger, RunFilter, RunId};

use crate::ledger::RunLog;

/// How many runs are looked at, the newest first.
const RUNS_MAX: usize = 20;
/// The longest run that is looked at, in events: a fold of it takes some tens of milliseconds.
const EVENTS_MAX: u64 = 10_000;

/// What fits these words best in the runs that began before this one. A run that cannot be read, because some of it was
/// erased or is damaged, has nothing to say.
pub(crate) fn search(ledger: &Ledger, run: RunId, query: &str) -> Vec<Excerpt> {
    let filter = RunFilter { before: Some(run), ..RunFilter::default() };
    let runs = ledger.runs(&filter, RUNS_MAX).unwrap_or_default();
    let short = runs.into_iter().filter(|run| run.last_seq.get() <= EVENTS_MAX);
    let states: Vec<(String, State)> = short
        .filter_map(|run| {
            let events = RunLog::events(ledger, run.run).ok()?;
            Some((run.run.to_string(), State::fold(&events).ok()?))
        })
        .collect();
    let mut memory = Memory::default();
    // The latest last: of equally good ones it is the first.
    for (run, state) in states.iter().rev() {
        memory.add(Some(run), state);
    }
    memory.search(query)
}
