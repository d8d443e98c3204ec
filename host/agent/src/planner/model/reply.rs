//! From a model's reply to a proposal, or to what is wrong with it in words that the model can act on.

use serde_json::{Map, Value};
use toolcrib_model::{Response, ToolCall};
use toolcrib_policy::ToolName;

use super::functions::{ASK_PERSON, GIVE_UP, RECALL, SEARCH_TOOLS};
use crate::look::{ASKS_MAX, Ask};
use crate::plan::refs;
use crate::planner::Proposal;
use crate::{Answer, Draft, DraftStep, Order, Question, Then};

/// Calls that one reply may make at once.
const MAX_CALLS: usize = 16;

/// Reads a reply to a request that offered these functions of the planner's own.
pub(super) fn read(response: Response, offered: &[&str]) -> Result<Proposal, Vec<String>> {
    if response.tool_calls.is_empty() {
        let text = response.text.unwrap_or_default();
        return match text.trim() {
            "" => Err(vec!["the answer is empty: call a function, or answer in text".to_owned()]),
            text => Ok(Proposal::Answer(Answer::text(text))),
        };
    }
    if response.tool_calls.len() > MAX_CALLS {
        return Err(vec![format!("{} calls at once; at most {MAX_CALLS} are allowed", response.tool_calls.len())]);
    }
    let is_look = |call: &ToolCall| [SEARCH_TOOLS, RECALL].contains(&call.name.as_str());
    if response.tool_calls.iter().all(|call| is_look(call) && offered.contains(&call.name.as_str())) {
        return looks(&response.tool_calls);
    }
    if let Some(own) = response.tool_calls.iter().find(|call| offered.contains(&call.name.as_str())) {
        if response.tool_calls.len() > 1 {
            let with = if is_look(own) { " or with others that look something up" } else { "" };
            return Err(vec![format!("`{}` must be called alone{with}", own.name)]);
        }
        return own_call(own).map_err(|fault| vec![fault]);
    }
    steps(&response.tool_calls)
}

fn shortened(name: &str) -> String {
    name.chars().take(80).flat_map(char::escape_debug).collect()
}

fn arguments(call: &ToolCall) -> Result<&Map<String, Value>, String> {
    call.arguments.as_object().ok_or_else(|| format!("the arguments of `{}` are not a JSON object", call.name))
}

fn own_call(call: &ToolCall) -> Result<Proposal, String> {
    let arguments = arguments(call)?;
    let text = |key: &str| {
        let found = arguments.get(key).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty());
        found.map(str::to_owned).ok_or_else(|| format!("`{}` needs `{key}`, a text", call.name))
    };
    match call.name.as_str() {
        ASK_PERSON => {
            let choices = arguments.get("choices").and_then(Value::as_array).into_iter().flatten();
            let choices = choices.filter_map(Value::as_str).map(str::to_owned).collect();
            Ok(Proposal::Ask(Question { choices, ..Question::open(text("question")?) }))
        }
        GIVE_UP => Ok(Proposal::Fail(text("reason")?)),
        _ => tree(arguments),
    }
}

fn looks(calls: &[ToolCall]) -> Result<Proposal, Vec<String>> {
    if calls.len() > ASKS_MAX {
        return Err(vec![format!("{} things to look up at once; at most {ASKS_MAX} are allowed", calls.len())]);
    }
    calls.iter().map(look).collect::<Result<_, _>>().map(Proposal::Look).map_err(|fault| vec![fault])
}

fn look(call: &ToolCall) -> Result<Ask, String> {
    let arguments = arguments(call)?;
    let text = |key: &str| arguments.get(key).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty());
    let from = arguments.get("from").and_then(Value::as_u64).and_then(|from| usize::try_from(from).ok());
    match (call.name.as_str(), text("query"), text("of")) {
        (SEARCH_TOOLS, Some(query), _) => Ok(Ask::Tools { query: query.to_owned() }),
        (SEARCH_TOOLS, None, _) => Err(format!("`{SEARCH_TOOLS}` needs `query`, a text")),
        (_, _, Some(of)) => Ok(Ask::Result { of: of.to_owned(), from: from.unwrap_or_default() }),
        (_, Some(query), None) => Ok(Ask::Results { query: query.to_owned() }),
        (_, None, None) => Err(format!("`{RECALL}` needs `query` or `of`, a text")),
    }
}

fn tree(arguments: &Map<String, Value>) -> Result<Proposal, String> {
    let order = match arguments.get("order") {
        None | Some(Value::Null) => Order::Sequence,
        Some(order) => serde_json::from_value(order.clone()).map_err(|error| format!("`order`: {error}"))?,
    };
    let children = arguments.get("children").and_then(Value::as_array).filter(|children| !children.is_empty());
    let children = children.ok_or("`children` must be a list with at least one step or goal")?;
    let read = |(at, child): (usize, &Value)| Draft::from_value(child.clone(), &format!("children[{at}]"));
    let children = children.iter().enumerate().map(read).collect::<Result<Vec<_>, _>>();
    Ok(Proposal::Expand { order, then: Then::Review, children: children.map_err(|error| error.to_string())? })
}

/// Calls of tools: a step each, after which the planner is asked again.
fn steps(calls: &[ToolCall]) -> Result<Proposal, Vec<String>> {
    let mut faults = Vec::new();
    let mut children = Vec::new();
    for call in calls {
        match (call.name.parse::<ToolName>(), arguments(call)) {
            (Ok(tool), Ok(arguments)) => children.push(Draft::Step(DraftStep {
                // A model copies what it read. Only a plan refers to results; here nothing that it copied may do so.
                arguments: refs::escape(Value::Object(arguments.clone())),
                ..DraftStep::of(tool)
            })),
            (Err(_), _) => faults.push(format!("there is no function `{}`", shortened(&call.name))),
            (_, Err(fault)) => faults.push(fault),
        }
    }
    match faults.is_empty() {
        true => Ok(Proposal::Expand { order: Order::Sequence, then: Then::Review, children }),
        false => Err(faults),
    }
}
