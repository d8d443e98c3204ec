//! A key that cannot be printed.

use toolcrib_secrets::Secret;

/// The secret that a back end knows a caller by.
///
/// It has no `Debug`, `Display` or `Serialize`, so that it cannot reach a log, a message or a ledger by
/// accident. A struct that holds one has to say how it prints itself.
///
/// ```compile_fail
/// let key = toolcrib_model::ApiKey::new("sk-1").unwrap();
/// println!("{key:?}");
/// ```
#[derive(Clone)]
pub struct ApiKey(Secret);

impl ApiKey {
    /// Takes a key; white space around it is dropped, and a blank one is none.
    pub fn new(key: impl AsRef<str>) -> Option<Self> {
        let key = key.as_ref().trim();
        (!key.is_empty()).then(|| Self(Secret::new(key.to_owned())))
    }

    /// The key itself, for the header that it belongs into and nowhere else.
    pub(crate) fn reveal(&self) -> &str {
        self.0.reveal()
    }

    /// `text` without the key.
    pub(crate) fn strike_from(&self, text: &str) -> String {
        text.replace(self.0.reveal(), "[key]")
    }
}
