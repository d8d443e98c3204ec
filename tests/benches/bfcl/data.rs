//! Questions, functions and answers of BFCL v4, read from the folder that `tests/benches/bfcl/fetch` fills.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::{Map, Value, json};

/// The categories that are measured.
pub(crate) const CATEGORIES: [&str; 3] = ["simple_python", "multiple", "parallel"];

/// One question.
pub(crate) struct Case {
    /// What the user says.
    pub(crate) text: String,
    /// The functions that may be called.
    pub(crate) functions: Vec<Function>,
    /// The calls that are right, in any order: a function's name, and for each argument what may stand there.
    pub(crate) truth: Vec<(String, Map<String, Value>)>,
}

impl Case {
    /// The functions of the answer, each once.
    #[allow(dead_code, reason = "used by the bench of the search alone")]
    pub(crate) fn wanted(&self) -> BTreeSet<&str> {
        self.truth.iter().map(|(name, _)| name.as_str()).collect()
    }
}

/// One function.
#[derive(Clone)]
pub(crate) struct Function {
    /// Its name, with dots.
    pub(crate) name: String,
    /// What it does.
    pub(crate) description: String,
    /// Its parameters, in the dataset's own words: `dict`, `float`, `tuple`, `any`.
    pub(crate) parameters: Value,
}

/// The folder with the data, or nothing, with a word about how to get it.
pub(crate) fn folder() -> Option<PathBuf> {
    let beside = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/benches/bfcl/data"));
    let folder = std::env::var_os("BFCL_DATA").map_or_else(beside, PathBuf::from);
    if folder.join("possible_answer").is_dir() {
        return Some(folder);
    }
    println!(
        "no BFCL data in {}: run tests/benches/bfcl/fetch, or name the folder `bfcl_eval/data` of an unzipped wheel in BFCL_DATA",
        folder.display()
    );
    None
}

/// The cases of a category, in the order of the file.
pub(crate) fn cases(folder: &std::path::Path, category: &str) -> Vec<Case> {
    let lines = |path: PathBuf| -> Vec<Value> {
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
    };
    let questions = lines(folder.join(format!("BFCL_v4_{category}.json")));
    let answers = lines(folder.join(format!("possible_answer/BFCL_v4_{category}.json")));
    assert_eq!(questions.len(), answers.len(), "{category}");
    questions.iter().zip(&answers).map(|(question, answer)| case(question, answer)).collect()
}

fn case(question: &Value, answer: &Value) -> Case {
    assert_eq!(question["id"], answer["id"]);
    let said = question["question"][0].as_array().expect("messages");
    let text: Vec<&str> = said.iter().filter_map(|message| message["content"].as_str()).collect();
    let text_of = |value: &Value| value.as_str().expect("a text").to_owned();
    let function = |value: &Value| Function {
        name: text_of(&value["name"]),
        description: text_of(&value["description"]),
        parameters: value["parameters"].clone(),
    };
    let call = |value: &Value| {
        let (name, arguments) = value.as_object().and_then(|call| call.iter().next()).expect("a call");
        (name.clone(), arguments.as_object().expect("arguments").clone())
    };
    Case {
        text: text.join("\n"),
        functions: question["function"].as_array().expect("functions").iter().map(function).collect(),
        truth: answer["ground_truth"].as_array().expect("calls").iter().map(call).collect(),
    }
}

/// The plugin and the tool that a function's name becomes: `math.gcd` is `math.gcd`, and one without a dot belongs to the
/// plugin `functions`.
pub(crate) fn qualified(name: &str) -> (String, String) {
    let (plugin, tool) = name.split_once('.').unwrap_or(("functions", name));
    let kebab = |text: &str, joint: char| {
        let mut made = String::new();
        let mut lower = false;
        for c in text.chars() {
            if c.is_ascii_uppercase() && lower {
                made.push(joint);
            }
            lower = c.is_ascii_lowercase();
            made.push(if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { joint });
        }
        made
    };
    (kebab(plugin, '-'), kebab(tool, '_'))
}

/// The dataset's form of a schema as JSON Schema.
pub(crate) fn json_schema(form: &Value) -> Value {
    let Some(fields) = form.as_object() else { return form.clone() };
    let mut schema = Map::new();
    for (key, value) in fields {
        let value = match (key.as_str(), value) {
            ("type", Value::String(name)) => match name.as_str() {
                "dict" => json!("object"),
                "float" => json!("number"),
                "tuple" => json!("array"),
                "any" => continue,
                _ => value.clone(),
            },
            ("properties", Value::Object(all)) => {
                Value::Object(all.iter().map(|(name, form)| (name.clone(), json_schema(form))).collect())
            }
            ("items", _) => json_schema(value),
            _ => value.clone(),
        };
        schema.insert(key.clone(), value);
    }
    Value::Object(schema)
}
