//! What stands in `#[tool(…)]`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Ident, LitStr, Token, parenthesized};

/// The options, as written.
#[derive(Default)]
pub(crate) struct Options {
    pub(crate) name: Option<LitStr>,
    pub(crate) title: Option<LitStr>,
    pub(crate) description: Option<LitStr>,
    pub(crate) effect: Option<Effect>,
    pub(crate) open_world: bool,
}

/// The declared effect.
pub(crate) enum Effect {
    Read,
    Idempotent,
    Reversible(LitStr),
    Irreversible,
}

enum Entry {
    Name(LitStr),
    Title(LitStr),
    Description(LitStr),
    Effect(Effect),
    OpenWorld,
}

impl Parse for Options {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut options = Self::default();
        for entry in Punctuated::<Entry, Token![,]>::parse_terminated(input)? {
            match entry {
                Entry::Name(text) => options.name = Some(text),
                Entry::Title(text) => options.title = Some(text),
                Entry::Description(text) => options.description = Some(text),
                Entry::Effect(effect) => options.effect = Some(effect),
                Entry::OpenWorld => options.open_world = true,
            }
        }
        Ok(options)
    }
}

impl Parse for Entry {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let key = input.call(Ident::parse_any)?;
        if key == "open_world" {
            return Ok(Self::OpenWorld);
        }
        let known = ["name", "title", "description", "effect"];
        if !known.iter().any(|name| key == name) {
            let message = "expected `effect`, `open_world`, `name`, `title` or `description`";
            return Err(syn::Error::new(key.span(), message));
        }
        input.parse::<Token![=]>()?;
        if key == "effect" {
            return Ok(Self::Effect(input.parse()?));
        }
        let text: LitStr = input.parse()?;
        Ok(if key == "name" {
            Self::Name(text)
        } else if key == "title" {
            Self::Title(text)
        } else {
            Self::Description(text)
        })
    }
}

impl Parse for Effect {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let class = input.call(Ident::parse_any)?;
        if class == "read" {
            Ok(Self::Read)
        } else if class == "idempotent" {
            Ok(Self::Idempotent)
        } else if class == "irreversible" {
            Ok(Self::Irreversible)
        } else if class == "reversible" {
            let inner;
            parenthesized!(inner in input);
            let key = inner.call(Ident::parse_any)?;
            if key != "undo" {
                let message = "expected `undo = \"the tool that puts it back\"`";
                return Err(syn::Error::new(key.span(), message));
            }
            inner.parse::<Token![=]>()?;
            Ok(Self::Reversible(inner.parse()?))
        } else {
            let message = "expected `read`, `idempotent`, `reversible(undo = \"…\")` or `irreversible`";
            Err(syn::Error::new(class.span(), message))
        }
    }
}

impl Effect {
    /// The value that the SDK takes.
    pub(crate) fn tokens(&self) -> TokenStream {
        let path = quote!(::toolcrib_sdk::Effect);
        match self {
            Self::Read => quote!(#path::Read),
            Self::Idempotent => quote!(#path::Idempotent),
            Self::Reversible(undo) => quote!(#path::Reversible { undo: #undo }),
            Self::Irreversible => quote!(#path::Irreversible),
        }
    }
}
