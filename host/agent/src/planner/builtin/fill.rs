//! Filling a tool's arguments from a clause, from answers, and from earlier results.

use serde_json::{Map, Value};

use super::clauses::clauses;
use super::lists::Of;
use super::matching::{Match, Matches, Values, literals_in, matches};
use super::previous::{from_earlier, from_previous};
use super::shape::Param;
use super::tokens::{Kind, Literal, Token, tokens};
use super::words::{is_changing, is_writing, means, points_back, stem};
use super::{acts, jq, role, zones};
use crate::{PlanContext, ToolCard};

/// A clause with all that can fill arguments.
#[derive(Debug, Clone)]
pub(super) struct Clause {
    pub(super) text: String,
    pub(super) tokens: Vec<Token>,
    pub(super) literals: Vec<Literal>,
    /// Its meaning words, stemmed.
    pub(super) words: Vec<String>,
    pub(super) writes: bool,
    /// Whether it speaks of the last result.
    pub(super) back: bool,
    /// The last result: the name of its step, and its value.
    pub(super) previous: Option<(String, Value)>,
    /// Whether the whole goal goes on behind this clause.
    pub(super) goes_on: bool,
    /// Whether a later clause of the goal saves the result.
    pub(super) saved_elsewhere: bool,
    /// The last call: its tool and arguments.
    pub(super) earlier: Option<(toolcrib_policy::ToolName, Value)>,
    /// The words of the whole goal, stemmed.
    pub(super) goal_words: Vec<String>,
    /// Answers of a person, by the tool and parameter that they are for.
    answers: Vec<(String, String)>,
}

/// Arguments, and what was used to fill them.
#[derive(Debug, Clone, Default)]
pub(super) struct Filled {
    pub(super) arguments: Map<String, Value>,
    /// Which literals stand in the arguments.
    pub(super) used: Vec<usize>,
    /// Required parameters that stayed empty.
    pub(super) missing: Vec<Param>,
    /// The content parameter that a producer before this tool has to fill.
    pub(super) wants_content: Option<Param>,
    pub(super) uses_previous: bool,
    pub(super) query: bool,
    /// Parameters that got one of their choices, because the clause names it.
    pub(super) chosen: usize,
    /// Parameters that got a name only because it stands in a fitting place.
    pub(super) guessed: usize,
    /// A number of a list of which others are used.
    pub(super) half_a_list: Option<String>,
    /// The arguments of further calls that the clause asks for.
    pub(super) more: Vec<Map<String, Value>>,
}

impl Clause {
    /// Reads a clause in the light of the run so far.
    pub(super) fn read(context: &PlanContext, text: &str) -> Self {
        let tokens = tokens(text);
        let literals: Vec<Literal> = tokens.iter().filter_map(|token| token.literal().cloned()).collect();
        let spoken: Vec<String> = tokens.iter().filter_map(Token::word).collect();
        let previous = context.results().last().map(|(step, _, value)| (step.name.to_string(), (*value).clone()));
        // A clause that names nothing to work on is about what came before it.
        let names_something = |literal: &Literal| {
            matches!(literal.kind, Kind::Path | Kind::Url | Kind::Quoted | Kind::Code | Kind::Json | Kind::Expression)
        };
        let implied = previous.is_some() && !literals.iter().any(names_something);
        let back = implied || spoken.iter().any(|word| points_back(word));
        let goal = context.state.plan().goal(context.scope()).map_or("", |goal| &goal.text);
        let all = clauses(goal);
        let later = all.iter().position(|clause| clause == text).map_or(&[][..], |at| &all[at + 1..]);
        let exchanges = context.state.exchanges().iter().filter(|exchange| exchange.node == context.node);
        Clause {
            text: text.to_owned(),
            writes: spoken.iter().any(|word| is_writing(word) || is_changing(word)),
            words: spoken.iter().filter(|word| means(word)).map(|word| stem(word)).collect(),
            answers: exchanges
                .filter_map(|exchange| Some((exchange.question.about.clone()?, exchange.answer.clone())))
                .collect(),
            goes_on: !later.is_empty(),
            saved_elsewhere: later.iter().any(|clause| {
                acts::command(&super::tokens::tokens(clause)).is_some_and(|command| is_writing(&command))
            }),
            earlier: context.results().last().map(|(step, ..)| (step.tool.clone(), step.arguments.clone())),
            goal_words: super::words::words(goal),
            tokens,
            literals,
            back,
            previous,
        }
    }

    /// The clause once its data was fetched: the last result stands for the file or address that it names.
    pub(super) fn after_producing(mut self, _context: &PlanContext) -> Self {
        if self.previous.is_some() {
            self.literals.retain(|literal| !matches!(literal.kind, Kind::Path | Kind::Url));
            self.back = true;
        }
        self
    }

