//! How well a number of a clause suits a parameter, and what stands there then.

use serde_json::Value;

use super::matching::{Match, Values};
use super::profile::{Family, Profile, speaks_of};
use super::quantity::{Quantity, json};
use super::tokens::{Kind, Piece};
use super::units::Measure;

/// What speaks for a parameter that must be filled, before anything else does.
const REQUIRED: f64 = 1.5;
/// What an optional one must be spoken for with.
const OPTIONAL: f64 = -1.8;
/// Words of names that say little.
const WEAK: &[&str] = &["number", "num", "value", "count", "total", "size", "of", "amount", "initial", "level"];

/// What speaks for the number in this parameter; nothing where it cannot stand there.
pub(super) fn score(values: &Values<'_>, number: &Quantity, profile: &Profile<'_>) -> Option<f64> {
    let param = profile.param;
    let text = param.is_of("string");
    value(values, number, profile)?;
    let mut score = if param.required { REQUIRED } else { OPTIONAL };
    let mut told = 0.0;
    told += beside(&number.before, profile, if number.listed { 1.0 } else { 0.8 });
    told += beside(&number.behind, profile, 0.7);
    if named_before(values, number, profile) {
        told += 5.0;
    }
    // A mass is no length, where the description names the unit.
    if let (Some(said), Some(wanted)) = (number.unit, profile.unit)
        && !alike(said.measure, wanted.measure)
        && said.measure != Measure::Share
    {
        return None;
    }
    match (number.unit, profile.measure) {
        (Some(unit), Some(measure)) if unit.measure == measure => told += 2.5,
        // Heat is measured in degrees, and so are angles; a share or an amount of money is never a length.
        (Some(unit), Some(measure)) if !alike(unit.measure, measure) => score -= 4.0,
        (Some(unit), None) if profile.year || unit.measure == Measure::Money && param.is(&["year", "id"]) => {
            return None;
        }
        (Some(_), _) if profile.year => return None,
        _ => {}
    }
    if number.before.first().is_some_and(|word| word == "top")
        && param.is(&["num", "number", "count", "limit", "top", "n"])
    {
        told += 3.0;
    }
    if profile.year {
        told += if number.is_year() { 2.5 } else { -6.0 };
    } else if number.is_year()
        && number.before.first().is_some_and(|word| ["in", "year", "since"].contains(&word.as_str()))
    {
        score -= 3.0;
    }
    if number.spelled {
        // "Two" says mostly how many things there are, and nothing to calculate with.
        let numbered = param.name.ends_with(|c: char| c.is_ascii_digit());
        if numbered || told < 2.0 {
            return None;
        }
        score -= 1.0;
    }
    if text {
        // A number in a text parameter needs somebody who says so.
        score -= 1.5;
    }
    Some(score + told)
}

fn alike(one: Measure, two: Measure) -> bool {
    let heat = |m: Measure| matches!(m, Measure::Temperature | Measure::Angle | Measure::Charge | Measure::Capacitance);
    one == two || (heat(one) && heat(two))
}

/// What the words beside a number say for a parameter: those of its name most, near ones more than far ones.
fn beside(context: &[String], profile: &Profile<'_>, fade: f64) -> f64 {
    let mut told = 0.0;
    let mut heard: Vec<&String> = Vec::new();
    for (far, word) in context.iter().enumerate() {
        let near = fade.powi(far as i32);
        let own = profile.param.words.iter().find(|own| speaks_of(word, own) && !heard.contains(own));
        if let Some(own) = own {
            heard.push(own);
            told += near * if WEAK.contains(&own.as_str()) { 1.2 } else { 4.0 };
        } else if word.len() > 1 && profile.about.iter().any(|about| speaks_of(word, about)) {
            told += near * 0.9;
        }
    }
    told
}

