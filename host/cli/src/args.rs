//! The command line.

mod runs;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

pub(crate) use runs::{
    CancelArgs, DiffArgs, DriveArgs, FlowCommand, FlowRunArgs, ForkArgs, PlanArgs, ReplayArgs, ResumeArgs,
    RollbackArgs, RunArgs,
};

/// Run an agent's tools in a guarded room: each is a WebAssembly component that can do only what you granted.
#[derive(Parser, Debug)]
#[command(name = "toolcrib", version, max_term_width = 110, arg_required_else_help = true)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) common: Common,
    /// Print what the host does, to standard error; twice for more
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 reached, 1 failed, 2 bad input, 3 refused by policy, 4 a question stayed \
                          unanswered, 5 a budget ended, 6 the host failed (disk, ledger), 130 cancelled.";

/// Where things lie and what is allowed.
#[derive(Args, Debug)]
pub(crate) struct Common {
    /// The operator's file: what each plugin may do [default: ./toolcrib.toml]
    #[arg(long, global = true, value_name = "FILE", env = "TOOLCRIB_POLICY", help_heading = "Policy and places")]
    pub(crate) policy: Option<PathBuf>,
    /// Grant something for this command only: 'PLUGIN.CAPABILITY=LINE', such as 'files.files=read ./docs as /docs'
    #[arg(long, global = true, value_name = "GRANT", help_heading = "Policy and places")]
    pub(crate) grant: Vec<String>,
    /// A folder with plugins; may be given several times [default: ./plugins]
    #[arg(long, global = true, value_name = "DIR", help_heading = "Policy and places")]
    pub(crate) plugins: Vec<PathBuf>,
    /// The folder for the ledger, the cache and your own plugins [default: the XDG folders of the user]
    #[arg(long, global = true, value_name = "DIR", env = "TOOLCRIB_HOME", help_heading = "Policy and places")]
    pub(crate) home: Option<PathBuf>,
    /// The model that reviews, from the command that begins a run.
    #[arg(skip)]
    pub(crate) judge: Option<String>,
}

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Reach a goal: plan, call tools, judge each step, try another way where one fails
    Run(RunArgs),
    /// Check, run and save flows: plans that a person wrote
    Flow {
        #[command(subcommand)]
        command: FlowCommand,
    },
    /// Show the plan of a held run, change it, or say what policy would say to each of its calls
    Plan(PlanArgs),
    /// Go on with a run that is held, was cut off, cancelled, out of budget or without an answer
    Resume(ResumeArgs),
    /// End a run in order, also one of another process; it can be resumed
    Cancel(CancelArgs),
    /// Begin another run where this one was after one of its events, and go on from there
    Fork(ForkArgs),
    /// Call one tool
    Call(CallArgs),
    /// List tools, or search them
    Tools(ToolsArgs),
    /// Show what a plugin exports, what it could ever reach, and what it is granted; or the arguments of a tool
    Inspect(InspectArgs),
    /// List runs, newest first
    Runs(RunsArgs),
    /// Show a run: its plan and every step
    Show(ShowArgs),
    /// Put the folders that a run changed back to what they were at one of its steps
    Rollback(RollbackArgs),
    /// Show a run as it was after one of its events, and what was to be done next
    Replay(ReplayArgs),
    /// Show what is different between two runs
    Diff(DiffArgs),
    /// Check the ledger's chain of proofs
    Verify(VerifyArgs),
    /// List the questions about calls that wait for a person, and answer them
    Approvals(ApprovalsArgs),
    /// Say why a call was allowed or refused: which gate, which rule, and the smallest grant that would allow it
    Why(WhyArgs),
    /// Set, list and remove the secrets that the host adds to requests; no plugin and no model ever sees one
    Secret {
        #[command(subcommand)]
        command: SecretCommand,
    },
    /// Show what is different about plugins since somebody last looked, and let them in as they are now
    Update(UpdateArgs),
    /// Find out what a tool or a goal needs, and print the smallest policy for it
    Learn(LearnArgs),
    /// Print runs for other programs: as lines of JSON, or as OpenTelemetry traces or logs
    Export(ExportArgs),
    /// Remove the values of old runs; their events and the proof stay
    Prune(PruneArgs),
    /// Remove values, such as a secret that leaked; the events and the proof stay
    Erase(EraseArgs),
    /// Take what is good of a damaged ledger over into a new one
    Repair(RepairArgs),
    /// Work with the operator's file
    Policy {
        #[command(subcommand)]
        command: PolicyCommand,
    },
    /// Look at the installation: places, ledger, plugins, and what the system lets the host give up
    Doctor(DoctorArgs),
    /// Print completions for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
}

#[derive(Args, Debug)]
pub(crate) struct CallArgs {
    /// The tool, such as text.stats
    pub(crate) tool: String,
    /// The arguments: a JSON object; `-` reads it from standard input
    #[arg(default_value = "{}")]
    pub(crate) arguments: String,
    /// Print one JSON object with outcome and receipt
    #[arg(long)]
    pub(crate) json: bool,
    /// Show the receipt as well
    #[arg(long)]
    pub(crate) receipt: bool,
    /// Do not ask: a call that needs a person's word ends with exit code 4, with the question in the inbox
    #[arg(long)]
    pub(crate) unattended: bool,
}

