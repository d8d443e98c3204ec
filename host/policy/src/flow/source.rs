//! Which tools are sources of untrusted or private data, and which are sinks.

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;

use crate::authority::Authority;
use crate::effect::Trust;
use crate::error::PolicyError;
use crate::http::HttpGrant;
use crate::label::{Confidentiality, Integrity, Label, LabelWords};
use crate::reader::{Node, Table};

/// Whether values leave through the arguments of a tool.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sink {
    /// They stay on this machine.
    #[default]
    No,
    /// They may leave, and every argument may say where to.
    Outward,
    /// They may leave, and these arguments say where to.
    To(BTreeSet<String>),
}

impl Sink {
    /// Whether anything leaves.
    pub fn is_outward(&self) -> bool {
        *self != Sink::No
    }

    /// Whether this argument says where values go.
    pub fn is_recipient(&self, argument: &str) -> bool {
        match self {
            Sink::No => false,
            Sink::Outward => true,
            Sink::To(names) => names.contains(argument),
        }
    }
}

impl fmt::Display for Sink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Sink::No => f.write_str("nothing leaves"),
            Sink::Outward => f.write_str("values leave, and any argument may say where to"),
            Sink::To(names) => {
                let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
                write!(f, "values leave to where {} says", names.join(", "))
            }
        }
    }
}

/// What a tool is as a source and as a sink.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Source {
    /// What a result has of its own, beside what its arguments bring.
    pub label: Label,
    /// Where its arguments may go.
    pub sink: Sink,
}

/// What a file says of a tool's labels.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ToolLabels {
    pub(crate) source: Option<LabelWords>,
    pub(crate) sink: Option<Sink>,
}

impl ToolLabels {
    /// The same, and of what it leaves open what `other` says.
    pub(crate) fn or(&self, other: &ToolLabels) -> ToolLabels {
        let sink = self.sink.clone().or_else(|| other.sink.clone());
        ToolLabels { source: self.source.or(other.source), sink }
    }

    /// The lines that say so, as they are written.
    pub(crate) fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        lines.extend(self.source.map(|words| format!("source \"{words}\"")));
        lines.extend(self.sink.as_ref().map(|sink| match sink {
            Sink::No => "sink false".to_owned(),
            Sink::Outward => "sink true".to_owned(),
            Sink::To(names) => format!("sink {}", names.iter().cloned().collect::<Vec<_>>().join(", ")),
        }));
        lines
    }
}

/// Reads `source = "untrusted private"` and `sink = true` or `sink = ["to", "cc"]`.
pub(crate) fn tool_labels(table: &mut Table<'_>) -> Result<ToolLabels, PolicyError> {
    let source = table.take("source").map(|node| words(&node)).transpose()?;
    let sink = table.take("sink").map(|node| sink(&node)).transpose()?;
    Ok(ToolLabels { source, sink })
}

pub(super) fn words(node: &Node<'_>) -> Result<LabelWords, PolicyError> {
    let text = node.text()?;
    LabelWords::parse(text).ok_or_else(|| node.wrong(text, LabelWords::HOW))
}

fn sink(node: &Node<'_>) -> Result<Sink, PolicyError> {
    if node.is_text() {
        return Err(node.wrong(node.text()?, "write `true`, `false`, or a list of arguments such as `[\"to\"]`"));
    }
    if !node.is_list() {
        return Ok(if node.boolean()? { Sink::Outward } else { Sink::No });
    }
    let names: BTreeSet<String> =
        node.items()?.iter().map(|item| item.text().map(str::to_owned)).collect::<Result<_, _>>()?;
    if names.is_empty() || names.iter().any(String::is_empty) {
        return Err(node.wrong("[]", "name the arguments that say where values go, or write `true` for all of them"));
    }
    Ok(Sink::To(names))
}

impl Authority {
    /// What a tool is as a source and as a sink: by what its grants reach, raised by what its manifest says, unless the
    /// operator says otherwise. Of the program's own plugins the manifest is believed as it stands.
    pub fn source_of(&self, tool: &str, open_world: bool, declared: &ToolLabels, trust: Trust) -> Source {
        let said = self.labels.get(tool).map_or_else(|| self.plugin_labels.clone(), |own| own.or(&self.plugin_labels));
        let mut found = self.reached(open_world);
        match trust {
            Trust::FirstParty => {
                // Only where it reaches anything: a tool without grants has nothing of its own.
                found.label = declared
                    .source
                    .filter(|_| !found.label.is_trusted())
                    .map_or(found.label, |words| words.over(found.label));
                if let (true, Some(sink)) = (found.sink.is_outward(), &declared.sink) {
                    found.sink = sink.clone();
                }
            }
            Trust::Stranger => {
                let claimed = declared.source.map_or(Label::TRUSTED, |words| words.over(Label::TRUSTED));
                found.label = found.label.join(claimed);
                if declared.sink.as_ref().is_some_and(Sink::is_outward) {
                    found.sink = Sink::Outward;
                }
            }
        }
        Source {
            label: said.source.map_or(found.label, |words| words.over(found.label)),
            sink: said.sink.unwrap_or(found.sink),
        }
    }

    /// What the grants reach. Whatever comes from outside the call may be anybody's text; whatever lies on this machine, or
    /// is had with a credential, is the operator's.
    fn reached(&self, open_world: bool) -> Source {
        let mut label = Label::TRUSTED;
        if open_world || !self.http.is_empty() || !self.files.is_empty() || !self.keyvalue.is_empty() || self.model {
            label.integrity = Integrity::Untrusted;
        }
        let this_machine = |grant: &HttpGrant| grant.pattern().door().is_some_and(|door| door.host.is_this_machine());
        let inside = self.http.iter().any(|grant| grant.is_opening() || this_machine(grant)) || self.has_credentials();
        if inside
            || !self.files.is_empty()
            || !self.keyvalue.is_empty()
            || !self.env.is_empty()
            || !self.config.is_empty()
        {
            label.confidentiality = Confidentiality::Private;
        }
        if !self.tools.is_empty() {
            label = label.join(Label::UNKNOWN);
        }
        let leaves = self.http.iter().any(|grant| !this_machine(grant));
        Source { label, sink: if leaves { Sink::Outward } else { Sink::No } }
    }
}
