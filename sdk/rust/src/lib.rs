//! Write a sandboxed Toolcrib tool as a plain function.
//!
//! ```
//! /// How often a word occurs.
//! #[toolcrib_sdk::value]
//! struct Count {
//!     /// The number of words.
//!     words: usize,
//! }
//!
//! /// Counts the words of a text.
//! #[toolcrib_sdk::tool(effect = read)]
//! fn count(
//!     /// The text to count.
//!     text: String,
//! ) -> Count {
//!     Count { words: text.split_whitespace().count() }
//! }
//!
//! toolcrib_sdk::plugin!(count);
//! # fn main() {
//! # let reply = toolcrib_sdk::testing::call(&PLUGIN, "count", serde_json::json!({ "text": "a b" })).unwrap();
//! # assert_eq!(reply.to_value(), Some(serde_json::json!({ "words": 2 })));
//! # }
//! ```
//!
//! # The way of a call
//!
//! ```text
//! host ─► component ─► plugin ─► arguments ─► your function ─► reply ─► output ─► host
//!                        │                         │
//!                        └─► schema (list-tools)   └─► http, fs, keyvalue, config, tools, progress, log
//! ```
//!
//! `list-tools` builds the schemas; `call-tool` builds none of them: it finds the tool by name, reads the arguments
//! straight into the parameter types, and writes the result. Every call meets a fresh instance of the component, so
//! nothing stays from one call to the next.
//!
//! On other targets than wasm the same dispatch runs natively (see [`testing`]), so that `cargo test` needs no host.

extern crate self as toolcrib_sdk;

#[cfg(target_family = "wasm")]
#[doc(hidden)]
pub mod bindings;
#[cfg(target_family = "wasm")]
#[doc(hidden)]
pub mod component;

mod plugin;

mod arguments;
mod error;
mod output;
mod reply;
mod schema;

mod call;
#[cfg(feature = "config")]
pub mod config;
pub mod fs;
#[cfg(feature = "http")]
pub mod http;
#[cfg(feature = "keyvalue")]
pub mod keyvalue;
pub mod log;
mod progress;
pub mod tools;

#[cfg(not(target_family = "wasm"))]
pub mod testing;

pub use arguments::nearest;
pub use call::idempotency_key;
pub use error::{EffectState, ErrorKind, ToolError};
pub use output::{Content, Output};
pub use plugin::{Description, Effect, Plugin, Tool};
pub use progress::progress;
pub use reply::Reply;
pub use toolcrib_sdk_macros::{plugin, tool, value};

/// What the macros expand to. Not part of the interface: it may change with any release.
#[doc(hidden)]
pub mod __private {
    pub use crate::arguments::parse;
    #[cfg(target_family = "wasm")]
    pub use crate::bindings;
    #[cfg(target_family = "wasm")]
    pub use crate::component;
    pub use crate::plugin::ToolParts;
    pub use crate::reply::{finish, output_schema};
    pub use crate::schema::{Schema, input_schema};
    pub use {schemars, serde};
}

/// The examples of the README, compiled as they stand there.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
