//! Live progress of a run: a tree that redraws itself on a terminal, a line for each step elsewhere.

use std::collections::HashMap;
use std::io::IsTerminal;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use toolcrib_runtime::agent::critic::Follow;
use toolcrib_runtime::agent::{Event, EventKind, NodeId, Observer, State, StepOutcome, Unfounded, Verdict};
use toolcrib_runtime::{Progress, told};

use super::errln;
use super::inner::{cost, mark, why};
use super::text::plain;
use super::tree::{Costs, planned_anew, short, tree};

const SPINNER: [char; 8] = ['⠋', '⠙', '⠸', '⠴', '⠦', '⠧', '⠇', '⠏'];
const FRAME: Duration = Duration::from_millis(120);
/// The most of a message about progress that a line shows.
const PROGRESS_CHARS: usize = 100;
/// Lines about progress that nobody can redraw come no faster than this.
const PROGRESS_PAUSE: Duration = Duration::from_secs(1);

/// How much a run shows while it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Show {
    /// Nothing.
    Nothing,
    /// A line for each step.
    Lines,
    /// A tree that redraws itself.
    Tree,
}

/// The display of one run. Clones are the same display.
#[derive(Clone)]
pub(crate) struct Live(Arc<Inner>);

struct Inner {
    show: Show,
    bar: ProgressBar,
    seen: Mutex<Seen>,
    /// Held while a person is asked. Whoever draws meanwhile would wait for the answer, and a task that waits so keeps the
    /// whole runtime from its timers.
    asking: Mutex<()>,
}

#[derive(Default)]
struct Seen {
    state: Option<State>,
    costs: Costs,
    frame: usize,
    /// How often each goal was planned anew, as far as that was shown.
    anew: HashMap<NodeId, usize>,
    /// What the step that is under way says of itself, and when it was last shown as a line.
    progress: Option<String>,
    shown: Option<Instant>,
}

impl Live {
    /// A display that fits where standard error goes.
    pub(crate) fn new(quiet: bool) -> Self {
        let show = match (quiet, std::io::stderr().is_terminal()) {
            (true, _) => Show::Nothing,
            (false, true) => Show::Tree,
            (false, false) => Show::Lines,
        };
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template("{msg}") {
            bar.set_style(style);
        }
        let live = Live(Arc::new(Inner { show, bar, seen: Mutex::default(), asking: Mutex::default() }));
        if show == Show::Tree {
            live.clone().animate();
        }
        live
    }

    fn animate(self) {
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(FRAME).await;
                let Ok(_nobody_is_asked) = self.0.asking.try_lock() else { continue };
                if self.0.bar.is_finished() {
                    return;
                }
                self.redraw();
            }
        });
    }

    fn redraw(&self) {
        let mut seen = self.0.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.frame = (seen.frame + 1) % SPINNER.len();
        let mut lines =
            seen.state.as_ref().map_or_else(Vec::new, |state| tree(state, &seen.costs, SPINNER[seen.frame]));
        lines.extend(seen.progress.clone());
        if !lines.is_empty() {
            self.0.bar.set_message(lines.join("\n"));
        }
    }

    /// Shows how far a tool says that it is; nothing where nothing is shown.
    pub(crate) fn progress(&self) -> Option<Progress> {
        let live = self.clone();
        let report = move |done, total, message: &str| live.report(done, total, message);
        (self.0.show != Show::Nothing).then(|| Arc::new(report) as Progress)
    }

    fn report(&self, done: u64, total: Option<u64>, message: &str) {
        let total = total.map(|total| format!("/{total}")).unwrap_or_default();
        let message: String = message.chars().take(PROGRESS_CHARS).collect();
        let line = format!("  … {done}{total} {}", plain(&message));
        let mut seen = self.0.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if self.0.show == Show::Lines && seen.shown.is_none_or(|at| at.elapsed() >= PROGRESS_PAUSE) {
            seen.shown = Some(Instant::now());
            errln!("{}", line.trim_end());
        }
        seen.progress = Some(line);
    }

    /// Takes the display off the screen while a person is asked.
    pub(crate) fn suspend<T>(&self, ask: impl FnOnce() -> T) -> T {
        let _asking = self.0.asking.lock().unwrap_or_else(PoisonError::into_inner);
        self.0.bar.suspend(ask)
    }

    /// Takes the display away and leaves the finished tree, where one was shown.
    pub(crate) fn finish(&self) {
        self.0.bar.finish_and_clear();
        let seen = self.0.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if self.0.show == Show::Tree
            && let Some(state) = &seen.state
        {
            for line in tree(state, &seen.costs, '·') {
                errln!("{line}");
            }
        }
    }
}

