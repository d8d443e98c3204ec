//! What child agents see, and what is seen of them.

use serde_json::{Value, json};

use super::{Record, State};
use crate::{Answer, NodeId, Status, Step, StepName};

/// What is seen of a child agent that is over.
#[derive(Debug, Clone, Copy)]
pub struct AgentSeen<'s> {
    /// The name of its result.
    pub name: Option<&'s StepName>,
    /// Its goal in words.
    pub goal: &'s str,
    /// What it came to, or why it failed.
    pub result: Result<Option<&'s Value>, &'s str>,
}

impl State {
    /// The accepted steps with their results that are seen in this scope, in the order in which they were over.
    pub fn results_in(&self, scope: NodeId) -> Vec<(&Step, &Record, &Value)> {
        let steps = self.plan.planned_steps().filter(|(node, _)| self.plan.seen_in(node.id) == scope);
        let mut found: Vec<_> = steps
            .filter_map(|(node, step)| {
                let record = self.records.get(&node.id)?;
                Some((step, record, record.value.as_deref()?))
            })
            .collect();
        found.sort_by_key(|(_, record, _)| record.finished);
        found
    }

    /// The child agents that are seen in this scope and are over.
    pub fn agents_in(&self, scope: NodeId) -> Vec<AgentSeen<'_>> {
        let nodes = self.plan.nodes().iter().filter(|node| self.plan.seen_in(node.id) == scope);
        let seen = nodes.filter_map(|node| {
            let (agent, goal) = (self.plan.agent(node.id)?, self.plan.goal(node.id)?);
            let result = match &node.status {
                Status::Done => Ok(self.result_of(node.id)),
                Status::Failed { why, .. } => Err(why.as_str()),
                _ => return None,
            };
            Some(AgentSeen { name: agent.name.as_ref(), goal: &goal.text, result })
        });
        seen.collect()
    }

    /// What the agent of this goal was given, without expressions.
    pub fn given(&self, goal: NodeId) -> Option<Value> {
        let given = &self.plan.agent(goal)?.given;
        let resolved = self.at(goal).resolve(given).map(|(value, _)| value);
        (!given.is_null()).then(|| resolved.unwrap_or_else(|error| Value::from(error.to_string())))
    }

    /// What an agent came to, and the steps that this may be made of: all that it did, and all that it was given.
    pub(super) fn of_agent(&self, goal: NodeId, answer: Option<&Answer>) -> Option<(Value, Vec<StepName>)> {
        let agent = self.plan.agent(goal)?;
        // Also what was tried before its planner thought again.
        let within = |id: NodeId| self.plan.path(id).contains(&goal);
        let tried = self.plan.steps().filter(|(node, _)| within(node.id) && self.records.contains_key(&node.id));
        let mut from: Vec<StepName> = tried.map(|(_, step)| step.name.clone()).collect();
        let inner = self.computed.iter().filter(|(id, _)| within(**id));
        from.extend(inner.flat_map(|(_, (_, from))| from.iter().cloned()));
        if let Ok((_, given)) = self.at(goal).resolve(&agent.given) {
            from.extend(given);
        }
        from.sort();
        from.dedup();
        let value = match answer {
            Some(Answer { value: Some(value), .. }) => value.clone(),
            Some(Answer { text, value: None }) => json!({ "text": text }),
            // Its planner left it at what the last step gave.
            None => self.results_in(goal).last().map_or(json!({}), |(_, _, value)| (*value).clone()),
        };
        Some((value, from))
    }

    /// How many child agents have begun.
    pub(super) fn agents_begun(&self) -> usize {
        let begun = |id| self.plan.node(id).is_some_and(|node| node.status != Status::Open);
        self.plan.nodes().iter().filter(|node| self.plan.agent(node.id).is_some() && begun(node.id)).count()
    }
}
