//! `toolcrib diff`: two runs side by side.

use std::process::ExitCode;

use serde_json::json;
use toolcrib_runtime::agent::{Event, State, compare};
use toolcrib_runtime::ledger_store::{Ledger, RunId};
use toolcrib_runtime::{CribError, RunLog};

use crate::args::{Common, DiffArgs};
use crate::render::{counted, outln, plain};
use crate::{exit, setup};

struct Read {
    run: RunId,
    events: Vec<Event>,
    state: State,
}

pub(crate) fn diff(common: &Common, args: &DiffArgs) -> anyhow::Result<ExitCode> {
    let ledger = setup::ledger(common)?.ok_or_else(|| exit::no_ledger(&args.first))?;
    let (one, two) = (read(&ledger, &args.first)?, read(&ledger, &args.second)?);
    let comparison = compare((&one.events, &one.state), (&two.events, &two.state));
    if args.json {
        outln!("{}", json!({ "first": one.run, "second": two.run, "comparison": comparison }));
        return Ok(ExitCode::SUCCESS);
    }
    outln!("- {}  {}", one.run, plain(one.state.goal()));
    outln!("+ {}  {}", two.run, plain(two.state.goal()));
    match comparison.parted {
        None => outln!("the same, event by event"),
        Some(kinds) => {
            let [first, second] = kinds.map(|kind| kind.unwrap_or("its end"));
            let same = counted(comparison.same as u64, "event");
            outln!("the same for {same}, then {first} in one and {second} in the other");
        }
    }
    for difference in &comparison.differences {
        outln!("{}", plain(&difference.at));
        for (sign, side) in [('-', &difference.first), ('+', &difference.second)] {
            if let Some(text) = side {
                outln!("  {sign} {}", plain(text));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn read(ledger: &Ledger, name: &str) -> anyhow::Result<Read> {
    let run = ledger.resolve(name).map_err(CribError::from)?;
    let (events, state) = RunLog::read(ledger, run)?;
    Ok(Read { run, events, state })
}
