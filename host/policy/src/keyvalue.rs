//! Buckets of `wasi:keyvalue`: what a plugin keeps from one call to the next, and how much.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::files::{Access, access_of, lower, quotas_of, write_quotas};
use crate::line::{LINE_MAX, LineError};
use crate::names::shortened;
use crate::tools::NamePattern;

/// The most that a bucket holds whose line says nothing, in bytes of keys and values: enough for notes and settings, and little
/// enough that fifty forgotten plugins do not fill a disk.
const USUAL_BYTES: u64 = 10 << 20;
/// The most keys of a bucket whose line says nothing.
const USUAL_KEYS: u64 = 10_000;

const GRANT_SHAPE: &str = "`read-write default, 10 MiB, 1000 keys` or `read settings`";
const RULE_SHAPE: &str = "`read-write *` or `read settings`";

/// One bucket of a plugin's own. No other plugin sees it, whatever it is called there.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct KeyValueGrant {
    /// What may be done in it.
    pub access: Access,
    /// Its name, as the plugin opens it.
    pub bucket: String,
    pub(crate) max_bytes: Option<u64>,
    pub(crate) max_keys: Option<u64>,
}

/// Buckets that a manifest asks for, or that the ceiling leaves.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KeyValueRule {
    /// The most that may be done.
    pub access: Access,
    /// Which buckets.
    pub bucket: NamePattern,
    max_bytes: Option<u64>,
    max_keys: Option<u64>,
}

impl KeyValueGrant {
    /// Reads `read-write default, 10 MiB, 1000 keys`.
    pub fn parse(line: &str) -> Result<Self, LineError> {
        let (access, name, max_bytes, max_keys) = parts(line, GRANT_SHAPE)?;
        if !is_bucket(name) {
            return Err(LineError::Bucket(shortened(name)));
        }
        Ok(Self { access, bucket: name.to_owned(), max_bytes, max_keys })
    }

    /// The most bytes that the keys and values of the bucket have together.
    pub fn max_bytes(&self) -> u64 {
        self.max_bytes.unwrap_or(USUAL_BYTES)
    }

    /// The most keys.
    pub fn max_keys(&self) -> u64 {
        self.max_keys.unwrap_or(USUAL_KEYS)
    }

    /// What is left of the grant under a rule that speaks of its bucket.
    pub(crate) fn under(&self, rule: &KeyValueRule) -> Option<Self> {
        rule.bucket.matches(&self.bucket).then(|| Self {
            access: self.access.min(rule.access),
            bucket: self.bucket.clone(),
            max_bytes: lower(self.max_bytes, rule.max_bytes),
            max_keys: lower(self.max_keys, rule.max_keys),
        })
    }

    /// What is left under the widest of these rules.
    pub(crate) fn under_any(&self, rules: &[KeyValueRule]) -> Option<Self> {
        let left = rules.iter().filter_map(|rule| self.under(rule));
        left.max_by_key(|grant| (grant.access, grant.max_bytes(), grant.max_keys()))
    }
}

impl KeyValueRule {
    /// Reads `read-write *`, `read settings`, and in a ceiling also quotas.
    pub fn parse(line: &str) -> Result<Self, LineError> {
        let (access, name, max_bytes, max_keys) = parts(line, RULE_SHAPE)?;
        if name != "*" && !is_bucket(name) {
            return Err(LineError::Bucket(shortened(name)));
        }
        Ok(Self { access, bucket: NamePattern::parse(name)?, max_bytes, max_keys })
    }

    pub(crate) fn everything() -> Self {
        Self { access: Access::ReadWrite, bucket: NamePattern::Any, max_bytes: None, max_keys: None }
    }
}

/// Access, name, bytes and keys of a line.
type Parts<'a> = (Access, &'a str, Option<u64>, Option<u64>);

fn parts<'a>(line: &'a str, shape: &'static str) -> Result<Parts<'a>, LineError> {
    if line.len() > LINE_MAX {
        return Err(LineError::TooLong);
    }
    let (access, rest) = access_of(line, shape, "buckets")?;
    let mut parts = rest.split(',');
    let name = parts.next().unwrap_or_default().trim();
    let (bytes, keys) = quotas_of(parts, access, ["keys", "key"])?;
    Ok((access, name, bytes, keys))
}

/// Whether a text is the name of a bucket: 1 to 64 letters, digits, `-`, `_` and `.`.
fn is_bucket(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    (1..=64).contains(&name.len()) && name.bytes().all(fits)
}

impl fmt::Display for KeyValueGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.access, self.bucket)?;
        write_quotas(f, self.max_bytes, self.max_keys, ["keys", "key"])
    }
}

impl fmt::Display for KeyValueRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.access, self.bucket)?;
        write_quotas(f, self.max_bytes, self.max_keys, ["keys", "key"])
    }
}
