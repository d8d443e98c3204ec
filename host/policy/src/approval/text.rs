//! What a person reads before answering: made from the call alone.

use serde_json::Value;

use super::{ApprovalRequest, Otherwise};
use crate::visible::is_hidden;

/// The most characters of one argument that are shown. What is longer is cut, and says so.
const ARGUMENT_CHARS: usize = 2_000;

impl ApprovalRequest {
    /// The call in lines: the tool, each argument, its effect, the plugin's digest, the rule with the operator's reason.
    /// Characters that a terminal would act on, or that nobody can see, are written out.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!("may `{}` be called?", self.call.tool)];
        match &self.call.arguments {
            Value::Object(arguments) if arguments.is_empty() => lines.push("  without arguments".to_owned()),
            Value::Object(arguments) => {
                lines.extend(arguments.iter().map(|(name, value)| format!("  {} = {}", visible(name), shown(value))));
            }
            other => lines.push(format!("  {}", shown(other))),
        }
        lines.push(format!(
            "  effect {}, plugin {} at {}",
            self.effect.as_str(),
            self.call.tool.plugin(),
            self.call.plugin
        ));
        let because = self.because.as_deref().map(|text| format!(": {}", visible(text))).unwrap_or_default();
        lines.push(format!("  rule `{}` asks{because}", visible(&self.rule)));
        if self.otherwise == Otherwise::Allow {
            lines.push("  without an answer in time the call is made".to_owned());
        }
        lines
    }
}

fn shown(value: &Value) -> String {
    let text = visible(&value.to_string());
    let length = text.chars().count();
    if length <= ARGUMENT_CHARS {
        return text;
    }
    let cut: String = text.chars().take(ARGUMENT_CHARS).collect();
    format!("{cut}… ({} characters more)", length - ARGUMENT_CHARS)
}

/// The text with everything that is not plainly visible written as an escape.
fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c == ' ' || (!c.is_control() && !c.is_whitespace() && !is_hidden(c)) {
            out.push(c);
        } else {
            out.extend(c.escape_unicode());
        }
    }
    out
}
