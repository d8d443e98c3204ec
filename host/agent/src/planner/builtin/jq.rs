//! English about data, as a query in jq: choosing fields, filtering by a comparison, sums, counts, extremes, order.
//!
//! The names of fields come from the data itself, so that a query speaks of what is there.

use serde_json::Value;

use super::shape::main_value;
use super::words::{stem, words};

/// Words that ask for something that is computed from data.
const CALCULATION: &[&str] = &[
    "sum",
    "total",
    "average",
    "mean",
    "count",
    "max",
    "maximum",
    "min",
    "minimum",
    "highest",
    "lowest",
    "largest",
    "smallest",
    "cheapest",
    "expensive",
    "sort",
    "order",
    "sorted",
    "filter",
    "group",
];

/// Words that ask for a part of data, which may also be read from the whole.
const PART: &[&str] = &["take", "select", "whose", "where", "extract", "pick", "name", "item", "query", "keep"];

/// Whether words like these ask for a query.
pub(super) fn speaks_of_query(spoken: &[String]) -> bool {
    speaks_of_calculation(spoken) || speaks_of(spoken, PART)
}

/// Whether words like these ask for something that the data itself is no answer to.
pub(super) fn speaks_of_calculation(spoken: &[String]) -> bool {
    speaks_of(spoken, CALCULATION)
}

fn speaks_of(spoken: &[String], known: &[&str]) -> bool {
    spoken.iter().any(|word| known.iter().any(|known| stem(known) == *word))
}

/// A query for what `text` asks of `result`, or nothing where the data gives no hold.
pub(super) fn derive(text: &str, spoken: &[String], result: &Value) -> Option<String> {
    let data = data_of(result)?;
    let (path, items) = rows(&data, spoken)?;
    let keys = keys_of(items);
    let lower = text.to_lowercase();
    let filter = comparison(&lower, &keys);
    // "At least" in a comparison asks for no extreme.
    let before_filter = filter.as_ref().map_or(lower.as_str(), |f| &lower[..f.at]);
    let tokens: Vec<String> = words(before_filter);
    let has = |names: &[&str]| tokens.iter().any(|word| names.iter().any(|name| stem(name) == *word));
    let named = spoken_keys(before_filter, &keys);
    let select = filter.as_ref().map(|f| format!(" | {}", f.jq)).unwrap_or_default();
    let each = format!("{path}{select}");
    let number = || named.first().cloned().or_else(|| filter.as_ref().map(|f| f.key.clone()));
    if has(&["sum", "total"]) {
        return number().map(|key| format!("[{each} | {}] | add", field(&key)));
    }
    if has(&["average", "mean"]) {
        return number().map(|key| format!("[{each} | {}] | add / length", field(&key)));
    }
    if has(&["count", "many", "number"]) {
        return Some(format!("[{each}] | length"));
    }
    let extreme = |names: &[&str]| has(names);
    for (names, with) in [
        (&["max", "maximum", "highest", "largest", "expensive", "most"][..], "max_by"),
        (&["min", "minimum", "lowest", "smallest", "cheapest", "least"][..], "min_by"),
    ] {
        if extreme(names) {
            let key = ordering_key(&named, &keys, items)?;
            let rest: Vec<String> = named.iter().filter(|k| **k != key).cloned().collect();
            return Some(format!("[{each}] | {with}({}){}", field(&key), projection(&rest)));
        }
    }
    if has(&["sort", "order", "sorted"]) {
        let key = ordering_key(&named, &keys, items)?;
        let reverse = if has(&["descending", "reverse", "down"]) { " | reverse" } else { "" };
        return Some(format!("[{each}] | sort_by({}){reverse} | .[]", field(&key)));
    }
    if named.is_empty() && filter.is_none() {
        return None;
    }
    Some(format!("{each}{}", projection(&named)))
}

