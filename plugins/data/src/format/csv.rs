//! CSV with a header.

use std::collections::BTreeSet;

use ::csv::{ErrorKind, Reader, ReaderBuilder, StringRecord, WriterBuilder};
use jaq_json::{Num, Val};

use crate::limits::Bounded;
use crate::value::{Faithful, Number, as_text, integer, kind, object, text};

/// What may stand between fields; the first wins a tie.
const SEPARATORS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// The rows as objects. Fields that are written as JSON writes numbers are numbers, the others text.
pub(super) fn read(source: &str) -> Result<Val, String> {
    let mut reader = reader(source);
    let names = names(reader.headers().map_err(|error| explain(&error))?);
    let rows = reader.records().map(|record| {
        let record = record.map_err(|error| explain(&error))?;
        Ok(object(names.iter().cloned().zip(record.iter().map(field))))
    });
    rows.collect()
}

/// The rows of a text that has the shape of CSV: two columns or more, all of them named, and a row or more.
pub(super) fn guess(source: &str) -> Option<Val> {
    let mut reader = reader(source);
    let header = reader.headers().ok()?;
    let distinct: BTreeSet<&str> = header.iter().filter(|name| !name.trim().is_empty()).collect();
    if header.len() < 2 || distinct.len() < header.len() {
        return None;
    }
    match read(source) {
        Ok(Val::Arr(rows)) if !rows.is_empty() => Some(Val::Arr(rows)),
        _ => None,
    }
}

fn reader(source: &str) -> Reader<&[u8]> {
    ReaderBuilder::new().delimiter(separator(source)).from_reader(source.as_bytes())
}

/// The one that the first line has most of, outside of quotes.
fn separator(source: &str) -> u8 {
    let mut counts = [0_usize; SEPARATORS.len()];
    let mut quoted = false;
    for byte in source.trim_start_matches(['\r', '\n']).bytes() {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' if !quoted => break,
            _ if quoted => {}
            _ => {
                if let Some(at) = SEPARATORS.iter().position(|separator| *separator == byte) {
                    counts[at] += 1;
                }
            }
        }
    }
    let best = counts.iter().copied().max().unwrap_or(0);
    let at = counts.iter().position(|count| *count == best).unwrap_or(0);
    SEPARATORS[at]
}

/// The names of the columns: one without a name, or with that of another, is told apart by its number.
fn names(header: &StringRecord) -> Vec<String> {
    let mut taken = BTreeSet::new();
    let mut names = Vec::new();
    for (at, name) in header.iter().enumerate() {
        let mut name = if name.trim().is_empty() { format!("column_{}", at + 1) } else { name.to_owned() };
        while !taken.insert(name.clone()) {
            name = format!("{name}_{}", at + 1);
        }
        names.push(name);
    }
    names
}

/// A number where it reads as one in JSON and nothing of it gets lost: `007` and a number of 40 digits stay text.
fn field(field: &str) -> Val {
    let digits = field.strip_prefix('-').unwrap_or(field);
    if !digits.starts_with(|letter: char| letter.is_ascii_digit()) {
        return text(field);
    }
    let number = match serde_json::from_str::<serde_json::Number>(field) {
        Ok(number) if !number.is_f64() => integer(field),
        Ok(number) if is_exact(digits) => number.as_f64().map(|float| Val::Num(Num::Float(float))),
        _ => None,
    };
    number.unwrap_or_else(|| text(field))
}

/// Whether a number with a point or an exponent has no more digits than 64 bits can tell apart.
fn is_exact(number: &str) -> bool {
    const DIGITS: usize = 17;
    let mantissa = number.split(['e', 'E']).next().unwrap_or(number);
    let digits = mantissa.trim_start_matches(['0', '.']).bytes().filter(u8::is_ascii_digit).count();
    number.contains(['.', 'e', 'E']) && digits <= DIGITS && number.ends_with(|last: char| last.is_ascii_digit())
}

fn explain(error: &::csv::Error) -> String {
    match error.kind() {
        ErrorKind::UnequalLengths { pos, expected_len, len } => {
            let line = pos.as_ref().map_or(0, ::csv::Position::line);
            format!("the row at line {line} has {len} fields, the header has {expected_len}")
        }
        _ => error.to_string(),
    }
}

/// Rows from an array of objects (the header has every key, in the order in which they first occur), from an array of
/// arrays (no header but the first of them), or from one object. What is no plain value is written as JSON.
pub(super) fn write(value: &Val) -> Result<String, String> {
    let rows = match value {
        Val::Arr(rows) => rows.as_slice(),
        Val::Obj(_) => std::slice::from_ref(value),
        _ => return Err("CSV is made of an array of objects or of arrays".to_owned()),
    };
    let mut writer = WriterBuilder::new().flexible(true).from_writer(Bounded::default());
    let keys = header(rows)?;
    if !keys.is_empty() {
        writer.write_record(keys.iter().map(|key| cell(key))).map_err(|error| error.to_string())?;
    }
    for row in rows {
        let record: Vec<String> = match row {
            Val::Obj(members) => keys.iter().map(|key| members.get(*key).map_or_else(String::new, cell)).collect(),
            Val::Arr(fields) => fields.iter().map(cell).collect(),
            _ => Vec::new(),
        };
        // A row without fields cannot be told from no row.
        if !record.is_empty() {
            writer.write_record(record).map_err(|error| error.to_string())?;
        }
    }
    let output = writer.into_inner().map_err(|error| error.error().to_string())?;
    Ok(output.into_text())
}

/// The keys of all objects; none for rows that are arrays.
fn header(rows: &[Val]) -> Result<Vec<&Val>, String> {
    let mut seen = BTreeSet::new();
    let mut keys = Vec::new();
    for (at, row) in rows.iter().enumerate() {
        match row {
            Val::Obj(members) => keys.extend(members.keys().filter(|key| seen.insert(*key))),
            Val::Arr(_) => {}
            _ => return Err(format!("row {} is {}, not an object or an array", at + 1, kind(row))),
        }
        if matches!(row, Val::Obj(_)) != matches!(rows[0], Val::Obj(_)) {
            return Err(format!(
                "row {} is {}, the first is {}; make all of them the same",
                at + 1,
                kind(row),
                kind(&rows[0])
            ));
        }
    }
    Ok(keys)
}

fn cell(value: &Val) -> String {
    match value {
        Val::Null => String::new(),
        Val::TStr(_) | Val::BStr(_) => as_text(value).unwrap_or_default().into_owned(),
        Val::Num(number) => match Number::of(number) {
            Number::Integer(integer) => integer.to_string(),
            Number::Float(_) => json(value),
        },
        _ => json(value),
    }
}

fn json(value: &Val) -> String {
    serde_json::to_string(&Faithful(value)).unwrap_or_default()
}
