//! What can be wrong with a rule.

/// Why a rule is refused when the file is read, or when the tools are known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RuleProblem {
    /// The text is not CEL. The payload is what the parser says.
    #[error("{0}")]
    Syntax(String),
    /// More of something than a rule may have.
    #[error("{what} has {found}, and the most is {most}: {instead}")]
    TooMuch {
        /// What is too large.
        what: &'static str,
        /// How large it is.
        found: String,
        /// How large it may be.
        most: usize,
        /// What to do.
        instead: &'static str,
    },
    /// A name that nothing gives a value to.
    #[error("there is no `{name}` here{}; a rule speaks of {known}", near(nearest.as_deref()))]
    UnknownName {
        /// The name.
        name: String,
        /// The nearest that there is.
        nearest: Option<String>,
        /// What there is.
        known: String,
    },
    /// A function that rules do not have.
    #[error("there is no function `{name}`{}; there are {known}", near(nearest.as_deref()))]
    UnknownFunction {
        /// The name.
        name: String,
        /// The nearest that there is.
        nearest: Option<String>,
        /// What there is.
        known: String,
    },
    /// A function that is written in another way.
    #[error("write `{shape}`")]
    Shape {
        /// How it is written.
        shape: String,
    },
    /// A part of the language that rules do not use.
    #[error("{what} has no place in a rule: {instead}")]
    NotInRules {
        /// The part.
        what: &'static str,
        /// What to write.
        instead: &'static str,
    },
    /// A part that can never have the type that is needed.
    #[error("{what} is {found} and has to be {expected}")]
    Type {
        /// The part.
        what: String,
        /// What it is.
        found: &'static str,
        /// What is needed.
        expected: &'static str,
    },
    /// Both sides of a comparison are of types that never compare.
    #[error("{left} is never compared with {right}: the answer would always be the same")]
    NeverEqual {
        /// The type on the left.
        left: &'static str,
        /// The type on the right.
        right: &'static str,
    },
    /// A text that is none of the few that there are.
    #[error("`{value}` is no {of}{}; there are {known}", near(nearest.as_deref()))]
    NoSuchValue {
        /// The text.
        value: String,
        /// What it would be.
        of: &'static str,
        /// The nearest that there is.
        nearest: Option<String>,
        /// What there is.
        known: String,
    },
    /// A pattern of `matches` that cannot be one.
    #[error("the pattern `{pattern}` {why}")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        why: String,
    },
    /// No tool that the rule speaks of has the argument.
    #[error("no tool that this rule speaks of has `{path}`{}{}", there_is(nearest.as_deref(), known), listed(tools))]
    NoSuchArgument {
        /// The path, such as `args.to`.
        path: String,
        /// The nearest that there is.
        nearest: Option<String>,
        /// What there is in its place.
        known: Vec<String>,
        /// The tools.
        tools: Vec<String>,
    },
    /// An argument that never has the type that is needed.
    #[error("{what} is {found} and has to be {expected}{}", listed(tools))]
    Misfit {
        /// The argument, such as `args.to`.
        what: String,
        /// What it is by the schemas of the tools.
        found: String,
        /// What is needed.
        expected: String,
        /// The tools.
        tools: Vec<String>,
    },
    /// An argument that never has the type of what it is compared with.
    #[error("{what} is {found} and never compared with {other}: the answer would always be the same{}", listed(tools))]
    NeverMeet {
        /// The argument, such as `args.to`.
        what: String,
        /// What it is by the schemas of the tools.
        found: String,
        /// What it is compared with.
        other: String,
        /// The tools.
        tools: Vec<String>,
    },
    /// Two rules with one name.
    #[error("the name is taken by the rule at line {0}: each rule has its own")]
    Duplicate(usize),
}

fn near(nearest: Option<&str>) -> String {
    nearest.map(|near| format!(": did you mean `{near}`?")).unwrap_or_default()
}

/// The nearest, or else what there is.
fn there_is(nearest: Option<&str>, known: &[String]) -> String {
    const SHOWN: usize = 10;
    if nearest.is_some() || known.is_empty() {
        return near(nearest);
    }
    let more = if known.len() > SHOWN { ", …" } else { "" };
    let shown: Vec<String> = known.iter().take(SHOWN).map(|name| format!("`{name}`")).collect();
    format!("; there are {}{more}", shown.join(", "))
}

fn listed(tools: &[String]) -> String {
    const SHOWN: usize = 4;
    let more = if tools.len() > SHOWN { format!(", and {} more", tools.len() - SHOWN) } else { String::new() };
    let shown: Vec<String> = tools.iter().take(SHOWN).map(|tool| format!("`{tool}`")).collect();
    format!(" (it speaks of {}{more})", shown.join(", "))
}
