//! `[secrets]`: where the values of credentials are kept.

use std::path::{Path, PathBuf};

use toolcrib_secrets::SecretSource;

use crate::error::PolicyError;
use crate::reader::Table;

/// Where the values of credentials are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretSettings {
    /// The places, the first that has a name counts.
    pub sources: Vec<SecretSource>,
    /// The file with the identity that the encrypted file is encrypted to, where it is not in its usual place.
    pub identity: Option<PathBuf>,
}

impl Default for SecretSettings {
    fn default() -> Self {
        Self { sources: vec![SecretSource::File, SecretSource::Environment], identity: None }
    }
}

impl SecretSettings {
    pub(crate) fn read(mut table: Table<'_>, base: &Path) -> Result<Self, PolicyError> {
        let mut settings = Self::default();
        if let Some(list) = table.take("sources") {
            settings.sources = Vec::new();
            for node in list.items()? {
                let text = node.text()?;
                let source = SecretSource::parse(text, base).map_err(|error| node.wrong(text, error))?;
                if settings.sources.contains(&source) {
                    return Err(node.wrong(text, "it stands there twice"));
                }
                settings.sources.push(source);
            }
        }
        if let Some(node) = table.take("identity") {
            let text = node.text()?;
            if text.trim().is_empty() {
                return Err(node.wrong(text, "name a file"));
            }
            settings.identity = Some(base.join(text));
        }
        table.finish()?;
        Ok(settings)
    }
}