#[derive(Args, Debug)]
pub(crate) struct ToolsArgs {
    /// Words to search for
    pub(crate) query: Vec<String>,
    /// The most tools to show; 0 for all [default: 20 with words to search for, else all]
    #[arg(long)]
    pub(crate) limit: Option<usize>,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct InspectArgs {
    /// A plugin's name, a tool's, or a component file
    pub(crate) plugin: String,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct RunsArgs {
    /// The most runs to show
    #[arg(long, default_value_t = 20)]
    pub(crate) limit: usize,
    /// Only runs with this outcome
    #[arg(long, value_parser = ["reached", "failed", "refused", "asked", "budget", "held", "cancelled", "running"])]
    pub(crate) status: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct ShowArgs {
    /// The run, or the beginning of its name
    pub(crate) run: String,
    /// Print every event as a line of JSON; with --json, one object with all of them
    #[arg(long)]
    pub(crate) events: bool,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct VerifyArgs {
    /// A checkpoint that was kept elsewhere: shows also whether the newest events were cut off
    #[arg(long, value_name = "CHECKPOINT")]
    pub(crate) against: Option<String>,
    /// The public key that the checkpoint must be signed with [default: this installation's own]
    #[arg(long, value_name = "KEY", requires = "against")]
    pub(crate) key: Option<String>,
    /// Print a signed checkpoint, to be kept elsewhere
    #[arg(long, conflicts_with = "against")]
    pub(crate) checkpoint: bool,
    /// Print the checkpoint without a signature
    #[arg(long, requires = "checkpoint")]
    pub(crate) unsigned: bool,
    /// Print the public key that checkpoints are signed with, to be kept elsewhere
    #[arg(long, conflicts_with_all = ["against", "checkpoint"])]
    pub(crate) public_key: bool,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct ExportArgs {
    /// The runs, or the beginnings of their names [default: all]
    #[arg(value_name = "RUN")]
    pub(crate) runs: Vec<String>,
    /// What to print
    #[arg(long, value_enum, default_value_t = ExportFormat::Jsonl)]
    pub(crate) format: ExportFormat,
    /// Only runs that began since: a day (2026-09-21), a time (RFC 3339), or how long ago (12h, 30d)
    #[arg(long, value_name = "WHEN", conflicts_with = "runs")]
    pub(crate) since: Option<String>,
    /// With an OpenTelemetry format: also goals, arguments and results, which are private data
    #[arg(long)]
    pub(crate) values: bool,
    /// With an OpenTelemetry format: send it to a collector on this machine, such as http://127.0.0.1:4318
    #[arg(long, value_name = "URL", conflicts_with = "output")]
    pub(crate) endpoint: Option<String>,
    /// Write to a file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

/// What `export` prints.
#[derive(clap::ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ExportFormat {
    /// Every event as a line of JSON, with all that is needed to verify it elsewhere
    Jsonl,
    /// OpenTelemetry traces (OTLP JSON, a line for each batch): a run is a trace, a call a span
    OtlpTraces,
    /// OpenTelemetry logs (OTLP JSON, a line for each batch): an event is a record with its trace
    OtlpLogs,
}

#[derive(Args, Debug)]
#[command(group(clap::ArgGroup::new("age").required(true).args(["before", "older_than"])))]
pub(crate) struct PruneArgs {
    /// Runs that ended before: a day (2026-09-21) or a time (RFC 3339)
    #[arg(long, value_name = "WHEN")]
    pub(crate) before: Option<String>,
    /// Runs that ended longer ago than: 12h, 30d
    #[arg(long, value_name = "TIME")]
    pub(crate) older_than: Option<String>,
    /// Only these runs, or the beginnings of their names; with commas
    #[arg(long, value_name = "RUN", value_delimiter = ',')]
    pub(crate) runs: Vec<String>,
    /// Why, for the record that stays in the ledger
    #[arg(long, value_name = "TEXT", default_value = "pruned")]
    pub(crate) reason: String,
    /// Say what would be removed, and remove nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
#[command(group(clap::ArgGroup::new("what").required(true).args(["targets", "containing", "stdin"])))]
pub(crate) struct EraseArgs {
    /// A run (all its values), or one of its events: RUN#SEQ
    #[arg(value_name = "RUN[#SEQ]")]
    pub(crate) targets: Vec<String>,
    /// Every value that holds this text, also in base64, in hexadecimal digits or percent-encoded. The command line can
    /// be seen by others on this machine: for a secret, use --stdin
    #[arg(long, value_name = "TEXT")]
    pub(crate) containing: Option<String>,
    /// As --containing, with the text from standard input
    #[arg(long)]
    pub(crate) stdin: bool,
    /// Why, for the record that stays in the ledger; it must not hold what is to be removed
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
    /// Do it without asking
    #[arg(long)]
    pub(crate) yes: bool,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct RepairArgs {
    /// The folder for the new ledger; there must be none in it
    #[arg(long, value_name = "DIR")]
    pub(crate) output: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct ApprovalsArgs {
    #[command(subcommand)]
    pub(crate) command: Option<ApprovalsCommand>,
    /// Also those that were answered
    #[arg(long)]
    pub(crate) all: bool,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Subcommand, Debug)]
pub(crate) enum ApprovalsCommand {
    /// Show one question in full
    Show {
        /// The question, or the beginning of its name
        id: String,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Say yes
    Approve {
        /// The question, or the beginning of its name
        id: String,
        /// How far the yes reaches: `once`, `run`, a time from now such as `8 h` or `7 d`, or a date (2027-01-31)
        #[arg(long = "for", value_name = "HOW-FAR", default_value = "once")]
        scope: String,
        /// An argument that may differ from the one asked about; may be given several times
        #[arg(long, value_name = "ARGUMENT")]
        any: Vec<String>,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Say no
    Deny {
        /// The question, or the beginning of its name
        id: String,
        /// Why, for the ledger and the run
        #[arg(long)]
        reason: Option<String>,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Take a yes back
    Revoke {
        /// The question, or the beginning of its name
        id: String,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
}

#[derive(Args, Debug)]
pub(crate) struct LearnArgs {
    #[command(subcommand)]
    pub(crate) what: LearnWhat,
    /// Allow nothing: what is refused is noted, and the policy that would allow it is printed
    #[arg(long, global = true)]
    pub(crate) dry: bool,
    /// Print one JSON object
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(Subcommand, Debug)]
pub(crate) enum LearnWhat {
    /// From one call
    Call {
        /// The tool, such as http.fetch
        tool: String,
        /// The arguments: a JSON object; `-` reads it from standard input
        #[arg(default_value = "{}")]
        arguments: String,
    },
    /// From a goal
    Run {
        /// The goal, in words
        goal: String,
        /// Plan with a language model instead of the builtin planner
        #[arg(long, value_name = "MODEL", env = "TOOLCRIB_MODEL")]
        model: Option<String>,
    },
}

#[derive(Args, Debug)]
pub(crate) struct UpdateArgs {
    /// The plugins [default: all that are kept out]
    #[arg(value_name = "PLUGIN")]
    pub(crate) names: Vec<String>,
    /// Let them in without asking
    #[arg(long)]
    pub(crate) yes: bool,
    /// Let in also what states an older version than before
    #[arg(long)]
    pub(crate) allow_downgrade: bool,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Subcommand, Debug)]
pub(crate) enum SecretCommand {
    /// Put a value into the encrypted file: from standard input, or typed twice at a terminal
    Set {
        /// The name that credentials refer to as {secret:NAME}
        name: String,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// List the names that are there, and those that the operator's file refers to; never a value
    List {
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Remove a value from the encrypted file
    Rm {
        /// The name
        name: String,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
}

#[derive(Args, Debug)]
pub(crate) struct DoctorArgs {
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct WhyArgs {
    /// The run, or the beginning of its name [default: the newest]
    pub(crate) run: Option<String>,
    /// The step, by its name [default: the last that was refused, else the last]
    pub(crate) step: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Subcommand, Debug)]
pub(crate) enum PolicyCommand {
    /// Check the operator's file and show what it grants to the plugins that are there
    Check {
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Hold the rules against a table of calls with the decisions that are expected
    Test(PolicyTestArgs),
    /// Show what another version of the operator's file would change for the plugins that are there
    Diff(PolicyDiffArgs),
    /// Say what a tool may do and which rules speak of it, and what they say about one call
    Explain(PolicyExplainArgs),
}

#[derive(Args, Debug)]
pub(crate) struct PolicyTestArgs {
    /// The table: TOML with `[[case]]`, each with `tool`, `args` and `expect`
    pub(crate) table: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct PolicyDiffArgs {
    /// The other version. Relative folders in it are taken from where the present one lies
    pub(crate) other: PathBuf,
    /// End with exit code 1 where something changes
    #[arg(long)]
    pub(crate) exit_code: bool,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct PolicyExplainArgs {
    /// The tool, such as `files.write`
    pub(crate) tool: String,
    /// The arguments of a call as a JSON object, or `-` to read them from standard input
    pub(crate) arguments: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// Whether errors are to be printed as JSON too: also errors in these very arguments, which nobody could read.
pub(crate) fn wants_json(mut raw: impl Iterator<Item = std::ffi::OsString>) -> bool {
    raw.by_ref().take_while(|argument| argument != "--").any(|argument| argument == "--json")
}

impl Command {
    /// The model that reviews, where the command names one.
    pub(crate) fn judge(&self) -> Option<&String> {
        match self {
            Self::Run(args) => args.judge.as_ref(),
            Self::Flow { command: FlowCommand::Run(args) } => args.judge.as_ref(),
            _ => None,
        }
    }
}
