//! `toolcrib export`: runs for other programs.

use std::fs::OpenOptions;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;

use toolcrib_runtime::ledger_store::{Ledger, RunId};
use toolcrib_runtime::{Collector, CribError, ExportError, OtlpExport, Signal};

use crate::args::{Common, ExportArgs, ExportFormat};
use crate::render::{errln, outln};
use crate::{exit, setup, when};

pub(crate) async fn export(common: &Common, args: ExportArgs) -> anyhow::Result<ExitCode> {
    if args.values && args.format == ExportFormat::Jsonl {
        return Err(exit::BadInput("--values: lines of events hold their values always".to_owned()).into());
    }
    let collector = collector(&args)?;
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
    match (&args.output, collector) {
        (_, Some((collector, signal))) => send(common, ledger, runs, args, &collector, signal).await?,
        (Some(path), None) => {
            to_file(path, |file| write_runs(ledger.as_ref(), &runs, &args, &mut |line| writeln!(file, "{line}")))?;
        }
        (None, None) => write_runs(ledger.as_ref(), &runs, &args, &mut |line| {
            outln!("{line}");
            Ok(())
        })?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Where an export is to be sent, if it is.
fn collector(args: &ExportArgs) -> anyhow::Result<Option<(Collector, Signal)>> {
    let Some(endpoint) = &args.endpoint else { return Ok(None) };
    let collector = endpoint.parse().map_err(|error| exit::BadInput(format!("--endpoint: {error}")))?;
    match args.format {
        ExportFormat::OtlpTraces => Ok(Some((collector, Signal::Traces))),
        ExportFormat::OtlpLogs => Ok(Some((collector, Signal::Logs))),
        ExportFormat::Jsonl => {
            let why = "--endpoint: a collector takes --format otlp-traces or otlp-logs";
            Err(exit::BadInput(why.to_owned()).into())
        }
    }
}

/// Sends each line as it is made; a few wait, so that a slow collector holds the reader and not the memory.
async fn send(
    common: &Common,
    ledger: Option<Ledger>,
    runs: Vec<RunId>,
    args: ExportArgs,
    collector: &Collector,
    signal: Signal,
) -> anyhow::Result<()> {
    const WAITING: usize = 4;
    let network = setup::settings(common)?.network;
    let (lines, mut made) = tokio::sync::mpsc::channel::<String>(WAITING);
    let reader = tokio::task::spawn_blocking(move || {
        let gone = |_| io::Error::from(io::ErrorKind::BrokenPipe);
        write_runs(ledger.as_ref(), &runs, &args, &mut |line| lines.blocking_send(line.to_owned()).map_err(gone))
    });
    let (mut sent, mut rejected) = (0, 0);
    while let Some(line) = made.recv().await {
        // What was read and not sent is of no use any more: the reader ends when the channel goes.
        rejected += collector.post(&*network, signal, line).await?;
        sent += 1;
    }
    reader.await??;
    errln!("sent {sent} {}", if sent == 1 { "batch" } else { "batches" });
    if rejected > 0 {
        anyhow::bail!("the collector took the batches and rejected {rejected} of what was in them");
    }
    Ok(())
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
