//! Checking what a planner proposes, before any of it counts.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::agent;
use super::refs;
use super::schema;
use super::{
    Body, CHECK_NAMES, Check, Draft, DraftStep, Expectation, Node, NodeId, Order, Patch, PatchError, Plan, StepName,
};
use crate::{BudgetKind, Caps, Share, ToolCard};
use toolcrib_policy::Money;

/// The most faults told at once.
const FAULTS_MAX: usize = 12;

/// Something wrong with a proposed plan, in words that a planner can act on.
#[derive(Debug, Clone, PartialEq, Eq, Error, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PlanFault {
    /// The plan would grow beyond its cap.
    #[error("the plan would have {nodes} nodes, at most {most} are allowed")]
    TooLarge {
        /// How many it would have.
        nodes: usize,
        /// The cap.
        most: usize,
    },
    /// Goals are nested too deeply.
    #[error("goals are nested deeper than {most}")]
    TooDeep {
        /// The cap.
        most: u16,
    },
    /// No such tool.
    #[error("there is no tool `{tool}`")]
    NoTool {
        /// The name that was proposed.
        tool: String,
    },
    /// Arguments do not fit the tool's schema.
    #[error("arguments of `{tool}`{at}: {why}")]
    Arguments {
        /// The tool.
        tool: String,
        /// Where in the arguments.
        at: String,
        /// What is wrong.
        why: String,
    },
    /// A reference cannot be read, or leads to a step that is not over by then.
    #[error("step for `{tool}`: {why}")]
    Reference {
        /// The tool of the step that refers.
        tool: String,
        /// What is wrong.
        why: String,
    },
    /// A name is taken.
    #[error("the step name `{name}` is taken; give each step a name of its own")]
    NameTaken {
        /// The name.
        name: StepName,
    },
    /// An expectation makes no sense.
    #[error("expectation of the step for `{tool}`: {why}")]
    Expectation {
        /// The tool.
        tool: String,
        /// What is wrong.
        why: String,
    },
    /// A goal wants more than there is.
    #[error("the goal \"{goal}\" wants {wanted} of {kind}, and {left} are left")]
    Budget {
        /// The goal.
        goal: String,
        /// Of what.
        kind: BudgetKind,
        /// How much; milliseconds of time.
        wanted: u64,
        /// How much there is.
        left: u64,
    },
    /// A goal wants more money than there is.
    #[error("the goal \"{goal}\" wants {wanted} of money, and {left} is left")]
    Money {
        /// The goal.
        goal: String,
        /// How much.
        wanted: Money,
        /// How much there is.
        left: Money,
    },
    /// A child agent cannot be made.
    #[error("child agents: {why}")]
    Agent {
        /// Why not.
        why: String,
    },
    /// The patch does not fit the plan as it stands.
    #[error("{why}")]
    Patch {
        /// What is wrong.
        why: String,
    },
}

impl From<PatchError> for PlanFault {
    fn from(error: PatchError) -> Self {
        Self::Patch { why: error.to_string() }
    }
}

/// A fault, and the name of the step, value or loop that has it, where it is one's.
pub type Located = (Option<StepName>, PlanFault);

/// Checks `patches`, which the planner of the goal `node` proposes, against the plan and the catalog; the answer holds a name and an effect for every step.
///
/// # Errors
///
/// What is wrong, the first dozen.
pub fn check(
    plan: &Plan,
    node: NodeId,
    patches: Vec<Patch>,
    caps: &Caps,
    tool: &dyn Fn(&toolcrib_policy::ToolName) -> Option<ToolCard>,
) -> Result<Vec<Patch>, Vec<PlanFault>> {
    check_located(plan, node, patches, caps, tool)
        .map_err(|faults| faults.into_iter().map(|(_, fault)| fault).collect())
}

/// The same, where each fault says whose it is.
///
/// # Errors
///
/// As [`check`].
pub fn check_located(
    plan: &Plan,
    node: NodeId,
    mut patches: Vec<Patch>,
    caps: &Caps,
    tool: &dyn Fn(&toolcrib_policy::ToolName) -> Option<ToolCard>,
) -> Result<Vec<Patch>, Vec<Located>> {
    let new: usize = patches.iter().flat_map(Patch::drafts).map(Draft::size).sum();
    let nodes = plan.nodes().len() + new;
    if nodes > caps.nodes {
        return Err(vec![(None, PlanFault::TooLarge { nodes, most: caps.nodes })]);
    }
    let mut faults: Vec<Located> = names(plan, &mut patches);
    faults.extend(plan.outside(node, &patches).into_iter().map(|fault| (None, fault)));
    for patch in &mut patches {
        let mut names: Vec<String> = plan.names_at(patch.node()).into_iter().map(str::to_owned).collect();
        let target = plan.target(patch);
        // What an agent may not call does not exist for it.
        let tool = &|name: &toolcrib_policy::ToolName| if plan.may_call(target, name) { tool(name) } else { None };
        each_step(patch.drafts_mut(), &mut names, &mut |step, names| {
            let mut found = Vec::new();
            step_faults(step, names, tool, &mut found);
            faults.extend(found.into_iter().map(|fault| (step.name.clone(), fault)));
        });
    }
    if faults.is_empty() {
        structure(plan, node, &patches, caps, &mut faults);
    }
    faults.truncate(FAULTS_MAX);
    if faults.is_empty() { Ok(patches) } else { Err(faults) }
}

