//! The commands, one file each.

mod approvals;
mod call;
mod cancel;
mod diff;
mod doctor;
mod erase;
mod erased;
mod export;
mod flow;
mod fork;
mod inspect;
mod learn;
mod plan;
mod policy;
mod prune;
mod repair;
mod replay;
mod resume;
mod rollback;
mod run;
mod runs;
mod secret;
mod show;
mod tools;
mod update;
mod verify;
mod why;

pub(crate) use approvals::is_bad_input;

use std::process::ExitCode;

use clap::CommandFactory;

use crate::args::{Arguments, Command};
use crate::render::print_raw;

/// Does what was asked for.
pub(crate) async fn dispatch(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let common = &arguments.common;
    match arguments.command {
        Command::Run(args) => run::run(common, args).await,
        Command::Flow { command } => flow::flow(common, command).await,
        Command::Plan(args) => plan::plan(common, args).await,
        Command::Resume(args) => resume::resume(common, args).await,
        Command::Cancel(args) => cancel::cancel(common, args).await,
        Command::Fork(args) => fork::fork(common, args).await,
        Command::Rollback(args) => rollback::rollback(common, args),
        Command::Replay(args) => replay::replay(common, args),
        Command::Diff(args) => diff::diff(common, &args),
        Command::Call(args) => call::call(common, args).await,
        Command::Tools(args) => tools::tools(common, args).await,
        Command::Inspect(args) => inspect::inspect(common, args).await,
        Command::Runs(args) => runs::runs(common, args),
        Command::Show(args) => show::show(common, args),
        Command::Verify(args) => verify::verify(common, args),
        Command::Approvals(args) => approvals::approvals(common, args),
        Command::Learn(args) => learn::learn(common, args).await,
        Command::Secret { command } => secret::secret(common, command),
        Command::Update(args) => update::update(common, args).await,
        Command::Doctor(args) => doctor::doctor(common, args).await,
        Command::Why(args) => why::why(common, args),
        Command::Export(args) => export::export(common, args).await,
        Command::Prune(args) => prune::prune(common, &args),
        Command::Erase(args) => erase::erase(common, args),
        Command::Repair(args) => repair::repair(common, &args),
        Command::Policy { command } => policy::policy(common, command).await,
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "toolcrib", &mut script);
            print_raw(&script);
            Ok(ExitCode::SUCCESS)
        }
    }
}
