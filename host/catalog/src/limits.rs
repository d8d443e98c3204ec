//! What the catalog accepts, each limit with its reason.

/// Bytes of one component. Language runtimes in a component reach some 40 MiB; nothing honest comes near this.
pub const MAX_COMPONENT_BYTES: u64 = 128 << 20;

/// Bytes of one `plugin.toml`. A long one has a few KiB.
pub const MAX_MANIFEST_BYTES: u64 = 256 << 10;

/// Bytes of a cached index that are read. Ten thousand plugins with large schemas stay below it.
pub const MAX_INDEX_BYTES: u64 = 256 << 20;

/// Entries of one plugin directory that are looked at, so that a directory such as `/tmp` cannot hold up a start.
pub const MAX_ENTRIES: usize = 20_000;

/// Tools of one plugin. Reflected components with many functions have some hundreds.
pub const MAX_TOOLS: usize = 1_000;

/// Characters of a title: one line of a table.
pub const MAX_TITLE_CHARS: usize = 120;

/// Characters of a description. All descriptions that match a goal share a model's context.
pub const MAX_DESCRIPTION_CHARS: usize = 4_096;

/// Bytes of one JSON Schema, as text.
pub const MAX_SCHEMA_BYTES: usize = 128 << 10;

/// Levels of one JSON Schema.
pub const MAX_SCHEMA_DEPTH: usize = 64;

/// Bytes of components that a watching catalog keeps in memory, so that a version that was good outlives its file.
pub const MAX_KEPT_BYTES: usize = 64 << 20;
