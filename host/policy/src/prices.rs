//! `[prices]`: what models and tools cost, in the operator's own words.

use std::collections::BTreeMap;

use crate::error::{PolicyError, PolicyProblem};
use crate::money::Money;
use crate::names::{ToolName, shortened};
use crate::reader::{Node, Table};

/// Tokens that a price is for.
const PER: u128 = 1_000_000;

/// The longest name of a currency, in characters: it stands behind every amount.
const CURRENCY_MAX: usize = 12;

/// What a model costs: for a million tokens of each kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ModelPrice {
    /// Tokens that it reads.
    pub input: Money,
    /// Tokens that it writes.
    pub output: Money,
    /// Tokens that it reads from its cache.
    pub cached: Money,
}

impl ModelPrice {
    /// What so many tokens cost, rounded up to the next billionth. `cached` are part of `input`.
    pub fn cost(&self, input: u64, cached: u64, output: u64) -> Money {
        let part = |tokens: u64, price: Money| u128::from(tokens) * u128::from(price.nano());
        let cached = cached.min(input);
        // Each product has at most 128 bits; a sum that does not fit is more than anybody has.
        let sum = part(input - cached, self.input)
            .saturating_add(part(cached, self.cached))
            .saturating_add(part(output, self.output));
        Money::from_nano(u64::try_from(sum.div_ceil(PER)).unwrap_or(u64::MAX))
    }

    /// The most that so many tokens can cost, whatever comes from a cache.
    pub fn worst(&self, input: u64, output: u64) -> Money {
        self.cost(input, 0, output).max(self.cost(input, input, output))
    }
}

/// The operator's price table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prices {
    /// What the amounts are in; empty where there is no table.
    pub currency: String,
    models: BTreeMap<String, ModelPrice>,
    tools: BTreeMap<ToolName, Money>,
}

impl Prices {
    /// A table with prices of models alone, by their names.
    pub fn of_models(currency: &str, models: impl IntoIterator<Item = (String, ModelPrice)>) -> Self {
        Self { currency: currency.to_owned(), models: models.into_iter().collect(), tools: BTreeMap::new() }
    }

    /// The same table with the price of one call of a tool.
    #[must_use]
    pub fn with_tool(mut self, tool: ToolName, price: Money) -> Self {
        self.tools.insert(tool, price);
        self
    }

    /// Whether there is no table.
    pub fn is_empty(&self) -> bool {
        self.currency.is_empty()
    }

    /// What the model of this name (`wire:model`) costs: its own line, else that of its wire (`wire:*`).
    pub fn model(&self, name: &str) -> Option<&ModelPrice> {
        let wire = || name.split_once(':').map(|(wire, _)| format!("{wire}:*"));
        self.models.get(name).or_else(|| self.models.get(&wire()?))
    }

    /// What one call of a tool costs, where it has a price.
    pub fn tool(&self, tool: &ToolName) -> Option<Money> {
        self.tools.get(tool).copied()
    }

    /// What to write for a model that has no price.
    pub fn advice(&self, model: &str) -> String {
        let currency = if self.is_empty() { ", with `currency = \"EUR\"` or whatever you pay in," } else { "" };
        format!(
            "`{model}` has no price: add `\"{model}\" = {{ input = 3, output = 15 }}` to `[prices]` in the operator's \
             file{currency} with what a million tokens cost; 0 where it costs nothing"
        )
    }

    pub(crate) fn read(mut table: Table<'_>, at: Node<'_>) -> Result<Self, PolicyError> {
        let Some(node) = table.take("currency") else {
            let example = "`currency = \"EUR\"`, or whatever the amounts are in";
            return Err(PolicyProblem::Missing { key: "currency", example }.at(at.place()));
        };
        let currency = node.text()?.trim();
        let fits = (1..=CURRENCY_MAX).contains(&currency.chars().count())
            && currency.chars().all(|c| c.is_alphanumeric() || "$€£¥₹-_".contains(c));
        if !fits {
            let why = format!("write a short name, such as `EUR`, of at most {CURRENCY_MAX} letters and digits");
            return Err(node.wrong(currency, why));
        }
        let mut prices = Self { currency: currency.to_owned(), ..Self::default() };
        for node in table.all().filter(|node| node.key() != "currency") {
            if node.key().contains(':') {
                prices.models.insert(node.key().to_owned(), model(node)?);
                continue;
            }
            let tool: Result<ToolName, _> = node.key().parse();
            let tool = tool.map_err(|_| {
                let why =
                    "a price is for a model, such as `openai:gpt-5` or `ollama:*`, or for a tool, such as `http.fetch`";
                node.wrong(node.key(), why)
            })?;
            prices.tools.insert(tool, amount(node)?);
        }
        Ok(prices)
    }
}

