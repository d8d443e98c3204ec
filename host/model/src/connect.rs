//! From settings to a model.

use crate::config::{Backend, HttpConfig, ModelConfig};
use crate::transport::HttpModel;
use crate::{ConfigError, Model, Recorder, ReplayModel, Retrying, ScriptedModel};

/// Makes the model that `config` describes. Nothing is sent yet; a script or a recording is read and checked here.
///
/// A model behind HTTP gets its retries. A script does not: what it says is what the caller sees, errors included.
/// A recording holds each exchange as it ended after its retries.
///
/// # Errors
///
/// [`ConfigError`] where the settings, or a file that they name, cannot be used.
pub fn connect(config: ModelConfig) -> Result<Box<dyn Model>, ConfigError> {
    let model: Box<dyn Model> = match config.backend {
        Backend::Http(config) => http(*config)?,
        Backend::Script(file) => Box::new(ScriptedModel::open(file)?),
        Backend::Replay(file) => Box::new(ReplayModel::open(file)?),
    };
    Ok(match config.record {
        Some(file) => Box::new(Recorder::open(model, file)?),
        None => model,
    })
}

fn http(config: HttpConfig) -> Result<Box<dyn Model>, ConfigError> {
    config.check()?;
    let policy = config.retry;
    Ok(Box::new(Retrying::new(HttpModel::new(config)?, policy)))
}
