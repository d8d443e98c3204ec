//! What the loop itself costs for each step, with the ledger on disk.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use serde_json::{Value, json};
use toolcrib_agent::{
    Answer, Budget, Cancel, Caps, Draft, Order, PlanContext, Planned, Planner, PlannerError, Ports, Proposal, Run,
    SystemClock, Then, ToolCall, ToolCard, ToolOutput, ToolReport, Tools,
};
use toolcrib_ledger::{Ledger, RunMeta};
use toolcrib_policy::{Effect, ToolName};
use toolcrib_runtime::RunLog;

use crate::measure::{Table, shown};

const STEPS: u32 = 200;

/// A tool that costs nothing, so that what is left is the loop.
struct Free(Effect);

#[async_trait]
impl Tools for Free {
    fn search(&self, _query: &str, _limit: usize) -> Vec<ToolCard> {
        Vec::new()
    }

    fn get(&self, name: &ToolName) -> Option<ToolCard> {
        Some(ToolCard {
            name: name.clone(),
            title: "free".to_owned(),
            description: String::new(),
            input_schema: json!({ "type": "object" }),
            output_schema: None,
            effect: self.0.clone(),
            open_world: false,
        })
    }

    async fn call(&self, call: ToolCall, _cancel: Cancel) -> ToolReport {
        let output = ToolOutput { structured: Some(call.arguments), text: String::new() };
        ToolReport { outcome: Ok(output), receipt: Value::Null, label: None }
    }
}

/// Plans all steps at once, then says that the goal is reached.
struct All;

#[async_trait]
impl Planner for All {
    fn name(&self) -> &str {
        "bench"
    }

    async fn plan(&self, context: &PlanContext) -> Result<Planned, PlannerError> {
        if context.state.spent().steps > 0 {
            return Ok(Proposal::Answer(Answer::text("done")).into());
        }
        let tool: ToolName = "free.tool".parse().expect("a name");
        let step = |n: u32| {
            let draft = json!({ "step": format!("s{n}"), "tool": tool, "arguments": { "n": n } });
            Draft::from_value(draft, "").expect("a draft")
        };
        let children = (0..STEPS).map(step).collect();
        Ok(Proposal::Expand { order: Order::Sequence, then: Then::Close, children }.into())
    }
}

pub(crate) async fn rows(table: &mut Table) {
    let process = per_step(Effect::Read).await;
    let power = per_step(Effect::Irreversible).await;
    table.row("loop overhead per step, ledger on disk", shown(process), "1.00".to_owned(), "<= 1 ms");
    table.ratio("the same, intents with full durability", power, process, "<= 1 ms");
}

async fn per_step(effect: Effect) -> Duration {
    let folder = tempfile::tempdir().expect("a folder");
    let ledger = Arc::new(Ledger::open(folder.path()).expect("the ledger opens"));
    let run = ledger.begin_run(&RunMeta::new("bench", "running")).expect("a run begins");
    let ports = Ports {
        tools: Arc::new(Free(effect)),
        planner: Arc::new(All),
        ledger: Arc::new(RunLog::new(ledger, run)),
        approver: Arc::new(()),
        person: None,
        observer: Arc::new(()),
        clock: Arc::new(SystemClock),
        critic: Default::default(),
        judge: None,
    };
    let budget = Budget { steps: STEPS + 1, ..Budget::default() };
    let mut driven = Run::start(ports, "bench", budget, Caps::default());
    let start = Instant::now();
    let outcome = driven.drive(&Cancel::new()).await.expect("the run ends");
    let took = start.elapsed();
    assert_eq!(outcome.name(), "reached", "{outcome:?}");
    took / STEPS
}
