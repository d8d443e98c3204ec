//! Which tools fit a clause, and in which order they are tried.

use serde_json::{Value, json};
use toolcrib_policy::{Effect, ToolName};

use super::acts::{self, is_named_changing};
use super::fill::{Clause, Filled, fill};
use super::shape::{Param, main_field, params};
use super::tokens::{Kind, Literal};
use super::words::{alike, kin, words};
use crate::{Draft, Expectation, PlanContext, Question, StepName, ToolCard};

/// Tools that are looked at for one clause.
const CANDIDATES: usize = 16;
/// A way that scores less than this share of the best one is no alternative to it.
const CLOSE: f64 = 0.6;
/// What it counts that a tool is for folders where the clause names what may be one.
const FOLDER: f64 = 2.5;
/// How tools that only bring something are called.
const READING: &[&str] = &["read", "get", "fetch", "load", "open", "download"];

/// One way to do what a clause says.
#[derive(Debug)]
pub(super) struct Way {
    pub(super) title: String,
    pub(super) tool: ToolName,
    pub(super) steps: Vec<Draft>,
    pub(super) queries: bool,
    score: f64,
    kind: Doing,
}

/// What a tool does to the world, as far as alternatives go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doing {
    /// It reads.
    Reads,
    /// It may change something, and is not called so.
    May,
    /// It changes something, and its name says so.
    Changes,
}

/// What there is for a clause.
pub(super) enum Choice {
    /// Ways, best first; `more` says that the last step only brings the data that a query needs.
    Ways { ways: Vec<Way>, more: bool },
    /// The best tool lacks an argument.
    Missing { question: Question },
    /// No tool fits, and why.
    Nothing { why: String },
}

/// The ways to do what the clause says.
pub(super) fn choices(context: &PlanContext, clause: &Clause) -> Choice {
    let mut ways: Vec<Way> = Vec::new();
    let mut lacking: Option<(f64, Question)> = None;
    let mut data: Option<Way> = None;
    let mut left_out: Option<String> = None;
    let mut names = Names::of(context);
    let command = clause.command();
    for card in candidates(context, clause) {
        let meant = match &command {
            // What is to be saved elsewhere is not changed where it is.
            Some(command) => acts::does(&card, command) && !(clause.saved_elsewhere && doing(&card) == Doing::Changes),
            None => doing(&card) != Doing::Changes,
        };
        if !meant {
            continue;
        }
        let params = params(&card);
        let filled = fill(clause, &card, &params);
        let score = score(clause, &card, &filled);
        if score <= 0.0 {
            continue;
        }
        match complete(context, clause, &card, &filled, score, &mut names) {
            Completed::Way(way) => ways.push(way),
            Completed::Data(way) => {
                if data.as_ref().is_none_or(|best| best.score < way.score) {
                    data = Some(way);
                }
            }
            Completed::Leaves(text) => left_out = left_out.or(Some(text)),
            Completed::Lacks(param) if !is_about(clause, &card) && !computes(clause, &card, &param) => drop(param),
            Completed::Lacks(param) => {
                if lacking.as_ref().is_none_or(|(best, _)| *best < score) {
                    lacking = Some((score, question(&card, &param)));
                }
            }
        }
    }
    ways.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.tool.cmp(&b.tool)));
    let best = ways.first().map_or(0.0, |way| way.score);
    if let Some(way) = data.filter(|way| way.score > best && clause.wants_query()) {
        return Choice::Ways { ways: vec![way], more: true };
    }
    // A question beats a way only where what it is about fits clearly better.
    if let Some((_, question)) = lacking.filter(|(score, _)| *score > best * 1.5 + 1.0 || best == 0.0) {
        return Choice::Missing { question };
    }
    let Some(first) = ways.first() else {
        let why = match (left_out, command) {
            (Some(text), _) => format!("no tool here makes use of “{text}”"),
            (None, Some(command)) => format!("no tool here can {command} that"),
            (None, None) => "no tool fits".to_owned(),
        };
        return Choice::Nothing { why };
    };
    let kind = first.kind;
    if kind == Doing::Changes {
        // What was meant to change in one way must not be changed in another.
        ways.truncate(1);
    }
    ways.retain(|way| way.score >= best * CLOSE && way.kind == kind);
    Choice::Ways { ways, more: false }
}

