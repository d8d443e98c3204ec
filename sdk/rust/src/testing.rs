//! Tests of a plugin without a host: the same dispatch, run natively.
//!
//! ```
//! # use toolcrib_sdk::{ToolError, plugin, testing, tool};
//! /// Greets.
//! #[tool(effect = read)]
//! fn greet(name: String) -> String {
//!     format!("hello {name}")
//! }
//!
//! plugin!(greet);
//!
//! # fn main() {
//! let reply = testing::call(&PLUGIN, "greet", serde_json::json!({ "name": "Ada" }));
//! assert_eq!(reply.unwrap().to_text(), "hello Ada");
//!
//! let refused = testing::call(&PLUGIN, "greet", serde_json::json!({ "nmae": "Ada" })).unwrap_err();
//! assert_eq!(refused.message(), "there is no argument `nmae`: did you mean `name`?");
//! # }
//! ```

use std::cell::RefCell;

use serde_json::Value;

use crate::{Output, Plugin, ToolError};

#[cfg(feature = "keyvalue")]
use std::collections::BTreeMap;

#[cfg(feature = "http")]
use crate::http;

#[cfg(feature = "http")]
type Handler = Box<dyn FnMut(&http::Request) -> Result<Reply, http::Error>>;

/// What a test answers to calls of other tools.
type Caller = Box<dyn FnMut(&str, &Value) -> Result<Value, ToolError>>;

thread_local! {
    static CALLER: RefCell<Option<Caller>> = const { RefCell::new(None) };
    #[cfg(feature = "http")]
    static HANDLER: RefCell<Option<Handler>> = const { RefCell::new(None) };
    #[cfg(feature = "keyvalue")]
    static BUCKETS: RefCell<BTreeMap<String, Values>> = const { RefCell::new(BTreeMap::new()) };
    static CONFIG: RefCell<Vec<(String, String)>> = const { RefCell::new(Vec::new()) };
}

/// Calls a tool as the host does.
///
/// # Errors
///
/// What the host would get.
#[expect(clippy::needless_pass_by_value, reason = "called with `json!` in place")]
pub fn call(plugin: &Plugin, tool: &str, arguments: Value) -> Result<Output, ToolError> {
    plugin.call(tool, &arguments.to_string())
}

/// Calls a tool and reads its structured result.
///
/// # Errors
///
/// What the host would get; `failed` when the tool gave back no structured result.
pub fn call_structured(plugin: &Plugin, tool: &str, arguments: Value) -> Result<Value, ToolError> {
    let output = call(plugin, tool, arguments)?;
    output.to_value().ok_or_else(|| ToolError::failed(format!("the tool `{tool}` gave back no structured result")))
}

/// Runs `body` on this thread with settings for [`crate::config`].
pub fn with_config<R>(values: &[(&str, &str)], body: impl FnOnce() -> R) -> R {
    let values = values.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    let before = CONFIG.replace(values.collect());
    let result = body();
    CONFIG.set(before);
    result
}

#[cfg(feature = "config")]
pub(crate) fn config_values() -> Vec<(String, String)> {
    CONFIG.with_borrow(Clone::clone)
}

/// Runs `body` on this thread while `caller` answers every call of [`crate::tools`].
pub fn with_tools<R>(
    caller: impl FnMut(&str, &Value) -> Result<Value, ToolError> + 'static,
    body: impl FnOnce() -> R,
) -> R {
    let before = CALLER.replace(Some(Box::new(caller)));
    let result = body();
    CALLER.set(before);
    result
}

/// The answer of the test, where there is one to ask.
pub(crate) fn answer_call(tool: &str, arguments: &Value) -> Option<Result<Value, ToolError>> {
    CALLER.with_borrow_mut(|caller| caller.as_mut().map(|caller| caller(tool, arguments)))
}

/// What a bucket holds.
#[cfg(feature = "keyvalue")]
pub(crate) type Values = BTreeMap<String, Vec<u8>>;

/// Runs `body` on this thread with these buckets granted, empty at first, for [`crate::keyvalue`]. They keep what is put into
/// them until `body` ends.
#[cfg(feature = "keyvalue")]
pub fn with_buckets<R>(names: &[&str], body: impl FnOnce() -> R) -> R {
    let before = BUCKETS.replace(names.iter().map(|name| ((*name).to_owned(), Values::new())).collect());
    let result = body();
    BUCKETS.set(before);
    result
}

/// Works on a bucket, where the test granted it.
#[cfg(feature = "keyvalue")]
pub(crate) fn with_bucket<R>(name: &str, work: impl FnOnce(&mut Values) -> R) -> Option<R> {
    BUCKETS.with_borrow_mut(|buckets| buckets.get_mut(name).map(work))
}

/// What a test answers to a request.
#[cfg(feature = "http")]
#[derive(Clone, Debug)]
pub struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

#[cfg(feature = "http")]
impl Reply {
    /// An empty answer.
    #[must_use]
    pub const fn new(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new() }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_ascii_lowercase(), value.to_owned()));
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }
}

/// Runs `body` on this thread while `handler` answers every request of [`crate::http`].
#[cfg(feature = "http")]
pub fn with_http<R>(
    handler: impl FnMut(&http::Request) -> Result<Reply, http::Error> + 'static,
    body: impl FnOnce() -> R,
) -> R {
    let before = HANDLER.replace(Some(Box::new(handler)));
    let result = body();
    HANDLER.set(before);
    result
}

/// The answer of the test, where there is one to ask.
#[cfg(feature = "http")]
pub(crate) fn answer(request: &http::Request) -> Option<Result<Reply, http::Error>> {
    HANDLER.with_borrow_mut(|handler| handler.as_mut().map(|handler| handler(request)))
}