/// Whether the whole name of the parameter stands right before the number: `a=1`, `max depth of 5`, `user id 43523`.
fn named_before(values: &Values<'_>, number: &Quantity, profile: &Profile<'_>) -> bool {
    let glue = |at: usize| {
        let token = &values.tokens[at];
        matches!(token.piece, Piece::Mark('=' | ':' | '$' | '€' | '£'))
            || ["is", "of", "to", "as", "equals", "equal", "was", "number"].iter().any(|word| token.is(word))
    };
    let mut at = number.at;
    while at > 0 && glue(at - 1) {
        at -= 1;
    }
    let glued = at < number.at;
    let own = &profile.param.words;
    let Some(from) = at.checked_sub(own.len()) else { return false };
    // "Base and height as 6 and 10": the words belong to all.
    if number.listed && from.checked_sub(1).is_some_and(|before| values.tokens[before].is("and")) {
        return false;
    }
    let said = values.tokens[from..at].iter().map(|token| token.word().map(|word| super::words::stem(&word)));
    // A single letter needs its sign: "a 5 m wall" names no `a`.
    let single = own.len() == 1 && own[0].len() == 1;
    (glued || !single) && !own.is_empty() && said.eq(own.iter().map(|word| Some(word.clone())))
}

/// How often a year has what is compounded: "monthly" is 12.
pub(super) fn frequency(values: &Values<'_>, profile: &Profile<'_>) -> Option<Match> {
    const TIMES: &[(&str, i64)] = &[
        ("daily", 365),
        ("weekly", 52),
        ("monthly", 12),
        ("quarterly", 4),
        ("semiannually", 2),
        ("annually", 1),
        ("yearly", 1),
    ];
    let compounded = |text: &str| text.contains("compound") || text.contains("times per year");
    if !compounded(&profile.param.description.to_lowercase()) {
        return None;
    }
    let near = |at: usize| {
        let beside = [at.checked_sub(1), Some(at + 1)].into_iter().flatten();
        beside.filter_map(|at| values.tokens.get(at)?.word()).any(|word| word.starts_with("compound"))
    };
    let said = values.tokens.iter().enumerate().filter(|(at, _)| near(*at)).find_map(|(at, token)| {
        let word = token.word()?;
        TIMES.iter().find(|(name, _)| *name == word).map(|(_, times)| (at, *times))
    });
    said.map(|(at, times)| Match { value: Value::from(times), tokens: Some((at, at + 1)), guessed: false })
}

/// What stands in the parameter: scaled to its unit, a share as a fraction, a whole number where it must be one.
pub(super) fn value(values: &Values<'_>, number: &Quantity, profile: &Profile<'_>) -> Option<Value> {
    let param = profile.param;
    if param.is_of("string") {
        return in_text(values, number, profile);
    }
    let mut value = number.value;
    if number.measures(Measure::Share) {
        if !param.is_whole() && !profile.is_in_percent() {
            value /= 100.0;
        }
    } else if let (Some(said), Some(wanted)) = (number.unit, profile.unit)
        && said.measure == wanted.measure
        && said != wanted
        && said.measure != Measure::Money
    {
        // Degrees of another scale, and the days of a month, are for somebody else to work out.
        value *= said.in_terms_of(&wanted)?;
    }
    let value = json(value);
    (value.is_i64() || !param.is_whole()).then_some(value)
}

/// A number for a text parameter: an identifier or a year as it was said, a time with its unit.
fn in_text(values: &Values<'_>, number: &Quantity, profile: &Profile<'_>) -> Option<Value> {
    let token = &values.tokens[number.at];
    if number.measures(Measure::Time) && profile.measure == Some(Measure::Time) {
        let end = values.tokens[number.end - 1].end;
        return Some(Value::from(&values.text[token.start..end]));
    }
    let plain = token.literal().is_some_and(|literal| literal.kind == Kind::Number) && number.unit.is_none();
    (plain && (profile.family == Family::Identifier || profile.year))
        .then(|| Value::from(&values.text[token.start..token.end]))
}
