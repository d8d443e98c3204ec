//! `toolcrib call`: one tool, once.

use std::io::Read;
use std::process::ExitCode;
use std::sync::Arc;

use serde_json::{Value, json};
use toolcrib_runtime::agent::{Cancel, Outcome, Person, Question};
use toolcrib_runtime::policy::{OperatorFile, ToolName};
use toolcrib_runtime::sandbox::{CallError, Content, ToolOutput};
use toolcrib_runtime::{CallReport, CallRequest, CallResult};

use crate::args::{CallArgs, Common};
use crate::person::Terminal;
use crate::render::{Live, advise, bytes, errln, hint_approval, outln, plain, plain_lines, show_receipt};
use crate::{exit, setup};

pub(crate) async fn call(common: &Common, args: CallArgs) -> anyhow::Result<ExitCode> {
    let arguments = arguments(&args.arguments)?;
    let crib = setup::crib(common).await?;
    let cancel = Cancel::new();
    let stop = cancel.clone();
    setup::on_interrupt(move || stop.cancel());
    let live = Live::new(args.json);
    let person = if args.unattended { None } else { Terminal::attended(live.clone()) };
    let request = CallRequest {
        tool: args.tool.clone(),
        arguments,
        person: person.map(|person| Arc::new(person) as Arc<dyn Person>),
        progress: live.progress(),
        cancel,
    };
    let result = crib.call(request).await;
    live.finish();
    let CallResult { run, report, outcome, parked } = result?;
    let Some(report) = report else { return Ok(not_made(&args, &run.to_string(), &outcome, parked)) };
    if args.json {
        outln!("{}", as_json(&args.tool, &run.to_string(), &report));
    } else {
        show(common, crib.operator(), &args.tool, &report);
        if args.receipt {
            show_receipt(&report.receipt);
        }
    }
    Ok(report.outcome.map_or_else(|error| ExitCode::from(exit::of_call(&error.code)), |_| ExitCode::SUCCESS))
}

/// A call that was not made: a person said no, or nobody was there to say yes. Or it is a program that was `parked`, and goes
/// on when its run is resumed.
fn not_made(args: &CallArgs, run: &str, outcome: &Outcome, parked: bool) -> ExitCode {
    let (code, message) = match outcome {
        Outcome::Asked { question, .. } => ("approval-needed", question.text.clone()),
        Outcome::Refused { reason, .. } => ("approval-denied", without_code(reason)),
        Outcome::Cancelled { .. } if parked => ("cancelled", "the program was stopped".to_owned()),
        Outcome::Cancelled { .. } => ("cancelled", "the call was cancelled before it was made".to_owned()),
        Outcome::Failed { reason, .. } => ("failed", reason.clone()),
        Outcome::Budget { kind, .. } => ("failed", format!("the budget of {kind} is spent")),
        Outcome::Reached { .. } | Outcome::Held => ("failed", "the call was not made".to_owned()),
    };
    if args.json {
        let effect = if parked { "unknown" } else { "none" };
        let mut error = json!({ "code": code, "message": message, "effect": effect });
        if parked {
            error["resume"] = json!(run);
        }
        if let Outcome::Asked { question: Question { approval: Some(id), .. }, .. } = outcome {
            error["approval"] = json!(id);
        }
        outln!("{}", json!({ "tool": args.tool, "run": run, "outcome": "error", "error": error }));
    } else {
        errln!("error: {code}: {}", plain_lines(&message));
        if code == "approval-needed" {
            let again = format!("go on with `toolcrib resume {run}`");
            hint_approval(outcome, if parked { &again } else { "call it again" });
        } else if parked {
            errln!("it goes on where it was with `toolcrib resume {run}`");
        }
    }
    ExitCode::from(exit::of_run(outcome))
}

/// A reason begins with the code that is printed before it.
fn without_code(reason: &str) -> String {
    reason.strip_prefix("approval-denied: ").unwrap_or(reason).to_owned()
}

pub(super) fn arguments(text: &str) -> anyhow::Result<Value> {
    let read;
    let text = if text == "-" {
        read = standard_input()?;
        // Some editors put a mark of the byte order in front.
        read.strip_prefix('\u{feff}').unwrap_or(&read)
    } else {
        text
    };
    serde_json::from_str(text).map_err(|error| {
        exit::BadInput(format!("the arguments are not JSON: {error}; they look like '{{\"text\": \"some words\"}}'"))
            .into()
    })
}

fn standard_input() -> anyhow::Result<String> {
    let mut read = Vec::new();
    std::io::stdin().read_to_end(&mut read)?;
    String::from_utf8(read).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        exit::BadInput(format!("the arguments on standard input are not UTF-8 (at byte {at}): write them so")).into()
    })
}

fn as_json(tool: &str, run: &str, report: &CallReport) -> Value {
    match &report.outcome {
        Ok(output) => {
            json!({ "tool": tool, "run": run, "outcome": "ok", "result": result(output), "receipt": report.receipt })
        }
        Err(error) => {
            let grant = error.refusal.as_ref().and_then(|refusal| refusal.grant.clone());
            let mut shown = json!({ "code": error.code, "message": error.message, "effect": error.effect });
            for (key, value) in [("grant", grant), ("detail", error.detail.clone())] {
                if let Some(value) = value {
                    shown[key] = Value::String(value);
                }
            }
            json!({ "tool": tool, "run": run, "outcome": "error", "error": shown, "receipt": report.receipt })
        }
    }
}

/// The structured result, else the content.
fn result(output: &ToolOutput) -> Value {
    match &output.structured {
        Some(value) => value.clone(),
        None => match output.content.as_slice() {
            [Content::Text { text }] => Value::String(text.clone()),
            content => json!({ "content": content }),
        },
    }
}

fn show(common: &Common, operator: &OperatorFile, tool: &str, report: &CallReport) {
    match &report.outcome {
        Ok(output) => match (&output.structured, output.content.as_slice()) {
            (Some(value), []) => match serde_json::to_string_pretty(value) {
                Ok(text) => outln!("{}", plain_lines(&text)),
                Err(_) => outln!("{value}"),
            },
            (_, content) => content.iter().for_each(show_content),
        },
        Err(error) => show_error(common, operator, tool, error),
    }
}

fn show_content(content: &Content) {
    match content {
        Content::Text { text } => outln!("{}", plain_lines(text)),
        Content::Image(blob) => outln!("[image, {}, {}]", plain(&blob.media_type), bytes(blob.data.len() as u64)),
        Content::Audio(blob) => outln!("[audio, {}, {}]", plain(&blob.media_type), bytes(blob.data.len() as u64)),
        Content::Link { uri, .. } => outln!("{}", plain(uri)),
    }
}

fn show_error(common: &Common, operator: &OperatorFile, tool: &str, error: &CallError) {
    errln!("error: {}: {}", plain(&error.code), plain_lines(&error.message));
    match error.effect {
        toolcrib_runtime::sandbox::EffectState::None => {}
        toolcrib_runtime::sandbox::EffectState::Done => errln!("its effect happened all the same"),
        toolcrib_runtime::sandbox::EffectState::Unknown => errln!("whether its effect happened is not known"),
    }
    if let Some(grant) = error.refusal.as_ref().and_then(|refusal| refusal.grant.as_deref())
        && let Ok(tool) = tool.parse::<ToolName>()
    {
        advise(common, operator, [(tool.plugin(), grant)]);
    }
}
