//! The part of a plan that is still to be done, as drafts: what a person sees and may change before it is done.

use super::{Body, Draft, DraftEach, DraftGoal, DraftStep, DraftValue, Node, NodeId, Order, Plan, Then};

impl Plan {
    /// What is still to be done for a goal, in order. A goal that is to be done in another order is one draft that says so.
    pub fn outline(&self, id: NodeId) -> Vec<Draft> {
        let Some(goal) = self.goal(id) else { return Vec::new() };
        let children = self.outlines(&goal.children);
        if goal.order == Order::Sequence || children.is_empty() {
            return children;
        }
        vec![Draft::goal(goal.text.clone(), goal.order, children)]
    }

    fn outlines(&self, of: &[NodeId]) -> Vec<Draft> {
        let open = of.iter().filter_map(|id| self.node(*id)).filter(|node| !node.status.is_over());
        open.map(|node| self.outline_of(node)).collect()
    }

    fn outline_of(&self, node: &Node) -> Draft {
        let when = node.when.clone();
        match &node.body {
            Body::Step(step) => Draft::Step(DraftStep {
                name: Some(step.name.clone()),
                tool: step.tool.clone(),
                arguments: step.arguments.clone(),
                expect: step.expect.clone(),
                when,
                trying: step.trying,
                check: step.check.clone(),
                effect: Some(step.effect.clone()),
            }),
            Body::Value(computed) => {
                Draft::Value(DraftValue { name: computed.name.clone(), value: computed.value.clone(), when })
            }
            Body::Goal(goal) => {
                let each = goal.each.as_ref().map(|each| DraftEach {
                    list: each.list.clone(),
                    item: each.item.clone(),
                    name: each.name.clone(),
                });
                let children = match &goal.each {
                    Some(each) => each.body.clone(),
                    None => self.outlines(&goal.children),
                };
                let (order, then) = (goal.order, if children.is_empty() { Then::Close } else { goal.then });
                Draft::Goal(DraftGoal {
                    goal: goal.text.clone(),
                    order,
                    then,
                    when,
                    each,
                    budget: goal.budget,
                    agent: goal.agent.as_deref().cloned(),
                    children,
                })
            }
        }
    }
}
