//! Words in lower case that suit a text parameter: what stands beside its own name, what something is made of, where it is,
//! what it is about.

use serde_json::Value;

use super::matching::{Match, Values, overlaps, takes_names};
use super::places;
use super::profile::Profile;
use super::texts::BARE;
use super::tokens::{Piece, Token};
use super::words::{is_verb, means, stem};

/// Words before a noun that say nothing about it.
const VAGUE: &[&str] =
    &["same", "given", "following", "certain", "specific", "particular", "new", "other", "current", "different"];
/// Kinds of parameters, and the words before what belongs into them.
const KINDS: &[(&[&str], &[&str])] = &[
    (
        &[
            "substance",
            "material",
            "compound",
            "element",
            "metal",
            "gas",
            "liquid",
            "species",
            "animal",
            "plant",
            "product",
        ],
        &["of", "from"],
    ),
    (&["habitat", "ecosystem", "organelle", "medium", "environment", "compartment"], &["in", "inside", "within"]),
    (&["topic", "subject", "theme", "crime", "issue", "keyword"], &["about", "on", "regarding", "of"]),
];

/// Prepositions that end a noun.
const BESIDE: &[&str] = &[
    "under",
    "over",
    "near",
    "during",
    "using",
    "between",
    "through",
    "after",
    "before",
    "without",
    "within",
    "given",
    "per",
    "until",
    "since",
    "against",
    "above",
    "below",
    "based",
    "including",
];

const COLOURS: &[&str] = &[
    "black",
    "white",
    "red",
    "green",
    "blue",
    "yellow",
    "orange",
    "purple",
    "pink",
    "brown",
    "grey",
    "gray",
    "gold",
    "silver",
    "navy",
    "maroon",
    "magenta",
    "cyan",
    "turquoise",
    "violet",
    "beige",
];

/// Words for a parameter that no name suits: behind its own name ("crime of theft"), before it ("violent crime"), or the
/// state behind a city that stands elsewhere.
pub(super) fn phrase(values: &Values<'_>, profile: &Profile<'_>, used: &[(usize, usize)]) -> Option<Match> {
    let param = profile.param;
    if !takes_names(profile) {
        return None;
    }
    if param.is(&["state", "country"]) {
        let Some((name, tail)) = values.names.iter().find_map(|name| Some((name, name.with_tail.as_ref()?))) else {
            let code = values.names.iter().find_map(|name| places::state_of(&name.text));
            let code = code.filter(|_| param.required && param.is(&["state"]))?;
            return Some(Match { value: Value::from(code), tokens: None, guessed: false });
        };
        return Some(Match { value: Value::from(tail.1.clone()), tokens: Some((name.at, name.end)), guessed: false });
    }
    let tokens = values.tokens;
    let own = |token: &Token| {
        let word = token.word().map(|word| stem(&word));
        word.is_some_and(|word| param.words.iter().any(|own| *own == word && !BARE.contains(&own.as_str())))
    };
    let glue = |token: &Token| {
        matches!(token.piece, Piece::Mark(':' | '='))
            || ["is", "called", "named", "as"].iter().any(|word| token.is(word))
            || (param.required && token.is("of"))
    };
    let free = |at: usize| !overlaps(used, at, at + 1);
    for at in (0..tokens.len()).filter(|at| own(&tokens[*at])) {
        if tokens.get(at + 1).is_some_and(glue)
            && let Some((text, range)) = noun(values, at + 2).filter(|(_, range)| free(range.0))
        {
            return Some(Match { value: Value::from(text), tokens: Some(range), guessed: true });
        }
    }
    if !param.required {
        return None;
    }
    if let Some(found) = by_kind(values, profile, &free) {
        return Some(found);
    }
    let describes = |at: &usize| {
        let before = at.checked_sub(1).and_then(|at| tokens[at].word());
        before.is_some_and(|word| {
            means(&word) && !is_verb(&word) && !VAGUE.contains(&word.as_str()) && !param.words.contains(&stem(&word))
        }) && free(at - 1)
    };
    let at = (0..tokens.len()).filter(|at| own(&tokens[*at])).find(describes)?;
    let word = &tokens[at - 1];
    let value = Value::from(&values.text[word.start..word.end]);
    Some(Match { value, tokens: Some((at - 1, at)), guessed: true })
}

