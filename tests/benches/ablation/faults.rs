//! Faults, put between the run and its tools, and between the run and its planner. Each happens once in a run.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use serde_json::{Value, json};
use toolcrib_agent::{
    Cancel, Draft, EffectState, NodeId, PlanContext, Planned, Planner, PlannerError, Proposal, ToolCall, ToolCard,
    ToolFailure, ToolOutput, ToolReport, Tools, Writes,
};
use toolcrib_policy::{Effect, Marks, ToolName};

/// What goes wrong, once.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Fault {
    /// The planner writes something else into an argument.
    Argument { tool: &'static str, at: &'static str, value: Value },
    /// A read gives what was there before.
    Stale { tool: &'static str, at: &'static str, value: Value },
    /// A call fails for a passing reason.
    Failing { tool: &'static str },
    /// A call says that it did its work, and did not.
    Lost { tool: &'static str, result: Value },
    /// A read gives something that is not what was asked for.
    Misleading { tool: &'static str, at: &'static str, value: Value },
}

/// What the judge knows: which results are bad.
#[derive(Default)]
pub(crate) struct Knowledge {
    bad: Mutex<BTreeSet<NodeId>>,
    reviews: AtomicU64,
}

impl Knowledge {
    pub(crate) fn is_bad(&self, node: NodeId) -> bool {
        self.bad.lock().unwrap_or_else(PoisonError::into_inner).contains(&node)
    }

    fn note(&self, node: NodeId, bad: bool) {
        let mut nodes = self.bad.lock().unwrap_or_else(PoisonError::into_inner);
        if bad {
            nodes.insert(node)
        } else {
            nodes.remove(&node)
        };
    }

    pub(crate) fn reviewed(&self) {
        self.reviews.fetch_add(1, Ordering::SeqCst);
    }

    pub(crate) fn reviews(&self) -> u64 {
        self.reviews.load(Ordering::SeqCst)
    }
}

/// The real tools with one fault in them.
pub(crate) struct FaultyTools {
    pub(crate) inner: Arc<dyn Tools>,
    pub(crate) fault: Option<Fault>,
    pub(crate) happened: Arc<AtomicBool>,
    pub(crate) knows: Arc<Knowledge>,
}

impl FaultyTools {
    /// Whether the fault of this tool is to happen now.
    fn strikes(&self, call: &ToolCall, tool: &str) -> bool {
        call.tool.to_string() == tool && !self.happened.swap(true, Ordering::SeqCst)
    }
}

#[async_trait]
impl Tools for FaultyTools {
    fn search(&self, query: &str, limit: usize) -> Vec<ToolCard> {
        self.inner.search(query, limit)
    }

    fn get(&self, name: &ToolName) -> Option<ToolCard> {
        self.inner.get(name)
    }

    fn effect(&self, card: &ToolCard, arguments: &Value) -> Effect {
        self.inner.effect(card, arguments)
    }

    async fn call(&self, call: ToolCall, cancel: Cancel) -> ToolReport {
        let node = call.node;
        match &self.fault {
            Some(Fault::Failing { tool }) if self.strikes(&call, tool) => {
                let failure = ToolFailure {
                    code: "unavailable".to_owned(),
                    message: "the service has a moment of weakness".to_owned(),
                    effect: EffectState::None,
                    grant: None,
                    retry_after_seconds: Some(0),
                };
                ToolReport { outcome: Err(failure), receipt: json!({}), label: Some(Marks::default()) }
            }
            Some(Fault::Lost { tool, result }) if self.strikes(&call, tool) => {
                self.knows.note(node, true);
                let output = ToolOutput { structured: Some(result.clone()), text: String::new() };
                ToolReport { outcome: Ok(output), receipt: json!({}), label: Some(Marks::default()) }
            }
            Some(Fault::Stale { tool, at, value } | Fault::Misleading { tool, at, value })
                if self.strikes(&call, tool) =>
            {
                let mut report = self.inner.call(call, cancel).await;
                if let Ok(ToolOutput { structured: Some(result), .. }) = &mut report.outcome {
                    let place = result.pointer_mut(at).unwrap_or_else(|| panic!("the result of `{tool}` has a `{at}`"));
                    *place = value.clone();
                    self.knows.note(node, true);
                }
                report
            }
            Some(Fault::Argument { tool, at, value }) => {
                let slip = call.tool.to_string() == *tool && call.arguments.pointer(at) == Some(value);
                self.knows.note(node, slip);
                self.inner.call(call, cancel).await
            }
            _ => {
                self.knows.note(node, false);
                self.inner.call(call, cancel).await
            }
        }
    }
}

/// A planner that slips once.
pub(crate) struct FaultyPlanner {
    pub(crate) inner: Arc<dyn Planner>,
    pub(crate) fault: Option<Fault>,
    pub(crate) happened: Arc<AtomicBool>,
}

#[async_trait]
impl Planner for FaultyPlanner {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn writes(&self) -> Writes {
        self.inner.writes()
    }

    async fn plan(&self, context: &PlanContext) -> Result<Planned, PlannerError> {
        let mut planned = self.inner.plan(context).await?;
        if let (Some(Fault::Argument { tool, at, value }), Proposal::Expand { children, .. }) =
            (&self.fault, &mut planned.proposal)
        {
            children.iter_mut().for_each(|draft| self.slip(draft, tool, at, value));
        }
        Ok(planned)
    }
}

impl FaultyPlanner {
    fn slip(&self, draft: &mut Draft, tool: &str, at: &str, value: &Value) {
        match draft {
            Draft::Goal(goal) => goal.children.iter_mut().for_each(|child| self.slip(child, tool, at, value)),
            Draft::Step(step) if step.tool.to_string() == tool => {
                if let Some(place) = step.arguments.pointer_mut(at)
                    && !self.happened.swap(true, Ordering::SeqCst)
                {
                    *place = value.clone();
                }
            }
            Draft::Step(_) | Draft::Value(_) => {}
        }
    }
}
