//! Numbers of a clause with what stands around them: unit, percent sign, currency, scale, and the words on both sides.

use serde_json::{Number, Value};

use super::tokens::{Kind, Piece, Token};
use super::units::{self, Measure, Unit};
use super::words::stem;

/// Words that are numbers. Smaller ones than "two" are mostly no numbers.
const SPELLED: &[(&str, i64)] = &[
    ("zero", 0),
    ("two", 2),
    ("three", 3),
    ("four", 4),
    ("five", 5),
    ("six", 6),
    ("seven", 7),
    ("eight", 8),
    ("nine", 9),
    ("ten", 10),
    ("eleven", 11),
    ("twelve", 12),
    ("fifteen", 15),
    ("twenty", 20),
    ("thirty", 30),
    ("fifty", 50),
    ("hundred", 100),
];

/// Words behind a number that make it larger.
const SCALES: &[(&str, f64)] = &[
    ("hundred", 1e2),
    ("thousand", 1e3),
    ("k", 1e3),
    ("million", 1e6),
    ("m", 1e6),
    ("billion", 1e9),
    ("b", 1e9),
    ("bn", 1e9),
    ("trillion", 1e12),
];

/// One number of a clause.
#[derive(Debug, Clone)]
pub(super) struct Quantity {
    /// Its token.
    pub(super) at: usize,
    /// The token behind it and its unit.
    pub(super) end: usize,
    /// Its value as it was said, scales applied.
    pub(super) value: f64,
    pub(super) unit: Option<Unit>,
    /// The unit as it was said.
    pub(super) unit_text: Option<String>,
    /// Whether it was written out as a word.
    pub(super) spelled: bool,
    /// Whether it stands in a list, whose words belong to all items alike.
    pub(super) listed: bool,
    /// The words before it, nearest first, stemmed, back to the number before.
    pub(super) before: Vec<String>,
    /// The words behind it, nearest first, stemmed, up to a comma or the next number.
    pub(super) behind: Vec<String>,
}

/// All numbers of a clause, in order.
pub(super) fn quantities(text: &str, tokens: &[Token]) -> Vec<Quantity> {
    let mut found: Vec<Quantity> = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        match read(text, tokens, at, found.last().map_or(0, |last| last.end)) {
            Some(quantity) => {
                at = quantity.end;
                match found.last_mut().and_then(|last| together(last, &quantity)) {
                    Some(value) => {
                        let last = found.len() - 1;
                        found[last].value = value;
                        found[last].end = at;
                        found[last].behind = quantity.behind;
                    }
                    None => found.push(quantity),
                }
            }
            None => at += 1,
        }
    }
    found
}

/// `5 ft 10 in`, `2 hours 30 minutes`: one value in the unit of the first.
fn together(one: &Quantity, two: &Quantity) -> Option<f64> {
    let (first, second) = (one.unit?, two.unit?);
    let smaller = one.end == two.at && first.measure == second.measure && first != second;
    let factor = second.in_terms_of(&first).filter(|factor| smaller && *factor < 1.0)?;
    Some(one.value + two.value * factor)
}

/// "The next week", "last month": one of them.
fn period(tokens: &[Token], at: usize) -> Option<Quantity> {
    let said = tokens[at].word()?;
    let unit = units::unit(&said).filter(|unit| unit.measure == Measure::Time && said.len() > 2)?;
    let lead = at.checked_sub(1).and_then(|at| tokens[at].word())?;
    let one =
        ["next", "last", "past", "upcoming", "coming", "previous"].contains(&lead.as_str()) && !said.ends_with('s');
    let before = tokens[..at].iter().rev().filter_map(|token| token.word().map(|word| stem(&word))).take(3).collect();
    one.then(|| Quantity {
        at,
        end: at + 1,
        value: 1.0,
        unit: Some(unit),
        unit_text: None,
        spelled: true,
        listed: false,
        before,
        behind: Vec::new(),
    })
}

/// `112.07 W`: what a point of the compass makes of the number before it, in a pair of coordinates.
fn compass(tokens: &[Token], at: usize) -> Option<f64> {
    let number =
        |at: usize| tokens.get(at).and_then(Token::literal).is_some_and(|literal| literal.kind == Kind::Number);
    let point = |at: usize| match tokens.get(at).map(|token| &token.piece) {
        Some(Piece::Word(word)) if matches!(word.as_str(), "N" | "S" | "E" | "W") => Some(word.clone()),
        _ => None,
    };
    let own = point(at + 1)?;
    let pair = |first: usize| {
        point(first + 1).is_some()
            && matches!(tokens.get(first + 2).map(|token| &token.piece), Some(Piece::Mark(',')))
            && number(first + 3)
            && point(first + 4).is_some()
    };
    let in_pair = pair(at) || at.checked_sub(3).is_some_and(pair);
    in_pair.then_some(if matches!(own.as_str(), "S" | "W") { -1.0 } else { 1.0 })
}

