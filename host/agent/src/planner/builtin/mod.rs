//! The embedded planner: no key, no network, no instructions taken from what tools return.
//!
//! ```text
//! goal ─► clauses ─► per clause: search the catalog ─► fill arguments ─► chain producers ─► rank ─► steps
//!                                    │ nothing fits: say so     │ a required one is missing: ask
//! results ─► answer
//! ```
//!
//! A clause is planned when its turn comes, so that it sees the results before it. Paths, addresses, queries and texts to
//! work on fill arguments by their kind; numbers, names, days, lists, options and flags are matched with parameters all at
//! once, by units, prepositions and the words beside them:
//!
//! ```text
//! tokens ─► quantity, names, lists ─┐
//! schema ─► profile ────────────────┴► numbers, texts, phrases: scores ─► assign: the best pairs ─► repeats: further calls
//! ```
//!
//! A clause that asks for several calls of a tool that only reads ("in Paris and London") gets them all. "It" and "them" are
//! the last result; a tool that wants text where the goal names a file gets another tool before it that reads the file.
//! Several tools that fit become alternatives, tried in the order of their rank; where the first few fail, the next few. What a
//! step writes is read back, where its plugin has a tool for that.

mod acts;
mod answer;
mod assign;
mod clauses;
mod described;
mod fill;
mod jq;
mod lists;
mod literals;
mod matching;
mod names;
mod numbers;
mod phrases;
mod places;
mod previous;
mod profile;
mod quantity;
mod rank;
mod readback;
mod repeats;
mod role;
mod shape;
mod texts;
mod tokens;
pub(crate) mod units;
mod words;
mod zones;

use std::collections::BTreeSet;

use async_trait::async_trait;

use super::{PlanContext, Planned, Planner, PlannerError, Proposal, Writes};
use crate::{Answer, Draft, Node, NodeId, Order, PlanReason, Question, Record, Status, StepOutcome, Then};

use fill::Clause;
use rank::Choice;

/// The most ways that are prepared for one clause.
const WAYS: usize = 3;

/// The embedded planner.
#[derive(Clone, Copy, Debug, Default)]
pub struct BuiltinPlanner;

#[async_trait]
impl Planner for BuiltinPlanner {
    fn name(&self) -> &str {
        "builtin"
    }

    fn writes(&self) -> Writes {
        Writes::ByReference
    }

    async fn plan(&self, context: &PlanContext) -> Result<Planned, PlannerError> {
        let proposal = match context.reason {
            PlanReason::Open => open(context),
            PlanReason::Review => review(context),
            PlanReason::Stuck => another(context).unwrap_or_else(|| Proposal::Fail(stuck(context))),
        };
        Ok(readback::with_checks(context, proposal).into())
    }
}

fn open(context: &PlanContext) -> Proposal {
    if let Some(word) = acts::turn(&tokens::tokens(clauses::unquoted(context.goal()))) {
        return Proposal::Fail(format!(
            "the builtin planner does not understand what “{word}” does to a command; say what is to be done without it, \
             or plan with a language model"
        ));
    }
    let clauses = clauses::clauses(context.goal());
    match clauses.as_slice() {
        [] => Proposal::Ask(Question::open("What is to be reached? The goal says nothing that could be done.")),
        [one] => one_clause(context, one),
        many => Proposal::Expand {
            order: Order::Sequence,
            then: Then::Close,
            children: many.iter().map(Draft::later).collect(),
        },
    }
}

fn one_clause(context: &PlanContext, text: &str) -> Proposal {
    let clause = Clause::read(context, text);
    match rank::choices(context, &clause) {
        Choice::Ways { ways, more } => expand(ways, more),
        Choice::Missing { question } => Proposal::Ask(question),
        Choice::Nothing { why } => Proposal::Fail(format!("{why} (“{text}”); `toolcrib tools` lists what there is")),
    }
}

