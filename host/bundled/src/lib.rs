//! The first-party plugins, built from `plugins/` when this crate is built, so that the binary works alone.

/// A plugin that is part of the program.
#[derive(Clone, Copy, Debug)]
pub struct Bundled {
    /// Its name.
    pub name: &'static str,
    /// Its `plugin.toml`.
    pub manifest: &'static str,
    /// The component.
    pub component: &'static [u8],
    /// The component's digest, `sha256:` and 64 hexadecimal digits.
    pub digest: &'static str,
}

include!(concat!(env!("OUT_DIR"), "/bundled.rs"));

#[cfg(test)]
mod tests {
    use super::PLUGINS;

    #[test]
    fn every_plugin_is_a_component() {
        assert!(!PLUGINS.is_empty());
        for plugin in PLUGINS {
            assert_eq!(&plugin.component[..8], b"\0asm\x0d\0\x01\0", "{}", plugin.name);
        }
    }

    #[test]
    fn names_are_sorted_and_unique() {
        assert!(PLUGINS.is_sorted_by(|a, b| a.name < b.name));
    }
}
