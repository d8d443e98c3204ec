//! `#[tool]`: the function as it is, and a constant beside it that the plugin lists.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::ext::IdentExt;
use syn::{Ident, ItemFn, LitStr, ReturnType, Type, parse_quote};

use crate::options::{Effect, Options};
use crate::signature::{self, Parameter};

/// The name of the constant for a function.
pub(crate) fn constant(function: &Ident) -> Ident {
    format_ident!("__toolcrib_tool_{}", function.unraw(), span = function.span())
}

pub(crate) fn expand(attribute: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    let options: Options = syn::parse2(attribute)?;
    let mut function: ItemFn = syn::parse2(item)?;
    let parameters = signature::parameters(&mut function)?;
    let parts = parts(&options, &function, &parameters)?;
    let constant = constant(&function.sig.ident);
    let visibility = &function.vis;
    Ok(quote! {
        #[allow(clippy::too_many_arguments, clippy::needless_pass_by_value, reason = "the arguments of a call, as read")]
        #function

        #[doc(hidden)]
        #[allow(non_upper_case_globals, reason = "named after the function")]
        #visibility const #constant: ::toolcrib_sdk::Tool = { #parts };
    })
}

fn parts(options: &Options, function: &ItemFn, parameters: &[Parameter]) -> syn::Result<TokenStream> {
    let ident = &function.sig.ident;
    let name = name(options, ident)?;
    let description = description(options, function)?;
    let title = optional(options.title.as_ref());
    let effect = match options.effect.as_ref().map(Effect::tokens) {
        Some(effect) => quote!(::core::option::Option::Some(#effect)),
        None => quote!(::core::option::Option::None),
    };
    let open_world = options.open_world;
    let output: Type = match &function.sig.output {
        ReturnType::Default => parse_quote!(()),
        ReturnType::Type(_, ty) => (**ty).clone(),
    };
    let (fields, defaults): (Vec<_>, Vec<_>) = parameters.iter().map(Parameter::field).unzip();
    let names = parameters.iter().map(|parameter| &parameter.name);
    let passed = parameters.iter().map(Parameter::pass);
    let arguments = if parameters.is_empty() { quote!(_) } else { quote!(arguments) };
    Ok(quote! {
        #[derive(
            ::toolcrib_sdk::__private::serde::Deserialize,
            ::toolcrib_sdk::__private::schemars::JsonSchema,
        )]
        #[serde(crate = "::toolcrib_sdk::__private::serde", deny_unknown_fields)]
        #[schemars(crate = "::toolcrib_sdk::__private::schemars")]
        struct __Arguments { #(#fields,)* }

        #(#defaults)*

        fn __call(
            text: &str,
        ) -> ::core::result::Result<::toolcrib_sdk::Output, ::toolcrib_sdk::ToolError> {
            let #arguments: __Arguments = ::toolcrib_sdk::__private::parse(text, &[#(#names),*])?;
            ::toolcrib_sdk::__private::finish(#ident(#(#passed),*))
        }

        ::toolcrib_sdk::Tool::new(::toolcrib_sdk::__private::ToolParts {
            name: #name,
            title: #title,
            description: #description,
            effect: #effect,
            open_world: #open_world,
            input_schema: ::toolcrib_sdk::__private::input_schema::<__Arguments>,
            output_schema: ::toolcrib_sdk::__private::output_schema::<_, #output>,
            call: __call,
        })
    })
}

fn name(options: &Options, ident: &Ident) -> syn::Result<LitStr> {
    let name = match &options.name {
        Some(name) => name.clone(),
        None => LitStr::new(&ident.unraw().to_string(), ident.span()),
    };
    let text = name.value();
    let fits = text.len() <= 64
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.chars().all(|letter| matches!(letter, 'a'..='z' | '0'..='9' | '-' | '_'));
    if fits {
        return Ok(name);
    }
    let message = "a tool's name is 1 to 64 of a-z, 0-9, - and _, and begins with a letter";
    Err(syn::Error::new(name.span(), message))
}

fn description(options: &Options, function: &ItemFn) -> syn::Result<String> {
    let text = match &options.description {
        Some(text) => Some(text.value()),
        None => signature::documentation(&function.attrs),
    };
    text.ok_or_else(|| {
        let message = "a tool needs a doc comment: it is all that a planner knows when it chooses a tool";
        syn::Error::new(function.sig.ident.span(), message)
    })
}

fn optional(text: Option<&LitStr>) -> TokenStream {
    match text {
        Some(text) => quote!(::core::option::Option::Some(#text)),
        None => quote!(::core::option::Option::None),
    }
}