/// Finds goals that want more than what is left where they stand.
pub fn over_share(left: &Share, drafts: &[Draft], faults: &mut Vec<PlanFault>) {
    for draft in drafts {
        let Draft::Goal(goal) = draft else { continue };
        let mut inside = *left;
        if let Some(wants) = goal.budget {
            let kinds = [
                (BudgetKind::Steps, wants.steps.map(u64::from), left.steps.map(u64::from)),
                (BudgetKind::Tokens, wants.tokens, left.tokens),
                (BudgetKind::Wall, wants.wall_ms, left.wall_ms),
            ];
            for (kind, wanted, left) in kinds {
                if let (Some(wanted), Some(left)) = (wanted, left)
                    && wanted > left
                {
                    let goal = goal.goal.chars().take(80).collect();
                    faults.push(PlanFault::Budget { goal, kind, wanted, left });
                }
            }
            if let (Some(wanted), Some(left)) = (wants.money, left.money)
                && wanted > left
            {
                faults.push(PlanFault::Money { goal: goal.goal.chars().take(80).collect(), wanted, left });
            }
            inside = inside.least(wants);
        }
        over_share(&inside, &goal.children, faults);
    }
}

/// Visits every step with the names that its expressions may speak of.
fn each_step(drafts: &mut [Draft], names: &mut Vec<String>, visit: &mut dyn FnMut(&mut DraftStep, &[String])) {
    for draft in drafts {
        match draft {
            Draft::Step(step) => visit(step, names),
            Draft::Value(_) => {}
            Draft::Goal(goal) => {
                let before = names.len();
                names.extend(goal.each.as_ref().map(|each| each.item.clone()));
                for (place, child) in goal.children.iter_mut().enumerate() {
                    if goal.order == Order::Rescue && place == 1 {
                        names.push("error".to_owned());
                    }
                    each_step(std::slice::from_mut(child), names, visit);
                }
                names.truncate(before);
            }
        }
    }
}

/// Gives a name to each step that has none, and finds names that are taken.
fn names(plan: &Plan, patches: &mut [Patch]) -> Vec<Located> {
    let mut faults = Vec::new();
    let mut taken: Vec<StepName> = plan.nodes().iter().filter_map(|node| node.body.name().cloned()).collect();
    for name in patches.iter().flat_map(|patch| Plan::draft_names(patch.drafts())) {
        if taken.contains(&name) {
            faults.push((Some(name.clone()), PlanFault::NameTaken { name }));
        } else {
            taken.push(name);
        }
    }
    for patch in patches {
        each_step(patch.drafts_mut(), &mut Vec::new(), &mut |step, _| {
            if step.name.is_none() {
                let free = plan.free_name(&StepName::nearest(step.tool.tool()), &taken);
                taken.push(free.clone());
                step.name = Some(free);
            }
        });
    }
    faults
}

fn step_faults(
    step: &mut DraftStep,
    names: &[String],
    tool: &dyn Fn(&toolcrib_policy::ToolName) -> Option<ToolCard>,
    faults: &mut Vec<PlanFault>,
) {
    let name = step.tool.to_string();
    let Some(card) = tool(&step.tool) else { return faults.push(PlanFault::NoTool { tool: name }) };
    step.effect = Some(card.effect.clone());
    let (value, unknown) = match refs::skeleton(&step.arguments, &names.iter().map(String::as_str).collect::<Vec<_>>())
    {
        Ok(skeleton) => skeleton,
        Err(error) => return faults.push(PlanFault::Reference { tool: name, why: error.to_string() }),
    };
    if !value.is_object() {
        let why = "they must be a JSON object".to_owned();
        return faults.push(PlanFault::Arguments { tool: name, at: String::new(), why });
    }
    // A broken schema is the tool's fault, not the planner's: the tool itself then refuses what it cannot use.
    for fault in schema::validate_around(&card.input_schema, &value, &unknown).unwrap_or_default() {
        let at = if fault.at.is_empty() { String::new() } else { format!(" at {}", fault.at) };
        faults.push(PlanFault::Arguments { tool: name.clone(), at, why: fault.why });
    }
    expectation_faults(&name, &step.expect, faults);
    if let Some(check) = &step.check {
        check_faults(check, names, tool, faults);
    }
}

fn expectation_faults(tool: &str, expect: &[Expectation], faults: &mut Vec<PlanFault>) {
    for expectation in expect {
        if let Err(why) = expectation.well_formed() {
            faults.push(PlanFault::Expectation { tool: tool.to_owned(), why });
        }
    }
}

