//! `toolcrib approvals`: the inbox of questions about calls.

use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use toolcrib_runtime::policy::{ApprovalAnswer, ApprovalScope, Asked, Standing, UnixMillis, parse_duration};
use toolcrib_runtime::{CribError, Delivered, Inbox, InboxError, at_time, told};

use crate::args::{ApprovalsArgs, ApprovalsCommand, Common};
use crate::exit::BadInput;
use crate::person::who;
use crate::render::{errln, outln, plain};
use crate::setup;

/// The most of the arguments that a line of the list shows.
const ARGUMENT_CHARS: usize = 60;

pub(crate) fn approvals(common: &Common, args: ApprovalsArgs) -> anyhow::Result<ExitCode> {
    let data = setup::settings(common)?.folders.data;
    let inbox = Inbox::open(&data).map_err(CribError::from)?;
    match args.command {
        None => list(&inbox, args.all, args.json),
        Some(ApprovalsCommand::Show { id, json }) => show(inbox.find(&id)?, json),
        Some(ApprovalsCommand::Approve { id, scope, any, json }) => {
            let answer = ApprovalAnswer::Approved {
                scope: scope_of(&scope)?,
                any: any.into_iter().collect(),
                by: who("by `toolcrib approvals`"),
            };
            give(&inbox, &id, answer, json)
        }
        Some(ApprovalsCommand::Deny { id, reason, json }) => {
            give(&inbox, &id, ApprovalAnswer::Denied { by: who("by `toolcrib approvals`"), reason }, json)
        }
        Some(ApprovalsCommand::Revoke { id, json }) => {
            let asked = inbox.find(&id)?;
            let delivered = inbox.revoke(asked)?;
            said(asked, "revoked", delivered, json)
        }
    }
}

fn list(inbox: &Inbox, all: bool, as_json: bool) -> anyhow::Result<ExitCode> {
    let now = now();
    let asked = inbox.approvals.all();
    let shown: Vec<&Asked> = asked.into_iter().filter(|asked| all || asked.standing(now) == Standing::Open).collect();
    if as_json {
        let shown: Vec<Value> = shown.iter().map(|asked| as_object(asked, now)).collect();
        outln!("{}", json!({ "questions": shown }));
        return Ok(ExitCode::SUCCESS);
    }
    for asked in &shown {
        let request = &asked.request;
        let mut arguments: String = request.call.arguments.to_string().chars().take(ARGUMENT_CHARS + 1).collect();
        if arguments.chars().count() > ARGUMENT_CHARS {
            arguments = arguments.chars().take(ARGUMENT_CHARS).chain(['…']).collect();
        }
        outln!(
            "{}  {}  {}  {} {}",
            request.id,
            at_time(asked.at),
            state_of(asked, now),
            request.call.tool,
            plain(&arguments)
        );
    }
    if shown.is_empty() {
        errln!("{}", if all { "nothing was ever asked" } else { "no question is open" });
    } else if shown.iter().any(|asked| asked.standing(now) == Standing::Open) {
        errln!("`toolcrib approvals show ID` says all of it; `approve ID` and `deny ID` answer");
    }
    Ok(ExitCode::SUCCESS)
}

fn show(asked: &Asked, as_json: bool) -> anyhow::Result<ExitCode> {
    let now = now();
    if as_json {
        outln!("{}", as_object(asked, now));
        return Ok(ExitCode::SUCCESS);
    }
    for line in asked.request.lines() {
        outln!("{}", plain(&line));
    }
    outln!("  asked {} by run {}", at_time(asked.at), asked.run);
    match &asked.answer {
        None => outln!("  {} until {}", state_of(asked, now), at_time(asked.request.expires)),
        Some((answer, at)) => outln!("  {} ({})", plain(&told(answer)), at_time(*at)),
    }
    if asked.used > 0 {
        outln!("  used {} times", asked.used);
    }
    if asked.revoked {
        outln!("  taken back");
    }
    if asked.lapsed {
        outln!("  nothing follows from it any more: what was recorded of it, or of another one since, was erased");
    }
    Ok(ExitCode::SUCCESS)
}

fn give(inbox: &Inbox, id: &str, answer: ApprovalAnswer, as_json: bool) -> anyhow::Result<ExitCode> {
    let asked = inbox.find(id)?;
    let what = told(&answer);
    let delivered = inbox.answer(asked, answer)?;
    said(asked, &what, delivered, as_json)
}

fn said(asked: &Asked, what: &str, delivered: Delivered, as_json: bool) -> anyhow::Result<ExitCode> {
    if as_json {
        let recorded = delivered == Delivered::Recorded;
        outln!("{}", json!({ "outcome": "ok", "question": asked.request.id, "said": what, "recorded": recorded }));
        return Ok(ExitCode::SUCCESS);
    }
    outln!("{}: {}", asked.request.id, plain(what));
    if let Delivered::Left { pid } = delivered {
        let holder = pid.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"));
        errln!("{holder} has the ledger; it, or the next command that gets it, writes the answer down");
    }
    Ok(ExitCode::SUCCESS)
}

fn as_object(asked: &Asked, now: UnixMillis) -> Value {
    let mut object = json!(asked);
    object["id"] = json!(asked.request.id);
    object["standing"] = json!(asked.standing(now));
    object["text"] = json!(asked.request.lines().join("\n"));
    object
}

fn state_of(asked: &Asked, now: UnixMillis) -> &'static str {
    match (asked.standing(now), &asked.answer) {
        (Standing::Open, _) => "open",
        (Standing::Valid, _) => "valid",
        (Standing::Over, _) if asked.lapsed => "lapsed",
        (Standing::Over, _) if asked.revoked => "revoked",
        (Standing::Over, None) => "expired",
        (Standing::Over, Some((ApprovalAnswer::Denied { .. }, _))) => "denied",
        (Standing::Over, Some((ApprovalAnswer::Approved { .. }, _))) => "used",
        (Standing::Over, Some(_)) => "closed",
    }
}

fn scope_of(text: &str) -> anyhow::Result<ApprovalScope> {
    match text.trim() {
        "once" => return Ok(ApprovalScope::Once),
        "run" => return Ok(ApprovalScope::Run),
        _ => {}
    }
    if let Some(at) = date(text.trim()) {
        return if at > now() {
            Ok(ApprovalScope::Until(at))
        } else {
            Err(BadInput(format!("--for {text}: that day is over")).into())
        };
    }
    let after = parse_duration(text).map_err(|_| {
        BadInput(format!(
            "--for {text}: write `once`, `run`, a time from now such as `8 h` or `7 d`, or a date such as 2027-01-31"
        ))
    })?;
    Ok(ApprovalScope::Until(now().saturating_add(after)))
}

/// The end of a day in UTC, written `2027-01-31`.
fn date(text: &str) -> Option<UnixMillis> {
    let format = time::macros::format_description!("[year]-[month]-[day]");
    let day = time::Date::parse(text, format).ok()?.next_day()?;
    u64::try_from(day.midnight().assume_utc().unix_timestamp()).ok()?.checked_mul(1000)
}

fn now() -> UnixMillis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// What is wrong with an answer is wrong with what was given, unless the disk or the ledger is.
pub(crate) fn is_bad_input(error: &InboxError) -> bool {
    !matches!(error, InboxError::Spool(_) | InboxError::Ledger(_))
}
