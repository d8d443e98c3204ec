//! The `toolcrib` command.
//!
//! ```text
//!  arguments ─► settings ─► crib ─► command ─► standard output (results) and standard error (progress, problems)
//!                                      └─► exit code
//! ```

mod answer;
mod args;
mod commands;
mod exit;
mod person;
mod render;
mod setup;
mod wall;
mod when;

use std::process::ExitCode;

use clap::Parser;

use args::Arguments;

fn main() -> ExitCode {
    // The worker gives everything up, so that it must be alone in its process: no runtime, no other thread.
    if let Some(profile) = setup::compile_worker_profile(std::env::args_os()) {
        return toolcrib_runtime::sandbox::compile_worker(&profile);
    }
    let json = args::wants_json(std::env::args_os());
    let code = match Arguments::try_parse() {
        Ok(arguments) => run(arguments, json),
        Err(error) => exit::report_usage(&error, json),
    };
    render::finish(code)
}

fn run(mut arguments: Arguments, json: bool) -> ExitCode {
    arguments.common.judge = arguments.command.judge().cloned();
    setup::logging(arguments.verbose);
    // Threads that are there already would stay in front of it.
    if let Err(error) = wall::raise(&arguments) {
        return exit::report(&error, json);
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            return exit::report(&anyhow::Error::new(error).context("the async runtime did not start"), json);
        }
    };
    let code = runtime.block_on(commands::dispatch(arguments)).unwrap_or_else(|error| exit::report(&error, json));
    // A call that was told to end and did not must not keep the process.
    runtime.shutdown_timeout(std::time::Duration::from_secs(2));
    code
}
