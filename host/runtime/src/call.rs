//! One call of one tool, by its qualified name.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use serde_json::Value;
use toolcrib_agent::{Chain, InnerPath, Inside, Person, Program};
use toolcrib_model::Meter;
use toolcrib_policy::{
    ApprovalId, Authority, Fuel, IdempotencyKey, Label, Labels, LimitRequest, RunFacts, ToolName, ToolPattern, WallTime,
};
use toolcrib_sandbox::{Call, CallError, CancellationToken, Steady, StopWatch};

use crate::crib::Crib;
use crate::error::CribError;
use crate::gate::{AtGate, Known};
use crate::services::{CallServices, Children};

pub use toolcrib_sandbox::CallReport;

/// Shown how far a call has come: done, total, message.
pub type Progress = Arc<dyn Fn(u64, Option<u64>, &str) + Send + Sync>;

/// Who calls: what a tool reaches when it reports, asks, or wants a completion, and what the rules know of the run.
#[derive(Clone, Default)]
pub(crate) struct Caller {
    /// Sees progress.
    pub(crate) progress: Option<Progress>,
    /// Answers questions.
    pub(crate) person: Option<Arc<dyn Person>>,
    /// Complete prompts.
    pub(crate) models: Option<Arc<Chain>>,
    /// Who is told of each request to a model.
    pub(crate) meter: Option<Arc<dyn Meter>>,
    /// The lists of tools of the agents that call: a tool has to be on each.
    pub(crate) within: Vec<Vec<ToolPattern>>,
    /// The run that calls.
    pub(crate) run: Arc<RunFacts>,
    pub(crate) known: Known,
    /// Where a program tells of the calls that it makes, so that they stand in the ledger; none outside a run.
    pub(crate) inside: Option<Inside>,
}

impl Caller {
    /// Whether the agents that call may all use this tool.
    pub(crate) fn may_call(&self, tool: &ToolName) -> bool {
        self.within.iter().all(|list| list.iter().any(|pattern| pattern.matches(tool)))
    }
}

/// A call on its way to the sandbox.
pub(crate) struct Asked<'a> {
    pub(crate) tool: &'a str,
    pub(crate) arguments: Value,
    pub(crate) labels: Labels,
    /// The label of what the call hangs on.
    pub(crate) under: Label,
    /// The yes that a run used for it.
    pub(crate) approval: Option<&'a ApprovalId>,
    /// What the tool that calls this one may do itself.
    pub(crate) delegated: Option<&'a Authority>,
    /// Its place among the calls of the step's program.
    pub(crate) path: InnerPath,
    /// Where it is a program: what its clock and its random numbers follow from.
    pub(crate) program: Option<Program>,
    /// The watch of the call that this one is inside of: it stands still while a plugin is made ready.
    pub(crate) above: Option<StopWatch>,
    /// The most fuel that it may take, where that is less than the limits say.
    pub(crate) fuel: Option<u64>,
    /// The most time that it may take, in milliseconds, where that is less than the limits say.
    pub(crate) wall_ms: Option<u64>,
    /// What tells this call from every other.
    pub(crate) key: Option<IdempotencyKey>,
}

impl<'a> Asked<'a> {
    /// A call by nobody but the host, that nobody approved.
    pub(crate) fn of(tool: &'a str, arguments: Value, labels: Labels) -> Self {
        Asked {
            tool,
            arguments,
            labels,
            under: Label::TRUSTED,
            approval: None,
            delegated: None,
            path: InnerPath::ROOT,
            program: None,
            above: None,
            fuel: None,
            wall_ms: None,
            key: None,
        }
    }
}

impl Crib {
    /// Calls a tool. Every call passes here: the rules are asked, then the sandbox runs it with what it may do. A call that
    /// failed is a report, with its receipt.
    ///
    /// # Errors
    ///
    /// There is no such tool, or its plugin cannot be loaded.
    pub(crate) async fn call_inside(
        &self,
        asked: Asked<'_>,
        caller: Caller,
        cancel: CancellationToken,
    ) -> Result<CallReport, CribError> {
        let (plugin, tool) = self.tool(asked.tool)?;
        let effect = self.effect_of_call(&plugin, &tool, &asked.arguments);
        let gate = AtGate {
            plugin: &plugin,
            tool: &tool,
            arguments: &asked.arguments,
            effect: &effect,
            labels: &asked.labels,
            under: asked.under,
            run: &caller.run,
        };
        if let Err(refusal) = self.pass_gate(&gate, &caller.known, asked.approval) {
            return Ok(CallReport::not_made(CallError::refused(refusal)));
        }
        let loaded = {
            let _still = asked.above.as_ref().map(StopWatch::pause);
            self.load(&plugin).await?
        };
        let mut authority = self.authority(&plugin, asked.delegated);
        let (wall, fuel) = (asked.wall_ms.map(WallTime::new), asked.fuel.map(Fuel::new));
        authority.limits = authority.limits.lowered(&LimitRequest { wall, fuel, ..LimitRequest::default() });
        let authority = Arc::new(authority);
        let steady = asked.program.map(|program| Arc::new(Steady::new(program.clock.0, &program.seed)));
        let depth = asked.path.depth();
        let children = Children::new(&cancel);
        let watch = asked.above.map(|above| above.inside()).unwrap_or_default();
        let services = CallServices {
            crib: self.clone(),
            fuel: AtomicU64::new(authority.limits.fuel.get()),
            authority: authority.clone(),
            caller,
            path: asked.path,
            watch: watch.clone(),
            steady: steady.clone(),
            children: children.clone(),
            key: asked.key.clone(),
        };
        let calls_tools = !authority.tools.is_empty();
        let mut call = Call::new(tool.name().tool(), asked.arguments, authority);
        call.keyvalue = self.0.state.clone();
        call.rates = self.0.state.clone();
        call.vault = self.0.vault.clone();
        call.environment = self.0.settings.environment.clone();
        call.services = Arc::new(services);
        call.cancel = cancel;
        (call.depth, call.watch, call.steady) = (depth, watch, steady);
        call.key = asked.key;
        let mut report = self.0.sandbox.call(&loaded, call).await;
        children.end().await;
        // What a program has others do is what the operator let it do, and stands with each of its calls.
        report.receipt.check_declared(if calls_tools { Some(&effect) } else { tool.declared_effect() });
        if let Some(undeclared) = &report.receipt.undeclared {
            tracing::warn!(tool = %tool.name(), "{undeclared}");
        }
        Ok(report)
    }
}