    /// The command, where it is one that changes something.
    pub(super) fn command(&self) -> Option<String> {
        acts::command(&self.tokens)
    }

    /// Whether it asks for something that a query over data answers.
    pub(super) fn wants_query(&self) -> bool {
        jq::speaks_of_query(&self.words)
    }

    /// Whether it asks for something that the data itself is no answer to.
    pub(super) fn wants_calculation(&self) -> bool {
        jq::speaks_of_calculation(&self.words)
    }

    fn of_kind(&self, kinds: &[Kind], used: &[usize]) -> Option<usize> {
        self.literals.iter().enumerate().position(|(at, l)| kinds.contains(&l.kind) && !used.contains(&at))
    }

    fn words_lower(&self) -> impl Iterator<Item = String> + '_ {
        self.tokens.iter().filter_map(Token::word)
    }
}

/// Fills what can be filled.
pub(super) fn fill(clause: &Clause, card: &ToolCard, params: &[Param]) -> Filled {
    let mut filled = Filled::default();
    let mut values = Values::read(&clause.text, &clause.tokens);
    values.tool = super::words::words(&format!("{} {}", card.name, card.description));
    let matches = matches(&values, params);
    // Program text first: a quoted query must not become the text that it works on.
    let order = |param: &&Param| (!param.required, !param.is_program(), !param.is_path(), param.is_content());
    let mut ordered: Vec<&Param> = params.iter().collect();
    ordered.sort_by_key(order);
    for param in ordered {
        if let Some(value) = value_for(clause, card, param, params, &matches, &mut filled) {
            filled.arguments.insert(param.name.clone(), value);
        } else if param.required {
            if param.is_content() && filled.wants_content.is_none() {
                filled.wants_content = Some(param.clone());
            } else {
                filled.missing.push(param.clone());
            }
        }
    }
    repeat(clause, &matches, &mut filled);
    filled.half_a_list = half_a_list(clause, &values, &filled);
    filled
}

/// "The divisor of 9, 12 and 15" by a tool that takes two: the number that is left.
fn half_a_list(clause: &Clause, values: &Values<'_>, filled: &Filled) -> Option<String> {
    values.lists.iter().filter(|list| list.of == Of::Numbers).find_map(|list| {
        let spans = list.items.iter().map(|item| (values.numbers[*item].at, values.numbers[*item].at + 1));
        let literals: Vec<usize> = spans.flat_map(|span| literals_in(&clause.tokens, span)).collect();
        let left = literals.iter().find(|at| !filled.used.contains(at))?;
        (literals.iter().any(|at| filled.used.contains(at))).then(|| clause.literals[*left].text.clone())
    })
}

/// Further calls differ from the first in what was matched for them.
fn repeat(clause: &Clause, matches: &Matches, filled: &mut Filled) {
    for call in &matches.more {
        let mut arguments = filled.arguments.clone();
        for (name, matched) in call {
            if let Some(first) =
                matches.first.get(name).filter(|first| filled.arguments.get(name) == Some(&first.value))
                && first != matched
            {
                arguments.insert(name.clone(), matched.value.clone());
                filled.used.extend(matched.tokens.iter().flat_map(|range| literals_in(&clause.tokens, *range)));
            }
        }
        if arguments != filled.arguments && !filled.more.contains(&arguments) {
            filled.more.push(arguments);
        }
    }
}

/// What was matched by the words around it, where nothing before has taken its literals.
fn from_match(clause: &Clause, matched: Option<&Match>, filled: &mut Filled) -> Option<Value> {
    let matched = matched?;
    let literals: Vec<usize> = matched.tokens.iter().flat_map(|range| literals_in(&clause.tokens, *range)).collect();
    if literals.iter().any(|at| filled.used.contains(at)) {
        return None;
    }
    filled.used.extend(literals);
    filled.guessed += usize::from(matched.guessed);
    Some(matched.value.clone())
}

fn value_for(
    clause: &Clause,
    card: &ToolCard,
    param: &Param,
    all: &[Param],
    matches: &Matches,
    filled: &mut Filled,
) -> Option<Value> {
    let about = format!("{} {}", card.name, param.name);
    if let Some((_, answer)) = clause.answers.iter().find(|(a, _)| *a == about) {
        return Some(typed(param, answer));
    }
    let matched = matches.first.get(&param.name);
    // A day that was matched is in the form that the tool asks for.
    let day = matched.filter(|_| param.is_time());
    // What it is turned into stands behind "to" or "as", and is looked for there.
    let choice = matched.filter(|_| !param.choices.is_empty() && !param.is(&["to", "format", "target"]));
    from_match(clause, day, filled)
        .or_else(|| from_match(clause, choice, filled).inspect(|_| filled.chosen += 1))
        .or_else(|| from_kind(clause, param, filled))
        .or_else(|| from_choice(clause, param).inspect(|_| filled.chosen += 1))
        .or_else(|| from_program(clause, card, param, filled))
        .or_else(|| from_match(clause, matched, filled))
        .or_else(|| from_name(clause, param, filled))
        .or_else(|| from_phrase(clause, param, all, filled))
        .or_else(|| from_previous(clause, card, param, filled))
        .or_else(|| from_quotes(clause, param, all, filled))
        .or_else(|| from_place(clause, card, param, filled))
        .or_else(|| from_earlier(clause, card, param))
}