/// The data inside a result: its main field, read as JSON where it is text.
fn data_of(result: &Value) -> Option<Value> {
    let value = main_value(result).map_or(result, |(_, value)| value);
    match value {
        Value::String(text) => serde_json::from_str(text).ok().or_else(|| table(text)),
        Value::Null => None,
        other => Some(other.clone()),
    }
}

/// Rows of plain CSV with a header; nothing where it is anything else. The tool reads it by its own rules; here only
/// the names and which of them hold numbers matter.
fn table(text: &str) -> Option<Value> {
    let mut lines = text.lines().filter(|line| !line.trim().is_empty()).take(50);
    let names: Vec<&str> = lines.next()?.split(',').map(str::trim).collect();
    let plain = |name: &&str| !name.is_empty() && !name.contains('"') && name.parse::<f64>().is_err();
    if names.len() < 2 || !names.iter().all(plain) {
        return None;
    }
    let row = |line: &str| {
        let cells: Vec<&str> = line.split(',').map(str::trim).collect();
        let value = |cell: &str| cell.parse::<f64>().map_or_else(|_| Value::from(cell), Value::from);
        let pairs = names.iter().zip(&cells).map(|(name, cell)| ((*name).to_owned(), value(cell)));
        (cells.len() == names.len()).then(|| Value::Object(pairs.collect()))
    };
    lines.map(row).collect::<Option<Vec<Value>>>().filter(|rows| !rows.is_empty()).map(Value::Array)
}

/// The list that is asked about: the data itself, or the list in it that the clause names, or the only one.
fn rows<'v>(data: &'v Value, spoken: &[String]) -> Option<(String, &'v Vec<Value>)> {
    match data {
        Value::Array(items) => Some((".[]".to_owned(), items)),
        Value::Object(fields) => {
            let lists: Vec<_> = fields.iter().filter_map(|(name, value)| Some((name, value.as_array()?))).collect();
            let named = lists.iter().find(|(name, _)| words(name).iter().any(|word| spoken.contains(word)));
            let (name, items) = named.or(lists.first())?;
            Some((format!("{}[]", field(name)), items))
        }
        _ => None,
    }
}

fn keys_of(items: &[Value]) -> Vec<String> {
    let mut keys: Vec<String> = Vec::new();
    for item in items.iter().take(50).filter_map(Value::as_object) {
        for key in item.keys() {
            if !keys.contains(key) {
                keys.push(key.clone());
            }
        }
    }
    keys
}

/// `.name`, or `.["odd name"]`.
fn field(key: &str) -> String {
    let plain =
        key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && !key.starts_with(|c: char| c.is_ascii_digit());
    if plain && !key.is_empty() { format!(".{key}") } else { format!(".[{}]", Value::from(key)) }
}

fn projection(keys: &[String]) -> String {
    match keys {
        [] => String::new(),
        [one] => format!(" | {}", field(one)),
        many => {
            let pairs: Vec<String> =
                many.iter().map(|key| format!("{}: {}", Value::from(key.as_str()), field(key))).collect();
            format!(" | {{{}}}", pairs.join(", "))
        }
    }
}

/// The keys that a text names, in the order in which it does.
fn spoken_keys(text: &str, keys: &[String]) -> Vec<String> {
    let spoken = words(text);
    let place = |key: &String| {
        let own = words(key);
        spoken.windows(own.len().max(1)).position(|window| window == own.as_slice())
    };
    let mut found: Vec<(usize, String)> = keys.iter().filter_map(|key| Some((place(key)?, key.clone()))).collect();
    found.sort();
    found.into_iter().map(|(_, key)| key).collect()
}

/// The key that things are ordered by: the last one named that holds numbers, else the only one that does.
fn ordering_key(named: &[String], keys: &[String], items: &[Value]) -> Option<String> {
    let numbers = |key: &&String| items.iter().any(|item| item.get(key.as_str()).is_some_and(Value::is_number));
    named.iter().rev().find(numbers).or_else(|| keys.iter().find(numbers)).cloned()
}

