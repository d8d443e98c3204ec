//! Flows: plans that a person wrote, on the same executor and in the same ledger as every run.

use std::sync::Arc;

use serde_json::Value;
use toolcrib_agent::{Agents, Budget, Cancel, Draft, Flow, Observer, Patch, Person, Run};
use toolcrib_ledger::RunId;
use toolcrib_policy::{Effect, PluginName, ToolName, Verdict};

use crate::call::{Caller, Progress};
use crate::children::Children;
use crate::crib::Crib;
use crate::error::CribError;
use crate::models::Chosen;
use crate::run::{Errand, PlannerChoice, RunResult};
use crate::tools::CribTools;

/// A flow that is to be run.
pub struct FlowRequest {
    /// The flow.
    pub flow: Flow,
    /// Its inputs, complete.
    pub inputs: Value,
    /// What it may spend; none for what the flow says.
    pub budget: Option<Budget>,
    /// Who answers questions; nobody for a run that is not attended.
    pub person: Option<Arc<dyn Person>>,
    /// Who watches.
    pub observer: Arc<dyn Observer>,
    /// Who sees the progress of single calls.
    pub progress: Option<Progress>,
    /// Ends the run early.
    pub cancel: Cancel,
}

/// What is known of a flow before it runs.
#[derive(Debug)]
pub struct CheckedFlow {
    /// Every tool that it calls, with the effect that counts, and what the operator's rules say of it before there are
    /// arguments; none where that depends on them.
    pub calls: Vec<(ToolName, Effect, Option<Verdict>)>,
    /// Plugins that it needs and that nothing is granted to, although they ask for something.
    pub without_grants: Vec<PluginName>,
}

impl Crib {
    pub(crate) fn flow_patches(&self, flow: &Flow) -> Result<Vec<Patch>, CribError> {
        let tools = CribTools { crib: self.clone(), caller: Caller::default(), meters: None, last: None };
        // Whatever an agent is to plan with has to be there before anything runs.
        let chosen = Chosen { planner: PlannerChoice::Flow, ..self.chosen(None, &[]) };
        let (planner, _) = self.planner(&chosen)?;
        let agents = Children::new(self.clone(), chosen, &planner);
        let named = toolcrib_agent::plan::agent::models(&flow.steps);
        let unknown: Vec<String> = named.into_iter().filter_map(|model| agents.planner(Some(model)).err()).collect();
        if !unknown.is_empty() {
            return Err(CribError::Flow(unknown));
        }
        flow.checked(&tools).map_err(|faults| CribError::Flow(faults.iter().map(ToString::to_string).collect()))
    }

    /// Checks a flow against the tools that are there, and says what it would call.
    ///
    /// # Errors
    ///
    /// A tool is not there, arguments do not fit, or a reference leads nowhere.
    pub fn check_flow(&self, flow: &Flow) -> Result<CheckedFlow, CribError> {
        let patches = self.flow_patches(flow)?;
        let mut calls = Vec::new();
        patches.iter().flat_map(Patch::drafts).for_each(|draft| collect(draft, &mut calls));
        let calls: Vec<_> = calls
            .into_iter()
            .map(|(tool, effect): (ToolName, Effect)| {
                let verdicts = self.operator().outlook(&tool, &effect).verdicts;
                let verdict = verdicts.first().copied().filter(|_| verdicts.len() == 1);
                (tool, effect, verdict)
            })
            .collect();
        let mut without_grants: Vec<PluginName> = Vec::new();
        for (tool, ..) in &calls {
            let name = tool.plugin();
            // A plugin that could call others does its own work without.
            let asks = self.plugin(name.as_str()).is_ok_and(|plugin| {
                let requests = Self::requests(&plugin);
                requests.tools.is_empty() && !requests.lines().is_empty()
            });
            if asks && self.operator().grants(name).is_empty() && !without_grants.contains(name) {
                without_grants.push(name.clone());
            }
        }
        Ok(CheckedFlow { calls, without_grants })
    }

    /// Runs a flow. `began` is told the run's name before anything happens in it.
    ///
    /// # Errors
    ///
    /// As [`Crib::check_flow`], or the ledger cannot be written. A flow that fails is an outcome.
    pub async fn run_flow(&self, request: FlowRequest, began: impl FnOnce(RunId)) -> Result<RunResult, CribError> {
        let FlowRequest { flow, inputs, budget, person, observer, progress, cancel } = request;
        let patches = self.flow_patches(&flow)?;
        let chosen = Chosen { planner: PlannerChoice::Flow, ..self.chosen(None, &[]) };
        let (planner, models) = self.planner(&chosen)?;
        let budget = budget.unwrap_or(flow.budget);
        self.check_prices(&chosen, Some(&budget), None)?;
        let (details, judge) = (chosen.details(), chosen.judge.clone());
        let agents = Arc::new(Children::new(self.clone(), chosen, &planner));
        let errand = Errand { goal: flow.name.clone(), planner, models, judge, person, observer, progress, last: None };
        let (run, (ports, till)) = self.begin(errand, &flow.name, details).await?;
        began(run);
        let driven = Run::flow(ports, &flow, budget, patches, inputs).paying(till).with_agents(agents);
        self.drive(run, driven, &cancel).await
    }
}

fn collect(draft: &Draft, calls: &mut Vec<(ToolName, Effect)>) {
    match draft {
        Draft::Step(step) => {
            let effect = step.effect.clone().unwrap_or(Effect::Irreversible);
            if !calls.iter().any(|(tool, _)| *tool == step.tool) {
                calls.push((step.tool.clone(), effect));
            }
            let check = step.check.as_ref().map(|check| &check.tool);
            if let Some(check) = check.filter(|check| !calls.iter().any(|(tool, _)| tool == *check)) {
                // It is not made where it would do more.
                calls.push((check.clone(), Effect::Read));
            }
        }
        Draft::Value(_) => {}
        Draft::Goal(goal) => goal.children.iter().for_each(|child| collect(child, calls)),
    }
}
