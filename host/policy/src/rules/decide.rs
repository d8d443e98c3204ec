//! The answer of all rules to one call, and what can be said before there is one.

use std::collections::BTreeSet;

use serde::Serialize;

use super::evaluate::{Failure, Happening, Scene, Why, ask};
use super::{CallRule, Rules, Verdict};
use crate::effect::Effect;
use crate::gate::{CallFacts, Decision};
use crate::names::ToolName;
use crate::refusal::{Refusal, RefusalCode};

/// The name that stands for `[calls] default` where a rule's name is wanted. No rule can have it.
pub(crate) const DEFAULT: &str = "default";

/// What the rules say about a tool whatever its arguments are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Outlook {
    /// What calls of it can come to. A rule that fails denies beside that.
    pub verdicts: BTreeSet<Verdict>,
    /// The strictest rule that always matches.
    pub always: Option<String>,
    /// The rules that match some calls.
    pub sometimes: Vec<String>,
}

impl Outlook {
    /// Whether every call is denied.
    pub fn is_denied(&self) -> bool {
        self.verdicts.iter().eq([&Verdict::Deny])
    }
}

impl Rules {
    pub(crate) fn decide(&self, facts: &CallFacts<'_>) -> Decision {
        let mut in_scope = self.list.iter().filter(|rule| rule.speaks_of(facts.tool)).peekable();
        if in_scope.peek().is_none() {
            return self.by_default(facts.tool);
        }
        let name = facts.tool.to_string();
        let call = Happening { args: facts.args, labels: facts.labels, run: facts.run };
        let scene = Scene { tool: facts.tool, name: &name, effect: Some(facts.effect), call: Some(call) };
        let mut strictest: Option<&CallRule> = None;
        for rule in in_scope {
            match rule.matches(&scene) {
                Ok(false) => {}
                Ok(true) if rule.then == Verdict::Deny => return rule.deny(rule.refusal(facts.tool)),
                Ok(true) if strictest.is_none_or(|found| found.then < rule.then) => strictest = Some(rule),
                Ok(true) => {}
                Err(failure) => return rule.deny(rule.failed(facts.tool, &failure)),
            }
        }
        match strictest {
            None => self.by_default(facts.tool),
            Some(rule) if rule.then == Verdict::Ask => {
                Decision::Ask { rule: rule.name.clone(), because: rule.because.clone() }
            }
            Some(rule) => Decision::Allow { rule: Some(rule.name.clone()) },
        }
    }

    fn by_default(&self, tool: &ToolName) -> Decision {
        match self.default {
            Verdict::Allow => Decision::Allow { rule: None },
            Verdict::Ask => Decision::Ask { rule: DEFAULT.to_owned(), because: None },
            Verdict::Deny => {
                let message = format!(
                    "`{tool}` may not be called so: no rule of the operator matches the call, and the `default` in \
                     `[calls]` is `deny`"
                );
                let refusal = Refusal::new(RefusalCode::RuleDenied, message);
                Decision::Deny { rule: DEFAULT.to_owned(), refusal }
            }
        }
    }

    pub(crate) fn outlook(&self, tool: &ToolName, effect: &Effect) -> Outlook {
        let name = tool.to_string();
        let scene = Scene { tool, name: &name, effect: Some(effect), call: None };
        let mut always: Option<&CallRule> = None;
        let mut sometimes = Vec::new();
        for rule in self.list.iter().filter(|rule| rule.speaks_of(tool)) {
            match rule.matches(&scene) {
                Ok(false) => {}
                Ok(true) if always.is_none_or(|found| found.then < rule.then) => always = Some(rule),
                Ok(true) => {}
                Err(_) => sometimes.push(rule),
            }
        }
        let least = always.map(|rule| rule.then);
        // A more lenient rule changes nothing where a stricter one always matches.
        sometimes.retain(|rule| least.is_none_or(|least| rule.then > least));
        let verdicts = sometimes.iter().map(|rule| rule.then).chain([least.unwrap_or(self.default)]).collect();
        Outlook {
            verdicts,
            always: always.map(|rule| rule.name.clone()),
            sometimes: sometimes.into_iter().map(|rule| rule.name.clone()).collect(),
        }
    }
}

impl CallRule {
    /// Whether it matches a call. Where that has no answer, it does not.
    pub(crate) fn holds(&self, facts: &CallFacts<'_>) -> bool {
        let name = facts.tool.to_string();
        let call = Happening { args: facts.args, labels: facts.labels, run: facts.run };
        let scene = Scene { tool: facts.tool, name: &name, effect: Some(facts.effect), call: Some(call) };
        self.matches(&scene).unwrap_or(false)
    }

    fn matches(&self, scene: &Scene<'_>) -> Result<bool, Failure> {
        self.condition.as_ref().map_or(Ok(true), |condition| ask(&condition.expr, scene))
    }

    fn deny(&self, refusal: Refusal) -> Decision {
        Decision::Deny { rule: self.name.clone(), refusal }
    }

    fn refusal(&self, tool: &ToolName) -> Refusal {
        let because = self.because.as_ref().map(|because| format!(": {because}")).unwrap_or_default();
        let message = format!("`{tool}` may not be called so: the operator's rule `{}` denies it{because}", self.name);
        Refusal::new(RefusalCode::RuleDenied, message)
    }

    fn failed(&self, tool: &ToolName, failure: &Failure) -> Refusal {
        let place = self.condition.as_ref().map(|condition| condition.places.at(failure.at));
        let place = place.map(|place| format!(" at {place}")).unwrap_or_default();
        let why = match &failure.why {
            Why::Wrong(why) => why.clone(),
            other => other.to_string(),
        };
        let message = format!(
            "`{tool}` may not be called so: the operator's rule `{}` could not be evaluated{place} ({why}), and a rule that \
             fails denies",
            self.name
        );
        Refusal::new(RefusalCode::RuleDenied, message)
    }
}
