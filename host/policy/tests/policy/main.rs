//! The behaviour of the crate as its users see it, one sentence per test.
#![expect(clippy::unwrap_used, reason = "a test that cannot set up its case has failed")]

mod address;
mod advice;
mod approval;
mod authority;
mod ceiling;
mod credentials;
mod effect;
mod files;
mod hosts;
mod keyvalue;
mod labels;
mod limits;
mod manifest;
mod names;
mod operator;
mod patterns;
mod properties;
mod refusals;
mod risk;
mod rules;

use std::path::Path;

use toolcrib_policy::{Authority, HttpTarget, OperatorFile, PluginName, Requests};

/// The plugin that all tests speak of.
pub(crate) fn plugin() -> PluginName {
    "shop".parse().unwrap()
}

/// The operator's file `text`, which lies in `/work`.
pub(crate) fn operator(text: &str) -> OperatorFile {
    OperatorFile::parse(text, "toolcrib.toml", Path::new("/work")).unwrap()
}

/// What the plugin may do under `text` if it asks for everything.
pub(crate) fn authority(text: &str) -> Authority {
    operator(text).authority(&plugin(), &Requests::everything(), None)
}

/// The first complaint about the operator's file `text`.
pub(crate) fn complaint(text: &str) -> String {
    OperatorFile::parse(text, "toolcrib.toml", Path::new("/work")).unwrap_err().to_string()
}

/// A `GET` of `url`.
pub(crate) fn get(url: &str) -> HttpTarget {
    HttpTarget::parse("GET", url).unwrap()
}
