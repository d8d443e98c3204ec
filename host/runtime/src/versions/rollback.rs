//! `rollback`: the folders of a run as they were at one of its events.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use toolcrib_agent::{Event, EventKind, FolderState, NodeId, State};
use toolcrib_ledger::{Durability, Ledger, RunId};

use super::keep::Seen;
use super::restore::{Change, changes, restore};
use super::tree::Tree;
use super::{Keep, VersionError};
use crate::error::CribError;
use crate::gate::now;
use crate::ledger::{RunLog, to_ledger};

/// Paths that a refusal names.
const NAMED: usize = 5;

/// What is to be rolled back, and to where.
#[derive(Clone, Debug)]
pub struct RollbackRequest {
    /// The run, or the beginning of its name.
    pub run: String,
    /// A step by its name, or an event by its number.
    pub to: String,
    /// To the state before that step rather than after it.
    pub before: bool,
    /// Also where somebody else changed the folder since.
    pub force: bool,
    /// Say what would be done, and do nothing.
    pub dry_run: bool,
}

/// What was done.
#[derive(Debug)]
pub struct RollbackReport {
    /// The run.
    pub run: RunId,
    /// The event whose state it is.
    pub event: u64,
    /// The folders that the run changed.
    pub folders: Vec<RolledFolder>,
}

/// What was done in one folder.
#[derive(Debug)]
pub struct RolledFolder {
    /// The folder on this machine.
    pub folder: String,
    /// The snapshot that it was put back to.
    pub snapshot: String,
    /// What became of what was in it.
    pub changes: Vec<Change>,
    /// What somebody else had changed since.
    pub foreign: Vec<Change>,
}

/// What a run recorded of a folder.
struct Record {
    /// The event.
    seq: u64,
    /// The state, where it was kept.
    snapshot: Option<String>,
    /// A call began, and no other was under way: the run itself has changed nothing since the record before.
    begins: bool,
}

/// A folder that is to be put back.
struct Plan {
    folder: PathBuf,
    to: String,
    tree: Tree,
    now: Tree,
    foreign: Vec<Change>,
}

/// Puts the folders that a run changed back to what they were at one of its events. It is recorded in the run, before and
/// after, and can be repeated wherever it was cut off.
///
/// # Errors
///
/// There is no such run, step or state, somebody else changed a folder since, another host is at work in this data folder,
/// or a folder or the ledger cannot be written.
pub fn rollback(data: &Path, request: &RollbackRequest) -> Result<RollbackReport, CribError> {
    let ledger = if request.dry_run { Ledger::open_read_only(data) } else { Ledger::open(data) }?;
    let run = ledger.resolve(&request.run)?;
    let numbered = RunLog::numbered(&ledger, run)?;
    let refused = |why: String| CribError::Rollback { run: run.to_string(), why };
    let event = wanted(&numbered, request).map_err(refused)?;
    let recorded = recorded(&numbered);
    if recorded.is_empty() {
        return Err(refused(
            "it changed no folder that is versioned (`read-write ./out as /out, versioned`)".to_owned(),
        ));
    }
    let keep = Keep::in_data(data);
    let mut plans = Vec::new();
    for (folder, records) in &recorded {
        let to = state_at(records, event).ok_or_else(|| {
            let why = "what the call left in `{folder}` was not kept, since it was cut off: --before goes to the state before it";
            refused(why.replace("{folder}", folder))
        })?;
        let plan = plan(&keep, folder, to, records, event).map_err(|error| refused(error.to_string()))?;
        if !plan.foreign.is_empty() && !request.force {
            return Err(refused(foreign(folder, &plan.foreign)));
        }
        plans.push(plan);
    }
    let report = plans.iter().map(|plan| RolledFolder {
        folder: plan.folder.display().to_string(),
        snapshot: plan.to.clone(),
        changes: changes(&plan.now, &plan.tree),
        foreign: plan.foreign.clone(),
    });
    let report = RollbackReport { run, event, folders: report.collect() };
    if request.dry_run || report.folders.iter().all(|folder| folder.changes.is_empty()) {
        return Ok(report);
    }
    let failed = |error: VersionError| CribError::Rollback { run: run.to_string(), why: error.to_string() };
    let ended = numbered.iter().rev().find_map(|(_, event)| match &event.kind {
        EventKind::RunFinished { result } => Some(Some(result.name())),
        EventKind::RolledBack { .. } | EventKind::ApprovalRevoked { .. } => None,
        _ => Some(None),
    });
    let ended = ended.flatten();
    let from = put_aside(&keep, &plans).map_err(failed)?;
    let to: Vec<FolderState> = plans.iter().map(Plan::state).collect();
    let write = |done: bool| {
        let kind = EventKind::RolledBack { upto: event, from: from.clone(), to: to.clone(), done };
        let new = to_ledger(&kind.at(toolcrib_agent::Millis(now())));
        let new = new.map_err(|error| CribError::Run { run: run.to_string(), why: error.to_string() })?;
        // A run that was over stays over.
        let new = match &ended {
            Some(how) => new.status(*how).ends_run(),
            None => new,
        };
        ledger.append(run, new, Durability::Power).map(drop).map_err(CribError::from)
    };
    write(false)?;
    for plan in &plans {
        put_back(&keep, &plan.folder, &plan.to, &plan.tree).map_err(failed)?;
    }
    write(true)?;
    Ok(report)
}

