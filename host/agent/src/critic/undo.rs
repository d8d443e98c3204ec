//! The call that takes another one back.

use serde_json::{Map, Value};

use crate::ToolCard;

/// The arguments of the tool `undo` for a call that was made with `arguments` and gave `result`: each of its parameters gets
/// what the result has under that name, else what the call was given under it. `result` and `arguments` as parameters get the
/// whole.
///
/// # Errors
///
/// The parameters that it needs and that neither has.
pub fn arguments(undo: &ToolCard, arguments: &Value, result: &Value) -> Result<Value, Vec<String>> {
    let parameters = undo.input_schema.get("properties").and_then(Value::as_object);
    let mut given = Map::new();
    for name in parameters.into_iter().flatten().map(|(name, _)| name) {
        let known = result.get(name).or_else(|| arguments.get(name)).filter(|value| !value.is_null());
        let whole = match name.as_str() {
            "result" => Some(result),
            "arguments" => Some(arguments),
            _ => None,
        };
        if let Some(value) = known.or(whole) {
            given.insert(name.clone(), value.clone());
        }
    }
    let required = undo.input_schema.get("required").and_then(Value::as_array).into_iter().flatten();
    let lacking: Vec<String> =
        required.filter_map(Value::as_str).filter(|name| !given.contains_key(*name)).map(str::to_owned).collect();
    if lacking.is_empty() { Ok(Value::Object(given)) } else { Err(lacking) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use toolcrib_policy::Effect;

    fn undo(schema: Value) -> ToolCard {
        ToolCard {
            name: "a.take".parse().expect("a name"),
            title: String::new(),
            description: String::new(),
            input_schema: schema,
            output_schema: None,
            effect: Effect::Idempotent,
            open_world: false,
        }
    }

    #[test]
    fn parameters_come_from_the_result_then_from_the_arguments() {
        let card =
            undo(json!({"properties": {"id": {}, "list": {}, "why": {}, "result": {}}, "required": ["id", "list"]}));
        let made = arguments(&card, &json!({"id": 1, "list": "a"}), &json!({"id": 7, "extra": 3}));
        assert_eq!(made, Ok(json!({"id": 7, "list": "a", "result": {"id": 7, "extra": 3}})));
        assert_eq!(arguments(&card, &json!({}), &json!({"id": null})), Err(vec!["id".to_owned(), "list".to_owned()]));
    }
}
