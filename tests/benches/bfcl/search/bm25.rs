//! The floor: plain BM25 over all texts of a function in one bag of words. No fields, no stems, no synonyms.

use std::collections::HashMap;

use serde_json::Value;

use crate::Pool;

const K1: f64 = 1.2;
const B: f64 = 0.75;

pub(crate) struct Bm25 {
    names: Vec<String>,
    bags: Vec<HashMap<String, f64>>,
    lengths: Vec<f64>,
}

impl Bm25 {
    pub(crate) fn new(pool: &Pool) -> Self {
        let texts = pool.values().map(|function| {
            let parameters = function.parameters["properties"].as_object().into_iter().flatten();
            let parameter = |(name, form): (&String, &Value)| {
                format!("{name} {}", form["description"].as_str().unwrap_or_default())
            };
            let parameters: Vec<String> = parameters.map(parameter).collect();
            format!("{} {} {}", function.name, function.description, parameters.join(" "))
        });
        let words: Vec<Vec<String>> = texts.map(|text| words(&text)).collect();
        let bag = |words: &Vec<String>| {
            words.iter().fold(HashMap::new(), |mut bag, word| {
                *bag.entry(word.clone()).or_default() += 1.0;
                bag
            })
        };
        Self {
            names: pool.keys().cloned().collect(),
            bags: words.iter().map(bag).collect(),
            lengths: words.iter().map(|words| words.len() as f64).collect(),
        }
    }

    /// The names of the best `limit`, best first, equal ones by name.
    pub(crate) fn search(&self, query: &str, limit: usize) -> Vec<String> {
        let count = self.bags.len() as f64;
        let average = self.lengths.iter().sum::<f64>() / count;
        let mut scores = vec![0.0; self.bags.len()];
        for word in words(query) {
            let holding = self.bags.iter().filter(|bag| bag.contains_key(&word)).count() as f64;
            let rarity = (1.0 + (count - holding + 0.5) / (holding + 0.5)).ln();
            for ((score, bag), length) in scores.iter_mut().zip(&self.bags).zip(&self.lengths) {
                let times = bag.get(&word).copied().unwrap_or_default();
                *score += rarity * times * (K1 + 1.0) / (times + K1 * (1.0 - B + B * length / average));
            }
        }
        let mut order: Vec<usize> = (0..scores.len()).filter(|at| scores[*at] > 0.0).collect();
        order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]).then(a.cmp(b)));
        order.into_iter().take(limit).map(|at| self.names[at].clone()).collect()
    }
}

fn words(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase).collect()
}
