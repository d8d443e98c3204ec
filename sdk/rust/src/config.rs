//! Values that the operator set for this plugin, from `wasi:config`.

use crate::ToolError;

/// Looks up one value.
///
/// # Errors
///
/// `failed` with the host's own words when it cannot answer. A key without a value, granted or not, is `None`.
pub fn get(key: &str) -> Result<Option<String>, ToolError> {
    source::get(key)
}

/// Looks up a value without which the tool cannot work.
///
/// # Errors
///
/// `failed` when there is none, naming the key.
pub fn require(key: &str) -> Result<String, ToolError> {
    get(key)?.ok_or_else(|| {
        ToolError::failed(format!(
            "the plugin has no value for the setting `{key}`; the operator sets it in `toolcrib.toml`"
        ))
    })
}

/// All values, in the order of the host.
///
/// # Errors
///
/// `failed` with the host's own words when it cannot answer.
pub fn all() -> Result<Vec<(String, String)>, ToolError> {
    source::all()
}

#[cfg(target_family = "wasm")]
mod source {
    use crate::ToolError;
    use crate::bindings::wasi::config::store;

    pub(super) fn get(key: &str) -> Result<Option<String>, ToolError> {
        store::get(key).map_err(error)
    }

    pub(super) fn all() -> Result<Vec<(String, String)>, ToolError> {
        store::get_all().map_err(error)
    }

    fn error(error: store::Error) -> ToolError {
        match error {
            store::Error::Upstream(message) | store::Error::Io(message) => {
                ToolError::failed(message).context("settings")
            }
        }
    }
}

/// Natively, the values that the test set.
#[cfg(not(target_family = "wasm"))]
mod source {
    use crate::{ToolError, testing};

    #[expect(clippy::unnecessary_wraps, reason = "the shape of the other target")]
    pub(super) fn get(key: &str) -> Result<Option<String>, ToolError> {
        let all = testing::config_values();
        Ok(all.into_iter().find(|(name, _)| name == key).map(|(_, value)| value))
    }

    #[expect(clippy::unnecessary_wraps, reason = "the shape of the other target")]
    pub(super) fn all() -> Result<Vec<(String, String)>, ToolError> {
        Ok(testing::config_values())
    }
}
