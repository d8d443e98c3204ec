//! What may leave: the built-in rules over the labels of a call's arguments.

use crate::error::PolicyError;
use crate::gate::{CallFacts, Decision};
use crate::label::{Confidentiality, Label};
use crate::names::shortened;
use crate::operator::OperatorFile;
use crate::reader::Table;
use crate::refusal::{Refusal, RefusalCode};
use crate::rules::{Verdict, verdict};

use super::source::Sink;

const RECIPIENT: &str = "untrusted-recipient";
const PRIVATE: &str = "private-outward";
const LEAK: &str = "untrusted-leak";
const SECRET: &str = "secret-outward";

/// The names of the built-in rules. No rule of an operator can have one of them.
pub const NAMES: [&str; 4] = [RECIPIENT, PRIVATE, LEAK, SECRET];

/// `[labels]`: what happens to calls whose labels do not fit where they go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LabelSettings {
    /// An untrusted value says where a call goes that changes something outside.
    pub recipient: Verdict,
    /// Private values leave, to where somebody trusted says.
    pub private: Verdict,
    /// Private values leave, to where an untrusted value says.
    pub leak: Verdict,
}

impl Default for LabelSettings {
    /// A person decides, but for what only a thief wants.
    fn default() -> Self {
        Self { recipient: Verdict::Ask, private: Verdict::Ask, leak: Verdict::Deny }
    }
}

impl LabelSettings {
    pub(crate) fn read(mut table: Table<'_>) -> Result<Self, PolicyError> {
        let mut settings = Self::default();
        for (key, setting) in
            [("recipient", &mut settings.recipient), ("private", &mut settings.private), ("leak", &mut settings.leak)]
        {
            if let Some(node) = table.take(key) {
                *setting = verdict(&node)?;
            }
        }
        table.finish()?;
        Ok(settings)
    }
}

/// The arguments of a call that matter where something leaves.
struct Outward<'a> {
    /// Untrusted ones that say where it goes.
    choosing: Vec<&'a str>,
    private: Vec<&'a str>,
    secret: Vec<&'a str>,
}

impl OperatorFile {
    /// What happens to calls whose labels do not fit where they go.
    pub fn label_settings(&self) -> &LabelSettings {
        &self.label_settings
    }

    /// What the built-in rules say about a call: where its arguments may go, and what may go there. They look at the
    /// arguments alone, not at what decided that the call is made.
    pub fn decide_outward(&self, call: &CallFacts<'_>, sink: &Sink) -> Decision {
        let found = Outward::of(call, sink);
        let changes = call.effect.rank() > 0;
        let settings = &self.label_settings;
        let (rule, verdict, because) = if !found.secret.is_empty() {
            (SECRET, Verdict::Deny, format!("{} secret and would leave", are(&found.secret)))
        } else if !found.choosing.is_empty() && !found.private.is_empty() {
            let where_to = format!("{} untrusted and says where the call goes", are(&found.choosing));
            (LEAK, settings.leak, format!("{where_to}, and {} private and would leave with it", are(&found.private)))
        } else if !found.private.is_empty() {
            (PRIVATE, settings.private, format!("{} private and would leave", are(&found.private)))
        } else if !found.choosing.is_empty() && changes {
            let because = format!(
                "{} untrusted and says where the call goes, which may change something there",
                are(&found.choosing)
            );
            (RECIPIENT, settings.recipient, because)
        } else {
            return Decision::Allow { rule: None };
        };
        match verdict {
            Verdict::Allow => Decision::Allow { rule: None },
            Verdict::Ask => Decision::Ask { rule: rule.to_owned(), because: Some(because) },
            Verdict::Deny => {
                let message = format!("`{}` may not be called so: {because} (`{rule}`)", call.tool);
                let refusal = Refusal::new(RefusalCode::FlowDenied, message);
                Decision::Deny { rule: rule.to_owned(), refusal }
            }
        }
    }
}

impl<'a> Outward<'a> {
    fn of(call: &CallFacts<'a>, sink: &Sink) -> Self {
        let names = || call.labels.iter().filter(|_| sink.is_outward());
        let only = |wanted: &dyn Fn(&str, &Label) -> bool| -> Vec<&'a str> {
            names().filter(|(name, label)| wanted(name, label)).map(|(name, _)| name.as_str()).collect()
        };
        let closed = |wanted| move |_: &str, label: &Label| label.confidentiality == wanted;
        Self {
            choosing: only(&|name, label| label.is_untrusted() && sink.is_recipient(name)),
            private: only(&closed(Confidentiality::Private)),
            secret: only(&closed(Confidentiality::Secret)),
        }
    }
}

/// `url` is, `a` and `b` are: names come from whoever calls, and are shown with care.
fn are(names: &[&str]) -> String {
    const SHOWN: usize = 4;
    let mut shown: Vec<String> = names.iter().take(SHOWN).map(|name| format!("`{}`", shortened(name))).collect();
    if names.len() > SHOWN {
        shown.push(format!("{} more", names.len() - SHOWN));
    }
    let verb = if names.len() == 1 { "is" } else { "are" };
    let (last, first) = (shown.pop().unwrap_or_default(), shown);
    if first.is_empty() { format!("{last} {verb}") } else { format!("{} and {last} {verb}", first.join(", ")) }
}