impl Observer for Live {
    fn observe(&self, event: &Event, state: &State) {
        if self.0.show == Show::Lines {
            line(event, state);
        }
        let mut seen = self.0.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if self.0.show == Show::Lines {
            seen.new_plan(event, state);
        }
        seen.costs.note(event);
        if matches!(event.kind, EventKind::StepFinished { .. }) {
            seen.progress = None;
        }
        if self.0.show == Show::Tree {
            seen.state = Some(state.clone());
        }
    }
}

impl Seen {
    /// A line where a planner thought again.
    fn new_plan(&mut self, event: &Event, state: &State) {
        let EventKind::Expanded { node, .. } = event.kind else { return };
        let anew = state.plan().goal(node).map(|goal| goal.anew.as_slice()).unwrap_or_default();
        let known = self.anew.insert(node, anew.len()).unwrap_or_default();
        // Why stands above: as the failure of its last step.
        anew.iter().skip(known).for_each(|anew| errln!("{}", planned_anew(anew, true)));
    }
}

/// One line for what people follow: steps, backtracking, questions.
fn line(event: &Event, state: &State) {
    let goal = |node| plain(state.plan().goal(node).map_or("", |goal| &goal.text));
    match &event.kind {
        EventKind::StepStarted { tool, arguments, .. } => {
            let mut arguments = arguments.to_string();
            if arguments.chars().count() > 100 {
                arguments = arguments.chars().take(100).chain(['…']).collect();
            }
            errln!("→ {tool} {}", plain(&arguments));
        }
        EventKind::StepFinished { outcome, receipt, .. } => {
            let wall = receipt.get("wall_us").and_then(serde_json::Value::as_u64).unwrap_or(0);
            let fuel = receipt.get("fuel").and_then(serde_json::Value::as_u64).unwrap_or(0);
            let cost = format!("{}, fuel {}", super::duration(Duration::from_micros(wall)), super::count(fuel));
            match outcome {
                StepOutcome::Done { .. } => errln!("  ✓ {cost}"),
                StepOutcome::Failed { failure } => errln!("  ✗ {}: {} ({cost})", failure.code, plain(&failure.message)),
                StepOutcome::NotStarted { why } => errln!("  - not started: {}", plain(why)),
                StepOutcome::Unknown { why } => errln!("  ? unknown: {}", plain(why)),
            }
            if let Some(undeclared) = receipt.get("undeclared").and_then(serde_json::Value::as_str) {
                errln!("  ! {}", plain(undeclared));
            }
        }
        EventKind::ModelAnswered { model, failed: Some(code), .. } => {
            errln!("! no answer from {}: {code}", plain(model))
        }
        EventKind::InnerStarted { path, tool, arguments, .. } => {
            errln!("  → {path} {tool} {}", plain(&short(arguments)));
        }
        EventKind::InnerFinished { path, outcome, receipt, .. } => {
            errln!("  {} {path}{}{}", mark(outcome), cost(receipt), why(outcome));
        }
        EventKind::InnerBlocked { path, tool, code, why, .. } => errln!("  ✗ {path} {tool}  {code}: {}", plain(why)),
        EventKind::StepParked { why, .. } => errln!("  … the program is run again later: {}", plain(why)),
        EventKind::StepResumed { .. } => errln!("  → the program is run again"),
        EventKind::Judged { node, verdict: Verdict::Backtrack | Verdict::Replan, why, .. } => {
            let outcome = state.record(*node).and_then(|record| record.outcome.as_ref());
            if matches!(outcome, Some(StepOutcome::Done { .. })) {
                errln!("  ✗ not accepted: {}", plain(why));
            }
        }
        EventKind::Backtracked { why, .. } => errln!("↩ another way: {}", plain(why)),
        EventKind::Ungrounded { missing, then, .. } if *then != Unfounded::Made => {
            let named: Vec<_> = missing.iter().map(|missing| plain(&missing.text)).collect();
            errln!("! made up: {}", named.join(", "));
        }
        EventKind::Reviewed { by, then, why, .. } if *then != Follow::Stands => {
            errln!("! {} doubts a result: {}", plain(by), plain(why));
        }
        EventKind::LookedAgain { holds: false, why, .. } => errln!("! a result fell: {}", plain(why)),
        EventKind::Undoing { tool, .. } => errln!("↶ taking back with {tool}"),
        EventKind::NotUndone { why, .. } => errln!("! cannot be taken back: {}", plain(why)),
        EventKind::LoopCut { why, .. } => errln!("✂ {}", plain(why)),
        EventKind::GoalSpent { node, kind } => errln!("✂ the budget of {kind} is spent of: {}", goal(*node)),
        EventKind::Asked { question, .. } => errln!("? {}", plain(&question.text)),
        EventKind::ApprovalAsked { request, .. } => {
            errln!("? rule `{}` asks about {} (question {})", plain(&request.rule), request.call.tool, request.id);
        }
        EventKind::ApprovalAnswered { answer, .. } => errln!("  {}", plain(&told(answer))),
        _ => {}
    }
}
