//! What the driver does at the till: it records what is set aside before a request is sent, and what it has cost.

use toolcrib_model::Usage;
use toolcrib_policy::{Money, ToolName};

use super::{Run, RunError};
use crate::state::Affordable;
use crate::till::Word;
use crate::{BudgetKind, EventKind, NodeId};

impl Run {
    /// Hears what is said at the till.
    pub(super) async fn hear_till(&mut self, word: Word) -> Result<(), RunError> {
        match word {
            Word::Begin { .. } => self.begin_request(word).await,
            Word::Over { request, usage, failed, unsure, reply } => {
                let cost = self.cost(request, &usage, unsure);
                let failed = failed.map(str::to_owned);
                if let Some((model, _)) = self.state.purse().under_way(request) {
                    let model = model.to_owned();
                    self.record(EventKind::ModelAnswered { request, model, usage, cost, failed }).await?;
                }
                if let Some(reply) = reply {
                    let _ = reply.send(());
                }
                self.hear_again().await
            }
        }
    }

    async fn begin_request(&mut self, word: Word) -> Result<(), RunError> {
        let Word::Begin { node, model, worst, reply } = word else { return Ok(()) };
        // Whoever asked has ended while it waited.
        if reply.is_closed() {
            return Ok(());
        }
        if self.state.is_ending() || self.state.outcome().is_some() {
            let _ = reply.send(Err("the run is ending".to_owned()));
            return Ok(());
        }
        let price = self.till.prices.model(&model);
        if price.is_none() && self.state.counts_money(node) {
            let _ = reply.send(Err(format!("there is a budget in money, and {}", self.till.prices.advice(&model))));
            return Ok(());
        }
        let reserved = price.map(|price| price.worst(worst.input, worst.output));
        match self.state.affords(node, reserved.unwrap_or_default()) {
            Affordable::Yes => {
                let request = self.state.purse().next_request();
                self.record(EventKind::ModelAsked { node, request, model, worst, reserved }).await?;
                let _ = reply.send(Ok(request));
                Ok(())
            }
            Affordable::Later => {
                self.postponed.push(Word::Begin { node, model, worst, reply });
                Ok(())
            }
            Affordable::No { budget_of } => {
                let amount = reserved.unwrap_or_default();
                let _ = reply.send(Err(format!(
                    "a request to `{model}` could cost {amount} {}, and the budget has less left",
                    self.state.purse().currency
                )));
                self.out_of_money(budget_of).await
            }
        }
    }

    /// Looks again at what waited until it was known what requests have cost.
    pub(super) async fn hear_again(&mut self) -> Result<(), RunError> {
        self.programs.money_is_counted();
        for word in std::mem::take(&mut self.postponed) {
            self.begin_request(word).await?;
        }
        Ok(())
    }

    /// The end of a budget in money.
    pub(super) async fn out_of_money(&mut self, budget_of: NodeId) -> Result<(), RunError> {
        if self.state.is_ending() {
            return Ok(());
        }
        if budget_of != NodeId::ROOT {
            // The end of one goal, and not of the run.
            self.short.insert(budget_of);
            return Ok(());
        }
        self.record(EventKind::BudgetSpent { kind: BudgetKind::Money }).await
    }

    /// What a request has cost; what was set aside where nobody can tell.
    fn cost(&self, request: u64, usage: &Usage, unsure: bool) -> Option<Money> {
        let (model, reserved) = self.state.purse().under_way(request)?;
        let price = self.till.prices.model(model)?;
        let cost = price.cost(usage.input, usage.cached, usage.output);
        Some(if unsure { cost.max(reserved) } else { cost })
    }

    /// The price of a call, where it can be paid now; none where it has to wait, or where the budget has ended.
    pub(super) async fn price(
        &mut self,
        node: NodeId,
        tool: &ToolName,
    ) -> Result<Result<Option<Money>, bool>, RunError> {
        let Some(price) = self.till.prices.tool(tool) else { return Ok(Ok(None)) };
        Ok(match self.state.affords(node, price) {
            Affordable::Yes => Ok(Some(price)),
            Affordable::Later => Err(false),
            Affordable::No { budget_of } => {
                self.out_of_money(budget_of).await?;
                Err(true)
            }
        })
    }
}