/// What the catalog finds for the clause, and for words that mean about the same.
fn candidates(context: &PlanContext, clause: &Clause) -> Vec<ToolCard> {
    let related: Vec<&str> = clause.words.iter().flat_map(|word| kin(word)).collect();
    let kinds = clause.literals.iter().filter_map(|literal| match literal.kind {
        Kind::Url => Some("url fetch"),
        Kind::Path => Some("file path"),
        Kind::Expression => Some("code compute"),
        Kind::Zone => Some("time zone"),
        Kind::Date => Some("time date"),
        _ => None,
    });
    let wide = format!("{} {} {}", clause.words.join(" "), related.join(" "), kinds.collect::<Vec<_>>().join(" "));
    let mut cards = context.tools.search(&clause.words.join(" "), CANDIDATES);
    for card in context.tools.search(&wide, CANDIDATES) {
        if !cards.iter().any(|known| known.name == card.name) {
            cards.push(card);
        }
    }
    cards
}

/// How well a tool fits what the clause says, and what could be filled.
fn score(clause: &Clause, card: &ToolCard, filled: &Filled) -> f64 {
    let name = words(card.name.tool());
    let plugin = words(card.name.plugin().as_str());
    let about = words(&format!("{} {}", card.title, card.description));
    let gives = fields(card.output_schema.as_ref());
    let params = params(card);
    let takes = |word: &String| params.iter().any(|param| param.words.contains(word));
    let told: Vec<String> = params.iter().flat_map(|param| words(&param.description)).collect();
    let of_word = |word: &String| {
        if name.contains(word) {
            3.0
        } else if name.iter().any(|n| alike(word, n)) {
            2.0
        } else if gives.contains(word) {
            1.5
        } else if plugin.contains(word) || plugin.iter().any(|n| alike(word, n)) || about.contains(word) {
            1.0
        } else if takes(word) {
            0.75
        } else if told.contains(word) {
            0.5
        } else {
            0.0
        }
    };
    let mut score: f64 = clause.words.iter().map(of_word).sum();
    let for_folders = about.iter().any(|word| word == "folder" || word == "directory") && names_folder(clause, filled);
    // A tool that heard no word of what is asked for does something else.
    let heard = score > 0.0 || filled.chosen > 0 || filled.query || for_folders;
    if !heard && (!clause.words.is_empty() || filled.used.is_empty()) {
        return 0.0;
    }
    // A word that stands in an argument was heard as well.
    let further = filled.more.iter().flat_map(serde_json::Map::values).map(Value::to_string);
    let spoken = Value::Object(filled.arguments.clone()).to_string() + &further.collect::<String>();
    let spoken = spoken.to_lowercase();
    let unheard = clause.words.iter().filter(|word| of_word(word) == 0.0 && !spoken.contains(word.as_str())).count();
    score -= 0.75 * unheard as f64;
    score += 2.0 * (filled.used.len() + filled.chosen) as f64;
    if filled.query {
        score += 3.0;
    }
    score -= filled.guessed as f64 * 0.5;
    if for_folders {
        score += FOLDER;
    }
    score - unfit(clause, card)
}

/// What it costs that a tool changes something where the clause does not want a change, or the other way round. A plugin
/// that may write makes all its tools count as such; then the name of a tool says more.
fn unfit(clause: &Clause, card: &ToolCard) -> f64 {
    let counts = !matches!(card.effect, Effect::Read) && !card.open_world;
    match (counts, is_named_changing(card), clause.writes) {
        (true, true, false) => 6.0,
        (true, false, false) => 0.5,
        (false, _, true) => 2.0,
        _ => 0.0,
    }
}

/// Whether a tool may give back a part, and says so in `truncated`.
fn gives_parts(card: &ToolCard) -> bool {
    card.output_schema.as_ref().is_some_and(|schema| schema.pointer("/properties/truncated").is_some())
}

/// What works on a result needs all of it.
fn whole() -> Expectation {
    Expectation::Equals { path: "truncated".to_owned(), value: Value::Bool(false) }
}

/// The reason of a failure; that [`whole`] was not met is said in other words.
pub(super) fn of_a_part(why: &str) -> &str {
    if why.contains("`truncated` is true") { "it gave only a part, and the goal needs all of it" } else { why }
}

