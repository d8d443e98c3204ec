//! Names that must not be taken: those that look like another plugin's, and those that sound like the host itself.

use std::collections::HashMap;
use std::sync::LazyLock;

use toolcrib_policy::PluginName;

/// Names, and words of names, that speak for the host. A person who is asked about `grant-permission` should never be
/// looking at a plugin.
const HOST_WORDS: &[&str] = &[
    "admin",
    "administrator",
    "approval",
    "approvals",
    "approve",
    "approver",
    "authority",
    "grant",
    "grants",
    "ledger",
    "operator",
    "permission",
    "permissions",
    "policy",
    "root",
    "sandbox",
    "sudo",
    "superuser",
    "toolcrib",
];

/// Names that speak for the host when they stand alone, or first.
const HOST_NAMES: &[&str] = &["host", "kernel", "system"];

/// The reserved words by what they look like.
static HOST_LOOKS: LazyLock<HashMap<String, &'static str>> =
    LazyLock::new(|| HOST_WORDS.iter().map(|word| (skeleton(word), *word)).collect());

/// The word of `name` that is reserved, if any.
pub(crate) fn reserved_word(name: &PluginName) -> Option<&'static str> {
    let mut words = name.as_str().split('-').map(skeleton).peekable();
    let first = words.peek().cloned().unwrap_or_default();
    let alone = HOST_NAMES.iter().find(|reserved| skeleton(reserved) == first).copied();
    let mut looks = words.chain([skeleton(name.as_str())]);
    alone.or_else(|| looks.find_map(|look| HOST_LOOKS.get(&look).copied()))
}

/// What a name looks like at a glance: names with the same skeleton can be taken for each other.
pub(crate) fn skeleton(name: &str) -> String {
    let folded: String = name
        .chars()
        .filter_map(|c| match c {
            '-' | '_' => None,
            '0' => Some('o'),
            '1' | 'i' => Some('l'),
            '5' => Some('s'),
            c => Some(c),
        })
        .collect();
    folded.replace("rn", "m").replace("vv", "w")
}

/// The name of a plugin that is a single file. Build tools write `_` for `-` in file names.
pub(crate) fn from_file_stem(stem: &str) -> Result<PluginName, String> {
    let name = stem.replace('_', "-");
    let suggestion = |stem: &str| {
        let lower: String =
            stem.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        let name = lower.trim_matches(|c: char| !c.is_ascii_lowercase()).to_owned();
        if PluginName::try_from(name.as_str()).is_ok() { name } else { "my-plugin".to_owned() }
    };
    PluginName::try_from(name.as_str())
        .map_err(|error| format!("{error}; rename the file to `{}.wasm`", suggestion(stem)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> PluginName {
        PluginName::try_from(text).expect("a name")
    }

    #[test]
    fn names_that_can_be_taken_for_each_other_share_a_skeleton() {
        for (a, b) in [
            ("files", "flles"),
            ("files", "fi1es"),
            ("http", "http"),
            ("tool", "t00l"),
            ("modern", "modem"),
            ("web-search", "websearch"),
            ("vvater", "water"),
            ("aws", "aw5"),
        ] {
            assert_eq!(skeleton(a), skeleton(b), "{a} {b}");
        }
        for (a, b) in [("files", "file"), ("data", "date"), ("http", "https")] {
            assert_ne!(skeleton(a), skeleton(b), "{a} {b}");
        }
    }

    #[test]
    fn names_that_speak_for_the_host_are_reserved() {
        for reserved in [
            "toolcrib",
            "t00lcrib",
            "tool-crib",
            "host",
            "h0st",
            "host-tools",
            "grant-permission",
            "my-sudo",
            "auto-approve",
            "system",
        ] {
            assert!(reserved_word(&name(reserved)).is_some(), "{reserved}");
        }
        for free in ["files", "ghost", "localhost", "grantham", "ecosystem", "file-system", "http", "rooted"] {
            assert_eq!(reserved_word(&name(free)), None, "{free}");
        }
    }

    #[test]
    fn a_file_gives_its_plugin_a_name_or_says_how_to_rename_it() {
        assert_eq!(from_file_stem("my_tool"), Ok(name("my-tool")));
        let refused = from_file_stem("My Tool").expect_err("capitals and a space");
        assert!(refused.contains("rename the file to `my-tool.wasm`"), "{refused}");
        assert!(from_file_stem("").is_err());
    }
}
