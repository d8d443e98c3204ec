//! What the search reads of one tool: its terms, each with the weight of the fields that it stands in.

use std::collections::BTreeMap;

use serde_json::Value;

use super::tokens::terms;

/// Weights are kept in eighths, so that a document is small and exact.
pub(super) const UNIT: f32 = 8.0;

/// Terms of one field that count. A description that goes on for longer cannot gain from it.
const MAX_TERMS_PER_FIELD: usize = 600;

/// Occurrences of one term in one field that count, so that a word cannot be repeated until it outranks a name.
const MAX_OCCURRENCES: u16 = 3;

/// Parameters of one tool that are read.
const MAX_PARAMETERS: usize = 64;

/// How deep parameters inside parameters are read.
const MAX_PARAMETER_DEPTH: usize = 4;

/// What one occurrence of a term in a field weighs, in eighths.
#[derive(Clone, Copy)]
enum Field {
    ToolName = 32,
    Title = 24,
    PluginName = 16,
    ParameterName = 12,
    Description = 8,
    ParameterDescription = 4,
    PluginDescription = 2,
}

/// The terms of one tool, each once, in order, with its weight in eighths.
pub(crate) type Document = Vec<(String, u16)>;

/// The texts of one tool that the search reads.
pub(crate) struct Texts<'a> {
    pub(crate) plugin: &'a str,
    pub(crate) plugin_description: &'a str,
    pub(crate) tool: &'a str,
    pub(crate) title: Option<&'a str>,
    pub(crate) description: &'a str,
    pub(crate) input_schema: &'a Value,
}

/// Turns the texts of one tool into its document.
pub(crate) fn document(texts: &Texts<'_>) -> Document {
    let mut weights = Weights::default();
    weights.add(texts.tool, Field::ToolName);
    weights.add(texts.title.unwrap_or_default(), Field::Title);
    weights.add(texts.plugin, Field::PluginName);
    weights.add(texts.description, Field::Description);
    weights.add(texts.plugin_description, Field::PluginDescription);
    let mut left = MAX_PARAMETERS;
    weights.add_parameters(texts.input_schema, MAX_PARAMETER_DEPTH, &mut left);
    weights.0.into_iter().collect()
}

#[derive(Default)]
struct Weights(BTreeMap<String, u16>);

impl Weights {
    fn add(&mut self, text: &str, field: Field) {
        let mut counts: BTreeMap<String, u16> = BTreeMap::new();
        for term in terms(text).into_iter().take(MAX_TERMS_PER_FIELD) {
            let count = counts.entry(term).or_default();
            *count = (*count + 1).min(MAX_OCCURRENCES);
        }
        for (term, count) in counts {
            let weight = self.0.entry(term).or_default();
            *weight = weight.saturating_add(count * field as u16);
        }
    }

    fn add_parameters(&mut self, schema: &Value, depth: usize, left: &mut usize) {
        if depth == 0 {
            return;
        }
        if let Some(items) = schema.get("items") {
            self.add_parameters(items, depth - 1, left);
        }
        let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
            return;
        };
        for (name, parameter) in properties {
            if *left == 0 {
                return;
            }
            *left -= 1;
            self.add(name, Field::ParameterName);
            let description = parameter.get("description").and_then(Value::as_str);
            self.add(description.unwrap_or_default(), Field::ParameterDescription);
            self.add_parameters(parameter, depth - 1, left);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn weight(document: &Document, term: &str) -> u16 {
        document.iter().find(|(t, _)| t == term).map_or(0, |(_, weight)| *weight)
    }

    #[test]
    fn a_name_weighs_more_than_a_title_and_a_title_more_than_a_description() {
        let document = document(&Texts {
            plugin: "github",
            plugin_description: "",
            tool: "issue",
            title: Some("ticket"),
            description: "bug",
            input_schema: &json!({"properties": {"label": {"description": "colour"}}}),
        });
        let order = ["issu", "ticket", "github", "label", "bug", "colour"];
        let weights: Vec<u16> = order.iter().map(|term| weight(&document, term)).collect();
        assert!(weights.windows(2).all(|pair| pair[0] > pair[1]), "{weights:?}");
    }

    #[test]
    fn parameters_inside_lists_and_objects_are_read_to_a_depth() {
        let mut schema = json!({"properties": {"bottom": {}}});
        for _ in 0..MAX_PARAMETER_DEPTH {
            schema = json!({"properties": {"level": schema}});
        }
        let texts = |input_schema| Texts {
            plugin: "p",
            plugin_description: "",
            tool: "t",
            title: None,
            description: "",
            input_schema,
        };
        assert_eq!(weight(&document(&texts(&schema)), "bottom"), 0);
        let list = json!({"properties": {"rows": {"items": {"properties": {"bottom": {}}}}}});
        assert!(weight(&document(&texts(&list)), "bottom") > 0);
    }

    #[test]
    fn repeating_a_word_without_end_cannot_overflow_its_weight() {
        let stuffed = "issue ".repeat(200_000);
        let document = document(&Texts {
            plugin: "p",
            plugin_description: &stuffed,
            tool: &stuffed,
            title: Some(&stuffed),
            description: &stuffed,
            input_schema: &Value::Null,
        });
        assert!(weight(&document, "issu") > 0);
    }
}
