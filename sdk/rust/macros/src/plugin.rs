//! `plugin!`: the list of tools, and what the component exports.

use proc_macro2::TokenStream;
use quote::quote;
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::{Path, Token};

use crate::tool;

pub(crate) fn expand(tools: TokenStream) -> syn::Result<TokenStream> {
    let paths = Punctuated::<Path, Token![,]>::parse_terminated.parse2(tools)?;
    let constants = paths.into_iter().map(|mut path| {
        if let Some(last) = path.segments.last_mut() {
            last.ident = tool::constant(&last.ident);
        }
        path
    });
    Ok(quote! {
        /// The tools of this plugin.
        pub static PLUGIN: ::toolcrib_sdk::Plugin = ::toolcrib_sdk::Plugin::new(&[#(#constants),*]);

        #[cfg(target_family = "wasm")]
        const _: () = {
            use ::toolcrib_sdk::__private::component;

            struct Component;

            impl component::Guest for Component {
                fn list_tools() -> ::core::result::Result<
                    ::std::vec::Vec<component::WitTool>,
                    component::WitError,
                > {
                    component::list_tools(&PLUGIN)
                }

                fn call_tool(
                    name: ::std::string::String,
                    arguments: ::std::string::String,
                ) -> ::core::result::Result<component::WitOutput, component::WitError> {
                    component::call_tool(&PLUGIN, &name, &arguments)
                }
            }

            ::toolcrib_sdk::__private::bindings::export!(
                Component with_types_in ::toolcrib_sdk::__private::bindings
            );
        };
    })
}
