//! One exchange as a line of JSON.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{ModelError, Request, Response};

/// The version of the format, which each line names.
pub const RECORDING_VERSION: u32 = 1;
/// Each exchange holds its conversation from the beginning, so that a long run makes a large file.
pub(super) const MAX_BYTES: u64 = 256 * 1024 * 1024;

/// A line as it is written. It holds nothing but what crosses [`Model`](crate::Model): no key, no header.
#[derive(Debug, Serialize)]
pub(super) struct Written<'a> {
    v: u32,
    model: &'a str,
    request: &'a Request,
    #[serde(skip_serializing_if = "Option::is_none")]
    response: Option<&'a Response>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a ModelError>,
    #[serde(with = "crate::millis")]
    ms: Duration,
}

impl<'a> Written<'a> {
    pub(super) fn new(
        model: &'a str,
        request: &'a Request,
        outcome: &'a Result<Response, ModelError>,
        ms: Duration,
    ) -> Self {
        let (response, error) = (outcome.as_ref().ok(), outcome.as_ref().err());
        Self { v: RECORDING_VERSION, model, request, response, error, ms }
    }

    /// The line with its end.
    pub(super) fn to_line(&self) -> Result<Vec<u8>, serde_json::Error> {
        let mut line = serde_json::to_vec(self)?;
        line.push(b'\n');
        Ok(line)
    }
}

/// A line as it is read.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Read {
    #[serde(rename = "v")]
    _v: u32,
    #[serde(rename = "model")]
    _model: String,
    request: Request,
    response: Option<Response>,
    error: Option<ModelError>,
    #[serde(rename = "ms")]
    _ms: u64,
}

/// What every version has.
#[derive(Debug, Deserialize)]
struct Head {
    v: u32,
}

/// What a line holds, or what is wrong with it and the way out.
pub(super) fn parse(line: &str) -> Result<(Request, Result<Response, ModelError>), (String, String)> {
    let again = || "record it again, or remove the line".to_owned();
    let head: Head = serde_json::from_str(line).map_err(|error| (in_line(&error), again()))?;
    if head.v != RECORDING_VERSION {
        let advice = format!("this program reads version {RECORDING_VERSION}: record it again");
        return Err((format!("version {} is not known here", head.v), advice));
    }
    let read: Read = serde_json::from_str(line).map_err(|error| (in_line(&error), again()))?;
    match (read.response, read.error) {
        (Some(response), None) => Ok((read.request, Ok(response))),
        (None, Some(error)) => Ok((read.request, Err(error))),
        _ => Err(("a line has either `response` or `error`".to_owned(), again())),
    }
}

/// What is wrong, with the column alone: the text is one line.
fn in_line(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    match text.strip_suffix(&place) {
        Some(what) => format!("{what} at column {}", error.column()),
        None => text,
    }
}