/// Whether a question about a tool's argument makes sense: the tool was asked for, and not just found near.
fn is_about(clause: &Clause, card: &ToolCard) -> bool {
    let name = words(&format!("{} {}", card.name.plugin(), card.name.tool()));
    let about = words(&format!("{} {}", card.title, card.description));
    let gives = fields(card.output_schema.as_ref());
    let by_name = |word: &String| name.iter().any(|n| n == word || alike(word, n)) || gives.contains(word);
    let asked = clause.command().is_some() || clause.words.first().is_some_and(|first| name.contains(first));
    let heard = |word: &String| by_name(word) || about.contains(word);
    asked || (clause.words.iter().any(by_name) && clause.words.iter().all(heard))
}

/// Whether it is the query of a computation that was asked for.
fn computes(clause: &Clause, card: &ToolCard, param: &Param) -> bool {
    param.is_program() && clause.wants_calculation() && speaks_jq(card, param)
}

/// Kinds of literals that a goal does not name for nothing.
fn named(kind: Kind) -> bool {
    matches!(kind, Kind::Path | Kind::Url | Kind::Quoted | Kind::Email)
}

fn fields(schema: Option<&Value>) -> Vec<String> {
    let properties = schema.and_then(|schema| schema.get("properties")).and_then(Value::as_object);
    properties.into_iter().flatten().flat_map(|(name, _)| words(name)).collect()
}

enum Completed {
    Way(Way),
    /// A producer alone: what the tool itself gets depends on the data.
    Data(Way),
    Lacks(Param),
    /// Something that the clause names has no place in the call.
    Leaves(String),
}

