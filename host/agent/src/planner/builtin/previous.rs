//! Arguments from what came before: the last result, and what the last call was given.

use serde_json::{Value, json};

use super::fill::{Clause, Filled};
use super::shape::{Param, main_value};
use crate::ToolCard;

/// The last result, where the clause speaks of it.
pub(super) fn from_previous(clause: &Clause, card: &ToolCard, param: &Param, filled: &mut Filled) -> Option<Value> {
    if !clause.back || !param.is_content() || filled.uses_previous {
        return None;
    }
    // A quoted text beside "it" is what is written; the result stays out.
    let (step, value) = clause.previous.as_ref()?;
    let reference = reference(step, value, param, clause, card)?;
    filled.uses_previous = true;
    Some(reference)
}

fn reference(step: &str, value: &Value, param: &Param, clause: &Clause, _card: &ToolCard) -> Option<Value> {
    let whole = || format!("steps.{step}");
    match main_value(value) {
        Some((field, Value::String(_))) if param.takes("string") => {
            Some(json!({ "$ref": format!("steps.{step}.{field}") }))
        }
        Some((field, Value::Array(items))) if param.takes("string") && !param.takes("array") => {
            if items.iter().all(Value::is_string) {
                return Some(json!({ "$ref": format!("steps.{step}.{field}.join(\"\\n\")") }));
            }
            let one = items.len() == 1 && !items[0].is_object() && !items[0].is_array();
            let suffix = if one { format!("{field}[0]") } else { field };
            clause.writes.then(|| Value::from(format!("{{{{ steps.{step}.{suffix} }}}}\n")))
        }
        Some((field, _)) if param.takes_anything() => Some(json!({ "$ref": format!("steps.{step}.{field}") })),
        _ if param.takes_anything() => Some(json!({ "$ref": whole() })),
        _ if clause.writes && param.takes("string") => {
            Some(Value::from(format!("{{{{ {} }}}}\n", scalar(step, value, clause))))
        }
        _ => None,
    }
}

/// The field that the goal speaks of, else the whole result.
fn scalar(step: &str, value: &Value, clause: &Clause) -> String {
    let scalars =
        || value.as_object().into_iter().flatten().filter(|(_, value)| !value.is_object() && !value.is_array());
    let all_in = |name: &str, said: &[String]| super::words::words(name).iter().all(|word| said.contains(word));
    let any_in = |name: &str, said: &[String]| super::words::words(name).iter().any(|word| said.contains(word));
    let spoken = scalars()
        .find(|(name, _)| any_in(name, &clause.words))
        .or_else(|| scalars().find(|(name, _)| all_in(name, &clause.goal_words)));
    match spoken {
        Some((name, _)) => format!("steps.{step}.{name}"),
        None => format!("steps.{step}"),
    }
}

/// "The same company": what the last call of this tool was given.
pub(super) fn from_earlier(clause: &Clause, card: &ToolCard, param: &Param) -> Option<Value> {
    let (tool, arguments) = clause.earlier.as_ref()?;
    let same = clause.tokens.iter().any(|token| token.is("same") || token.is("again"));
    let value = arguments.get(&param.name).filter(|_| same && *tool == card.name && param.required)?;
    (!value.is_object()).then(|| value.clone())
}
