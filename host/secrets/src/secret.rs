//! A text that cannot be printed.

use zeroize::Zeroizing;

/// A secret text. It is overwritten when it is dropped.
///
/// It has no `Debug`, `Display` or `Serialize`, so that it cannot reach a log, a message or a ledger by accident. A struct
/// that holds one has to say how it prints itself.
///
/// ```compile_fail
/// let secret = toolcrib_secrets::Secret::new("hunter2".to_owned());
/// println!("{secret:?}");
/// ```
///
/// ```compile_fail
/// let secret = toolcrib_secrets::Secret::new("hunter2".to_owned());
/// println!("{secret}");
/// ```
///
/// ```compile_fail
/// let secret = toolcrib_secrets::Secret::new("hunter2".to_owned());
/// serde_json::to_string(&secret).unwrap();
/// ```
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes a text as it is.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text, for the one place that needs it and nowhere else.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}
