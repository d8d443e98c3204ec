//! `#[value]`: the derives, without dependencies of the author's own.

use proc_macro2::TokenStream;
use quote::quote;
use syn::Ident;
use syn::parse::Parser;

pub(crate) fn expand(attribute: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    let (input, output) = directions(attribute)?;
    let deserialize = input.then(|| quote!(::toolcrib_sdk::__private::serde::Deserialize,));
    let serialize = output.then(|| quote!(::toolcrib_sdk::__private::serde::Serialize,));
    Ok(quote! {
        #[derive(#deserialize #serialize ::toolcrib_sdk::__private::schemars::JsonSchema)]
        #[serde(crate = "::toolcrib_sdk::__private::serde")]
        #[schemars(crate = "::toolcrib_sdk::__private::schemars")]
        #item
    })
}

/// Whether the type is read, and whether it is written.
fn directions(attribute: TokenStream) -> syn::Result<(bool, bool)> {
    if attribute.is_empty() {
        return Ok((true, true));
    }
    let parser = |input: syn::parse::ParseStream<'_>| input.parse::<Ident>();
    let word = parser.parse2(attribute)?;
    if word == "input" {
        Ok((true, false))
    } else if word == "output" {
        Ok((false, true))
    } else {
        Err(syn::Error::new(word.span(), "expected `input` or `output`"))
    }
}