/// Puts folders back to these states, where nobody but the calls since has changed them.
pub(crate) fn put_back_states(keep: &Keep, states: &[FolderState]) -> Result<(), VersionError> {
    let plans = states.iter().map(|state| plan(keep, &state.folder, state.snapshot.clone(), &[], 0));
    let plans: Vec<Plan> = plans.collect::<Result<_, _>>()?;
    if let Some(plan) = plans.iter().find(|plan| !plan.foreign.is_empty()) {
        return Err(VersionError::Foreign { why: foreign(&plan.folder.display().to_string(), &plan.foreign) });
    }
    put_aside(keep, &plans)?;
    plans.iter().try_for_each(|plan| put_back(keep, &plan.folder, &plan.to, &plan.tree))
}

/// The event whose state is wanted.
fn wanted(numbered: &[(toolcrib_ledger::Seq, Event)], request: &RollbackRequest) -> Result<u64, String> {
    let to = request.to.trim();
    if let Ok(number) = to.parse::<u64>() {
        let found = numbered.iter().find(|(seq, _)| seq.get() == number);
        let (_, event) = found.ok_or_else(|| format!("it has no event {number}; `show --events` lists them"))?;
        return match (&event.kind, request.before) {
            (EventKind::StepFinished { node, .. }, true) => {
                last(numbered, number, |kind| matches!(kind, EventKind::StepStarted { node: of, .. } if of == node))
                    .ok_or_else(|| format!("event {number} ends a call that never began"))
            }
            _ => Ok(number),
        };
    }
    let events: Vec<Event> = numbered.iter().map(|(_, event)| event.clone()).collect();
    let state = State::fold(&events).map_err(|error| error.to_string())?;
    let nodes: BTreeSet<NodeId> =
        state.plan().steps().filter(|(_, step)| step.name.to_string() == to).map(|(node, _)| node.id).collect();
    let is_wanted = |kind: &EventKind| match kind {
        EventKind::StepStarted { node, .. } if request.before => nodes.contains(node),
        EventKind::StepFinished { node, .. } if !request.before => nodes.contains(node),
        _ => false,
    };
    last(numbered, u64::MAX, is_wanted).ok_or_else(|| {
        let names: Vec<String> = state.plan().steps().map(|(_, step)| format!("`{}`", step.name)).collect();
        format!("no step `{to}` {}; its steps are {}", if request.before { "began" } else { "ended" }, names.join(", "))
    })
}

fn last(numbered: &[(toolcrib_ledger::Seq, Event)], upto: u64, is_wanted: impl Fn(&EventKind) -> bool) -> Option<u64> {
    let mut reversed = numbered.iter().rev().filter(|(seq, _)| seq.get() <= upto);
    reversed.find(|(_, event)| is_wanted(&event.kind)).map(|(seq, _)| seq.get())
}

/// What the run recorded of each folder, in order.
fn recorded(numbered: &[(toolcrib_ledger::Seq, Event)]) -> BTreeMap<String, Vec<Record>> {
    let mut found: BTreeMap<String, Vec<Record>> = BTreeMap::new();
    let mut under_way: BTreeMap<NodeId, BTreeSet<String>> = BTreeMap::new();
    for (seq, event) in numbered {
        let seq = seq.get();
        let mut note = |folder: &str, snapshot, begins| {
            found.entry(folder.to_owned()).or_default().push(Record { seq, snapshot, begins });
        };
        match &event.kind {
            EventKind::StepStarted { node, folders, .. } => {
                for state in folders {
                    let alone = !under_way.values().any(|busy| busy.contains(&state.folder));
                    note(&state.folder, Some(state.snapshot.clone()), alone);
                }
                under_way.insert(*node, folders.iter().map(|state| state.folder.clone()).collect());
            }
            EventKind::StepFinished { node, receipt, .. } => {
                let after: Vec<FolderState> = serde_json::from_value(receipt["folders"].clone()).unwrap_or_default();
                for folder in under_way.remove(node).unwrap_or_default() {
                    let state = after.iter().find(|state| state.folder == folder);
                    note(&folder, state.map(|state| state.snapshot.clone()), false);
                }
            }
            EventKind::RolledBack { to, done: true, .. } => {
                to.iter().for_each(|state| note(&state.folder, Some(state.snapshot.clone()), false));
            }
            _ => {}
        }
    }
    found
}

