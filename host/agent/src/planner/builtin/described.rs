//! What the description of a parameter says in words: the values that it can have, and its default.

use serde_json::Value;

use super::shape::Param;
use super::words::means;

/// The most options that a description is taken to list.
const MAX_OPTIONS: usize = 40;

/// A description without the sentences that speak of its default.
pub(super) fn without_default(description: &str) -> String {
    let Some(at) = description.to_ascii_lowercase().find("default") else { return description.to_owned() };
    let begin = description[..at].rfind(['.', ';', ',', '(']).map_or(0, |at| at + 1);
    let end = description[at..].find(". ").map_or(description.len(), |end| at + end + 1);
    let left = description[..begin].trim_end_matches([',', '(', ';']);
    format!("{left} {}", &description[end..])
}

/// The values that a description names: quoted ones, and lists behind "e.g." or in parentheses.
pub(super) fn options(description: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for quote in ['\'', '"', '`'] {
        let mut rest = description;
        while let Some(open) = rest.find(quote) {
            let apostrophe = rest[..open].ends_with(char::is_alphanumeric);
            let inside = &rest[open + 1..];
            match inside.find(quote).filter(|_| !apostrophe) {
                Some(close) => {
                    let part = &inside[..close];
                    if !part.trim().is_empty() && part.chars().count() <= 30 {
                        found.push(part.to_owned());
                    }
                    rest = &inside[close + 1..];
                }
                None => rest = inside,
            }
        }
    }
    let lists = description.split('(').skip(1).filter_map(|rest| rest.split(')').next());
    let mut examples: Vec<&str> = lists.filter(|list| list.contains(',') || list.contains("e.g")).collect();
    for lead in ["such as ", "e.g. ", "e.g., ", "i.e., ", "ither ", "Options: ", "options are "] {
        if let Some((_, rest)) = description.split_once(lead) {
            examples.push(rest.split(['.', ')', ';']).next().unwrap_or_default());
        }
    }
    for list in examples {
        for item in list.split([',', '/']).flat_map(|part| part.split(" or ")).flat_map(|part| part.split(" and ")) {
            let item = item.trim().trim_start_matches("e.g.").trim_matches(['\'', '"', '.', ' ']);
            if !item.is_empty() && item.split_whitespace().count() <= 3 && item.chars().any(char::is_alphabetic) {
                found.push(item.to_owned());
            }
        }
    }
    found.truncate(MAX_OPTIONS);
    found.retain(|option| means(option) && !matches!(option.to_lowercase().as_str(), "e.g" | "etc" | "optional"));
    let mut seen = Vec::new();
    found.retain(|option| {
        let fresh = !seen.contains(option);
        seen.push(option.clone());
        fresh
    });
    found
}

/// The default that a description names: "Default is 5", "defaults to 'cm'".
pub(super) fn default_in(description: &str, param: &Param) -> Option<Value> {
    let at = description.to_ascii_lowercase().find("default")?;
    let behind = description.get(at + "default".len()..)?;
    let lead = ["s to ", " to ", " is ", " value is ", ": ", " = ", " value: "];
    let rest = lead.iter().find_map(|lead| behind.strip_prefix(lead))?.trim_start();
    let said = match rest.chars().next()? {
        quote @ ('\'' | '"' | '`') => rest[1..].split(quote).next()?.to_owned(),
        _ => {
            let word = rest.split([' ', ',', ')', ';']).next()?;
            word.trim_end_matches(['.', ',']).to_owned()
        }
    };
    let value = match said.to_lowercase().as_str() {
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        "none" | "null" | "current" | "the" | "empty" => return None,
        _ => serde_json::from_str::<Value>(&said).ok().filter(Value::is_number).unwrap_or_else(|| Value::from(said)),
    };
    let fits = match &value {
        Value::Bool(_) => param.is_of("boolean"),
        Value::Number(number) => param.is_of("number") || (param.is_of("integer") && !number.is_f64()),
        _ => param.is_of("string"),
    };
    fits.then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_what_a_description_names() {
        assert_eq!(options("Can be 'melting', 'freezing' or 'boiling'"), ["melting", "freezing", "boiling"]);
        assert_eq!(options("The paint (Watercolor, Oil, Acrylic)."), ["Watercolor", "Oil", "Acrylic"]);
        assert_eq!(options("The patient's weight"), Vec::<String>::new());
    }
}
