//! How often a line of the operator's allows a request, over all calls.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use toolcrib_policy::{Authority, HttpTarget, PluginName, Rate};

use super::error::Failure;

/// A line with a rate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RatedLine {
    /// Whose line it is.
    pub plugin: PluginName,
    /// The line as it is written.
    pub text: String,
    /// What it allows.
    pub rate: Rate,
}

/// Keeps count of requests from one call to the next. Asked when a request was let through and is about to leave.
#[async_trait]
pub trait Rates: Send + Sync + fmt::Debug {
    /// Takes one request. `Some`: there is none left, and how long it takes until there is.
    ///
    /// # Errors
    ///
    /// The count cannot be kept; the text says why.
    async fn take(&self, line: &RatedLine) -> Result<Option<Duration>, String>;
}

/// A host that keeps no count: no line with a rate allows anything.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoRates;

#[async_trait]
impl Rates for NoRates {
    async fn take(&self, _line: &RatedLine) -> Result<Option<Duration>, String> {
        Err("this host keeps no count of requests".to_owned())
    }
}

/// Takes one request of each line that allows this one: the plugin's own, and those of its callers.
pub(super) async fn take(rates: &dyn Rates, authority: &Authority, target: &HttpTarget) -> Result<(), Failure> {
    for (plugin, grant, rate) in authority.rates(target) {
        let line = RatedLine { plugin: plugin.clone(), text: grant.to_string(), rate };
        let why = match rates.take(&line).await {
            Ok(None) => continue,
            Ok(Some(wait)) => format!("there is room for the next one in {} s", wait.as_secs_f64().ceil().max(1.0)),
            Err(why) => why,
        };
        return Err(Failure::Refused(authority.rate_refusal(target, plugin, grant, &why)));
    }
    Ok(())
}
