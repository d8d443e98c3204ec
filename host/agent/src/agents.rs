//! What a child agent has in the place of what the run has: a planner of its own, and fewer tools.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;
use toolcrib_policy::{Effect, IdempotencyKey, ToolName, ToolPattern};

use crate::{Cancel, EffectState, FolderState, Planner, ToolCall, ToolCard, ToolFailure, ToolReport, Tools};

/// How many more tools are looked at than are wanted, so that those that an agent may use are among them.
const SEARCHED: usize = 16;

/// More tools than any catalog has.
const ALL_TOOLS: usize = 1_000_000;

/// Who knows the planners that child agents can have.
pub trait Agents: Send + Sync {
    /// The planner over the model of this name; none for the one that agents have where nothing is said.
    ///
    /// # Errors
    ///
    /// There is no such model, or agents may not be given it. The text says what can be done about it.
    fn planner(&self, model: Option<&str>) -> Result<Arc<dyn Planner>, String>;
}

/// The tools of one agent: those that are on every one of its lists.
pub struct Scoped {
    inner: Arc<dyn Tools>,
    lists: Vec<Vec<ToolPattern>>,
}

impl Scoped {
    /// Of `inner` the tools that are on every list.
    pub fn new(inner: Arc<dyn Tools>, lists: Vec<Vec<ToolPattern>>) -> Self {
        Self { inner, lists }
    }

    fn lists(&self, tool: &ToolName) -> bool {
        self.lists.iter().all(|list| list.iter().any(|pattern| pattern.matches(tool)))
    }
}

#[async_trait]
impl Tools for Scoped {
    fn search(&self, query: &str, limit: usize) -> Vec<ToolCard> {
        let mut found = self.inner.search(query, limit.saturating_mul(SEARCHED));
        found.retain(|card| self.lists(&card.name));
        // What is on the list is offered whatever the words of the goal are.
        for pattern in self.lists.last().into_iter().flatten() {
            let named = match pattern {
                ToolPattern::Exactly(tool) => self.get(tool).into_iter().collect(),
                ToolPattern::Plugin(plugin) => self.inner.search(plugin.as_str(), limit.saturating_mul(SEARCHED)),
                ToolPattern::Any => Vec::new(),
            };
            let new = |card: &ToolCard| self.lists(&card.name) && !found.iter().any(|known| known.name == card.name);
            let new: Vec<ToolCard> = named.into_iter().filter(new).collect();
            found.extend(new);
        }
        found.truncate(limit);
        found
    }

    fn list(&self, limit: usize) -> Option<Vec<ToolCard>> {
        let mut all = self.inner.list(ALL_TOOLS)?;
        all.retain(|card| self.lists(&card.name));
        (all.len() <= limit).then_some(all)
    }

    fn is_barred(&self, card: &ToolCard) -> bool {
        self.inner.is_barred(card)
    }

    fn get(&self, name: &ToolName) -> Option<ToolCard> {
        self.inner.get(name).filter(|_| self.lists(name))
    }

    fn effect(&self, card: &ToolCard, arguments: &Value) -> Effect {
        self.inner.effect(card, arguments)
    }

    fn idempotency_key(&self, call: &ToolCall) -> Option<IdempotencyKey> {
        self.inner.idempotency_key(call)
    }

    async fn keep_folders(&self, call: &ToolCall) -> Result<Vec<FolderState>, String> {
        self.inner.keep_folders(call).await
    }

    fn can_put_back(&self, tool: &ToolName) -> bool {
        self.inner.can_put_back(tool)
    }

    async fn put_back(&self, folders: &[FolderState]) -> Result<(), String> {
        self.inner.put_back(folders).await
    }

    async fn call(&self, call: ToolCall, cancel: Cancel) -> ToolReport {
        if self.lists(&call.tool) {
            return self.inner.call(call, cancel).await;
        }
        let failure = ToolFailure {
            code: "denied".to_owned(),
            message: format!("the agent has no `{}`", call.tool),
            effect: EffectState::None,
            grant: None,
            retry_after_seconds: None,
        };
        ToolReport { outcome: Err(failure), receipt: Value::Null, label: None }
    }
}
