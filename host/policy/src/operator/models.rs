//! `[models]`: which language models plan, and stand in for each other. Who judges stands in `[critic]`.

use crate::error::PolicyError;
use crate::reader::{Node, Table};

/// The most models in one list: a longer one is a mistake.
const LIST_MAX: usize = 16;

/// Which models there are. They are written as on the command line: `anthropic:NAME`, `openai-chat:NAME@URL`, `script:FILE`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModelSettings {
    /// Who plans, where neither the command line nor the environment says so; none for the builtin planner.
    pub planner: Option<String>,
    /// Who answers in place of a model that does not, in this order.
    pub fallback: Vec<String>,
    /// Which other models child agents may be given.
    pub agents: Vec<String>,
}

impl ModelSettings {
    pub(crate) fn read(mut table: Table<'_>) -> Result<Self, PolicyError> {
        let settings = Self {
            planner: table.take("planner").map(spec).transpose()?,
            fallback: table.take("fallback").map_or(Ok(Vec::new()), specs)?,
            agents: table.take("agents").map_or(Ok(Vec::new()), specs)?,
        };
        table.finish()?;
        Ok(settings)
    }

    /// Every model that is named, each once.
    pub fn all(&self) -> Vec<&str> {
        let lists = self.fallback.iter().chain(&self.agents);
        let mut all: Vec<&str> = self.planner.iter().chain(lists).map(String::as_str).collect();
        let mut seen = std::collections::BTreeSet::new();
        all.retain(|spec| seen.insert(*spec));
        all
    }
}

fn specs(list: Node<'_>) -> Result<Vec<String>, PolicyError> {
    let items = list.items()?;
    if items.len() > LIST_MAX {
        return Err(list.wrong(&format!("{} models", items.len()), format!("name at most {LIST_MAX}")));
    }
    let mut specs = Vec::new();
    for node in items {
        let spec = spec(node)?;
        if specs.contains(&spec) {
            return Err(node.wrong(&spec, "it stands there twice"));
        }
        specs.push(spec);
    }
    Ok(specs)
}

/// What is written is read by whoever connects to the model; here only what can be none is refused.
fn spec(node: Node<'_>) -> Result<String, PolicyError> {
    let text = node.text()?.trim();
    match text == "builtin" || text.split_once(':').is_some_and(|(wire, model)| !wire.is_empty() && !model.is_empty()) {
        true => Ok(text.to_owned()),
        false => Err(node.wrong(text, "write `wire:model`, such as `openai:gpt-5`")),
    }
}

#[cfg(test)]
mod tests {
    use crate::OperatorFile;
    use std::path::Path;

    fn read(text: &str) -> Result<super::ModelSettings, String> {
        let file = OperatorFile::parse(text, "toolcrib.toml", Path::new("/"));
        file.map(|file| file.models().clone()).map_err(|error| error.to_string())
    }

    #[test]
    fn every_model_has_a_setting_of_its_own() {
        let text = r#"
            [models]
            planner = "anthropic:big"
            fallback = ["openai:other", "ollama:here"]
            agents = ["ollama:here", "openai:small"]
        "#;
        let models = read(text).unwrap();
        assert_eq!(models.planner.as_deref(), Some("anthropic:big"));
        assert_eq!(models.all(), ["anthropic:big", "openai:other", "ollama:here", "openai:small"]);
        assert_eq!(read("").unwrap(), super::ModelSettings::default());
    }

    #[test]
    fn what_names_no_model_is_refused_with_its_place() {
        for (text, says) in [
            ("[models]\nplaner = \"a:b\"", "did you mean `planner`?"),
            ("[models]\nplanner = \"gpt\"", "write `wire:model`"),
            ("[models]\nplanner = 3", "has to be a string"),
            ("[models]\nfallback = \"a:b\"", "has to be a list"),
            ("[models]\nfallback = [\"a:b\", \"a:b\"]", "it stands there twice"),
            ("[models]\ncontext = { \"a:b\" = 100 }", "unknown key `context`"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(says) && error.starts_with("toolcrib.toml:2:"), "{error}");
        }
    }
}
