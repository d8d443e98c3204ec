//! `[[relabel]]`: what the operator vouches for, against what the host would say of a result.

use std::fmt;

use super::marks::Marks;
use super::part::PartPath;
use super::source::words;
use crate::error::{PolicyError, PolicyProblem};
use crate::gate::CallFacts;
use crate::label::LabelWords;
use crate::operator::OperatorFile;
use crate::reader::{Node, Table};
use crate::rules::{CallRule, Rules, Verdict, because, condition};
use crate::tools::ToolPattern;

/// The most entries of a file. Each is looked at in every result of a tool that it speaks of.
const RELABELS_MAX: usize = 200;

/// One `[[relabel]]`.
#[derive(Clone, Debug)]
pub struct Relabel {
    tool: ToolPattern,
    part: PartPath,
    label: LabelWords,
    /// The tool and `when`, as a rule has them.
    rule: CallRule,
}

impl Relabel {
    /// Takes `relabel` out of the file.
    pub(crate) fn read_all(table: &mut Table<'_>) -> Result<Vec<Self>, PolicyError> {
        let Some(node) = table.take("relabel") else {
            return Ok(Vec::new());
        };
        let tables = node.tables("`[[relabel]]`")?;
        if tables.len() > RELABELS_MAX {
            return Err(node.wrong(&tables.len().to_string(), format!("a file has at most {RELABELS_MAX} of them")));
        }
        tables.into_iter().map(|(item, table)| Self::read(&item, table)).collect()
    }

    fn read(item: &Node<'_>, mut table: Table<'_>) -> Result<Self, PolicyError> {
        const KEYS: [&str; 5] = ["tool", "part", "when", "label", "reason"];
        table.only(&KEYS)?;
        let missing = |key, example| PolicyProblem::Missing { key, example }.at(item.place());
        let tool_node =
            table.take("tool").ok_or_else(|| missing("tool", "write one such as `tool = \"files.read\"`"))?;
        let text = tool_node.text()?;
        let tool = ToolPattern::parse(text).map_err(|error| tool_node.wrong(text, error))?;
        let name = format!("relabel {tool}");
        let part = table.take("part").map(|node| part(&node)).transpose()?.unwrap_or_default();
        let when = table.take("when").map(|node| condition(&name, &node)).transpose()?;
        const LABEL: &str = "write the new label, such as `label = \"trusted public\"`";
        let label = words(&table.take("label").ok_or_else(|| missing("label", LABEL))?)?;
        const REASON: &str = "write why this may be believed: whoever reviews the file has to know";
        let reason = because(&table.take("reason").ok_or_else(|| missing("reason", REASON))?)?;
        let at = tool_node.place();
        let rule = CallRule::of_relabel(name, tool.clone(), when, reason, at);
        Ok(Self { tool, part, label, rule })
    }

    /// The tools that it speaks of.
    pub fn tool(&self) -> &ToolPattern {
        &self.tool
    }

    /// The part of their results; the whole where it is empty.
    pub fn part(&self) -> &PartPath {
        &self.part
    }

    /// The operator's reason.
    pub fn reason(&self) -> &str {
        self.rule.because().unwrap_or_default()
    }

    /// The condition, as it is written; none where it always counts.
    pub fn when(&self) -> Option<&str> {
        self.rule.when()
    }

    /// The new label. An axis that it leaves out stays.
    pub fn label(&self) -> LabelWords {
        self.label
    }

    pub(crate) fn rule(&self) -> &CallRule {
        &self.rule
    }
}

impl fmt::Display for Relabel {
    /// `files.read text is trusted when under(args.path, "/docs")`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.tool)?;
        if !self.part.is_whole() {
            write!(f, " {}", self.part)?;
        }
        write!(f, " is {}", self.label)?;
        if let Some(when) = self.when() {
            write!(f, " when {}", when.split_whitespace().collect::<Vec<_>>().join(" "))?;
        }
        Ok(())
    }
}

fn part(node: &Node<'_>) -> Result<PartPath, PolicyError> {
    let text = node.text()?;
    let path: PartPath = text.parse().map_err(|error| node.wrong(text, error))?;
    if path.is_whole() {
        return Err(node.wrong(text, "leave the key out where the whole result is meant"));
    }
    Ok(path)
}

impl OperatorFile {
    /// Every `[[relabel]]`, in the order of the file.
    pub fn relabels(&self) -> &[Relabel] {
        &self.relabels
    }

    /// What the operator makes of the labels of a result. Of several entries for one part the last counts; one whose
    /// condition has no answer changes nothing.
    pub fn relabel(&self, call: &CallFacts<'_>, marks: &mut Marks) {
        for relabel in self.relabels.iter().filter(|relabel| relabel.tool.matches(call.tool)) {
            if relabel.rule.holds(call) {
                let label = relabel.label.over(marks.label_at(&relabel.part));
                marks.set(relabel.part.clone(), label);
            }
        }
    }

    pub(crate) fn relabel_rules(&self) -> Rules {
        let list = self.relabels.iter().map(|relabel| relabel.rule().clone()).collect();
        Rules { default: Verdict::Allow, list }
    }
}
