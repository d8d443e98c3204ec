//! Builds and embeds the first-party plugins