/// Whether the call only reads is asked when it is made: that can depend on its arguments.
fn check_faults(
    check: &Check,
    names: &[String],
    tool: &dyn Fn(&toolcrib_policy::ToolName) -> Option<ToolCard>,
    faults: &mut Vec<PlanFault>,
) {
    let name = check.tool.to_string();
    let Some(card) = tool(&check.tool) else { return faults.push(PlanFault::NoTool { tool: name }) };
    let names: Vec<&str> = names.iter().map(String::as_str).chain(CHECK_NAMES).collect();
    match refs::skeleton(&check.arguments, &names) {
        Ok((value, unknown)) => {
            for fault in schema::validate_around(&card.input_schema, &value, &unknown).unwrap_or_default() {
                faults.push(PlanFault::Arguments {
                    tool: name.clone(),
                    at: format!(" of the check{}", fault.at),
                    why: fault.why,
                });
            }
        }
        Err(error) => faults.push(PlanFault::Reference { tool: name.clone(), why: error.to_string() }),
    }
    if check.expect.is_empty() {
        let why = "a check expects something of what it reads".to_owned();
        faults.push(PlanFault::Expectation { tool: name.clone(), why });
    }
    expectation_faults(&name, &check.expect, faults);
}

/// Applies the patches to a copy and looks at what came out: depth, and references against the order of things.
fn structure(plan: &Plan, node: NodeId, patches: &[Patch], caps: &Caps, faults: &mut Vec<Located>) {
    let mut after = plan.clone();
    let old = after.nodes().len();
    after.set_failed_aside(node);
    for patch in patches {
        if let Err(error) = after.apply(patch) {
            return faults.push((None, error.into()));
        }
    }
    // Each new loop with one round: what stands in its body is looked at where it will be.
    let mut at = old;
    while let Some(node) = after.nodes().get(at) {
        let (id, is_loop) = (node.id, after.goal(node.id).is_some_and(|goal| goal.each.is_some()));
        if is_loop && let Err(error) = after.unroll(id, 1) {
            return faults.push((None, error.into()));
        }
        at += 1;
    }
    if after.nodes().iter().any(|node| node.depth > caps.depth) {
        faults.push((None, PlanFault::TooDeep { most: caps.depth }));
    }
    let mut agents = Vec::new();
    agent::faults(&after, old, caps, &mut agents);
    faults.extend(agents.into_iter().map(|fault| (None, fault)));
    for node in after.nodes().iter().skip(old) {
        let (what, reads) = reads(&after, node);
        // In a round the name is the loop's own for it.
        let own = node.body.name().map(|name| written_name(&after, node.id, name));
        let reads = match reads {
            Ok(reads) => reads,
            Err(error) => {
                faults.push((own, PlanFault::Reference { tool: what, why: error.to_string() }));
                continue;
            }
        };
        for read in reads {
            if let refs::Read::Step { name, guarded } = read
                && let Err(why) = reachable(&after, node.id, &name, guarded)
            {
                faults.push((own.clone(), PlanFault::Reference { tool: what.clone(), why }));
            }
        }
    }
}

/// The name of a node as it stands in the draft.
fn written_name(plan: &Plan, id: NodeId, name: &StepName) -> StepName {
    let rounds = plan.path(id).into_iter().rev().filter_map(|id| plan.node(id)?.round.as_ref());
    let written = rounds
        .into_iter()
        .find_map(|round| round.names.iter().find_map(|(written, given)| (given == name).then(|| written.clone())));
    written.unwrap_or_else(|| name.clone())
}

/// What a node's expressions read, and what the node is, for messages.
fn reads(plan: &Plan, node: &Node) -> (String, Result<Vec<refs::Read>, refs::RefError>) {
    let names = plan.names_at(node.id);
    let expression = |text: &str| refs::Source::parse(text, &names).map(|source| source.reads());
    let (what, own) = match &node.body {
        Body::Step(step) => (step.tool.to_string(), refs::reads(&step.arguments, &names)),
        Body::Value(computed) => (computed.name.to_string(), refs::reads(&computed.value, &names)),
        Body::Goal(goal) => {
            let each = goal.each.as_ref().map_or(Ok(Vec::new()), |each| expression(&each.list));
            let given = goal.agent.as_ref().map_or(Ok(Vec::new()), |agent| refs::reads(&agent.given, &names));
            (goal.text.clone(), each.and_then(|each| Ok(each.into_iter().chain(given?).collect())))
        }
    };
    let when = node.when.as_deref().map_or(Ok(Vec::new()), expression);
    let all = own.and_then(|own| Ok(own.into_iter().chain(when?).collect()));
    (what, all)
}

fn reachable(plan: &Plan, from: NodeId, name: &StepName, guarded: bool) -> Result<(), String> {
    let Some(target) = plan.holder_at(from, name) else {
        return Err(format!("`steps.{name}` refers to a step that does not exist"));
    };
    if plan.seen_in(target.id) != plan.seen_in(from) {
        return Err(format!("`steps.{name}` is another agent's step, of which only its result can be seen"));
    }
    let done = target.status == super::Status::Done;
    if target.status.is_over() && !done && !guarded {
        return Err(format!("`steps.{name}` refers to a step that has no result"));
    }
    if done || plan.precedes(target.id, from) || (guarded && plan.comes_before(target.id, from)) {
        return Ok(());
    }
    Err(format!("`steps.{name}` refers to a step that is not surely over by then; put it before this one, in order"))
}
