//! The macros of `toolcrib-sdk`. Use them through that crate, which documents them by example.
//!
//! ```text
//! #[tool] ─► options (the attribute) ─┐
//!            signature (the function) ─┴─► tool (the constant beside the function)
//! plugin!(…) ─► the list of these constants, and the component's exports
//! #[value] ─► derives that find serde and schemars through the SDK
//! ```

use proc_macro::TokenStream;

mod options;
mod plugin;
mod signature;
mod tool;
mod value;

/// Turns a function into a tool. The function itself stays as it is and can be called and tested.
///
/// The name comes from the function, the description from its doc comment, the input schema from the parameters and
/// their doc comments, the output schema from the return type (see `toolcrib_sdk::Reply`).
///
/// | in the attribute | meaning |
/// |---|---|
/// | `effect = read`, `idempotent`, `irreversible`, `reversible(undo = "other")` | what a call does to the world |
/// | `open_world` | the tool talks to a network, other people, other programs |
/// | `name = "…"`, `title = "…"`, `description = "…"` | instead of what the function says |
///
/// | on a parameter | meaning |
/// |---|---|
/// | a doc comment | the description of the property |
/// | `#[arg(default = expression)]`, `#[arg(default)]` | the value where the caller gives none |
/// | `#[arg(name = "…")]` | another name in JSON |
/// | `#[schemars(…)]`, `#[serde(…)]` | passed on to the derives, such as `#[schemars(range(min = 1))]` |
///
/// A parameter of type `Option<T>` may be left out or `null`. `&str`, `&[T]` and `&T` borrow from the arguments.
#[proc_macro_attribute]
pub fn tool(attribute: TokenStream, item: TokenStream) -> TokenStream {
    tool::expand(attribute.into(), item.into()).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Lists the tools of the plugin: `plugin!(count, search::find)`. Once per crate, at its root.
///
/// Makes `pub static PLUGIN: toolcrib_sdk::Plugin`, and the exports of the component when built for wasm.
#[proc_macro]
pub fn plugin(tools: TokenStream) -> TokenStream {
    plugin::expand(tools.into()).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Makes a struct or enum usable as a parameter and as a result: derives `Serialize`, `Deserialize` and `JsonSchema`.
///
/// `#[value(input)]` leaves out `Serialize`, `#[value(output)]` leaves out `Deserialize`. Attributes of serde and
/// schemars work inside. Doc comments become descriptions in the schema.
#[proc_macro_attribute]
pub fn value(attribute: TokenStream, item: TokenStream) -> TokenStream {
    value::expand(attribute.into(), item.into()).unwrap_or_else(syn::Error::into_compile_error).into()
}
