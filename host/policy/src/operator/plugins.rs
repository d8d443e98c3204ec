//! `[plugins]`: which plugins are let in at all.

use std::path::{Path, PathBuf};

use toml::value::Datetime;

use crate::approval::UnixMillis;
use crate::error::PolicyError;
use crate::names::PluginName;
use crate::reader::{Node, Table};

/// Which plugins are let in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PluginSettings {
    /// The lock file. With one, a plugin that is not in it is not let in; without, each plugin is pinned when it is first
    /// seen, in the data folder.
    pub lock: Option<PathBuf>,
    /// Whether plugins that are no part of the program need a signature by one of the keys.
    pub require_signature: bool,
    /// The keys.
    pub trusted_keys: Vec<TrustedKey>,
}

/// A key whose signatures count: a public key of minisign, as `minisign -G` prints it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedKey {
    key: String,
    until: Option<UnixMillis>,
}

/// The length of a public key of minisign in base64: two bytes of algorithm, eight of key id, 32 of key.
const KEY_CHARS: usize = 56;
const KEY: &str = "write a public key of minisign: 56 characters that begin with `RW`";

impl TrustedKey {
    /// The key in base64.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The key with the time until which it counts, in seconds since 1970 (UTC).
    pub(crate) fn shown(&self) -> String {
        self.until.map_or_else(|| self.key.clone(), |until| format!("{} until {} s", self.key, until / 1000))
    }

    /// Whether signatures by it count at this time.
    pub fn is_valid_at(&self, now: UnixMillis) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

impl PluginSettings {
    pub(crate) fn read(mut table: Table<'_>, base: &Path) -> Result<Self, PolicyError> {
        let mut settings = Self::default();
        if let Some(node) = table.take("lock") {
            let text = node.text()?;
            if text.trim().is_empty() {
                return Err(node.wrong(text, "name a file, such as `toolcrib.lock`"));
            }
            settings.lock = Some(base.join(text));
        }
        let required = table.take("require-signature");
        settings.require_signature = required.map_or(Ok(false), |node| node.boolean())?;
        if let Some(node) = table.take("trusted-keys") {
            settings.trusted_keys = node.items()?.into_iter().map(key).collect::<Result<_, _>>()?;
        }
        if let Some(node) = required.filter(|_| settings.require_signature && settings.trusted_keys.is_empty()) {
            return Err(node.wrong("true", "without `trusted-keys` no plugin could be let in"));
        }
        // `[plugins.files]` is what somebody writes who means the grants of one plugin.
        table.finish_or(|node| {
            let grants = node.is_table() && PluginName::try_from(node.key()).is_ok();
            grants.then(|| format!("[plugin.{}]", node.key()))
        })?;
        Ok(settings)
    }
}

/// `"RW…"`, or `{ key = "RW…", until = 2027-01-31 }`: until the end of that day in UTC.
fn key(node: Node<'_>) -> Result<TrustedKey, PolicyError> {
    if node.is_text() {
        return Ok(TrustedKey { key: key_text(&node)?, until: None });
    }
    let mut table = node.table("an entry of `trusted-keys`".to_owned())?;
    let Some(key_node) = table.take("key") else {
        return Err(node.wrong("{}", KEY));
    };
    let key = key_text(&key_node)?;
    let until = table.take("until").map(|node| day(&node)).transpose()?;
    table.finish()?;
    Ok(TrustedKey { key, until })
}

fn key_text(node: &Node<'_>) -> Result<String, PolicyError> {
    let text = node.text()?.trim();
    let fits = text.len() == KEY_CHARS
        && text.starts_with("RW")
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'));
    if fits { Ok(text.to_owned()) } else { Err(node.wrong(text, KEY)) }
}

fn day(node: &Node<'_>) -> Result<UnixMillis, PolicyError> {
    let found: Datetime = node.date()?;
    match (found.date, found.time) {
        (Some(date), None) => Ok(end_of(i64::from(date.year), i64::from(date.month), i64::from(date.day))),
        _ => Err(node.wrong(&found.to_string(), "write a date, such as 2027-01-31")),
    }
}

/// The end of a day, in milliseconds since 1970 (UTC). Days are counted as in the proleptic Gregorian calendar, with
/// years that begin in March, so that the leap day is the last of its year.
fn end_of(year: i64, month: i64, day: i64) -> UnixMillis {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    u64::try_from(days + 1).unwrap_or(0).saturating_mul(24 * 60 * 60 * 1000)
}

#[cfg(test)]
mod tests {
    use super::end_of;

    #[test]
    fn days_end_when_they_do() {
        let day = 24 * 60 * 60 * 1000;
        assert_eq!(end_of(1970, 1, 1), day);
        assert_eq!(end_of(2000, 2, 29), 951_868_800_000);
        assert_eq!(end_of(2027, 1, 31), 1_801_440_000_000);
        assert_eq!(end_of(1960, 1, 1), 0);
    }
}
