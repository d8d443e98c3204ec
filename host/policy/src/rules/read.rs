//! Reads `[calls]` and `[[rule]]`.

use super::error::RuleProblem;
use super::place::Places;
use super::{CallRule, Condition, Rules, Verdict, decide, parse};
use crate::error::{PolicyError, PolicyProblem};
use crate::flow::FLOW_RULES;
use crate::reader::{Node, Table};
use crate::tools::ToolPattern;
use crate::visible::is_hidden;

/// The most rules of a file. Each is looked at in every call of a tool that it speaks of.
const RULES_MAX: usize = 200;
/// The longest name of a rule, in bytes: it stands in messages and in the ledger.
const NAME_MAX: usize = 64;
/// The longest reason of a rule, in characters: one sentence.
const BECAUSE_MAX: usize = 300;

impl Rules {
    /// Takes `calls` and `rule` out of the file.
    pub(crate) fn read(table: &mut Table<'_>) -> Result<Self, PolicyError> {
        let mut rules = Rules::default();
        if let Some(node) = table.take("calls") {
            let mut calls = node.table("`[calls]`".to_owned())?;
            rules.default = calls.take("default").map_or(Ok(Verdict::Allow), |node| verdict(&node))?;
            calls.finish()?;
        }
        let Some(node) = table.take("rule") else {
            return Ok(rules);
        };
        let tables = node.tables("`[[rule]]`")?;
        if tables.len() > RULES_MAX {
            let found = format!("{} rules", tables.len());
            let problem = RuleProblem::TooMuch {
                what: "the file",
                found,
                most: RULES_MAX,
                instead: "join some, or narrow the grants instead",
            };
            return Err(PolicyProblem::Rules(problem).at(node.place()));
        }
        for (item, table) in tables {
            let rule = rule(&item, table)?;
            if let Some(other) = rules.list.iter().find(|other| other.name == rule.name) {
                return Err(of_rule(&rule.name, RuleProblem::Duplicate(other.at.line)).at(rule.at));
            }
            rules.list.push(rule);
        }
        Ok(rules)
    }
}

fn rule(item: &Node<'_>, mut table: Table<'_>) -> Result<CallRule, PolicyError> {
    const NAME: PolicyProblem =
        PolicyProblem::Missing { key: "name", example: "write a short one, such as `name = \"ask-before-mail\"`" };
    const THEN: PolicyProblem = PolicyProblem::Missing { key: "then", example: "write `allow`, `ask` or `deny`" };
    let node = table.take("name").ok_or_else(|| NAME.at(item.place()))?;
    let name = name(&node)?;
    let tools_node = table.take("tools");
    let tools = tools_node.map(|node| patterns(&node)).transpose()?;
    let condition = table.take("when").map(|node| condition(&name, &node)).transpose()?;
    let then = verdict(&table.take("then").ok_or_else(|| THEN.at(item.place()))?)?;
    let because = table.take("because").map(|node| because(&node)).transpose()?;
    table.finish()?;
    let at = node.place();
    let tools_at = tools_node.map_or_else(|| at.clone(), |node| node.place());
    Ok(CallRule { name, tools, condition, then, because, at, tools_at })
}

fn name(node: &Node<'_>) -> Result<String, PolicyError> {
    let text = node.text()?;
    let fits = (1..=NAME_MAX).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    if !fits {
        return Err(node.wrong(text, format!("a name is 1 to {NAME_MAX} letters, digits, `-`, `_` and `.`")));
    }
    if text == decide::DEFAULT {
        return Err(node.wrong(text, "this name stands for the `default` in `[calls]`"));
    }
    if FLOW_RULES.contains(&text) {
        return Err(node.wrong(text, "this name stands for a rule that is built in: `[labels]` sets what it does"));
    }
    Ok(text.to_owned())
}

pub(crate) fn verdict(node: &Node<'_>) -> Result<Verdict, PolicyError> {
    let text = node.text()?;
    let found = Verdict::ALL.into_iter().find(|verdict| verdict.as_str() == text);
    found.ok_or_else(|| node.wrong(text, "write `allow`, `ask` or `deny`"))
}

fn patterns(node: &Node<'_>) -> Result<Vec<ToolPattern>, PolicyError> {
    let patterns = node.lines(ToolPattern::parse)?;
    if patterns.is_empty() {
        return Err(node.wrong("[]", "a rule about no tool says nothing: name tools, or leave the list out"));
    }
    Ok(patterns)
}

pub(crate) fn because(node: &Node<'_>) -> Result<String, PolicyError> {
    let text = node.text()?.trim();
    let hidden = text.chars().any(|c| c.is_control() || is_hidden(c));
    let length = text.chars().count();
    if length == 0 || length > BECAUSE_MAX || hidden {
        return Err(node.wrong(text, format!("write one line of at most {BECAUSE_MAX} visible characters")));
    }
    Ok(text.to_owned())
}

pub(crate) fn condition(rule: &str, node: &Node<'_>) -> Result<Condition, PolicyError> {
    let text = node.text()?;
    let places = Places::new(text, node.raw(), &node.place());
    match parse::condition(text) {
        Ok(expr) => Ok(Condition { text: text.to_owned(), expr, places }),
        Err((at, problem)) => Err(of_rule(rule, problem).at(places.at(at))),
    }
}

/// A problem of one rule.
pub(crate) fn of_rule(rule: &str, problem: RuleProblem) -> PolicyProblem {
    PolicyProblem::Rule { rule: rule.to_owned(), problem }
}