fn model(node: Node<'_>) -> Result<ModelPrice, PolicyError> {
    let mut table = node.table(format!("the price of `{}`", shortened(node.key())))?;
    let mut price = |key: &'static str| table.take(key).map(amount).transpose();
    let (input, output, cached) = (price("input")?, price("output")?, price("cached")?);
    table.finish()?;
    let missing = |key| {
        PolicyProblem::Missing { key, example: "a price has `input` and `output`, each for a million tokens" }
            .at(node.place())
    };
    let input = input.ok_or_else(|| missing("input"))?;
    let output = output.ok_or_else(|| missing("output"))?;
    // What comes from a cache and has no price of its own is not cheaper.
    Ok(ModelPrice { input, output, cached: cached.unwrap_or(input) })
}

/// A number as it is written: it never becomes a float.
fn amount(node: Node<'_>) -> Result<Money, PolicyError> {
    let text = node.decimal()?;
    text.parse().map_err(|error| node.wrong(text, error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::OperatorFile;
    use std::path::Path;

    fn read(text: &str) -> Result<Prices, String> {
        let file = OperatorFile::parse(text, "toolcrib.toml", Path::new("/"));
        file.map(|file| (**file.prices()).clone()).map_err(|error| error.to_string())
    }

    const TABLE: &str = r#"
        [prices]
        currency = "EUR"
        "anthropic:big" = { input = 3, output = 15.00, cached = 0.30 }
        "ollama:*" = { input = 0, output = 0 }
        "ollama:dear" = { input = "0.1", output = 0.1 }
        "http.fetch" = 0.002
    "#;

    #[test]
    fn a_table_is_read_and_the_nearest_line_counts() {
        let prices = read(TABLE).unwrap();
        assert_eq!(prices.currency, "EUR");
        assert_eq!(prices.tool(&"http.fetch".parse().unwrap()).map(Money::nano), Some(2_000_000));
        assert_eq!(prices.tool(&"http.head".parse().unwrap()), None);
        assert_eq!(prices.model("ollama:any").map(|price| price.input), Some(Money::ZERO));
        assert_eq!(prices.model("ollama:dear").map(|price| price.input.nano()), Some(100_000_000));
        assert_eq!(prices.model("openai:any"), None);
    }

    #[test]
    fn tokens_cost_what_the_table_says_to_a_billionth() {
        let prices = read(TABLE).unwrap();
        let price = prices.model("anthropic:big").unwrap();
        // 900 × 3 + 100 × 0.30 + 50 × 15, for a million each.
        assert_eq!(price.cost(1_000, 100, 50).to_string(), "0.00348");
        assert_eq!(price.cost(0, 0, 0), Money::ZERO);
        // More from the cache than was read is not believed.
        assert_eq!(price.cost(100, 1_000, 0), price.cost(100, 100, 0));
        assert_eq!(price.worst(1_000, 50), price.cost(1_000, 0, 50));
        // A part of a billionth is a whole one.
        let tiny = ModelPrice { input: Money::from_nano(1), output: Money::ZERO, cached: Money::ZERO };
        assert_eq!(tiny.cost(1, 0, 0).nano(), 1);
        assert_eq!(price.cost(u64::MAX, 0, u64::MAX).nano(), u64::MAX);
    }

    #[test]
    fn what_is_no_price_is_refused_with_its_place() {
        for (text, says) in [
            ("[prices]\n\"a.b\" = 1", "`currency` is missing"),
            ("[prices]\ncurrency = \"a b\"", "write a short name"),
            ("[prices]\ncurrency = \"EUR\"\nfetch = 1", "a price is for a model"),
            ("[prices]\ncurrency = \"EUR\"\n\"a.b\" = -1", "without the currency"),
            ("[prices]\ncurrency = \"EUR\"\n\"a.b\" = 1e3", "without the currency"),
            ("[prices]\ncurrency = \"EUR\"\n\"a.b\" = { input = 1 }", "has to be a number"),
            ("[prices]\ncurrency = \"EUR\"\n\"x:y\" = 1", "has to be a table"),
            ("[prices]\ncurrency = \"EUR\"\n\"x:y\" = { input = 1 }", "`output` is missing"),
            ("[prices]\ncurrency = \"EUR\"\n\"x:y\" = { input = 1, output = 1, per = 3 }", "unknown key `per`"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(says) && error.starts_with("toolcrib.toml:"), "{error}");
        }
    }
}
