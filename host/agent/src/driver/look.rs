//! Looking things up for a planner. It is quick, changes nothing, and is recorded with what it found.

use std::sync::Arc;

use toolcrib_model::Usage;

use super::Run;
use crate::look::{ASKS_MAX, Ask, Excerpt, Look, RESULTS_FOUND_MAX, TOOLS_FOUND_MAX};
use crate::{EventKind, Memory, NodeId, StepName};

/// The most tools that are gone through for some that may be called.
const SEARCHED_MAX: usize = 64;

impl Run {
    /// The event that a planner's wish to look something up makes.
    pub(super) async fn look(&self, node: NodeId, asks: Vec<Ask>, usage: Usage) -> EventKind {
        let fault = if asks.is_empty() || asks.len() > ASKS_MAX {
            format!("look up one to {ASKS_MAX} things at once")
        } else if self.state.is_looked_out(node) {
            let most = self.state.caps().looks;
            format!("you looked things up {most} times in a row, which is enough: act, answer, ask or give up")
        } else {
            let mut looks = Vec::new();
            for ask in asks {
                looks.push(self.look_up(node, ask.clipped()).await);
            }
            return EventKind::Looked { node, looks, usage };
        };
        EventKind::PlanRejected { node, faults: vec![fault], usage }
    }

    async fn look_up(&self, node: NodeId, ask: Ask) -> Look {
        let scope = self.state.plan().scope_of(node);
        let all = self.tools_of(node);
        let state = Arc::clone(&self.state);
        let (mut tools, mut results) = (Vec::new(), Vec::new());
        match &ask {
            Ask::Tools { query } => {
                let found = all.search(query, SEARCHED_MAX).into_iter();
                let open = found.filter(|card| !all.is_barred(card));
                tools = open.take(TOOLS_FOUND_MAX).map(|card| card.name).collect();
            }
            Ask::Results { query } => {
                let earlier = self.ports.ledger.earlier(query).await;
                let mut own = Memory::of(&state).search(query);
                own.retain(|found| self.is_seen(scope, found));
                // An agent of its own knows what it is given, and no other run.
                let earlier = if scope == NodeId::ROOT { earlier } else { Vec::new() };
                results = shared(own, earlier);
            }
            Ask::Result { of, from } => {
                results = Memory::of(&state).read(of, *from).into_iter().collect();
                results.retain(|found| self.is_seen(scope, found));
            }
        }
        Look { ask, tools, results }
    }

    /// Whether what was found is seen in this scope: what another agent did is its own.
    fn is_seen(&self, scope: NodeId, found: &Excerpt) -> bool {
        let plan = self.state.plan();
        let of_goal = || found.of.strip_prefix('n')?.parse().ok().map(NodeId);
        let named = StepName::try_from(found.of.clone()).ok().and_then(|name| Some(plan.holder(&name)?.id));
        named.or_else(of_goal).is_some_and(|id| plan.seen_in(id) == scope)
    }
}

/// The best of this run and of earlier ones: this run's own come first, and leave room for at least two of the others.
fn shared(mut own: Vec<Excerpt>, mut earlier: Vec<Excerpt>) -> Vec<Excerpt> {
    const EARLIER_AT_LEAST: usize = 2;
    earlier.truncate(RESULTS_FOUND_MAX.saturating_sub(own.len()).max(EARLIER_AT_LEAST));
    own.truncate(RESULTS_FOUND_MAX - earlier.len());
    own.extend(earlier);
    own
}
