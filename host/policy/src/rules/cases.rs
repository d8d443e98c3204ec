//! A table of expected decisions: what an operator wants to stay true of the rules, whatever else changes.

use serde_json::Value as Json;

use super::Verdict;
use super::read::verdict;
use crate::effect::Effect;
use crate::error::{Place, PolicyError, PolicyProblem};
use crate::gate::RunFacts;
use crate::label::{Label, LabelWords, Labels};
use crate::names::ToolName;
use crate::reader::{Node, Source, Table};
use crate::sections;

/// The most cases of a table.
const CASES_MAX: usize = 10_000;

/// One call, and what the rules should say about it.
#[derive(Clone, Debug, PartialEq)]
pub struct DecisionCase {
    /// What it is about, in words.
    pub name: String,
    /// Where it stands.
    pub at: Place,
    /// The tool.
    pub tool: ToolName,
    /// The arguments, a JSON object.
    pub args: Json,
    /// The effect class; none where the tool's own counts.
    pub effect: Option<Effect>,
    /// The labels of the arguments. What is not listed is trusted and public.
    pub labels: Labels,
    /// The run that makes the call.
    pub run: RunFacts,
    /// What is expected.
    pub expect: Verdict,
    /// The rule that is expected to decide; any, where it is left out.
    pub rule: Option<String>,
}

impl DecisionCase {
    /// Reads a table of cases: TOML with a list `[[case]]`. `origin` is what messages call it.
    ///
    /// # Errors
    ///
    /// The file is no such table; the error has the place.
    pub fn parse_table(text: &str, origin: &str) -> Result<Vec<Self>, PolicyError> {
        let source = Source { text, origin };
        let root = source.parse()?;
        let mut table = Table::root(source, root.get_ref());
        const CASE: PolicyProblem = PolicyProblem::Missing {
            key: "case",
            example: "write `[[case]]` with `name`, `tool`, `args` and `expect` for each call",
        };
        let node = table.take("case").ok_or_else(|| CASE.at(source.whole()))?;
        table.finish()?;
        let tables = node.tables("`[[case]]`")?;
        if tables.len() > CASES_MAX {
            return Err(node.wrong(&tables.len().to_string(), format!("a table has at most {CASES_MAX} cases")));
        }
        tables.into_iter().map(|(node, table)| case(&node, table)).collect()
    }
}

fn case(node: &Node<'_>, mut table: Table<'_>) -> Result<DecisionCase, PolicyError> {
    let missing = |key, example| PolicyProblem::Missing { key, example }.at(node.place());
    let tool = table.take("tool").ok_or_else(|| missing("tool", "write the tool, such as `tool = \"mail.send\"`"))?;
    let tool: ToolName = tool.text()?.parse().map_err(|error| PolicyProblem::Name(error).at(tool.place()))?;
    let name = table.take("name").map(|node| node.text().map(str::to_owned)).transpose()?;
    let args = table.take("args").map_or_else(|| Ok(Json::Object(serde_json::Map::new())), |node| arguments(&node))?;
    let effect = table.take("effect").map(sections::effect).transpose()?;
    let labels = table.take("labels").map_or_else(|| Ok(Labels::new()), |node| labels(&node))?;
    let run = table.take("run").map_or_else(|| Ok(default_run()), |node| run(&node))?;
    let expect = table.take("expect").ok_or_else(|| missing("expect", "write `allow`, `ask` or `deny`"))?;
    let expect = verdict(&expect)?;
    let rule = table.take("rule").map(|node| node.text().map(str::to_owned)).transpose()?;
    table.finish()?;
    let name = name.unwrap_or_else(|| format!("{tool} at line {}", node.place().line));
    Ok(DecisionCase { name, at: node.place(), tool, args, effect, labels, run, expect, rule })
}

/// The arguments as a table of TOML, or as a text of JSON where TOML has no word for something.
fn arguments(node: &Node<'_>) -> Result<Json, PolicyError> {
    if !node.is_text() {
        node.table("`args`".to_owned())?;
        return node.json();
    }
    let text = node.text()?;
    match serde_json::from_str(text) {
        Ok(object @ Json::Object(_)) => Ok(object),
        Ok(_) => Err(node.wrong(text, "arguments are a JSON object")),
        Err(error) => Err(node.wrong(text, format!("it is no JSON: {error}"))),
    }
}

/// `{ to = "untrusted", text = "untrusted private" }`.
fn labels(node: &Node<'_>) -> Result<Labels, PolicyError> {
    let table = node.table("`labels`".to_owned())?;
    table.all().map(|node| Ok((node.key().to_owned(), label(&node)?))).collect()
}

fn label(node: &Node<'_>) -> Result<Label, PolicyError> {
    let text = node.text()?;
    let words = LabelWords::parse(text).ok_or_else(|| node.wrong(text, LabelWords::HOW))?;
    Ok(words.over(Label::TRUSTED))
}

fn default_run() -> RunFacts {
    RunFacts { id: "r1".to_owned(), planner: "call".to_owned(), attended: true, ..RunFacts::default() }
}

fn run(node: &Node<'_>) -> Result<RunFacts, PolicyError> {
    let mut table = node.table("`run`".to_owned())?;
    let mut run = default_run();
    for (key, field) in [("id", &mut run.id), ("goal", &mut run.goal), ("planner", &mut run.planner)] {
        if let Some(node) = table.take(key) {
            *field = node.text()?.to_owned();
        }
    }
    if let Some(node) = table.take("attended") {
        run.attended = node.boolean()?;
    }
    if let Some(node) = table.take("calls") {
        let text = node.quantity()?;
        run.calls = text.parse().map_err(|_| node.wrong(text, "write how many calls were made before"))?;
    }
    table.finish()?;
    Ok(run)
}
