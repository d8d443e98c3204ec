//! What a call may grow to.

use toolcrib_sdk::ToolError;

/// How deep arrays and objects may lie inside each other. Reading, writing and freeing them take stack, of which a
/// component has a megabyte; nothing that people write comes near.
pub(crate) const MAX_DEPTH: usize = 128;

/// The longest text that may be written, in bytes: `[range(1e9)]` is short to ask for.
pub(crate) const MAX_OUTPUT: usize = 8 << 20;

/// The most results of a query.
pub(crate) const MAX_RESULTS: usize = 100_000;

/// Text that is being written, up to the limit.
#[derive(Default)]
pub(crate) struct Sink {
    text: String,
}

impl Sink {
    /// Adds text.
    pub(crate) fn push(&mut self, text: &str) -> Result<(), ToolError> {
        if self.text.len().saturating_add(text.len()) > MAX_OUTPUT {
            return Err(ToolError::invalid_arguments(format!(
                "the result is longer than {MAX_OUTPUT} bytes; select less"
            )));
        }
        self.text.push_str(text);
        Ok(())
    }

    /// Adds as many spaces.
    pub(crate) fn indent(&mut self, spaces: usize) -> Result<(), ToolError> {
        for _ in 0..spaces {
            self.push(" ")?;
        }
        Ok(())
    }

    /// Whether nothing was written yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// The text.
    pub(crate) fn finish(self) -> String {
        self.text
    }
}

/// Refuses what lies too deep.
pub(crate) fn check_depth(depth: usize) -> Result<(), ToolError> {
    if depth > MAX_DEPTH {
        return Err(ToolError::invalid_arguments(format!("the data is nested deeper than {MAX_DEPTH} levels")));
    }
    Ok(())
}
