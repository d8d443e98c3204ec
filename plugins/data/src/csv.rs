//! CSV: a header row and rows of cells.

use csv::{ErrorKind, ReaderBuilder, StringRecord, Terminator, WriterBuilder};
use jaq_json::{Map, Val};
use toolcrib_sdk::ToolError;

use crate::json;
use crate::limits::MAX_OUTPUT;

/// What may stand between cells; of equals, the first counts.
const DELIMITERS: [char; 4] = [',', ';', '\t', '|'];

/// The column of values that are not objects.
const ONLY_COLUMN: &str = "value";

/// Reads rows into an array of objects.
pub(crate) fn read(text: &str) -> Result<Val, ToolError> {
    let mut reader = ReaderBuilder::new().delimiter(delimiter(text)).from_reader(text.as_bytes());
    let header = names(reader.headers().map_err(|error| not_csv(&error))?);
    let rows = reader.records().map(|record| {
        let record = record.map_err(|error| not_csv(&error))?;
        let cells = header.iter().cloned().zip(record.iter().map(cell));
        Ok(Val::obj(cells.collect()))
    });
    rows.collect()
}

/// Whether the text has a header of at least two plain names, and rows of as many cells.
pub(crate) fn looks_like(text: &str) -> bool {
    let mut reader = ReaderBuilder::new().delimiter(delimiter(text)).from_reader(text.as_bytes());
    let Ok(header) = reader.headers() else {
        return false;
    };
    let plain = |name: &str| !name.trim().is_empty() && !name.contains(": ") && !name.starts_with("- ");
    if header.len() < 2 || !header.iter().all(plain) {
        return false;
    }
    let mut records = reader.records().peekable();
    records.peek().is_some() && records.all(|record| record.is_ok())
}

/// Writes an array of objects, an array of arrays, or anything else as a single column or row.
pub(crate) fn write(value: &Val) -> Result<String, ToolError> {
    let rows = match value {
        Val::Arr(rows) => rows.as_slice(),
        other => std::slice::from_ref(other),
    };
    let mut writer = WriterBuilder::new().flexible(true).terminator(Terminator::Any(b'\n')).from_writer(Vec::new());
    let mut length = 0;
    let mut put = |cells: Vec<String>| {
        length += cells.iter().map(|cell| cell.len() + 1).sum::<usize>();
        if length > MAX_OUTPUT {
            let message = format!("the result is longer than {MAX_OUTPUT} bytes; select less");
            return Err(ToolError::invalid_arguments(message));
        }
        writer.write_record(&cells).map_err(|error| not_csv(&error))
    };
    let is_table = !rows.is_empty() && rows.iter().all(|row| matches!(row, Val::Arr(_)));
    if is_table {
        for row in rows {
            if let Val::Arr(cells) = row {
                put(cells.iter().map(text_of).collect::<Result<_, _>>()?)?;
            }
        }
    } else if !rows.is_empty() {
        let columns = columns(rows)?;
        put(columns.keys().map(json::text_of).collect::<Result<_, _>>()?)?;
        for row in rows {
            put(line(row, &columns)?)?;
        }
    }
    let bytes = writer.into_inner().map_err(|error| ToolError::failed(error.to_string()))?;
    Ok(String::from_utf8(bytes)?)
}

/// The keys of all rows, in the order in which they first occur.
fn columns(rows: &[Val]) -> Result<Map<Val, ()>, ToolError> {
    let mut columns = Map::default();
    for row in rows {
        match row {
            Val::Obj(members) => columns.extend(members.keys().map(|key| (key.clone(), ()))),
            _ => {
                columns.insert(Val::from(ONLY_COLUMN.to_owned()), ());
            }
        }
    }
    if columns.is_empty() {
        let message = "CSV needs columns, and these objects have no members";
        return Err(ToolError::invalid_arguments(message));
    }
    Ok(columns)
}

fn line(row: &Val, columns: &Map<Val, ()>) -> Result<Vec<String>, ToolError> {
    let only = Val::from(ONLY_COLUMN.to_owned());
    let cell = |column: &Val| match row {
        Val::Obj(members) => members.get(column).map_or(Ok(String::new()), text_of),
        other if *column == only => text_of(other),
        _ => Ok(String::new()),
    };
    columns.keys().map(cell).collect()
}

/// A cell: null is nothing, and what is nested is JSON.
fn text_of(value: &Val) -> Result<String, ToolError> {
    match value {
        Val::Null => Ok(String::new()),
        other => json::text_of(other),
    }
}

/// A typed cell. `007` and `1e3x` stay text, and so does whatever JSON would not take for a number.
fn cell(text: &str) -> Val {
    match text {
        "" => Val::Null,
        "true" => Val::Bool(true),
        "false" => Val::Bool(false),
        text => match json::parse_number(text.trim()) {
            Some(number) => Val::Num(number),
            None => Val::from(text.to_owned()),
        },
    }
}

/// The column names: what is missing gets a number, what is there twice as well.
fn names(header: &StringRecord) -> Vec<Val> {
    let mut names: Vec<String> = Vec::with_capacity(header.len());
    for (at, name) in header.iter().enumerate() {
        let base = match name.trim() {
            "" => format!("column_{}", at + 1),
            name => name.to_owned(),
        };
        let mut name = base.clone();
        let mut copy = 2;
        while names.contains(&name) {
            name = format!("{base}_{copy}");
            copy += 1;
        }
        names.push(name);
    }
    names.into_iter().map(Val::from).collect()
}

/// The delimiter that the first line has most of, outside quotes.
fn delimiter(text: &str) -> u8 {
    let mut counts = [0_usize; DELIMITERS.len()];
    let mut quoted = false;
    for letter in text.chars() {
        match letter {
            '"' => quoted = !quoted,
            '\n' if !quoted => break,
            letter if !quoted => {
                if let Some(at) = DELIMITERS.iter().position(|delimiter| *delimiter == letter) {
                    counts[at] += 1;
                }
            }
            _ => {}
        }
    }
    let most = counts.iter().max().copied().unwrap_or_default();
    let at = counts.iter().position(|count| *count == most).unwrap_or_default();
    u8::try_from(DELIMITERS[at]).unwrap_or(b',')
}

fn not_csv(error: &csv::Error) -> ToolError {
    let message = match error.kind() {
        ErrorKind::UnequalLengths { pos: Some(place), expected_len, len } => {
            format!("not CSV: line {} has {len} cells, and the header has {expected_len}", place.line())
        }
        _ => format!("not CSV: {error}"),
    };
    ToolError::invalid_arguments(message)
}