fn read(text: &str, tokens: &[Token], at: usize, from: usize) -> Option<Quantity> {
    let token = &tokens[at];
    let (value, spelled) = match &token.piece {
        Piece::Literal(literal) if literal.kind == Kind::Number => (literal.value.as_f64()?, false),
        Piece::Word(word) => {
            let lower = word.to_lowercase();
            if let Some(one) = period(tokens, at) {
                return Some(one);
            }
            let rests = lower == "rest" && at > 0 && (tokens[at - 1].is("from") || tokens[at - 1].is("at"));
            let number = SPELLED.iter().find(|(name, _)| *name == lower).map(|(_, value)| *value as f64);
            (number.or(rests.then_some(0.0))?, true)
        }
        _ => return None,
    };
    let money = at > 0 && matches!(tokens[at - 1].piece, Piece::Mark('$' | '€' | '£' | '¥'));
    let mut end = at + 1;
    let mut value = value;
    let scale = tokens.get(end).and_then(Token::word).and_then(|word| {
        let glued = tokens[end].start == token.end;
        let long = word.len() > 3;
        SCALES.iter().find(|(name, _)| *name == word).filter(|_| long || (money && glued)).map(|(_, scale)| *scale)
    });
    if let Some(scale) = scale {
        value *= scale;
        end += 1;
    }
    let rest = &text[tokens[end - 1].end..];
    // What is at rest has no speed.
    let mut unit = if token.is("rest") { units::unit("m/s") } else { None };
    let mut unit_text = None;
    if let Some(sign) = compass(tokens, at) {
        value *= sign;
        end += 1;
    } else if money {
        unit = units::unit("dollar");
    } else if let Some((found, said)) = units::after(rest) {
        let stop = tokens[end - 1].end + rest.find(said).unwrap_or(0) + said.len();
        while tokens.get(end).is_some_and(|token| token.end <= stop) {
            end += 1;
        }
        unit = Some(found);
        unit_text = Some(said.to_owned());
    }
    let word = |token: &Token| token.word().map(|word| stem(&word));
    let before = tokens[from..at].iter().rev().filter_map(word).take(12).collect();
    let stops = |token: &&Token| {
        let ends = matches!(token.piece, Piece::Mark(',' | ';' | '(' | ')')) || token.literal().is_some();
        !ends && !["and", "with", "for", "to", "from", "at", "then"].iter().any(|word| token.is(word))
    };
    let behind = tokens[at + 1..].iter().take_while(stops).filter_map(word).take(5).collect();
    Some(Quantity { at, end, value, unit, unit_text, spelled, listed: false, before, behind })
}

impl Quantity {
    pub(super) fn measures(&self, measure: Measure) -> bool {
        self.unit.is_some_and(|unit| unit.measure == measure)
    }

    /// Whether it looks like a year.
    pub(super) fn is_year(&self) -> bool {
        self.unit.is_none() && self.value.fract() == 0.0 && (1000.0..=2100.0).contains(&self.value)
    }
}

/// The JSON number of a value: an integer where it is whole.
pub(super) fn json(value: f64) -> Value {
    // Sizes of units leave a last digit behind; twelve are what was meant.
    let rounded: f64 = format!("{value:.12e}").parse().unwrap_or(value);
    if rounded.fract() == 0.0 && rounded.abs() < 9e15 {
        return Value::from(rounded as i64);
    }
    Number::from_f64(rounded).map_or(Value::Null, Value::Number)
}

#[cfg(test)]
mod tests {
    use super::super::tokens::tokens;
    use super::*;

    fn values(text: &str) -> Vec<(f64, Option<Measure>)> {
        let found = quantities(text, &tokens(text));
        found.iter().map(|quantity| (quantity.value, quantity.unit.map(|unit| unit.measure))).collect()
    }

    #[test]
    fn numbers_carry_units_scales_and_signs() {
        for (text, expected) in [
            ("a base of 10 cm", vec![(10.0, Some(Measure::Length))]),
            ("5m and 7kg", vec![(5.0, Some(Measure::Length)), (7.0, Some(Measure::Mass))]),
            ("$1.2M at 5%", vec![(1.2e6, Some(Measure::Money)), (5.0, Some(Measure::Share))]),
            ("213 million people", vec![(213e6, None)]),
            ("9.8 m/s^2 for 5 seconds", vec![(9.8, Some(Measure::Acceleration)), (5.0, Some(Measure::Time))]),
            ("three friends in 2020", vec![(3.0, None), (2020.0, None)]),
            ("5ft 6in tall", vec![(5.5, Some(Measure::Length))]),
            ("at (33.4 N, 112.07 W)", vec![(33.4, None), (-112.07, None)]),
            ("the weather of the next week", vec![(1.0, Some(Measure::Time))]),
            ("a car starts from rest", vec![(0.0, Some(Measure::Speed))]),
        ] {
            assert_eq!(values(text), expected, "{text}");
        }
    }

    #[test]
    fn a_number_is_whole_where_it_was_whole() {
        assert_eq!(json(5.0), Value::from(5));
        assert_eq!(json(0.05), Value::from(0.05));
        assert_eq!(json(50.0 * 0.001), Value::from(0.05));
    }
}
