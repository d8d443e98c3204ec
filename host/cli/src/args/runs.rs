//! The commands that begin runs and go on with them.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use toolcrib_runtime::policy::Money;

#[derive(Args, Debug)]
pub(crate) struct RunArgs {
    /// The goal, in words
    pub(crate) goal: String,
    /// Plan with a language model instead of the builtin planner: openai:NAME, openai-chat:NAME@URL, anthropic:NAME,
    /// gemini:NAME, ollama:NAME; or with a file: script:FILE, replay:FILE
    #[arg(long, value_name = "MODEL", env = "TOOLCRIB_MODEL")]
    pub(crate) model: Option<String>,
    /// A model that answers where the one before it does not; may be given several times; `none` for none
    #[arg(long, value_name = "MODEL", env = "TOOLCRIB_FALLBACK", value_delimiter = ',')]
    pub(crate) fallback: Vec<String>,
    /// Have what was accepted reviewed by a language model beside the run, named as for --model
    #[arg(long, value_name = "MODEL", env = "TOOLCRIB_JUDGE")]
    pub(crate) judge: Option<String>,
    /// Show the plan and stop before the first call; `toolcrib plan RUN --edit` changes it, `toolcrib resume RUN` does it
    #[arg(long)]
    pub(crate) plan: bool,
    /// As --plan, and say of each call what policy would say to it, and what is not granted
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) drive: DriveArgs,
}

/// How a run is driven.
#[derive(Args, Debug)]
pub(crate) struct DriveArgs {
    /// The most tool calls
    #[arg(long, value_name = "N")]
    pub(crate) max_steps: Option<u32>,
    /// The most time, in seconds
    #[arg(long, value_name = "SECONDS")]
    pub(crate) max_time: Option<u64>,
    /// The most tokens of the language model
    #[arg(long, value_name = "N")]
    pub(crate) max_tokens: Option<u64>,
    /// The most money, such as 0.50, by the prices in the operator's file
    #[arg(long, value_name = "AMOUNT")]
    pub(crate) max_cost: Option<Money>,
    /// Do not ask: a question ends the run with exit code 4
    #[arg(long)]
    pub(crate) unattended: bool,
    /// Show the answer alone
    #[arg(short, long)]
    pub(crate) quiet: bool,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Subcommand, Debug)]
pub(crate) enum FlowCommand {
    /// Check a flow against the tools that are there, and say what it would call
    Check {
        /// The flow, a YAML file
        file: PathBuf,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Run a flow
    Run(FlowRunArgs),
    /// Write a finished run down as a flow
    Save {
        /// The run, or the beginning of its name
        run: String,
        /// The name of the flow [default: the run's]
        #[arg(long)]
        name: Option<String>,
        /// Write to a file, which must not exist, instead of standard output
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
}

#[derive(Args, Debug)]
pub(crate) struct FlowRunArgs {
    /// The flow, a YAML file
    pub(crate) file: PathBuf,
    /// An input: NAME=VALUE; may be given several times
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) input: Vec<String>,
    /// Inputs from a file with a JSON object; `-` reads it from standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) inputs: Option<PathBuf>,
    /// Have what was accepted reviewed by a language model beside the run, named as for --model
    #[arg(long, value_name = "MODEL", env = "TOOLCRIB_JUDGE")]
    pub(crate) judge: Option<String>,
    /// Call nothing: say what would be called, what policy would say to it, and what is not granted. Nothing is recorded
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) drive: DriveArgs,
}

#[derive(Args, Debug)]
pub(crate) struct PlanArgs {
    /// The run, or the beginning of its name
    pub(crate) run: String,
    /// Change the plan to what this file says (`-` is standard input), or in the editor of $VISUAL or $EDITOR
    #[arg(long, value_name = "FILE", num_args = 0..=1)]
    pub(crate) edit: Option<Option<PathBuf>>,
    /// Print the plan as YAML, which --edit reads
    #[arg(long, conflicts_with_all = ["edit", "dry_run", "json"])]
    pub(crate) yaml: bool,
    /// Say of each call what policy would say to it, and what is not granted
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct ResumeArgs {
    /// The run, or the beginning of its name
    pub(crate) run: String,
    /// The answer to the question that the run ended with
    #[arg(long, value_name = "TEXT")]
    pub(crate) answer: Option<String>,
    /// Plan with this language model from here on, or with `builtin` [default: as before]
    #[arg(long, value_name = "MODEL")]
    pub(crate) model: Option<String>,
    /// A model that answers where the one before it does not, from here on; may be given several times; `none` for none
    /// [default: as before]
    #[arg(long, value_name = "MODEL", value_delimiter = ',')]
    pub(crate) fallback: Vec<String>,
    #[command(flatten)]
    pub(crate) drive: DriveArgs,
}

#[derive(Args, Debug)]
pub(crate) struct CancelArgs {
    /// The run, or the beginning of its name
    pub(crate) run: String,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct ForkArgs {
    /// The run, or the beginning of its name
    pub(crate) run: String,
    /// The last event that the new run begins with, by its number in `show --events`
    #[arg(long, value_name = "EVENT")]
    pub(crate) at: u64,
    /// Make calls again that this run made later and that cannot be taken back
    #[arg(long)]
    pub(crate) again: bool,
    /// Do not go on yet: `resume` does
    #[arg(long)]
    pub(crate) hold: bool,
    /// Plan with this language model from here on, or with `builtin` [default: as before]
    #[arg(long, value_name = "MODEL")]
    pub(crate) model: Option<String>,
    /// A model that answers where the one before it does not, from here on; may be given several times; `none` for none
    /// [default: as before]
    #[arg(long, value_name = "MODEL", value_delimiter = ',')]
    pub(crate) fallback: Vec<String>,
    #[command(flatten)]
    pub(crate) drive: DriveArgs,
}

#[derive(Args, Debug)]
pub(crate) struct RollbackArgs {
    /// The run, or the beginning of its name
    pub(crate) run: String,
    /// A step by its name, or an event by its number in `show --events`: the folders become what they were after it
    #[arg(long, value_name = "STEP")]
    pub(crate) to: String,
    /// What they were before that step instead
    #[arg(long)]
    pub(crate) before: bool,
    /// Also where somebody else changed them since
    #[arg(long)]
    pub(crate) force: bool,
    /// Say what would change, and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct ReplayArgs {
    /// The run, or the beginning of its name
    pub(crate) run: String,
    /// The last event that counts, by its number in `show --events` [default: the last]
    #[arg(long, value_name = "EVENT")]
    pub(crate) until: Option<u64>,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct DiffArgs {
    /// A run, or the beginning of its name
    pub(crate) first: String,
    /// Another one
    pub(crate) second: String,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}
