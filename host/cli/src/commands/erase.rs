//! `toolcrib erase`: values go, such as a secret that leaked; the proof stays.

use std::io::{BufRead, IsTerminal, Read, Write};
use std::process::ExitCode;

use serde_json::json;
use toolcrib_runtime::CribError;
use toolcrib_runtime::ledger_store::{Erased, Found, Ledger, MIN_NEEDLE_BYTES, Needle, RunId, Seq};

use crate::args::{Common, EraseArgs};
use crate::render::{counted, errln, outln, plain};
use crate::{exit, setup};

/// Events that are named before the rest is counted.
const SHOWN: usize = 20;
/// The kind of the records of erasures, which stay.
const RECORD: &str = "ledger.erased";

/// What is to be erased.
enum What {
    /// These values, and the text that they hold.
    Holding(Needle, Vec<Found>),
    /// Whole runs, and single events.
    Named(Vec<RunId>, Vec<(RunId, Seq)>),
}

pub(crate) fn erase(common: &Common, args: EraseArgs) -> anyhow::Result<ExitCode> {
    let needle = needle(&args)?;
    if needle.as_ref().is_some_and(|needle| needle.is_in(args.reason.as_bytes())) {
        let why = "the reason holds the text that is to be removed, and reasons stay in the ledger: give another one";
        return Err(exit::BadInput(why.to_owned()).into());
    }
    let ledger = setup::ledger_for_writing(common)?;
    let what = match needle {
        Some(needle) => {
            let found = ledger.find(&needle).map_err(CribError::from)?;
            What::Holding(needle, found)
        }
        None => named(&ledger, &args.targets)?,
    };
    if what.is_empty() {
        return Ok(nothing(&args));
    }
    if !args.json {
        what.show();
    }
    if !args.yes && !confirmed(&args) {
        return Err(exit::BadInput("nothing was erased: give --yes to do it without being asked".to_owned()).into());
    }
    let erased = what.erase(&ledger, &args.reason).map_err(CribError::from)?;
    report(&ledger, &args, &what, &erased)
}

/// The text that is searched for, where one is.
fn needle(args: &EraseArgs) -> anyhow::Result<Option<Needle>> {
    let mut read = String::new();
    let text = match &args.containing {
        Some(text) => text.as_str(),
        None if args.stdin => {
            std::io::stdin().read_to_string(&mut read)?;
            read.trim_end_matches(['\r', '\n'])
        }
        None => return Ok(None),
    };
    let too_short =
        || exit::BadInput(format!("the text is too short to search for: give {MIN_NEEDLE_BYTES} bytes or more"));
    Ok(Some(Needle::new(text).ok_or_else(too_short)?))
}

fn named(ledger: &Ledger, targets: &[String]) -> anyhow::Result<What> {
    let (mut runs, mut events) = (Vec::new(), Vec::new());
    for target in targets {
        let (run, seq) = target.split_once('#').map_or((target.as_str(), None), |(run, seq)| (run, Some(seq)));
        let run = ledger.resolve(run).map_err(CribError::from)?;
        match seq {
            None => runs.push(run),
            Some(seq) => {
                let wrong = || exit::BadInput(format!("`{target}`: the part after the # is no number of an event"));
                let seq = Seq::new(seq.parse().map_err(|_| wrong())?);
                // Known to be there, so that a slip of the pen is not taken for a success.
                if ledger.event(run, seq).map_err(CribError::from)?.kind == RECORD {
                    return Err(exit::BadInput(format!(
                        "`{target}` is the record of an erasure, and such records stay"
                    ))
                    .into());
                }
                events.push((run, seq));
            }
        }
    }
    Ok(What::Named(runs, events))
}

impl What {
    fn is_empty(&self) -> bool {
        matches!(self, What::Holding(_, found) if found.is_empty())
    }

    /// Says what will go, without a word of what it is.
    fn show(&self) {
        match self {
            What::Holding(_, found) => {
                errln!(
                    "{} the text:",
                    if found.len() == 1 {
                        "1 value holds".to_owned()
                    } else {
                        format!("{} hold", counted(found.len() as u64, "value"))
                    }
                );
                for found in found.iter().take(SHOWN) {
                    let stays = if found.kind == RECORD { "  (a record of an erasure: it stays)" } else { "" };
                    errln!("  {}#{}  {}{stays}", found.run, found.seq, plain(&found.kind));
                }
                if found.len() > SHOWN {
                    errln!("  and {} more", found.len() - SHOWN);
                }
            }
            What::Named(runs, events) => {
                runs.iter().for_each(|run| errln!("  {run}  all values"));
                events.iter().for_each(|(run, seq)| errln!("  {run}#{seq}"));
            }
        }
    }

    fn erase(&self, ledger: &Ledger, reason: &str) -> Result<Erased, toolcrib_runtime::ledger_store::LedgerError> {
        match self {
            What::Holding(_, found) => ledger.erase_all(found.iter().map(|found| (found.run, found.seq)), reason),
            What::Named(runs, events) => {
                let mut erased = ledger.erase_all(events.iter().copied(), reason)?;
                for run in runs {
                    let more = ledger.erase_run(*run, reason)?;
                    erased.values += more.values;
                    erased.runs += more.runs;
                    erased.log_emptied = more.log_emptied;
                }
                Ok(erased)
            }
        }
    }

    /// What still holds the text: records that stay, and files.
    fn left(&self, ledger: &Ledger) -> anyhow::Result<(Vec<Found>, Vec<String>)> {
        let What::Holding(needle, _) = self else { return Ok((Vec::new(), Vec::new())) };
        let records = ledger.find(needle).map_err(CribError::from)?;
        let files = ledger.files_with(needle).map_err(CribError::from)?;
        Ok((records, files.iter().map(|file| file.display().to_string()).collect()))
    }
}

fn nothing(args: &EraseArgs) -> ExitCode {
    if args.json {
        outln!("{}", json!({ "erased": Erased::default(), "records_left": [], "files_left": [] }));
    } else {
        outln!("no value holds the text");
    }
    ExitCode::SUCCESS
}

/// Asks a person; where none is there, the answer is no.
fn confirmed(args: &EraseArgs) -> bool {
    if args.json || args.stdin || !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return false;
    }
    let mut out = std::io::stderr().lock();
    let _ = write!(out, "erase this for ever? [y/N] ").and_then(|()| out.flush());
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).is_ok() && matches!(line.trim(), "y" | "yes")
}

fn report(ledger: &Ledger, args: &EraseArgs, what: &What, erased: &Erased) -> anyhow::Result<ExitCode> {
    let (records, files) = what.left(ledger)?;
    if args.json {
        outln!("{}", json!({ "erased": erased, "records_left": records, "files_left": files }));
    } else {
        outln!("erased {} of {}", counted(erased.values, "value"), counted(erased.runs, "run"));
    }
    for record in &records {
        errln!("{}#{} still holds the text: records of erasures stay", record.run, record.seq);
    }
    for file in files.iter().filter(|_| erased.log_emptied) {
        errln!("{} still holds the text: it is a copy that was kept of a damaged log, remove it", plain(file));
    }
    let code = report_log(erased);
    Ok(if records.is_empty() && files.is_empty() { code } else { ExitCode::from(exit::FAILED) })
}

/// Says so where the bytes are not gone from the disk yet.
pub(super) fn report_log(erased: &Erased) -> ExitCode {
    if erased.log_emptied {
        return ExitCode::SUCCESS;
    }
    errln!(
        "a reader keeps the log of the ledger, so that what was erased is still in it: do it again when the reader is done"
    );
    ExitCode::from(exit::FAILED)
}
