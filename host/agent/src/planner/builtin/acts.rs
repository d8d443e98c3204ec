//! What a goal wants changed is taken at its word: a tool that changes something is used only where the command names
//! what the tool does, a command that no tool does is said, and so is what would turn a command into its opposite.

use super::tokens::{Piece, Token};
use super::words::{is_changing, is_verb, is_writing, stem, words};
use crate::ToolCard;

/// Commands that change something, in groups that mean the same. A tool does a command if its name has a word of the
/// command's group.
const ACTS: &[&[&str]] = &[
    &["write", "save", "store", "put", "output", "export", "create", "overwrite"],
    &["create", "generator", "builder", "maker"],
    &["append"],
    &["insert"],
    &["prepend"],
    &["replace", "substitute", "edit", "change", "update", "modify"],
    &["delete", "remove", "erase"],
    &["clear", "empty", "truncate"],
    &["rename", "move"],
    &["copy", "duplicate"],
    &["swap", "exchange"],
    &["merge", "combine"],
    &["undo", "revert", "restore"],
    &["send", "post", "mail", "email", "message", "notify"],
    &["book", "reserve"],
    &["upload"],
    &["install"],
    &["mkdir"],
];

/// Words that turn what is said into something else, which nothing here understands.
const TURNS: &[&str] = &[
    "not",
    "never",
    "don't",
    "don’t",
    "doesn't",
    "doesn’t",
    "isn't",
    "isn’t",
    "aren't",
    "aren’t",
    "unless",
    "if",
    "except",
    "without",
    "otherwise",
    "else",
];

/// Commands that find something out.
const FINDING: &[&str] = &[
    "calculate",
    "check",
    "compute",
    "determine",
    "estimate",
    "evaluate",
    "find",
    "predict",
    "solve",
    "verify",
    "whether",
];

/// The command of a clause that changes something, as it was said.
pub(super) fn command(tokens: &[Token]) -> Option<String> {
    let known = |word: &String| is_act(word);
    // "The output", "from the store": a thing, and nothing to do.
    let thing = |at: usize| {
        const BEFORE: &[&str] =
            &["the", "a", "an", "my", "your", "this", "that", "of", "in", "from", "at", "for", "by", "with", "on"];
        at.checked_sub(1).and_then(|at| tokens[at].word()).is_some_and(|word| BEFORE.contains(&word.as_str()))
    };
    let words = tokens.iter().enumerate().filter_map(|(at, token)| Some((at, token.word()?)));
    let mut acts = words.filter(|(at, word)| is_verb(word) || (known(word) && !thing(*at)));
    acts.next().map(|(_, word)| word).filter(known)
}

/// Whether a tool does what a command says.
pub(super) fn does(card: &ToolCard, command: &str) -> bool {
    let groups: Vec<_> = ACTS.iter().filter(|group| group.contains(&command)).collect();
    let in_group = |word: &String| groups.iter().any(|group| group.iter().any(|act| stem(act) == *word));
    // The first word of a description says what the tool does.
    let by_name =
        words(card.name.tool()).iter().any(in_group) || words(&card.description).first().is_some_and(in_group);
    // A client of a protocol does by its method what the command says.
    let method = card.input_schema.pointer("/properties/method").is_some();
    by_name || (method && ["post", "send", "put", "delete", "upload", "update"].contains(&command))
}

/// Whether a tool's name says that it changes something.
pub(super) fn is_named_changing(card: &ToolCard) -> bool {
    words(card.name.tool()).iter().any(|word| is_writing(word) || is_changing(word))
}

/// The first word that turns what is said. "If" in a question, or where something is to be found
/// out, says what is given or asked, and "not more than" is a bound.
pub(super) fn turn(tokens: &[Token]) -> Option<String> {
    let changes = |word: String| is_writing(&word) || is_changing(&word) || is_act(&word);
    let asks = tokens.iter().any(|token| matches!(token.piece, Piece::Mark('?')));
    let finds = tokens.iter().filter_map(Token::word).any(|word| FINDING.contains(&word.as_str()));
    let only_asks = !tokens.iter().filter_map(Token::word).any(changes);
    let bounds = |at: usize| {
        let next = tokens.get(at + 1).and_then(Token::word).unwrap_or_default();
        ["exceeding", "more", "less", "later", "earlier", "above", "below", "over"].contains(&next.as_str())
    };
    let turns = |(at, word): &(usize, String)| match word.as_str() {
        // At the begin of a command it is a condition.
        "if" => !(only_asks && (asks || (finds && *at > 0))),
        "not" => !bounds(*at),
        word => TURNS.contains(&word),
    };
    let words = tokens.iter().enumerate().filter_map(|(at, token)| Some((at, token.word()?)));
    words.into_iter().find(turns).map(|(_, word)| word)
}

fn is_act(word: &str) -> bool {
    ACTS.iter().any(|group| group.contains(&word))
}
