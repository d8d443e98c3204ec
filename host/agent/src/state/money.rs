//! What a run has spent in money, and what it has set aside.
//!
//! An amount that was set aside counts as spent until it is known what became of it. Where that is never known, because the
//! run was cut off, it stays spent.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use toolcrib_model::Usage;
use toolcrib_policy::{Money, ToolName};

use super::State;
use crate::{InnerPath, NodeId, StepOutcome};

/// What one model, or one tool, has cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bill {
    /// Requests, or calls.
    pub times: u64,
    /// How many of them gave no answer.
    #[serde(default)]
    pub failed: u64,
    /// Tokens.
    #[serde(default)]
    pub usage: Usage,
    /// Money, where there is a price.
    #[serde(default)]
    pub money: Money,
}

/// A request that is under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Open {
    node: NodeId,
    model: String,
    reserved: Money,
}

/// The purse of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Purse {
    /// What the amounts are in; empty while nothing has a price.
    pub currency: String,
    /// What was spent for sure, or may have been and nobody can tell.
    pub spent: Money,
    /// By model.
    pub models: BTreeMap<String, Bill>,
    /// By tool, where it has a price.
    pub tools: BTreeMap<ToolName, Bill>,
    /// How many requests were made.
    pub(super) requests: u64,
    pub(super) asked: BTreeMap<u64, Open>,
    /// Calls under way: of steps, and of the programs that they are.
    pub(super) called: BTreeMap<NodeId, BTreeMap<InnerPath, (ToolName, Money)>>,
    /// Which model answered last about a goal.
    pub(super) answered: BTreeMap<NodeId, String>,
}

impl Purse {
    /// What is set aside for requests and calls that are under way.
    pub fn reserved(&self) -> Money {
        self.asked_aside(|_| true).plus(self.called_aside(|_| true))
    }

    /// The number of the next request.
    pub fn next_request(&self) -> u64 {
        self.requests.saturating_add(1)
    }

    /// The model that a request under way went to, and what was set aside for it.
    pub fn under_way(&self, request: u64) -> Option<(&str, Money)> {
        self.asked.get(&request).map(|open| (open.model.as_str(), open.reserved))
    }

    /// For requests to models: what they come to is at most that.
    fn asked_aside(&self, counts: impl Fn(NodeId) -> bool) -> Money {
        let asked = self.asked.values().filter(|open| counts(open.node));
        asked.fold(Money::ZERO, |sum, open| sum.plus(open.reserved))
    }

    /// For calls: what they come to is that, or nothing.
    fn called_aside(&self, counts: impl Fn(NodeId) -> bool) -> Money {
        let called = self.called.iter().filter(|(node, _)| counts(**node)).flat_map(|(_, calls)| calls.values());
        called.fold(Money::ZERO, |sum, (_, price)| sum.plus(*price))
    }

    pub(super) fn is_untouched(&self) -> bool {
        *self == Self::default()
    }
}

/// Whether an amount can be spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Affordable {
    /// It fits.
    Yes,
    /// It may fit once it is known what something under way has cost.
    Later,
    /// It does not fit the budget of this goal.
    No {
        /// The goal: the run's own, or one with a budget of its own.
        budget_of: NodeId,
    },
}

impl State {
    /// The purse.
    pub fn purse(&self) -> &Purse {
        &self.purse
    }

    /// Whether there is a budget in money here.
    pub fn counts_money(&self, node: NodeId) -> bool {
        self.plan.path(node).into_iter().any(|id| self.money_of(id).is_some())
    }

    /// The model that answered last about this goal.
    pub fn answered_by(&self, goal: NodeId) -> Option<&str> {
        self.purse.answered.get(&goal).map(String::as_str)
    }

    /// The budget in money that stands at this goal.
    pub(super) fn money_of(&self, goal: NodeId) -> Option<Money> {
        if goal == NodeId::ROOT { self.budget.money } else { self.plan.goal(goal)?.budget?.money }
    }

    /// Whether so much more can be spent for this node, within every budget that it stands under.
    pub fn affords(&self, node: NodeId, amount: Money) -> Affordable {
        let mut later = false;
        for id in self.plan.path(node) {
            let Some(most) = self.money_of(id) else { continue };
            let below = |node: NodeId| id == NodeId::ROOT || self.plan.path(node).contains(&id);
            let spent = if id == NodeId::ROOT { self.purse.spent } else { self.spent_below(id) };
            // A call may be a program that waits for this very amount: its price is not waited for.
            let spent = spent.plus(self.purse.called_aside(below));
            let aside = self.purse.asked_aside(below);
            if spent.plus(amount) > most {
                return Affordable::No { budget_of: id };
            }
            later |= spent.plus(aside).plus(amount) > most;
        }
        if later { Affordable::Later } else { Affordable::Yes }
    }

