//! What each element of HTML is to a reader.

/// How an element is rendered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Not at all: scripts, styles, form fields, drawings, films.
    Skipped,
    /// As what is in it, in the same line.
    Transparent,
    /// As what is in it, in lines of its own.
    Block,
    Heading(usize),
    List {
        ordered: bool,
    },
    Term,
    Quote,
    Preformatted,
    Table,
    Rule,
    Break,
    Strong,
    Emphasis,
    Struck,
    Code,
    Link,
    Image,
}

/// The role of an element. One that nobody knows is transparent, as in browsers.
pub(super) fn of(name: &str) -> Role {
    match name {
        "script" | "style" | "template" | "head" | "svg" | "canvas" | "iframe" | "object" | "embed" | "audio"
        | "video" | "input" | "select" | "textarea" | "datalist" | "progress" | "meter" | "map" | "rp" | "frameset" => {
            Role::Skipped
        }
        "p" | "div" | "section" | "article" | "main" | "header" | "footer" | "nav" | "aside" | "figure"
        | "figcaption" | "address" | "form" | "fieldset" | "legend" | "details" | "summary" | "dialog" | "center"
        | "hgroup" | "search" | "html" | "body" | "noscript" | "li" | "dl" | "dd" | "tr" | "td" | "th" | "thead"
        | "tbody" | "tfoot" | "caption" | "option" | "optgroup" => Role::Block,
        "h1" => Role::Heading(1),
        "h2" => Role::Heading(2),
        "h3" => Role::Heading(3),
        "h4" => Role::Heading(4),
        "h5" => Role::Heading(5),
        "h6" => Role::Heading(6),
        "ul" | "menu" | "dir" => Role::List { ordered: false },
        "ol" => Role::List { ordered: true },
        "dt" => Role::Term,
        "blockquote" => Role::Quote,
        "pre" | "listing" | "xmp" | "plaintext" => Role::Preformatted,
        "table" => Role::Table,
        "hr" => Role::Rule,
        "br" => Role::Break,
        "b" | "strong" => Role::Strong,
        "i" | "em" | "cite" | "dfn" | "var" => Role::Emphasis,
        "s" | "del" | "strike" => Role::Struck,
        "code" | "kbd" | "samp" | "tt" => Role::Code,
        "a" => Role::Link,
        "img" => Role::Image,
        _ => Role::Transparent,
    }
}

impl Role {
    /// Whether it stands in lines of its own.
    pub(super) const fn is_block(self) -> bool {
        matches!(
            self,
            Self::Block
                | Self::Heading(_)
                | Self::List { .. }
                | Self::Term
                | Self::Quote
                | Self::Preformatted
                | Self::Table
                | Self::Rule
        )
    }
}