/// A literal behind the name of the parameter.
fn from_name(clause: &Clause, param: &Param, filled: &mut Filled) -> Option<Value> {
    // A number that was not matched was refused there.
    if param.is_path() || param.is_url() || !param.choices.is_empty() || param.is_number_only() {
        return None;
    }
    let literal = role::by_name(&clause.tokens, param).filter(|literal| role::suits(literal, param))?;
    let at = clause.literals.iter().position(|l| l == literal).filter(|at| !filled.used.contains(at))?;
    filled.used.push(at);
    Some(literal.value.clone())
}

/// The last resort for what must be there and is no content: a name in the clause.
fn from_place(clause: &Clause, card: &ToolCard, param: &Param, filled: &mut Filled) -> Option<Value> {
    let plain =
        param.required && param.takes("string") && param.choices.is_empty() && super::texts::may_be_a_name(param);
    if !super::matching::is_special(param) && !param.is(&["to", "from"]) {
        // It was matched with the names already.
        return None;
    }
    let special = param.is_path() || param.is_url() || param.is_content() || param.is_program() || param.is_pattern();
    let about = param.description.to_lowercase();
    let moment = param.is(&["time", "date"]) || ["moment", "date", "time"].iter().any(|word| about.contains(word));
    if !plain || special || moment || param.is_zone() || param.is_replacement() {
        return None;
    }
    let taken: Vec<String> = filled.arguments.values().filter_map(Value::as_str).map(str::to_owned).collect();
    // The tool's own name at the begin is the command.
    let called = clause.tokens.first().and_then(Token::word).map(|word| stem(&word));
    let own = called.is_some_and(|word| super::words::words(card.name.tool()).contains(&word));
    let found = role::by_place(&clause.tokens[usize::from(own)..], param, &taken, own)?;
    filled.guessed += 1;
    Some(Value::from(found))
}

fn typed(param: &Param, text: &str) -> Value {
    if param.takes("string") {
        return Value::from(text);
    }
    serde_json::from_str(text).unwrap_or_else(|_| Value::from(text))
}

/// Literals whose kind says where they belong.
fn from_kind(clause: &Clause, param: &Param, filled: &mut Filled) -> Option<Value> {
    let kinds: &[Kind] = if param.is_path() {
        &[Kind::Path]
    } else if param.is_url() {
        &[Kind::Url]
    } else if role::wants_address(param) && clause.of_kind(&[Kind::Email], &filled.used).is_some() {
        &[Kind::Email]
    } else if param.is_time() && !param.is_zone() {
        &[Kind::Date]
    } else if (param.is_content() && !param.takes("string")) || (param.is(&["input"]) && param.takes_anything()) {
        &[Kind::Json]
    } else {
        &[]
    };
    if let Some(at) = clause.of_kind(kinds, &filled.used) {
        filled.used.push(at);
        return Some(clause.literals[at].value.clone());
    }
    if param.is_zone() { zone_in(clause).map(Value::from) } else { None }
}

/// A zone, or a place of one to three words that names one.
fn zone_in(clause: &Clause) -> Option<String> {
    if let Some(literal) = clause.literals.iter().find(|l| l.kind == Kind::Zone) {
        return zones::zone(&literal.text);
    }
    let words: Vec<String> = clause.words_lower().collect();
    (1..=3).rev().find_map(|length| words.windows(length).find_map(|window| zones::zone(&window.join(" "))))
}

