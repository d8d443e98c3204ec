//! The functions that the model is offered: tools that fit, and the planner's own.
//!
//! Where there are few tools, all are offered. Where there are many, the model searches, and is offered what it found for this
//! goal and those above it, what it already called here, and the few that fit the goal's own words best. A tool that may not
//! be called is none of them: [`Tools`](crate::Tools) knows of none.

use serde_json::{Value, json};
use toolcrib_model::ToolSpec;

use super::prompt::visible;
use super::view::{ModelView, TOKEN_BYTES, beginning, bytes, slim};
use crate::look::{ASKS_MAX, READ_CHARS_MAX};
use crate::{Body, PlanContext, ToolCard};

/// Tools that are offered at most where the model searches.
const OFFERED_MAX: usize = 16;
/// Of these, the best for the words of a goal, before anything was searched.
const BEST: usize = 6;
/// The characters of a goal that are searched for: the beginning of a book says what it is about.
const GOAL_CHARS: usize = 1_000;
/// The bytes of a tool's description that are shown, which is its author's text.
const DESCRIPTION_BYTES: u64 = 4_000;
/// The same where room is short.
const SHORT_DESCRIPTION_BYTES: u64 = 300;
/// What share of the context tools may take.
const SHARE: u64 = 3;

/// How a plan is proposed.
pub(super) const PROPOSE_PLAN: &str = "propose_plan";
/// How a person is asked.
pub(super) const ASK_PERSON: &str = "ask_person";
/// How a goal is given up.
pub(super) const GIVE_UP: &str = "give_up";
/// How tools are searched.
pub(super) const SEARCH_TOOLS: &str = "search_tools";
/// How earlier results are found.
pub(super) const RECALL: &str = "recall";

/// What is offered.
pub(super) struct Offer {
    pub(super) functions: Vec<ToolSpec>,
    /// Which of the planner's own functions are among them.
    pub(super) own: Vec<&'static str>,
}

/// What the model is offered for this goal.
pub(super) fn offer(context: &PlanContext, view: &ModelView) -> Offer {
    let room = view.context.saturating_mul(TOKEN_BYTES) / SHARE;
    let all = context.tools.list(view.tools).map(|mut cards| {
        cards.retain(|card| !context.tools.is_barred(card));
        cards.iter().map(function).collect::<Vec<_>>()
    });
    let all = all.filter(|functions| functions.iter().map(bytes).sum::<u64>() <= room);
    let searches = all.is_none();
    let mut functions = all.unwrap_or_else(|| fitting(&candidates(context), room));
    let may_look = !context.state.is_looked_out(context.node);
    let mut own = vec![propose_plan(), ask_person(), give_up()];
    if may_look && searches {
        own.push(search_tools());
    }
    if may_look && (context.state.spent().steps > 0 || view.earlier) {
        own.push(recall(view.earlier));
    }
    let names = own.iter().map(|(name, _)| *name).collect();
    functions.extend(own.into_iter().map(|(_, function)| function));
    Offer { functions, own: names }
}

/// The tools that come into question, the likeliest first.
fn candidates(context: &PlanContext) -> Vec<ToolCard> {
    let state = &context.state;
    let found = state.tools_found(context.node).into_iter().filter_map(|name| context.tools.get(&name));
    let goal = state.plan().goal(context.node);
    let children = goal.into_iter().flat_map(|goal| goal.children.iter().chain(&goal.former).rev());
    let called = children.filter_map(|child| match &state.plan().node(*child)?.body {
        Body::Step(step) => context.tools.get(&step.tool),
        Body::Goal(_) | Body::Value(_) => None,
    });
    let words = |goal: &str| goal.chars().take(GOAL_CHARS).collect::<String>();
    let best = context.tools.search(&words(context.goal()), BEST).into_iter();
    let above = context
        .tools
        .search(&words(state.plan().goal(context.scope()).map_or("", |goal| &goal.text)), BEST)
        .into_iter();
    let mut cards: Vec<ToolCard> = Vec::new();
    for card in found.chain(called).chain(best).chain(above) {
        if cards.len() == OFFERED_MAX {
            break;
        }
        if !cards.iter().any(|known| known.name == card.name) && !context.tools.is_barred(&card) {
            cards.push(card);
        }
    }
    cards
}

/// As many of these as have room, those that take too much of it in short.
fn fitting(cards: &[ToolCard], room: u64) -> Vec<ToolSpec> {
    let mut left = room;
    let mut functions = Vec::new();
    for card in cards {
        let whole = function(card);
        let fair = left.min(room / 4);
        let function = if bytes(&whole) <= fair { whole } else { short(card) };
        let size = bytes(&function) + 1;
        if size <= left {
            left -= size;
            functions.push(function);
        }
    }
    functions
}

fn function(card: &ToolCard) -> ToolSpec {
    ToolSpec {
        name: card.name.to_string(),
        description: beginning(&visible(&card.description), DESCRIPTION_BYTES).0.to_owned(),
        parameters: card.input_schema.clone(),
    }
}

fn short(card: &ToolCard) -> ToolSpec {
    ToolSpec {
        description: beginning(&visible(&card.description), SHORT_DESCRIPTION_BYTES).0.to_owned(),
        parameters: slim(&card.input_schema),
        name: card.name.to_string(),
    }
}

type Own = (&'static str, ToolSpec);

fn own(name: &'static str, description: impl Into<String>, parameters: Value) -> Own {
    (name, ToolSpec { name: name.to_owned(), description: description.into(), parameters })
}

fn propose_plan() -> Own {
    own(
        PROPOSE_PLAN,
        "Plans several steps. A child is a step {\"step\": name, \"tool\": name, \"arguments\": {…}} or a goal \
         {\"goal\": text, \"order\": …, \"children\": […]}; a goal without children is planned when its turn comes. A goal may have a \
         {\"budget\": {\"steps\": n, \"wall_ms\": n, \"tokens\": n}} of its own, no more than what is left.",
        json!({
            "type": "object",
            "properties": {
                "order": { "type": "string", "enum": ["sequence", "parallel", "alternatives"] },
                "children": { "type": "array", "items": { "type": "object" } }
            },
            "required": ["children"]
        }),
    )
}

fn ask_person() -> Own {
    own(
        ASK_PERSON,
        "Asks the person who gave the goal, and waits for the answer.",
        json!({
            "type": "object",
            "properties": {
                "question": { "type": "string" },
                "choices": { "type": "array", "items": { "type": "string" } }
            },
            "required": ["question"]
        }),
    )
}

fn give_up() -> Own {
    own(
        GIVE_UP,
        "Says that the goal cannot be reached, and why.",
        json!({ "type": "object", "properties": { "reason": { "type": "string" } }, "required": ["reason"] }),
    )
}

fn search_tools() -> Own {
    own(
        SEARCH_TOOLS,
        format!(
            "There are more tools than are shown. Finds those that fit some words; you can call them then. Up to {ASKS_MAX} \
             at once, together with {RECALL}."
        ),
        json!({ "type": "object", "properties": { "query": { "type": "string" } }, "required": ["query"] }),
    )
}

fn recall(earlier: bool) -> Own {
    let whose = if earlier { "this run and earlier ones" } else { "this run" };
    own(
        RECALL,
        format!(
            "Finds what steps and goals of {whose} came to, by words (`query`); or reads one of this run by its name (`of`), \
             {READ_CHARS_MAX} characters at a time, from the character `from` on."
        ),
        json!({
            "type": "object",
            "properties": {
                "query": { "type": "string" },
                "of": { "type": "string" },
                "from": { "type": "integer", "minimum": 0 }
            }
        }),
    )
}