/// Puts a producer before a tool that wants content, and says what is still missing.
fn complete(
    context: &PlanContext,
    clause: &Clause,
    card: &ToolCard,
    filled: &Filled,
    score: f64,
    names: &mut Names,
) -> Completed {
    let waits_for_data = |param: &Param| param.is_program() && clause.wants_query() && speaks_jq(card, param);
    let missing = filled.missing.iter().find(|param| !waits_for_data(param));
    if let Some(param) = missing {
        return Completed::Lacks(param.clone());
    }
    let left = unused(clause, filled);
    let mut arguments = filled.arguments.clone();
    let mut steps = Vec::new();
    let mut cost = 0.0;
    let mut used_by_producer = 0;
    let mut produced_from = None;
    if let Some(content) = &filled.wants_content {
        let Some((producer, step, at)) = producer(context, clause, content, &left, names) else {
            return Completed::Lacks(content.clone());
        };
        arguments.insert(content.name.clone(), json!({ "$ref": format!("steps.{}.{}", step.0, step.1) }));
        steps.push(producer);
        used_by_producer = 1;
        produced_from = Some(at);
        // What the producer hears of the clause is heard.
        cost -= 1.0;
        if left.iter().any(|at| looks_like_folder(&clause.literals[*at])) {
            cost += 1.5;
        }
    }
    // Who names the tool itself has named nothing to work on.
    let names_tool = |at: usize| {
        let said = words(&clause.literals[at].text);
        said == words(card.name.tool()) || said == words(&card.name.to_string())
    };
    let is_left = |at: &&usize| Some(**at) != produced_from && named(clause.literals[**at].kind) && !names_tool(**at);
    if let Some(at) = left.iter().find(is_left) {
        return Completed::Leaves(clause.literals[*at].text.clone());
    }
    if let Some(text) = &filled.half_a_list {
        return Completed::Leaves(text.clone());
    }
    let unused = left.len().saturating_sub(used_by_producer);
    let score = score + 2.0 * f64::from(used_by_producer as u32) - 1.5 * unused as f64 - cost;
    let way = |steps: Vec<Draft>, score: f64| Way {
        title: card.title.clone(),
        tool: card.name.clone(),
        steps,
        queries: filled.query,
        score,
        kind: doing(card),
    };
    if !filled.missing.is_empty() {
        return match steps.is_empty() {
            false => Completed::Data(way(steps, score)),
            true => Completed::Lacks(filled.missing[0].clone()),
        };
    }
    // Only reading is repeated. What one call would leave undone is said, where it may change something.
    let more = filled.more.as_slice();
    if let Some(next) = more.first().filter(|_| !matches!(card.effect, Effect::Read) || !steps.is_empty()) {
        let differs = next.iter().find(|(name, value)| filled.arguments.get(*name) != Some(value));
        let text = differs
            .map_or_else(String::new, |(_, value)| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
        return Completed::Leaves(text);
    }
    for arguments in std::iter::once(&arguments).chain(more) {
        let name = names.next(&card.name);
        let step = Draft::step(&name, card.name.clone(), Value::Object(arguments.clone()));
        steps.push(if clause.goes_on && gives_parts(card) { step.expecting(whole()) } else { step });
    }
    Completed::Way(way(steps, score))
}

/// Whether a path that a tool would get may be a folder's.
fn names_folder(clause: &Clause, filled: &Filled) -> bool {
    filled.used.iter().any(|at| looks_like_folder(&clause.literals[*at]))
}

/// A path without an extension is more often a folder than a file, and a folder has no content to bring.
fn looks_like_folder(literal: &Literal) -> bool {
    literal.kind == Kind::Path && !literal.text.rsplit('/').next().is_some_and(|name| name.contains('.'))
}

fn speaks_jq(card: &ToolCard, param: &Param) -> bool {
    format!("{} {}", card.description, param.description).to_lowercase().contains("jq")
}

fn doing(card: &ToolCard) -> Doing {
    match (&card.effect, is_named_changing(card)) {
        (Effect::Read, _) => Doing::Reads,
        (_, false) => Doing::May,
        (_, true) => Doing::Changes,
    }
}

/// Literals that stand in no argument yet.
fn unused(clause: &Clause, filled: &Filled) -> Vec<usize> {
    let matters = |kind: Kind| kind != Kind::Number;
    (0..clause.literals.len())
        .filter(|at| !filled.used.contains(at) && matters(clause.literals[*at].kind))
        .filter(|at| !(filled.query && matches!(clause.literals[*at].kind, Kind::Quoted | Kind::Date)))
        .collect()
}

/// A step that brings the content from the file or address that the clause names; its result; and which literal that is.
fn producer(
    context: &PlanContext,
    clause: &Clause,
    content: &Param,
    left: &[usize],
    names: &mut Names,
) -> Option<(Draft, (String, String), usize)> {
    let at = *left.iter().find(|at| matches!(clause.literals[**at].kind, Kind::Path | Kind::Url))?;
    let literal = &clause.literals[at];
    let (query, is_place): (&str, fn(&Param) -> bool) = match literal.kind {
        Kind::Url => ("fetch url http body text", Param::is_url),
        _ => ("read file path text content", Param::is_path),
    };
    let wanted = if content.takes_anything() { None } else { Some("string") };
    let fits = |card: &ToolCard| {
        let params = params(card);
        let place = params.iter().find(|param| is_place(param))?;
        let only = params.iter().all(|param| !param.required || param.name == place.name);
        // The class that counts is worse than what a tool does where its plugin may write; its name says more then.
        let named = words(card.name.tool()).iter().any(|word| READING.contains(&word.as_str()));
        let reads = doing(card) == Doing::Reads || card.open_world || named;
        let field =
            main_field(card, wanted).filter(|field| !["matches", "entries", "links"].contains(&field.as_str()))?;
        (only && reads).then(|| (place.name.clone(), field))
    };
    let found = context.tools.search(query, CANDIDATES);
    let (card, (place, field)) = found.iter().find_map(|card| Some((card, fits(card)?)))?;
    let name = names.next(&card.name);
    let mut step = Draft::step(&name, card.name.clone(), json!({ place: literal.value.clone() }));
    if gives_parts(card) {
        step = step.expecting(whole());
    }
    Some((step, (name.to_string(), field), at))
}

fn question(card: &ToolCard, param: &Param) -> Question {
    let hint = match param.description.lines().next() {
        None | Some("") => String::new(),
        Some(line) => format!(" ({})", line.trim_end_matches('.')),
    };
    Question {
        text: format!("What should `{}` be for `{}`?{hint}", param.name, card.name),
        about: Some(format!("{} {}", card.name, param.name)),
        choices: param.choices.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        approval: None,
    }
}

/// Step names that no other step of the run has.
struct Names {
    taken: Vec<StepName>,
    number: usize,
}

impl Names {
    fn of(context: &PlanContext) -> Self {
        let taken: Vec<_> = context.state.plan().steps().map(|(_, step)| step.name.clone()).collect();
        Names { number: taken.len(), taken }
    }

    fn next(&mut self, tool: &ToolName) -> StepName {
        // Short enough that the number is never cut off.
        let short: String = tool.tool().chars().take(24).collect();
        loop {
            self.number += 1;
            let name = StepName::nearest(&format!("{short}{}", self.number));
            // Ways that were dropped have left gaps, so a higher number is not always free.
            if !self.taken.contains(&name) {
                return name;
            }
        }
    }
}
