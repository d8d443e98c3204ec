//! Raising the second wall for the commands that load plugins.

use std::path::Path;
use std::sync::OnceLock;

use toolcrib_runtime::model::ModelConfig;
use toolcrib_runtime::policy::OperatorFile;
use toolcrib_runtime::{Chosen, Needs, OPERATOR_FILE, PlannerChoice, WallReport, chosen_of, raise as raise_wall};

use crate::args::{Arguments, Command, Common, FlowCommand};
use crate::{exit, setup};

static STANDING: OnceLock<WallReport> = OnceLock::new();

/// What stands; none for a command that loads no plugin.
pub(crate) fn standing() -> Option<&'static WallReport> {
    STANDING.get()
}

/// Gives up what the command and the grants do not need. To be called before there is a second thread.
pub(crate) fn raise(arguments: &Arguments) -> anyhow::Result<()> {
    let loads_plugins = matches!(
        arguments.command,
        Command::Run(_)
            | Command::Flow { command: FlowCommand::Check { .. } | FlowCommand::Run(_) }
            | Command::Resume(_)
            | Command::Fork(_)
            | Command::Call(_)
            | Command::Tools(_)
            | Command::Inspect(_)
            | Command::Doctor(_)
    );
    // What is wrong with the settings is the command's to say.
    let Some(settings) = loads_plugins.then(|| setup::settings(&arguments.common).ok()).flatten() else {
        return Ok(());
    };
    // What is not there when the wall is raised cannot be made behind it.
    settings.folders.make()?;
    let mut needs = Needs::of(&settings);
    needs.read.push(operator_file(&arguments.common));
    if let Command::Inspect(args) = &arguments.command
        && setup::looks_like_file(&args.plugin)
    {
        needs.read.push(Path::new(&args.plugin).to_owned());
    }
    if let Command::Flow { command: FlowCommand::Check { file, .. } } = &arguments.command {
        needs.read.push(file.clone());
    }
    if let Command::Flow { command: FlowCommand::Run(args) } = &arguments.command {
        needs.read.push(args.file.clone());
        needs.read.extend(args.inputs.clone());
    }
    for model in models(arguments, &settings.operator) {
        let lookup = |name: &str| std::env::var(name).ok();
        if let Ok(config) = ModelConfig::parse(&model, lookup) {
            needs.ports.extend(config.ports());
            needs.read.extend(config.reads().map(Path::to_owned));
            if let Some(record) = config.writes() {
                // A file that is not there could not be let through; one that cannot be made is the model's to complain of.
                let mut options = std::fs::File::options();
                options.append(true).create(true);
                // For its owner alone, as whoever records into it makes it.
                std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
                let _ = options.open(record);
                needs.write.push(record.to_owned());
            }
        }
    }
    let report =
        raise_wall(settings.operator.second_wall(), &needs).map_err(|error| exit::BadInput(error.to_string()))?;
    tracing::debug!(?report, "the second wall stands");
    let _ = STANDING.set(report);
    Ok(())
}

/// Every model that the command may ask.
fn models(arguments: &Arguments, operator: &OperatorFile) -> Vec<String> {
    let before = |run: &str| {
        let ledger = setup::ledger(&arguments.common).ok()??;
        chosen_of(&ledger, ledger.resolve(run).ok()?)
    };
    let chosen = match &arguments.command {
        Command::Run(args) => Some(Chosen::of(operator, args.model.as_deref(), &args.fallback)),
        Command::Resume(args) => before(&args.run).map(|before| before.but(args.model.as_deref(), &args.fallback)),
        Command::Fork(args) => before(&args.run).map(|before| before.but(args.model.as_deref(), &args.fallback)),
        Command::Flow { command: FlowCommand::Run(_) } => {
            Some(Chosen { planner: PlannerChoice::Flow, ..Chosen::of(operator, None, &[]) })
        }
        _ => None,
    };
    chosen.map(|chosen| chosen.models(operator)).unwrap_or_default()
}

fn operator_file(common: &Common) -> std::path::PathBuf {
    common.policy.clone().unwrap_or_else(|| OPERATOR_FILE.into())
}