struct Comparison {
    key: String,
    jq: String,
    /// Where in the text it begins.
    at: usize,
}

/// Longer phrases first, so that "at least" is not read as anything shorter.
const OPERATORS: &[(&str, &str)] = &[
    ("is greater than or equal to", ">="),
    ("is less than or equal to", "<="),
    ("greater than", ">"),
    ("more than", ">"),
    ("less than", "<"),
    ("fewer than", "<"),
    ("at least", ">="),
    ("at most", "<="),
    ("higher than", ">"),
    ("lower than", "<"),
    ("over", ">"),
    ("above", ">"),
    ("under", "<"),
    ("below", "<"),
    (">=", ">="),
    ("<=", "<="),
    (">", ">"),
    ("<", "<"),
    ("equals", "=="),
    ("equal to", "=="),
    ("is not", "!="),
    ("is", "=="),
];

/// `whose price is over 10`, `where status is open`.
fn comparison(text: &str, keys: &[String]) -> Option<Comparison> {
    let at = ["whose", "where", "with", "that have", "having"].iter().filter_map(|word| find_word(text, word)).min()?;
    let clause = &text[at..];
    let (start, phrase, operator) =
        OPERATORS.iter().find_map(|(phrase, operator)| Some((find_word(clause, phrase)?, *phrase, *operator)))?;
    let key = spoken_keys(&clause[..start], keys).pop().or_else(|| spoken_keys(clause, keys).pop())?;
    let rest = clause[start + phrase.len()..].trim();
    let value = value_at(rest)?;
    Some(Comparison { jq: format!("select({} {operator} {value})", field(&key)), key, at })
}

fn find_word(text: &str, phrase: &str) -> Option<usize> {
    let edge = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric());
    text.match_indices(phrase)
        .map(|(at, _)| at)
        .find(|at| edge(text[..*at].chars().next_back()) && edge(text[at + phrase.len()..].chars().next()))
}

/// The number, quoted text or word that a comparison ends with, as JSON.
fn value_at(rest: &str) -> Option<String> {
    let rest = rest.trim_start_matches(['$', '€', '£']);
    if let Some(quote) = rest.chars().next().filter(|c| matches!(c, '"' | '\'')) {
        let inside = &rest[1..];
        return Some(Value::from(&inside[..inside.find(quote)?]).to_string());
    }
    let word = rest.split(|c: char| c.is_whitespace() || c == ',').next()?.trim_end_matches(['.', '?', '!']);
    match serde_json::from_str::<Value>(word) {
        Ok(value) if value.is_number() || value.is_boolean() => Some(value.to_string()),
        _ if word.is_empty() => None,
        _ => Some(Value::from(word).to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn query(text: &str) -> Option<String> {
        let body = json!({ "items": [
            { "name": "pen", "price": 3, "stock": 10 }, { "name": "desk", "price": 120, "stock": 2 } ] });
        let spoken: Vec<String> = words(text);
        derive(text, &spoken, &json!({ "body": body.to_string() }))
    }

    #[test]
    fn common_questions_have_their_query() {
        let cases = [
            ("take the names of all items whose price is over 10", ".items[] | select(.price > 10) | .name"),
            (
                "the name and price of items where stock is at least 5",
                ".items[] | select(.stock >= 5) | {\"name\": .name, \"price\": .price}",
            ),
            ("sum of the prices", "[.items[] | .price] | add"),
            ("the average price", "[.items[] | .price] | add / length"),
            ("count the items whose price is under 5", "[.items[] | select(.price < 5)] | length"),
            ("the name of the cheapest item", "[.items[]] | min_by(.price) | .name"),
            ("sort them by price", "[.items[]] | sort_by(.price) | .[]"),
            ("items whose name is 'pen'", ".items[] | select(.name == \"pen\")"),
        ];
        for (text, expected) in cases {
            assert_eq!(query(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn a_text_that_names_nothing_in_the_data_gives_no_query() {
        assert_eq!(query("the colour of the sky"), None);
    }
}
