//! Measuring, and the table.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use serde_json::Value;
use toolcrib_agent::{Budget, BuiltinPlanner, Cancel, Caps, Planner, Run};
use toolcrib_policy::{CriticMode, CriticSettings};
use toolcrib_runtime::measure;

use crate::faults::{Fault, FaultyPlanner, FaultyTools, Knowledge};
use crate::judge::Liar;
use crate::replay::Replay;
use crate::tasks::Task;
use crate::world::World;

/// How much of the critic there is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Critic {
    /// Results count as they are, and what fails fails: no retry, no new plan.
    Off,
    /// Results count as they are; where something fails, the planner plans anew.
    Replans,
    /// What programs can check.
    Checks,
    /// The same, and a judge that is wrong this often, in per cent.
    All {
        /// How often.
        wrong: u32,
    },
}

/// A row: how the runs came out.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    pub(crate) critic: Critic,
    pub(crate) seeds: u64,
    pub(crate) runs: u64,
    pub(crate) plain: Share,
    pub(crate) faulty: Share,
    /// Wrong without the critic, right with it.
    pub(crate) recovered: Share,
    /// Right with less of the critic (without it, or without the judge), wrong with it: by the name of the task and its fault.
    pub(crate) harmed: Vec<String>,
    /// Wrong in the world although the run said that it had reached its goal.
    pub(crate) unnoticed: u64,
    pub(crate) calls: u64,
    pub(crate) reviews: u64,
    pub(crate) time: Duration,
}

/// So many of so many.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Share {
    pub(crate) of: u64,
    pub(crate) are: u64,
}

impl Share {
    fn note(&mut self, is: bool) {
        self.of += 1;
        self.are += u64::from(is);
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let per_cent = if self.of == 0 { 0.0 } else { self.are as f64 * 100.0 / self.of as f64 };
        f.pad(&format!("{}/{} {per_cent:.0} %", self.are, self.of))
    }
}

impl Cell {
    pub(crate) fn of(critic: Critic) -> Self {
        Self {
            critic,
            seeds: 1,
            runs: 0,
            plain: Share::default(),
            faulty: Share::default(),
            recovered: Share::default(),
            harmed: Vec::new(),
            unnoticed: 0,
            calls: 0,
            reviews: 0,
            time: Duration::ZERO,
        }
    }
}

pub(crate) struct Table(pub(crate) Vec<Cell>);

/// What one run came to.
struct Ended {
    right: bool,
    reached: bool,
    calls: u64,
    reviews: u64,
}

/// Runs every task without a fault and with each of its faults, once for each seed of each cell. The first cell is what the
/// others are compared with; a row with a judge is also compared with those without one.
pub(crate) async fn measure(world: &World, tasks: &[Task], mut cells: Vec<Cell>) -> Table {
    let mut right_without: BTreeSet<String> = BTreeSet::new();
    // What any row before has got right: no more of the critic may get it wrong.
    let mut right_with_less: BTreeSet<String> = BTreeSet::new();
    for (place, cell) in cells.iter_mut().enumerate() {
        let begun = Instant::now();
        for task in tasks {
            for fault in std::iter::once(None).chain(task.faults.iter().map(Some)) {
                let named = format!("{} / {}", task.name, fault.map_or_else(|| "no fault".to_owned(), name));
                for seed in 0..cell.seeds {
                    let ended = run(world, task, fault, cell.critic, seed).await;
                    cell.runs += 1;
                    (cell.calls, cell.reviews) = (cell.calls + ended.calls, cell.reviews + ended.reviews);
                    cell.unnoticed += u64::from(ended.reached && !ended.right);
                    let share = if fault.is_none() { &mut cell.plain } else { &mut cell.faulty };
                    share.note(ended.right);
                    let judged = matches!(cell.critic, Critic::All { .. });
                    if place == 0 && ended.right {
                        right_without.insert(named.clone());
                    } else if place > 0 && !right_without.contains(&named) {
                        cell.recovered.note(ended.right);
                    }
                    if ended.right && !judged {
                        right_with_less.insert(named.clone());
                    } else if !ended.right && right_with_less.contains(&named) {
                        cell.harmed.push(format!("{named} (seed {seed})"));
                    }
                }
            }
        }
        cell.time = begun.elapsed();
    }
    Table(cells)
}

