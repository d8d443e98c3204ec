//! A run that goes on, or that begins where another one was.

use super::State;
use super::apply::Applied;
use crate::{Made, Millis, Outcome, Status};

impl State {
    pub(super) fn forked(&mut self, from: &str, made: &[Made], keyed: &[Made]) -> Applied {
        if let Some(node) = self.in_flight().next() {
            return Err(format!("the call of {node} was under way"));
        }
        for call in made {
            let calls = self.calls.entry(Self::call_key(&call.tool, &call.arguments)).or_default();
            (calls.settled, calls.elsewhere) = (Some(call.by.clone()), Some(from.to_owned()));
        }
        for call in keyed {
            let keys = self.keys.entry(Self::call_key(&call.tool, &call.arguments)).or_default();
            keys.extend(call.key.clone());
        }
        Ok(())
    }

    pub(super) fn resumed(&mut self, budget: Option<crate::Budget>, at: Millis) -> Applied {
        if let Some(outcome) = &self.outcome
            && !outcome.is_resumable()
        {
            return Err(format!("the run ended for good: {}", outcome.name()));
        }
        self.stop_time();
        // A hold that nobody saw stays one.
        self.holding &= self.outcome != Some(Outcome::Held);
        (self.outcome, self.exhausted, self.cancelled, self.unanswered) = (None, None, false, None);
        self.settle_what_was_cut_off();
        match budget {
            None => self.paused_ms = self.paused_ms.saturating_add(at.0.saturating_sub(self.now.0)),
            Some(more) => {
                self.budget.steps = self.spent.steps.saturating_add(more.steps);
                self.budget.tokens = self.spent.tokens.saturating_add(more.tokens);
                self.budget.wall_ms = more.wall_ms;
                // Without a word about money the limit stays where it is: nothing lifts it by the way.
                if let Some(money) = more.money {
                    self.budget.money = Some(self.purse.spent.plus(money));
                }
                (self.started, self.paused_ms) = (Some(self.now.max(at)), 0);
            }
        }
        let planning: Vec<_> =
            self.plan.nodes().iter().filter(|n| n.status == Status::Planning).map(|n| n.id).collect();
        for node in planning {
            self.rest(node);
        }
        self.stalled = 0;
        Ok(())
    }
}
