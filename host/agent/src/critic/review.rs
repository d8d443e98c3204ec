//! A judge's opinion, and what it is worth.

use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use toolcrib_model::{Meter, Usage};
use toolcrib_policy::{Action, CriticSettings, Scores};

use super::scores::DOUBTED;
use super::{Checked, is_repeatable};
use crate::{NodeId, State};

/// The longest reason of a judge that is kept, in characters.
const WHY_MAX: usize = 500;

/// What a judge may see.
#[derive(Clone)]
pub struct ReviewContext {
    /// The run so far.
    pub state: Arc<State>,
    /// The step whose accepted result is reviewed.
    pub node: NodeId,
    /// Who is told of each request to a model, before it is sent and after it.
    pub meter: Arc<dyn Meter>,
}

/// What a judge thinks of a result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opinion {
    /// Whether the result is what the step was for.
    pub sound: bool,
    /// Why.
    pub why: String,
    /// The numbers of the events that it rests on, counted from 1 in the run.
    pub cites: Vec<u64>,
}

/// An opinion and what it cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review {
    /// The opinion.
    pub opinion: Opinion,
    /// What it cost.
    pub usage: Usage,
}

/// Why there is no opinion.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("no opinion: {why}")]
pub struct JudgeError {
    /// Why.
    pub why: String,
    /// What was spent all the same.
    pub usage: Usage,
}

/// Somebody who reviews accepted results, beside the run.
#[async_trait]
pub trait Judge: Send + Sync {
    /// Its name, as it stands in events.
    fn name(&self) -> &str;

    /// Reviews one result. Dropping the future cancels it.
    ///
    /// # Errors
    ///
    /// It has no opinion.
    async fn review(&self, context: &ReviewContext) -> Result<Review, JudgeError>;
}

/// What follows from a review.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Follow {
    /// The result stands.
    Stands,
    /// It is looked at again: what was read is read again, what was checked is checked again.
    LookAgain,
    /// An alternative is tried.
    Alternative,
    /// The planner plans anew.
    Replan,
    /// A person is asked whether it is to count.
    Ask,
}

/// A review, weighed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reviewed {
    /// The opinion, where it is one.
    pub opinion: Option<Opinion>,
    /// How the step stands now.
    pub scores: Option<Scores>,
    /// What follows.
    pub follow: Follow,
    /// Why, for people.
    pub why: String,
}

/// Weighs what a judge said of the result of `node`.
pub fn weigh(state: &State, node: NodeId, said: Result<Opinion, String>) -> Reviewed {
    let scores = state.record(node).and_then(|record| record.scores);
    let nothing = |why: String| Reviewed { opinion: None, scores, follow: Follow::Stands, why };
    let mut opinion = match said {
        Ok(opinion) => opinion,
        Err(why) => return nothing(why),
    };
    opinion.why = opinion.why.chars().take(WHY_MAX).collect();
    let evidence = state.evidence_events(node);
    if opinion.cites.is_empty() {
        return nothing("no opinion: it cites nothing".to_owned());
    }
    if let Some(cited) = opinion.cites.iter().find(|cited| !evidence.contains(cited)) {
        return nothing(format!("no opinion: event {cited} is not about what the step read or gave"));
    }
    if opinion.sound {
        let why = opinion.why.clone();
        return Reviewed { opinion: Some(opinion), scores, follow: Follow::Stands, why };
    }
    let scores = scores.map(|scores| Scores { coherence: scores.coherence.min(DOUBTED), ..scores });
    let (follow, because) = match scores {
        Some(scores) => follow(state, node, state.critic(), &scores),
        None => (Follow::Stands, String::new()),
    };
    let why = format!("{}{because}", opinion.why);
    Reviewed { opinion: Some(opinion), scores, follow, why }
}

/// What the table makes of a doubt. Without new evidence a doubt overturns nothing that a check has passed or that cannot be
/// taken back.
fn follow(state: &State, node: NodeId, settings: &CriticSettings, scores: &Scores) -> (Follow, String) {
    let (action, Some(rule)) = settings.action(scores) else { return (Follow::Stands, String::new()) };
    let said = format!(" (the table says `{rule}`");
    let again = state.can_look_again(node);
    let passed = state.checked(node) == Some(Checked::Passed);
    let returns = state.record(node).is_some_and(|record| is_repeatable(&record.effect));
    match action {
        Action::Accept => (Follow::Stands, String::new()),
        Action::Ask => (Follow::Ask, format!("{said})")),
        Action::Alternative if returns && !passed => (Follow::Alternative, format!("{said})")),
        Action::Replan if returns && !passed => (Follow::Replan, format!("{said})")),
        _ if again => (Follow::LookAgain, format!("{said})")),
        _ => (Follow::Stands, format!("{said}, and there is no way to look again)")),
    }
}