/// The state at an event. Before the first call it is the one that this call found.
fn state_at(records: &[Record], event: u64) -> Option<String> {
    let next = records.iter().position(|record| record.seq > event).unwrap_or(records.len());
    let following = || records.get(next)?.snapshot.clone();
    match next.checked_sub(1).map(|at| &records[at]) {
        Some(Record { snapshot: Some(snapshot), .. }) => Some(snapshot.clone()),
        // Nobody looked when it ended; the next call did when it began.
        Some(Record { seq, .. }) if *seq != event => following(),
        Some(_) => None,
        None => following(),
    }
}

/// Looks at a folder, and at what others changed in it after the event.
fn plan(keep: &Keep, folder: &str, to: String, records: &[Record], event: u64) -> Result<Plan, VersionError> {
    let place = PathBuf::from(folder);
    let tree = keep.tree(&to)?;
    let (now, _) = keep.look(&place, false)?;
    let known = keep.seen(&place).or_else(|| {
        let snapshot = records.iter().rev().find_map(|record| record.snapshot.clone())?;
        Some(Seen { snapshot, ..Seen::default() })
    });
    let mut foreign = match known {
        // What a call that was cut off did is not told from what others did.
        Some(seen) if seen.under_way => Vec::new(),
        Some(seen) => {
            let mut found = changes(&keep.tree(&seen.snapshot)?, &now);
            if let Some(restoring) = seen.restoring {
                // Each place is as it was or as it was to be, where a restoring was cut off.
                let target = keep.tree(&restoring)?;
                found.retain(|change| now.entries.get(&change.path) != target.entries.get(&change.path));
            }
            found
        }
        None => Vec::new(),
    };
    for pair in records.windows(2).filter(|pair| pair[1].begins && pair[1].seq > event) {
        if let (Some(left), Some(found)) = (&pair[0].snapshot, &pair[1].snapshot)
            && left != found
        {
            foreign.extend(changes(&keep.tree(left)?, &keep.tree(found)?));
        }
    }
    // What is as it is to be is not lost.
    foreign.retain(|change| now.entries.get(&change.path) != tree.entries.get(&change.path));
    foreign.sort_by(|one, two| one.path.cmp(&two.path));
    foreign.dedup_by(|later, first| later.path == first.path);
    Ok(Plan { folder: place, to, tree, now, foreign })
}

/// Keeps what there is, so that it can be had back, and notes what the folders are on their way to.
fn put_aside(keep: &Keep, plans: &[Plan]) -> Result<Vec<FolderState>, VersionError> {
    let aside = |plan: &Plan| {
        let state = keep.snapshot(&plan.folder, false)?;
        let seen = keep.seen(&plan.folder).unwrap_or_default();
        keep.see(&plan.folder, &Seen { restoring: Some(plan.to.clone()), ..seen })?;
        Ok(state)
    };
    plans.iter().map(aside).collect()
}

fn put_back(keep: &Keep, folder: &Path, to: &str, tree: &Tree) -> Result<(), VersionError> {
    restore(keep, folder, tree)?;
    let (now, stamps) = keep.look(folder, true)?;
    tracing::debug!(folder = %folder.display(), exact = now == *tree, "rolled back");
    keep.see(folder, &Seen { snapshot: to.to_owned(), under_way: false, restoring: None, stamps })
}

fn foreign(folder: &str, changes: &[Change]) -> String {
    let named: Vec<String> = changes.iter().take(NAMED).map(|change| format!("`{}`", change.path)).collect();
    let more = changes.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!(
        "somebody else changed {}{more} in `{folder}` since: look at them, and say --force to lose that",
        named.join(", ")
    )
}

impl Plan {
    fn state(&self) -> FolderState {
        FolderState { folder: self.folder.display().to_string(), snapshot: self.to.clone() }
    }
}

/// Removes the states that no run names any more whose values are still there; says how many files went.
///
/// # Errors
///
/// The ledger cannot be read. What cannot be removed stays for the next time.
pub fn sweep_states(data: &Path, ledger: &Ledger) -> Result<u64, CribError> {
    let mut named = BTreeSet::new();
    for run in ledger.run_ids(None)? {
        for event in ledger.events(run)? {
            if let Some(payload) = event?.payload {
                super::snapshots_in(&payload, &mut named);
            }
        }
    }
    let place = |error: VersionError| CribError::Place { path: data.display().to_string(), why: error.to_string() };
    Keep::in_data(data).retain(&named).map_err(place)
}
