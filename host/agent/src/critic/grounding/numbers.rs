//! Numbers that follow from others: sums, differences, products, quotients, counts, columns, other units.

use serde_json::Value;

use super::things;

/// The most numbers that others are put together from. With many, nearly every small number follows from some two.
const NUMBERS_MAX: usize = 48;

/// The most values of results that are looked at for counts and columns.
const VALUES_MAX: usize = 20_000;

/// What one unit is of another: seconds, minutes, hours, days, weeks, months, thousands, KiB, MiB, per cent.
const FACTORS: [f64; 14] =
    [7.0, 12.0, 24.0, 60.0, 100.0, 1000.0, 1024.0, 1440.0, 3600.0, 60_000.0, 86_400.0, 1e6, 1_048_576.0, 3.6e6];

/// Numbers that people write as words.
const WORDS: [(&str, f64); 24] = [
    ("zero", 0.0),
    ("no", 0.0),
    ("one", 1.0),
    ("once", 1.0),
    ("two", 2.0),
    ("twice", 2.0),
    ("both", 2.0),
    ("pair", 2.0),
    ("half", 0.5),
    ("three", 3.0),
    ("four", 4.0),
    ("five", 5.0),
    ("six", 6.0),
    ("seven", 7.0),
    ("eight", 8.0),
    ("nine", 9.0),
    ("ten", 10.0),
    ("eleven", 11.0),
    ("twelve", 12.0),
    ("dozen", 12.0),
    ("twenty", 20.0),
    ("thirty", 30.0),
    ("fifty", 50.0),
    ("hundred", 100.0),
];

/// The numbers that a text has, written in digits or as words.
pub(super) fn in_text(text: &str) -> impl Iterator<Item = f64> + '_ {
    let written = things::things(text).into_iter().flat_map(|thing| match thing {
        things::Thing::Number { number, .. } => vec![number],
        things::Thing::Date(text)
        | things::Thing::Url(text)
        | things::Thing::Path(text)
        | things::Thing::Name(text) => {
            text.split(|c: char| !c.is_ascii_digit()).filter_map(|part| part.parse().ok()).collect()
        }
    });
    let words = text.split(|c: char| !c.is_alphabetic()).filter_map(|word| {
        let word = word.to_lowercase();
        WORDS.iter().find(|(known, _)| *known == word).map(|(_, number)| *number)
    });
    written.chain(words)
}

/// Whether both are the same number, as far as people write numbers.
pub(super) fn same(one: f64, two: f64) -> bool {
    (one - two).abs() <= 1e-9 * one.abs().max(two.abs()).max(1.0)
}

/// Whether `number` is `exact` as it is, or rounded to cents.
fn about(number: f64, exact: f64) -> bool {
    same(number, exact) || (number.fract() != 0.0 && same(number, (exact * 100.0).round() / 100.0))
}

/// Whether `number` follows from these.
pub(super) fn follows(number: f64, numbers: &[f64]) -> bool {
    let numbers = &numbers[..numbers.len().min(NUMBERS_MAX)];
    let scaled = |known: f64| FACTORS.iter().any(|by| same(number, known * by) || about(number, known / by));
    if numbers.iter().any(|known| scaled(*known) || same(number, -known)) {
        return true;
    }
    let pair = |(place, one): (usize, &f64)| {
        numbers.iter().enumerate().any(|(other, two)| {
            place != other
                && (same(number, one + two)
                    || same(number, one - two)
                    || same(number, one * two)
                    || (*two != 0.0 && about(number, one / two)))
        })
    };
    numbers.iter().enumerate().any(pair)
}

/// Whether `number` counts or adds up what a result has: the items of a list, the lines of a text, a column.
pub(super) fn adds_up(number: f64, value: &Value) -> bool {
    let mut left = VALUES_MAX;
    walk(number, value, &mut left)
}

fn walk(number: f64, value: &Value, left: &mut usize) -> bool {
    let Some(fewer) = left.checked_sub(1) else { return false };
    *left = fewer;
    match value {
        Value::Array(items) => {
            same(number, items.len() as f64)
                || of_list(number, items)
                || items.iter().any(|item| walk(number, item, left))
        }
        Value::Object(map) => same(number, map.len() as f64) || map.values().any(|item| walk(number, item, left)),
        Value::String(text) => {
            let lines = text.lines().filter(|line| !line.trim().is_empty());
            same(number, lines.clone().count() as f64)
                || same(number, text.chars().count() as f64)
                || same(number, text.split_whitespace().count() as f64)
                || of_numbers(
                    number,
                    &lines
                        .filter_map(|line| line.rsplit([',', ';', '\t', ' ']).next()?.parse().ok())
                        .collect::<Vec<_>>(),
                )
        }
        _ => false,
    }
}

fn of_list(number: f64, items: &[Value]) -> bool {
    let plain: Vec<f64> = items.iter().filter_map(Value::as_f64).collect();
    if of_numbers(number, &plain) {
        return true;
    }
    let Some(Value::Object(first)) = items.first() else { return false };
    first
        .keys()
        .any(|key| of_numbers(number, &items.iter().filter_map(|item| item.get(key)?.as_f64()).collect::<Vec<_>>()))
}

/// The sum or the mean of a column.
fn of_numbers(number: f64, column: &[f64]) -> bool {
    if column.is_empty() {
        return false;
    }
    let sum: f64 = column.iter().sum();
    about(number, sum) || about(number, sum / column.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_a_person_would_work_out_follows() {
        for (number, from) in [(150.0, "120 and 30"), (7200.0, "2 hours"), (0.2, "20%"), (36.0, "3 boxes of twelve")] {
            assert!(follows(number, &in_text(from).collect::<Vec<_>>()), "{number} from {from}");
        }
        assert!(!follows(4711.0, &in_text("120 and 30").collect::<Vec<_>>()));
    }

    #[test]
    fn counts_and_columns_add_up() {
        let value =
            json!({"rows": [{"n": 10, "p": 1.5}, {"n": 20, "p": 2.25}, {"n": 33, "p": 4}], "text": "a,5\nb,6\n"});
        for number in [3.0, 63.0, 7.75, 21.0, 11.0, 2.0] {
            assert!(adds_up(number, &value), "{number}");
        }
        assert!(!adds_up(64.0, &value));
    }
}