fn name(fault: &Fault) -> String {
    match fault {
        Fault::Argument { tool, at, .. } => format!("wrong argument {tool}{at}"),
        Fault::Stale { tool, .. } => format!("stale read {tool}"),
        Fault::Failing { tool } => format!("failing tool {tool}"),
        Fault::Lost { tool, .. } => format!("misleading result, lost {tool}"),
        Fault::Misleading { tool, .. } => format!("misleading result {tool}"),
    }
}

async fn run(world: &World, task: &Task, fault: Option<&Fault>, critic: Critic, seed: u64) -> Ended {
    world.set(task);
    let goal = task.goal.replace("SERVER", &world.server);
    let at_server = |value: &Value| -> Value {
        let text = value.to_string().replace("SERVER", &world.server);
        serde_json::from_str(&text).expect("JSON stays JSON")
    };
    let fault = fault.cloned().map(|fault| match fault {
        Fault::Argument { tool, at, value } => Fault::Argument { tool, at, value: at_server(&value) },
        other => other,
    });
    let planner: Arc<dyn Planner> = match &task.plan {
        None => Arc::new(BuiltinPlanner),
        Some(plan) => Arc::new(Replay::new(at_server(plan).as_array().expect("a plan is a list").clone())),
    };
    let happened = Arc::new(AtomicBool::new(false));
    let planner = Arc::new(FaultyPlanner { inner: planner, fault: fault.clone(), happened: happened.clone() });
    let (_, mut ports) = measure::ports(&world.crib, &goal, planner).await.expect("the run begins");
    let knows = Arc::new(Knowledge::default());
    ports.tools = Arc::new(FaultyTools { inner: ports.tools, fault, happened, knows: knows.clone() });
    let mut caps = Caps::default();
    let usual = CriticSettings::default();
    ports.critic = match critic {
        Critic::Off => {
            caps.replans = 0;
            CriticSettings { mode: CriticMode::Off, ..usual }
        }
        Critic::Replans => CriticSettings { mode: CriticMode::Off, ..usual },
        Critic::Checks => usual,
        Critic::All { wrong } => {
            ports.judge = Some(Arc::new(Liar { knows: knows.clone(), wrong, seed }));
            CriticSettings { mode: CriticMode::All, judge: Some("liar".to_owned()), ..usual }
        }
    };
    let mut run = Run::start(ports, goal, Budget::default(), caps);
    let outcome = run.drive(&Cancel::new()).await.expect("the run ends");
    let calls = u64::from(run.state().spent().steps);
    Ended { right: (task.right)(world), reached: outcome.name() == "reached", calls, reviews: knows.reviews() }
}

impl fmt::Display for Critic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&match self {
            Self::Off => "off".to_owned(),
            Self::Replans => "off, planning anew".to_owned(),
            Self::Checks => "checks".to_owned(),
            Self::All { wrong } => format!("all, judge wrong {wrong} %"),
        })
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<22} {:>5} {:>16} {:>14} {:>14} {:>7} {:>10} {:>10} {:>8} {:>7}",
            "critic",
            "runs",
            "right, no fault",
            "right, fault",
            "recovered",
            "harmed",
            "unnoticed",
            "calls/run",
            "reviews",
            "time"
        )?;
        for cell in &self.0 {
            writeln!(
                f,
                "{:<22} {:>5} {:>16} {:>14} {:>14} {:>7} {:>10} {:>10.2} {:>8.2} {:>5.1} s",
                cell.critic,
                cell.runs,
                cell.plain,
                cell.faulty,
                if cell.critic == Critic::Off { "-".to_owned() } else { cell.recovered.to_string() },
                cell.harmed.len(),
                cell.unnoticed,
                cell.calls as f64 / cell.runs.max(1) as f64,
                cell.reviews as f64 / cell.runs.max(1) as f64,
                cell.time.as_secs_f64(),
            )?;
        }
        self.0
            .iter()
            .flat_map(|cell| cell.harmed.iter().map(move |harmed| (cell.critic, harmed)))
            .try_for_each(|(critic, harmed)| writeln!(f, "harmed: {critic}: {harmed}"))
    }
}
