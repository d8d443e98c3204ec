//! What a function says about its tool: documentation and parameters.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Attribute, Expr, ExprLit, FnArg, Ident, ItemFn, Lit, LitStr, Meta, Pat, Token, Type, parse_quote};

/// One parameter.
pub(crate) struct Parameter {
    /// The name in Rust.
    pub(crate) ident: Ident,
    /// The name in JSON.
    pub(crate) name: String,
    /// The type that is read from JSON.
    pub(crate) owned: Type,
    /// Whether the function borrows it.
    is_reference: bool,
    /// Doc comment, and attributes for serde and schemars.
    attributes: Vec<Attribute>,
    renamed: Option<LitStr>,
    default: Option<DefaultValue>,
}

enum DefaultValue {
    OfType,
    Of(Expr),
}

/// Takes the parameters out of the function, and the attributes that Rust does not know off them.
pub(crate) fn parameters(function: &mut ItemFn) -> syn::Result<Vec<Parameter>> {
    let signature = &function.sig;
    if let Some(token) = &signature.asyncness {
        return Err(syn::Error::new(token.span, "a tool is a plain function: a component of WASI 0.2 has no executor"));
    }
    if !signature.generics.params.is_empty() {
        let message = "a tool has no generic parameters: its schema needs the types";
        return Err(syn::Error::new(signature.generics.span(), message));
    }
    function.sig.inputs.iter_mut().map(parameter).collect()
}

fn parameter(input: &mut FnArg) -> syn::Result<Parameter> {
    let FnArg::Typed(typed) = input else {
        return Err(syn::Error::new(input.span(), "a tool is a free function"));
    };
    let Pat::Ident(pattern) = &*typed.pat else {
        let message = "a parameter of a tool is a plain name, which is its name in JSON";
        return Err(syn::Error::new(typed.pat.span(), message));
    };
    let ident = pattern.ident.clone();
    let (owned, is_reference) = owned(&typed.ty)?;
    let mut parameter = Parameter {
        name: ident.unraw().to_string(),
        ident,
        owned,
        is_reference,
        attributes: Vec::new(),
        renamed: None,
        default: None,
    };
    for attribute in std::mem::take(&mut typed.attrs) {
        if attribute.path().is_ident("arg") {
            parameter.read_arg(&attribute)?;
        } else if ["doc", "serde", "schemars"].iter().any(|name| attribute.path().is_ident(name)) {
            parameter.attributes.push(attribute);
        } else {
            typed.attrs.push(attribute);
        }
    }
    Ok(parameter)
}

/// The type that is read, and whether the function wants a reference to it.
fn owned(ty: &Type) -> syn::Result<(Type, bool)> {
    let Type::Reference(reference) = ty else {
        return Ok((ty.clone(), false));
    };
    if let Some(token) = &reference.mutability {
        return Err(syn::Error::new(token.span, "a tool cannot change its arguments"));
    }
    let owned = match &*reference.elem {
        Type::Path(path) if path.path.is_ident("str") => parse_quote!(::std::string::String),
        Type::Slice(slice) => {
            let element = &slice.elem;
            parse_quote!(::std::vec::Vec<#element>)
        }
        other => other.clone(),
    };
    Ok((owned, true))
}

impl Parameter {
    fn read_arg(&mut self, attribute: &Attribute) -> syn::Result<()> {
        attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("default") {
                self.default = Some(if meta.input.peek(Token![=]) {
                    DefaultValue::Of(meta.value()?.parse()?)
                } else {
                    DefaultValue::OfType
                });
                Ok(())
            } else if meta.path.is_ident("name") {
                let name: LitStr = meta.value()?.parse()?;
                self.name = name.value();
                self.renamed = Some(name);
                Ok(())
            } else {
                Err(meta.error("expected `default = …` or `name = \"…\"`"))
            }
        })
    }

    /// The field of the generated struct, and the function that its default needs.
    pub(crate) fn field(&self) -> (TokenStream, Option<TokenStream>) {
        let Self { ident, owned, attributes, .. } = self;
        let rename = self.renamed.as_ref().map(|name| quote!(#[serde(rename = #name)]));
        let (default, function) = match &self.default {
            None => (None, None),
            Some(DefaultValue::OfType) => (Some(quote!(#[serde(default)])), None),
            Some(DefaultValue::Of(value)) => {
                let name = format_ident!("__default_{}", ident.unraw());
                let path = LitStr::new(&name.to_string(), Span::call_site());
                let value = converted(value, owned);
                (Some(quote!(#[serde(default = #path)])), Some(quote!(fn #name() -> #owned { #value })))
            }
        };
        (quote!(#(#attributes)* #rename #default #ident: #owned), function)
    }

    /// The expression that gives the argument to the function.
    pub(crate) fn pass(&self) -> TokenStream {
        let ident = &self.ident;
        if self.is_reference { quote!(&arguments.#ident) } else { quote!(arguments.#ident) }
    }
}

/// A string literal becomes whatever the parameter is, such as a `String`; everything else has its own type.
fn converted(value: &Expr, owned: &Type) -> TokenStream {
    match value {
        Expr::Lit(ExprLit { lit: Lit::Str(_), .. }) => {
            quote!(<#owned as ::core::convert::From<&'static str>>::from(#value))
        }
        _ => quote!(#value),
    }
}

/// The doc comment as text, or nothing. The lines of a paragraph become one: they were broken for the width of a screen.
pub(crate) fn documentation(attributes: &[Attribute]) -> Option<String> {
    let mut text = String::new();
    let mut joins = false;
    let mut in_code = false;
    for line in attributes.iter().filter_map(doc_line) {
        let line = line.trim_end();
        let fence = line.trim_start().starts_with("```");
        if joins && !fence && is_prose(line) {
            text.push(' ');
        } else if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(line);
        in_code ^= fence;
        joins = !in_code && !fence && !line.is_empty() && !line.ends_with("  ");
    }
    let text = text.trim().to_owned();
    (!text.is_empty()).then_some(text)
}

/// Whether a line goes on with the paragraph before it: it is no list, table, heading, quotation or code of its own.
fn is_prose(line: &str) -> bool {
    let marked = line.starts_with(['-', '*', '+', '|', '#', '>', ' ', '\t']);
    let numbered = line.trim_start_matches(|digit: char| digit.is_ascii_digit());
    let listed = numbered.len() < line.len() && numbered.starts_with(['.', ')']);
    !line.is_empty() && !marked && !listed
}

fn doc_line(attribute: &Attribute) -> Option<String> {
    let Meta::NameValue(pair) = &attribute.meta else {
        return None;
    };
    if !pair.path.is_ident("doc") {
        return None;
    }
    let Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) = &pair.value else {
        return None;
    };
    let text = text.value();
    Some(text.strip_prefix(' ').unwrap_or(&text).to_owned())
}
