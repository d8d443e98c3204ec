//! What a run has come to so far, in words, when nobody composes an answer.

use serde_json::Value;

use super::State;
use crate::Answer;
use crate::plan::refs;

/// How many of the latest results a partial answer tells.
const RESULTS_TOLD: usize = 5;

/// How many characters of one result it tells.
const RESULT_CHARS: usize = 400;

impl State {
    /// The latest accepted results, if there are any.
    pub fn partial_answer(&self) -> Option<Answer> {
        let results = self.results();
        let (_, _, last) = results.last()?;
        let lines: Vec<_> = results
            .iter()
            .rev()
            .take(RESULTS_TOLD)
            .rev()
            .map(|(step, _, value)| format!("{} ({}): {}", step.name, step.tool, describe(value, RESULT_CHARS)))
            .collect();
        Some(Answer { text: lines.join("\n"), value: Some((*last).clone()) })
    }
}

/// A value for a reader, in at most about `limit` characters: plain fields first, long texts cut.
pub fn describe(value: &Value, limit: usize) -> String {
    let Value::Object(map) = value else { return refs::short(value, limit) };
    let plain = map.iter().filter(|(_, value)| !value.is_object() && !value.is_array());
    let nested = map.iter().filter(|(_, value)| value.is_object() || value.is_array());
    let fields: Vec<_> =
        plain.chain(nested).map(|(key, value)| format!("{key}: {}", refs::short(value, limit / 2))).collect();
    refs::short(&Value::from(fields.join(", ")), limit)
}