/// One way is a sequence; several are alternatives, each a sequence of its own.
fn expand(ways: Vec<rank::Way>, more: bool) -> Proposal {
    let then = if more { Then::Review } else { Then::Close };
    let mut ways = ways.into_iter().take(WAYS);
    let Some(first) = ways.next() else { return Proposal::Fail("there is no way".to_owned()) };
    let rest: Vec<_> = ways.collect();
    if rest.is_empty() || more {
        return Proposal::Expand { order: Order::Sequence, then, children: first.steps };
    }
    let each = |way: rank::Way| match way.steps.len() {
        1 => way.steps.into_iter().next().unwrap_or_else(|| Draft::later(way.title)),
        _ => Draft::goal(way.title, Order::Sequence, way.steps),
    };
    let children = std::iter::once(first).chain(rest).map(each).collect();
    Proposal::Expand { order: Order::Alternatives, then, children }
}

/// The results are there. A goal whose last step only brought the data goes on; every other is answered from them.
fn review(context: &PlanContext) -> Proposal {
    let clauses = clauses::clauses(context.goal());
    let only_data = context.state.plan().goal(context.node).is_some_and(|goal| goal.then == Then::Review);
    if let ([one], true) = (clauses.as_slice(), only_data) {
        let clause = Clause::read(context, one).after_producing(context);
        match rank::choices(context, &clause) {
            Choice::Ways { ways, .. } if clause.wants_query() => {
                let fresh = ways.into_iter().find(|way| !has_used(context, way) && way.queries);
                if let Some(way) = fresh {
                    return Proposal::Expand { order: Order::Sequence, then: Then::Close, children: way.steps };
                }
            }
            // The data is there, and what to compute from it could not be put into a query.
            Choice::Missing { question } if clause.wants_calculation() => return Proposal::Ask(question),
            _ => {}
        }
    }
    match answer::answer(context) {
        Some(answer) => Proposal::Answer(answer),
        None if context.node == NodeId::ROOT => Proposal::Fail("the steps gave no result".to_owned()),
        None => Proposal::Answer(Answer::text("")),
    }
}

fn has_used(context: &PlanContext, way: &rank::Way) -> bool {
    context.results().iter().any(|(step, ..)| step.tool == way.tool)
}

/// Ways that fit as well and were not among the first, once those have failed. None after a refusal, which is no reason to look
/// for a way around, and none after a change, which must not be made in another way.
fn another(context: &PlanContext) -> Option<Proposal> {
    let (state, plan) = (&context.state, context.state.plan());
    let of_goal = |node: &Node| plan.path(node.id).contains(&context.node);
    let tried: Vec<_> = plan.steps().filter(|(node, _)| of_goal(node)).collect();
    let closed = tried.iter().any(|(node, _)| {
        let record = state.record(node.id);
        let refused = matches!(
            record.and_then(|record| record.outcome.as_ref()),
            Some(StepOutcome::Failed { failure }) if failure.is_refusal()
        );
        refused || record.is_some_and(Record::has_touched)
    });
    let clauses = clauses::clauses(context.goal());
    let [one] = clauses.as_slice() else { return None };
    if closed || tried.is_empty() {
        return None;
    }
    let Choice::Ways { ways, more } = rank::choices(context, &Clause::read(context, one)) else { return None };
    let fresh: Vec<_> = ways.into_iter().filter(|way| tried.iter().all(|(_, step)| step.tool != way.tool)).collect();
    (!fresh.is_empty()).then(|| expand(fresh, more))
}

/// Why the goal cannot be reached: what failed, in the order in which it did.
fn stuck(context: &PlanContext) -> String {
    let mut told = BTreeSet::new();
    let failed = context.state.plan().planned_steps().filter_map(|(node, step)| match &node.status {
        Status::Failed { why, .. } => told.insert(why).then(|| format!("`{}`: {}", step.tool, rank::of_a_part(why))),
        _ => None,
    });
    let reasons: Vec<String> = failed.collect();
    match reasons.as_slice() {
        [] => "no way is left".to_owned(),
        reasons => reasons.join("; then "),
    }
}
