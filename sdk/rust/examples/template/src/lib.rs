//! A plugin with one tool. Copy the folder, rename the package, write your function.

use toolcrib_sdk::{ToolError, plugin, tool, value};

/// How often each word occurs.
#[value]
struct Count {
    /// The number of words.
    words: usize,
    /// The most frequent word, in lower case.
    most_common: String,
}

/// Counts the words of a text and finds the most frequent one.
#[tool(effect = read)]
fn count(
    /// The text to count.
    text: &str,
    /// Leave out words that are shorter than this many letters.
    #[arg(default = 1)]
    min_letters: usize,
) -> Result<Count, ToolError> {
    let words: Vec<String> = text
        .split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty() && word.chars().count() >= min_letters)
        .map(str::to_lowercase)
        .collect();
    let most_common = words
        .iter()
        .max_by_key(|word| words.iter().filter(|other| other == word).count())
        .ok_or_else(|| ToolError::invalid_arguments("the text has no words of that length"))?;
    Ok(Count {
        words: words.len(),
        most_common: most_common.clone(),
    })
}

plugin!(count);

#[cfg(test)]
mod tests {
    use serde_json::json;
    use toolcrib_sdk::{ErrorKind, testing};

    use super::*;

    #[test]
    fn the_function_is_an_ordinary_function() {
        let count = count("to be or not to be, to wit", 1).unwrap();
        assert_eq!((count.words, count.most_common.as_str()), (8, "to"));
    }

    #[test]
    fn the_tool_takes_and_gives_json() {
        let result = testing::call_structured(&PLUGIN, "count", json!({ "text": "a bb bb", "min_letters": 2 }));
        assert_eq!(result.unwrap(), json!({ "words": 2, "most_common": "bb" }));
    }

    #[test]
    fn a_text_without_words_is_refused() {
        let error = testing::call(&PLUGIN, "count", json!({ "text": "…" })).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArguments);
    }
}
