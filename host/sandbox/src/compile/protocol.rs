//! What the compile worker answers, on its standard output and in the cache:
//! a `u32` length (little endian), that many bytes of JSON, then compiled code to the end.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::error::LoadError;
use crate::reflect::Docs;

/// The JSON part of an answer.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Answer {
    /// Compiled; the code follows.
    Compiled(Facts),
    /// Not a component that this engine takes.
    Invalid(String),
    /// More of something than a plugin may have.
    Rejected(String),
}

/// What the worker read from the component besides its code.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Facts {
    /// Doc comments of its WIT, where the component carries them.
    pub(crate) docs: Docs,
}

/// A component that was compiled.
#[derive(Clone, Debug)]
pub(crate) struct Compiled {
    pub(crate) facts: Facts,
    /// Machine code for one profile's engine.
    pub(crate) code: Bytes,
}

impl Compiled {
    /// The answer's bytes.
    pub(crate) fn encode(&self) -> Vec<u8> {
        encode(&Answer::Compiled(self.facts.clone()), &self.code)
    }

    /// The reverse of [`Compiled::encode`]; nothing where the bytes are anything else.
    pub(crate) fn decode(bytes: Bytes) -> Option<Self> {
        match decode(bytes) {
            Ok((Answer::Compiled(facts), code)) => Some(Compiled { facts, code }),
            _ => None,
        }
    }
}

pub(super) fn encode(answer: &Answer, code: &[u8]) -> Vec<u8> {
    let header = serde_json::to_vec(answer).unwrap_or_default();
    let mut out = Vec::with_capacity(4 + header.len() + code.len());
    out.extend_from_slice(&u32::try_from(header.len()).unwrap_or(0).to_le_bytes());
    out.extend_from_slice(&header);
    out.extend_from_slice(code);
    out
}

pub(super) fn decode(mut bytes: Bytes) -> Result<(Answer, Bytes), LoadError> {
    let broken = || LoadError::Worker("its answer is cut short".to_owned());
    let length = bytes.get(..4).and_then(|b| b.try_into().ok()).map(u32::from_le_bytes).ok_or_else(broken)?;
    let end = 4 + length as usize;
    if bytes.len() < end {
        return Err(broken());
    }
    let answer = serde_json::from_slice(&bytes[4..end])
        .map_err(|e| LoadError::Worker(format!("its answer is not understood: {e}")))?;
    Ok((answer, bytes.split_off(end)))
}
