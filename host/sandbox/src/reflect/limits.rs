//! What reflection accepts of a component, as named limits, and the refusal when one is passed.
//!
//! A component is untrusted input here: its exports, names and types decide how much memory its schemas take and how
//! deep every later walk over its values goes. All of it is bounded once, when the component is added.

use thiserror::Error;

/// Items that a component may export, those of its instances included. Large SDK worlds have about one hundred.
pub(crate) const EXPORTS: usize = 1024;

/// Bytes of one export, parameter, field or case name. WIT names are words; 256 leaves room for generated ones.
pub(crate) const NAME_BYTES: usize = 256;

/// Fields, cases or flags of one type. Lists of countries, currencies or media types fit; a lookup stays linear.
pub(crate) const MEMBERS: usize = 1024;

/// Levels of types inside types. A level of types is at most four levels of JSON Schema, and a JSON reader stops at
/// 128 levels: a schema of this depth can still be read back by everyone.
pub(crate) const TYPE_DEPTH: usize = 24;

/// Estimated bytes of one function's schema. A model could not use a longer one.
pub(crate) const SIGNATURE_BYTES: usize = 256 * 1024;

/// Estimated bytes of all schemas of a component together: they are kept in the catalog's index.
pub(crate) const COMPONENT_BYTES: usize = 4 * 1024 * 1024;

/// Bytes of documentation sections that are read. What lies beyond is left unread.
pub(crate) const DOCS_BYTES: usize = 1024 * 1024;

/// Documentation sections that are read: one per WIT package inside the component.
pub(crate) const DOCS_SECTIONS: usize = 64;

/// Components inside components that are searched for documentation.
pub(crate) const DOCS_COMPONENTS: usize = 256;

/// Bytes of one description. Longer ones are cut at a character and marked with `…`.
pub(crate) const DESCRIPTION_BYTES: usize = 4096;

/// Bytes of descriptions inside one schema. The types that come after have none.
pub(crate) const SCHEMA_DOC_BYTES: usize = 32 * 1024;

/// Bytes of a tool's own words in the line of its failure. The whole error stays in the failure's data.
pub(crate) const MESSAGE_BYTES: usize = 2048;

/// Bytes of host memory that the arguments of one call may take as component values. Three bytes of JSON can name a
/// record of a thousand absent fields, so the size of the JSON text alone bounds nothing.
pub(crate) const ARGUMENT_MEMORY_BYTES: usize = 64 * 1024 * 1024;

/// A component that goes beyond a limit of reflection or has no tools. The component is refused as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum ReflectError {
    /// More than [`EXPORTS`] items.
    #[error("the component exports {found} items or more, at most {EXPORTS} are accepted")]
    TooManyExports {
        /// How many were counted before counting stopped.
        found: usize,
    },
    /// A name longer than [`NAME_BYTES`].
    #[error("the name `{name}…` has {bytes} bytes, at most {NAME_BYTES} are accepted: shorten it")]
    NameTooLong {
        /// The beginning of the name.
        name: String,
        /// The length of the whole name.
        bytes: usize,
    },
    /// A type with more than [`MEMBERS`] fields, cases, flags or elements.
    #[error("`{function}` has a type with {found} members, at most {MEMBERS} are accepted: split it")]
    TooManyMembers {
        /// The function whose signature uses the type.
        function: String,
        /// How many members the type has.
        found: usize,
    },
    /// Types nested deeper than [`TYPE_DEPTH`].
    #[error("`{function}` nests types deeper than {TYPE_DEPTH} levels: flatten them")]
    TooDeep {
        /// The function whose signature uses the type.
        function: String,
    },
    /// A signature that would give a schema of more than [`SIGNATURE_BYTES`].
    #[error("the types of `{function}` would give a schema of more than {SIGNATURE_BYTES} bytes: simplify them")]
    SignatureTooLarge {
        /// The function whose signature is too large.
        function: String,
    },
    /// Signatures that together would give more than [`COMPONENT_BYTES`] of schema.
    #[error("the exports would give schemas of more than {COMPONENT_BYTES} bytes: split the component")]
    ComponentTooLarge,
    /// Nothing to call.
    #[error("the component exports no function that can be a tool{why}")]
    NoTools {
        /// The first exports that are none, each with its reason, after `; `; empty where nothing is exported.
        why: String,
    },
}

/// Refuses a name that is longer than [`NAME_BYTES`].
pub(super) fn check_name(name: &str) -> Result<(), ReflectError> {
    if name.len() <= NAME_BYTES {
        return Ok(());
    }
    Err(ReflectError::NameTooLong { name: cut(name, 40).to_owned(), bytes: name.len() })
}

/// The longest beginning of `text` that has at most `bytes` bytes and ends between two characters.
pub(super) fn cut(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}
