//! From settings to a model.

use crate::config::ModelConfig;
use crate::transport::HttpModel;
use crate::{ConfigError, Model, Retrying};

/// Makes the model that `config` describes, with its retries. Nothing is sent yet.
///
/// # Errors
///
/// [`ConfigError`] where the settings cannot be used.
pub fn connect(config: ModelConfig) -> Result<Box<dyn Model>, ConfigError> {
    config.check()?;
    let policy = config.retry;
    Ok(Box::new(Retrying::new(HttpModel::new(config)?, policy)))
}