    fn spent_below(&self, goal: NodeId) -> Money {
        self.plan.goal(goal).map(|goal| goal.used.money).unwrap_or_default()
    }

    fn pay(&mut self, node: NodeId, amount: Money) {
        if amount.is_zero() {
            return;
        }
        self.purse.spent += amount;
        for id in self.plan.path(node) {
            if let Some(goal) = self.plan.goal_mut(id).filter(|goal| goal.budget.is_some()) {
                goal.used.money += amount;
            }
        }
    }

    pub(super) fn model_asked(
        &mut self,
        node: NodeId,
        request: u64,
        model: &str,
        reserved: Option<Money>,
    ) -> Result<(), String> {
        self.status(node)?;
        let reserved = reserved.unwrap_or_default();
        if request != self.purse.requests + 1 {
            return Err(format!("request {request} is not the next one"));
        }
        if !reserved.is_zero() && self.affords(node, reserved) != Affordable::Yes {
            return Err(format!("the budget has no {reserved} left"));
        }
        self.purse.requests = request;
        self.purse.asked.insert(request, Open { node, model: model.to_owned(), reserved });
        Ok(())
    }

    pub(super) fn model_answered(
        &mut self,
        request: u64,
        usage: &Usage,
        cost: Option<Money>,
        failed: bool,
    ) -> Result<(), String> {
        let open = self.purse.asked.remove(&request).ok_or_else(|| format!("request {request} is not under way"))?;
        self.bill_model(&open, usage, cost.unwrap_or_default(), failed);
        if !failed {
            self.purse.answered.insert(open.node, open.model);
        }
        Ok(())
    }

    fn bill_model(&mut self, open: &Open, usage: &Usage, money: Money, failed: bool) {
        let bill = self.purse.models.entry(open.model.clone()).or_default();
        bill.times = bill.times.saturating_add(1);
        bill.failed = bill.failed.saturating_add(u64::from(failed));
        bill.usage += *usage;
        bill.money += money;
        self.pay(open.node, money);
    }

    pub(super) fn call_priced(
        &mut self,
        node: NodeId,
        path: &InnerPath,
        tool: &ToolName,
        price: Option<Money>,
    ) -> Result<(), String> {
        let Some(price) = price else { return Ok(()) };
        if self.affords(node, price) != Affordable::Yes {
            return Err(format!("the budget has no {price} left"));
        }
        self.purse.called.entry(node).or_default().insert(path.clone(), (tool.clone(), price));
        Ok(())
    }

    pub(super) fn call_settled(&mut self, node: NodeId, path: &InnerPath, outcome: &StepOutcome) {
        let Some(calls) = self.purse.called.get_mut(&node) else { return };
        let settled = calls.remove(path);
        if calls.is_empty() {
            self.purse.called.remove(&node);
        }
        let Some((tool, price)) = settled else { return };
        // What policy kept back, or what never began, was not charged for by anybody.
        let free = match outcome {
            StepOutcome::NotStarted { .. } => true,
            StepOutcome::Failed { failure } => {
                failure.is_refusal() || ["invalid-arguments", "no-such-tool"].contains(&failure.code.as_str())
            }
            StepOutcome::Done { .. } | StepOutcome::Unknown { .. } => false,
        };
        self.bill_tool(
            node,
            tool,
            if free { Money::ZERO } else { price },
            !matches!(outcome, StepOutcome::Done { .. }),
        );
    }

    fn bill_tool(&mut self, node: NodeId, tool: ToolName, money: Money, failed: bool) {
        let bill = self.purse.tools.entry(tool).or_default();
        bill.times = bill.times.saturating_add(1);
        bill.failed = bill.failed.saturating_add(u64::from(failed));
        bill.money += money;
        self.pay(node, money);
    }

    /// The run was cut off: nobody will ever tell what became of what was under way, so that it counts as it was set aside.
    pub(super) fn settle_what_was_cut_off(&mut self) {
        for open in std::mem::take(&mut self.purse.asked).into_values() {
            let money = open.reserved;
            self.bill_model(&open, &Usage::default(), money, true);
        }
        for (node, calls) in std::mem::take(&mut self.purse.called) {
            calls.into_values().for_each(|(tool, price)| self.bill_tool(node, tool, price, true));
        }
    }

    pub(super) fn priced(&mut self, currency: &str) -> Result<(), String> {
        if !self.purse.currency.is_empty() && self.purse.currency != currency {
            return Err(format!("amounts are in {}, not in {currency}", self.purse.currency));
        }
        currency.clone_into(&mut self.purse.currency);
        Ok(())
    }
}
