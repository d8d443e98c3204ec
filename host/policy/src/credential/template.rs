//! `Bearer {secret:github}`: text with secrets in it, each by its name.

use std::fmt;
use std::str::FromStr;

use toolcrib_secrets::SecretName;

use crate::error::PolicyError;
use crate::names::shortened;
use crate::reader::Node;

/// What a template refers to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SecretReference {
    /// `{secret:NAME}`: a secret of the store.
    Secret(SecretName),
    /// `{oauth:NAME}`: the access token of `[oauth.NAME]`.
    OAuth(SecretName),
}

/// A part of a template.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TemplatePart {
    /// Text as it stands.
    Text(String),
    /// A secret, to be put there when a request leaves.
    Reference(SecretReference),
}

/// Text with at least one secret in it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Template(Vec<TemplatePart>);

/// Why a text is no template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// It names no secret.
    #[error(
        "it names no secret: write `{{secret:NAME}}` where the value belongs, and keep the value itself in the store \
         (`toolcrib secret set NAME`)"
    )]
    NoReference,
    /// A brace that begins or ends nothing.
    #[error("`{0}` is not a reference: write `{{secret:NAME}}` or `{{oauth:NAME}}`, and `{{{{` or `}}}}` for a brace")]
    Reference(String),
    /// Text that no header or URL can hold.
    #[error("it has a control character or one that is not ASCII, which no header can hold")]
    Character,
}

impl Template {
    /// Reads the value of `node`. A text without a reference may be the secret itself and is not repeated in the complaint.
    pub(crate) fn read(node: &Node<'_>) -> Result<Self, PolicyError> {
        let text = node.text()?;
        text.parse().map_err(|error| match error {
            TemplateError::Reference(_) => node.wrong(text, error),
            TemplateError::NoReference | TemplateError::Character => node.wrong("…", error),
        })
    }

    /// The parts, in order.
    pub fn parts(&self) -> &[TemplatePart] {
        &self.0
    }

    /// What the template refers to, in order.
    pub fn references(&self) -> impl Iterator<Item = &SecretReference> {
        self.0.iter().filter_map(|part| match part {
            TemplatePart::Text(_) => None,
            TemplatePart::Reference(reference) => Some(reference),
        })
    }
}

impl FromStr for Template {
    type Err = TemplateError;

    fn from_str(text: &str) -> Result<Self, TemplateError> {
        if text.bytes().any(|byte| !(b' '..=b'~').contains(&byte)) {
            return Err(TemplateError::Character);
        }
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            plain.push_str(&rest[..at]);
            rest = &rest[at..];
            if let Some(after) = rest.strip_prefix("{{").or_else(|| rest.strip_prefix("}}")) {
                plain.push_str(&rest[..1]);
                rest = after;
                continue;
            }
            let (reference, after) = reference(rest)?;
            if !plain.is_empty() {
                parts.push(TemplatePart::Text(std::mem::take(&mut plain)));
            }
            parts.push(TemplatePart::Reference(reference));
            rest = after;
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            parts.push(TemplatePart::Text(plain));
        }
        let template = Self(parts);
        if template.references().next().is_none() { Err(TemplateError::NoReference) } else { Ok(template) }
    }
}

/// Reads the reference that `text` begins with, and gives what follows it.
fn reference(text: &str) -> Result<(SecretReference, &str), TemplateError> {
    let wrong = || TemplateError::Reference(shortened(text));
    let (inside, after) = text.strip_prefix('{').and_then(|rest| rest.split_once('}')).ok_or_else(wrong)?;
    let (kind, name) = inside.split_once(':').ok_or_else(wrong)?;
    let name: SecretName = name.parse().map_err(|_| wrong())?;
    match kind {
        "secret" => Ok((SecretReference::Secret(name), after)),
        "oauth" => Ok((SecretReference::OAuth(name), after)),
        _ => Err(wrong()),
    }
}

impl fmt::Display for SecretReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Secret(name) => write!(f, "{{secret:{name}}}"),
            Self::OAuth(name) => write!(f, "{{oauth:{name}}}"),
        }
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in &self.0 {
            match part {
                TemplatePart::Text(text) => f.write_str(&text.replace('{', "{{").replace('}', "}}"))?,
                TemplatePart::Reference(reference) => reference.fmt(f)?,
            }
        }
        Ok(())
    }
}