/// A word of the clause that is one of the values a parameter can have.
fn from_choice(clause: &Clause, param: &Param) -> Option<Value> {
    let spoken: Vec<String> = clause.words_lower().collect();
    let is_spoken = |choice: &&Value| {
        let Some(name) = choice.as_str().map(str::to_lowercase) else { return false };
        let own: Vec<&str> = name.split([' ', '_', '-']).filter(|word| !word.is_empty()).collect();
        let said = |window: &[String]| window.iter().zip(&own).all(|(word, own)| stem(word) == stem(own));
        spoken.iter().any(|word| *word == name || (name.len() > 4 && stem(word) == stem(&name)))
            || (own.len() > 1 && spoken.windows(own.len()).any(said))
    };
    // "to JSON": where several fit, the one behind "to", "as" or "into" is meant.
    let found: Vec<&Value> = param.choices.iter().filter(is_spoken).collect();
    let behind = |choice: &&&Value| {
        let name = choice.as_str().map(str::to_lowercase).unwrap_or_default();
        spoken.windows(2).any(|pair| ["to", "as", "into"].contains(&pair[0].as_str()) && pair[1] == name)
    };
    if param.is(&["to", "format", "target"]) {
        return found.iter().find(behind).or(found.first()).map(|v| (**v).clone());
    }
    // "Encode it as base64": the only choice is meant also where it stands behind "as".
    let only = || found.first().copied().filter(|_| param.required && found.len() == 1);
    found.iter().copied().find(|choice| !behind(&choice)).or_else(only).cloned()
}

/// Code in the clause, or a query in jq that says what the clause says.
fn from_program(clause: &Clause, card: &ToolCard, param: &Param, filled: &mut Filled) -> Option<Value> {
    if !param.is_program() || !param.takes("string") {
        return None;
    }
    let kinds: &[Kind] = if param.is(&["code", "script", "program", "expression"]) {
        &[Kind::Code, Kind::Expression, Kind::Quoted]
    } else {
        &[Kind::Code]
    };
    if let Some(at) = clause.of_kind(kinds, &filled.used) {
        filled.used.push(at);
        return Some(clause.literals[at].value.clone());
    }
    let about_jq = param.description.to_lowercase().contains("jq") || card.description.to_lowercase().contains("jq");
    if !about_jq {
        return None;
    }
    let (_, value) = clause.previous.as_ref()?;
    let query = jq::derive(&clause.text, &clause.words, value)?;
    filled.query = true;
    Some(Value::from(query))
}

/// "replace A with B", "lines with A", "all A lines".
fn from_phrase(clause: &Clause, param: &Param, all: &[Param], filled: &mut Filled) -> Option<Value> {
    if !param.takes("string") || param.is_path() || param.is_url() || param.is_content() {
        return None;
    }
    let place = |word: &str| clause.tokens.iter().position(|token| token.is(word));
    let text_at = |at: usize, filled: &mut Filled| -> Option<String> {
        let token = clause.tokens.get(at)?;
        match token.literal() {
            Some(literal) => {
                let index = clause.literals.iter().position(|l| l == literal)?;
                filled.used.push(index);
                Some(literal.text.clone())
            }
            None => match &token.piece {
                super::tokens::Piece::Word(word) => Some(word.clone()),
                _ => None,
            },
        }
    };
    let replaces = all.iter().any(Param::is_replacement);
    if replaces && param.is_replacement() {
        return place("with").or_else(|| place("by")).and_then(|at| text_at(at + 1, filled)).map(Value::from);
    }
    if replaces && param.is_pattern() {
        return place("replace").or_else(|| place("change")).and_then(|at| text_at(at + 1, filled)).map(Value::from);
    }
    if param.is_pattern() && param.required && clause.of_kind(&[Kind::Quoted, Kind::Code], &filled.used).is_none() {
        return sought(clause).map(Value::from);
    }
    None
}

/// What is looked for, where it is not quoted: a word in capitals, or the word behind "containing" or "for".
fn sought(clause: &Clause) -> Option<String> {
    let word = |token: &Token| match &token.piece {
        super::tokens::Piece::Word(word) => Some(word.clone()),
        _ => None,
    };
    let shouted =
        |text: &String| text.len() > 1 && text.chars().all(|c| c.is_uppercase() || c.is_ascii_digit() || c == '_');
    if let Some(found) = clause.tokens.iter().filter_map(word).find(shouted) {
        return Some(found);
    }
    let at = clause
        .tokens
        .iter()
        .position(|t| ["containing", "contain", "contains", "mention", "mentioning"].iter().any(|w| t.is(w)))?;
    clause.tokens.get(at + 1..)?.iter().filter_map(word).find(|w| means(w))
}

/// Quoted texts, in the order of the parameters that take text.
fn from_quotes(clause: &Clause, param: &Param, all: &[Param], filled: &mut Filled) -> Option<Value> {
    let suits = param.takes("string") && !param.is_path() && !param.is_url() && param.choices.is_empty();
    if !suits || !(param.required || param.is_pattern()) {
        return None;
    }
    // A pattern takes the quoted text before the content does.
    let pattern_waits = param.is_content()
        && all.iter().any(|p| p.required && p.is_pattern() && !filled.arguments.contains_key(&p.name));
    if pattern_waits {
        return None;
    }
    let at = clause.of_kind(&[Kind::Quoted, Kind::Code, Kind::Json], &filled.used)?;
    filled.used.push(at);
    Some(Value::from(clause.literals[at].text.clone()))
}
