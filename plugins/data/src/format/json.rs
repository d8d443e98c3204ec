//! JSON and JSON Lines.

use jaq_json::Val;

use crate::limits::Bounded;
use crate::value::{Faithful, Json};

/// One value, or an array of the values where each line is an object or an array.
pub(super) fn read(text: &str) -> Result<Val, String> {
    match serde_json::from_str::<Json>(text) {
        Ok(json) => Ok(json.0),
        Err(error) => lines(text).ok_or_else(|| error.to_string()),
    }
}

fn lines(text: &str) -> Option<Val> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let values = lines.map(|line| match serde_json::from_str(line) {
        Ok(Json(value @ (Val::Arr(_) | Val::Obj(_)))) => Some(value),
        _ => None,
    });
    let values: Vec<Val> = values.collect::<Option<_>>()?;
    (!values.is_empty()).then(|| values.into_iter().collect())
}

pub(super) fn write(value: &Val) -> Result<String, String> {
    let mut output = Bounded::default();
    serde_json::to_writer_pretty(&mut output, &Faithful(value)).map_err(|error| error.to_string())?;
    Ok(output.into_text())
}
