//! A plugin to start from. Copy the folder, rename the package, write your functions.

use toolcrib_sdk::{ToolError, plugin, tool, value};

/// Greets somebody.
#[tool(effect = read)]
fn greet(
    /// Whom to greet.
    name: &str,
    /// How: `day`, `morning` or `evening`.
    #[arg(default = "day")]
    time: String,
) -> Result<String, ToolError> {
    match time.as_str() {
        "day" | "morning" | "evening" => Ok(format!("Good {time}, {name}!")),
        other => Err(ToolError::invalid_arguments(format!("`time` is `{other}`; give day, morning or evening"))),
    }
}

/// How often each kind of thing occurs in a text.
#[value]
struct Counts {
    /// Words.
    words: usize,
    /// Letters and digits.
    letters: usize,
}

/// Counts the words and letters of a text.
#[tool(effect = read)]
fn count(
    /// The text to count.
    text: &str,
) -> Counts {
    Counts {
        words: text.split_whitespace().count(),
        letters: text.chars().filter(|letter| letter.is_alphanumeric()).count(),
    }
}

plugin!(greet, count);

#[cfg(test)]
mod tests {
    use serde_json::json;
    use toolcrib_sdk::{ErrorKind, testing};

    use super::*;

    #[test]
    fn a_tool_is_an_ordinary_function() {
        assert_eq!(count("two words").letters, 8);
    }

    #[test]
    fn a_tool_takes_and_gives_json() {
        let greeting = testing::call(&PLUGIN, "greet", json!({ "name": "Ada" })).unwrap();
        assert_eq!(greeting.to_text(), "Good day, Ada!");
        let counts = testing::call_structured(&PLUGIN, "count", json!({ "text": "a b" })).unwrap();
        assert_eq!(counts, json!({ "words": 2, "letters": 2 }));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let error = testing::call(&PLUGIN, "greet", json!({ "name": "Ada", "time": "noon" })).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArguments);
    }
}
