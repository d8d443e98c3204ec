//! Why the model is asked, where that is not plain from what it sees: a plan that failed, a budget that is nearly spent.

use super::prompt::fenced;
use crate::{PlanContext, PlanReason, Status};

/// The most of a reason that is told, in bytes.
const WHY_BYTES: u64 = 1_000;

/// What the model is told last; none where nothing went wrong and nothing is short.
pub(super) fn situation(context: &PlanContext) -> Option<String> {
    let (state, goal) = (&context.state, context.state.plan().goal(context.node)?);
    let mut said = Vec::new();
    if context.reason == PlanReason::Stuck {
        let failed = goal.children.iter().rev().find_map(|child| match &state.plan().node(*child)?.status {
            Status::Failed { why, .. } => Some(why.as_str()),
            _ => None,
        });
        said.push(format!(
            "What was planned for this goal failed: {}. What was reached stays, and can be referred to. Plan the goal anew, in \
             another way, or give up. (It was planned anew {} of {} times.)",
            fenced(failed.unwrap_or("no way is left"), WHY_BYTES),
            goal.replans,
            state.caps().replans,
        ));
    }
    if let Some(share) = goal.budget {
        let left = state.left(context.node);
        let parts = [
            share.steps.and(left.steps).map(|steps| format!("{steps} calls")),
            share.tokens.and(left.tokens).map(|tokens| format!("{tokens} tokens")),
            share.wall_ms.and(left.wall_ms).map(|wall| format!("{} s", wall / 1000)),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        said.push(format!("This goal has {} left.", parts.join(", ")));
    }
    (!said.is_empty()).then(|| said.join("\n"))
}
