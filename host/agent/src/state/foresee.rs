//! What a run would do next, as far as that is known before it is done.

use serde_json::Value;
use toolcrib_policy::{Label, Labels};

use super::State;
use crate::{Body, EventKind, Millis, NodeId, Order, StepName};

/// A plan that was gone through without doing anything of it.
#[derive(Debug, Clone)]
pub struct Foreseen {
    /// The state in which values, conditions and loops that depend on no result are computed. A loop over a list that is not
    /// known yet has one round.
    pub state: State,
    /// Loops of which nobody knows yet how often they go round.
    pub open_loops: Vec<NodeId>,
    /// Goals that the planner plans when their turn comes.
    pub later: Vec<NodeId>,
    /// The calls, in order.
    pub calls: Vec<ForeseenCall>,
}

/// A call that a plan has.
#[derive(Debug, Clone)]
pub struct ForeseenCall {
    /// The step, in the foreseen state.
    pub node: NodeId,
    /// Its arguments, where they depend on no result.
    pub arguments: Option<Value>,
    /// The labels of its arguments, as far as they are known.
    pub labels: Labels,
    /// The label of what decides whether it is made, as far as that is known.
    pub under: Label,
    /// Whether it may be left out: it has a condition that is open, or is another way in case one fails.
    pub optional: bool,
}

impl State {
    /// What is still to be done. Nothing happens.
    pub fn foresee(&self) -> Foreseen {
        let mut seen = Foreseen { state: self.clone(), open_loops: Vec::new(), later: Vec::new(), calls: Vec::new() };
        seen.state.compute_ahead(&mut seen.open_loops);
        let plan = seen.state.plan();
        let mut at = vec![(NodeId::ROOT, false)];
        while let Some((id, optional)) = at.pop() {
            let Some(node) = plan.node(id).filter(|node| !node.status.is_over()) else { continue };
            let optional = optional || (node.when.is_some() && node.holds.is_none());
            match &node.body {
                Body::Step(step) => {
                    let arguments = seen.state.at(id).resolve(&step.arguments).ok().map(|(arguments, _)| arguments);
                    let labels = seen.state.labels(id, arguments.as_ref().unwrap_or(&step.arguments));
                    seen.calls.push(ForeseenCall {
                        node: id,
                        arguments,
                        labels,
                        under: seen.state.under(id),
                        optional,
                    });
                }
                Body::Value(_) => {}
                Body::Goal(goal) if goal.children.is_empty() && goal.each.is_none() => seen.later.push(id),
                Body::Goal(goal) => {
                    let instead = matches!(goal.order, Order::Alternatives | Order::Rescue);
                    let open = seen.open_loops.contains(&id);
                    let child = |(place, child): (usize, &NodeId)| (*child, optional || open || (instead && place > 0));
                    at.extend(goal.children.iter().enumerate().map(child).collect::<Vec<_>>().into_iter().rev());
                }
            }
        }
        seen
    }

    /// The names of results that the arguments of a step wait for.
    pub fn waits_for(&self, step: NodeId) -> Vec<StepName> {
        let names = self.plan.names_at(step);
        let reads = self.plan.step(step).and_then(|step| crate::plan::refs::reads(&step.arguments, &names).ok());
        let name = |read| match read {
            crate::plan::refs::Read::Step { name, .. } => Some(name),
            crate::plan::refs::Read::Variable(_) => None,
        };
        reads.into_iter().flatten().filter_map(name).collect()
    }

    /// Computes what depends on no result. What cannot be computed stays open.
    fn compute_ahead(&mut self, open_loops: &mut Vec<NodeId>) {
        let mut at = 0;
        // Nodes that a loop adds come behind it.
        while let Some(node) = self.plan.nodes().get(at) {
            at += 1;
            let id = node.id;
            if node.status != crate::Status::Open || node.parent.is_none() {
                continue;
            }
            let decided = self.decided(id);
            self.try_ahead(decided);
            let Some(node) = self.plan.node(id).filter(|node| node.status == crate::Status::Open) else { continue };
            match &node.body {
                Body::Value(computed) => {
                    let event = self.computed(id, &computed.value);
                    self.try_ahead(Some(event));
                }
                Body::Goal(crate::Goal { each: Some(each), .. }) => {
                    let event = self.unrolled(id, &each.list, each.size());
                    if !self.try_ahead(Some(event)) && self.plan.unroll(id, 1).is_ok() {
                        open_loops.push(id);
                    }
                }
                Body::Goal(_) | Body::Step(_) => {}
            }
        }
    }

    /// Folds in what came out, unless that is that nothing can come out yet.
    fn try_ahead(&mut self, event: Option<EventKind>) -> bool {
        let known =
            matches!(event, Some(EventKind::Decided { .. } | EventKind::Computed { .. } | EventKind::Unrolled { .. }));
        let at = Millis(self.now.0);
        // A held run is over for now; here it goes on, on paper.
        self.outcome = None;
        known && event.is_some_and(|event| self.apply(&event.at(at)).is_ok())
    }
}
