//! `toolcrib export`: runs for other programs.

use std::fs::OpenOptions;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;

use toolcrib_runtime::ledger_store::{Ledger, RunId};
use toolcrib_runtime::{CribError, ExportError, OtlpExport};

use crate::args::{Common, ExportArgs, ExportFormat};
use crate::render::outln;
use crate::{exit, setup, when};

pub(crate) fn export(common: &Common, args: &ExportArgs) -> anyhow::Result<ExitCode> {
    if args.values && args.format == ExportFormat::Jsonl {
        return Err(exit::BadInput("--values: lines of events hold their values always".to_owned()).into());
    }
    let since = args.since.as_deref().map(|text| when::point_or_age("--since", text)).transpose()?;
    let ledger = setup::ledger(common)?;
    let runs = match &ledger {
        None if !args.runs.is_empty() => {
            return Err(exit::BadInput("there is no ledger yet: it is made by the first run".to_owned()).into());
        }
        None => Vec::new(),
        Some(ledger) if args.runs.is_empty() => ledger.run_ids(since).map_err(CribError::from)?,
        Some(ledger) => {
            args.runs.iter().map(|run| ledger.resolve(run)).collect::<Result<_, _>>().map_err(CribError::from)?
        }
    };
    match &args.output {
        None => write_runs(ledger.as_ref(), &runs, args, &mut |line| {
            outln!("{line}");
            Ok(())
        })?,
        Some(path) => {
            to_file(path, |file| write_runs(ledger.as_ref(), &runs, args, &mut |line| writeln!(file, "{line}")))?
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Writes a file that only its owner may read: values are private data. It has its name once it is whole.
fn to_file(path: &Path, write: impl FnOnce(&mut dyn Write) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let failed = |error: io::Error| CribError::File { path: path.display().to_string(), why: error.to_string() };
    let mut beside = path.as_os_str().to_owned();
    beside.push(".partial");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = BufWriter::new(options.open(&beside).map_err(failed)?);
    let written = write(&mut file).and_then(|()| Ok(file.flush().map_err(failed)?));
    let written = written.and_then(|()| Ok(std::fs::rename(&beside, path).map_err(failed)?));
    if written.is_err() {
        // What there is of it is of no use; that it cannot be removed is no worse than the error itself.
        let _ = std::fs::remove_file(&beside);
    }
    written
}

fn write_runs(
    ledger: Option<&Ledger>,
    runs: &[RunId],
    args: &ExportArgs,
    sink: &mut dyn FnMut(&str) -> io::Result<()>,
) -> anyhow::Result<()> {
    let Some(ledger) = ledger else { return Ok(()) };
    for run in runs {
        let otlp = OtlpExport { ledger, run: *run, values: args.values };
        match args.format {
            ExportFormat::Jsonl => lines(ledger, *run, sink),
            ExportFormat::OtlpTraces => otlp.traces(sink),
            ExportFormat::OtlpLogs => otlp.logs(sink),
        }
        .map_err(|error| match error {
            ExportError::Ledger(error) => anyhow::Error::new(CribError::from(error)),
            ExportError::Write(error) => anyhow::Error::new(error).context("the export could not be written"),
        })?;
    }
    Ok(())
}

fn lines(ledger: &Ledger, run: RunId, sink: &mut dyn FnMut(&str) -> io::Result<()>) -> Result<(), ExportError> {
    for line in ledger.export(run)? {
        sink(&line?)?;
    }
    Ok(())
}