/// The words that begin at `at` and belong together: without an article, up to a preposition or mark.
fn noun(values: &Values<'_>, at: usize) -> Option<(String, (usize, usize))> {
    let tokens = values.tokens;
    let article = |token: &Token| ["the", "a", "an"].iter().any(|word| token.is(word));
    let from = at + usize::from(tokens.get(at).is_some_and(article));
    let words = tokens
        .get(from..)?
        .iter()
        .take(4)
        .take_while(|token| token.word().is_some_and(|word| means(&word) && !BESIDE.contains(&word.as_str())));
    let to = from + words.count();
    let (first, last) = (tokens.get(from)?, tokens.get(to.checked_sub(1)?)?);
    (from < to).then(|| (values.text[first.start..last.end].to_owned(), (from, to)))
}

/// What a kind of parameter takes: a colour by itself, other things behind the words that lead to them. What the tool is
/// for anyway ("the area of a circle") is no value.
fn by_kind(values: &Values<'_>, profile: &Profile<'_>, free: &dyn Fn(usize) -> bool) -> Option<Match> {
    let tokens = values.tokens;
    if profile.param.is(&["color", "colour"]) {
        let is = |at: &usize| tokens[*at].word().is_some_and(|word| COLOURS.contains(&word.as_str())) && free(*at);
        let at = (0..tokens.len()).find(is)?;
        let value = Value::from(&values.text[tokens[at].start..tokens[at].end]);
        return Some(Match { value, tokens: Some((at, at + 1)), guessed: true });
    }
    let (_, leads) = KINDS.iter().find(|(names, _)| profile.param.is(names))?;
    let places = (0..tokens.len()).filter(|at| leads.iter().any(|lead| tokens[*at].is(lead)));
    places.filter_map(|at| noun(values, at + 1)).find_map(|(text, (from, to))| {
        let known = tokens[from..to].iter().filter_map(Token::word).any(|word| {
            let word = stem(&word);
            values.tool.contains(&word) || profile.param.words.contains(&word)
        });
        (!known && free(from)).then(|| Match { value: Value::from(text), tokens: Some((from, to)), guessed: true })
    })
}

#[cfg(test)]
mod tests {
    use super::super::profile::Profile;
    use super::super::shape::params;
    use super::super::tokens::tokens;
    use super::*;
    use serde_json::json;

    fn found(name: &str, description: &str, text: &str) -> Option<Value> {
        let card = crate::ToolCard {
            name: "p.t".parse().unwrap(),
            title: String::new(),
            description: "The density of a substance, the area of a circle.".to_owned(),
            input_schema: json!({
                "properties": { name: { "type": "string", "description": description } }, "required": [name] }),
            output_schema: None,
            effect: toolcrib_policy::Effect::Read,
            open_world: false,
        };
        let params = params(&card);
        let tokens = tokens(text);
        let mut values = Values::read(text, &tokens);
        values.tool = super::super::words::words(&card.description);
        phrase(&values, &Profile::of(&params[0]), &[]).map(|matched| matched.value)
    }

    #[test]
    fn words_stand_beside_the_name_of_their_parameter_or_behind_what_leads_to_them() {
        for (name, text, expected) in [
            ("crime", "punishments for the crime of theft in Texas", Some("theft")),
            ("paint_type", "mix some watercolor paint", Some("watercolor")),
            ("substance", "the density of water at 4 degrees", Some("water")),
            ("substance", "the area of a circle", None),
            ("color", "a small green bird", Some("green")),
            ("habitat", "a bird in the forest", Some("forest")),
            ("company", "cases of the same company", None),
            ("cuisine", "what is the weather", None),
        ] {
            assert_eq!(found(name, "", text), expected.map(Value::from), "{name}: {text}");
        }
    }
}
