//! What a request must look like for an exchange to fit.

use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, SeqAccess, Visitor};

use crate::files::quoted;
use crate::{Arguments, Message, Part, Request};

/// What is expected of a request. Whatever is left out fits.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Expect {
    /// Of the standing instructions.
    #[serde(default)]
    system: Texts,
    /// Of the last message of the person.
    #[serde(default)]
    user: Texts,
    /// Of any text in the request; the descriptions of tools are none.
    #[serde(default)]
    anywhere: Texts,
    #[serde(default)]
    tools: Tools,
    /// How many messages the conversation has.
    messages: Option<usize>,
    /// Each is met by one result in the conversation.
    #[serde(default)]
    tool_results: Vec<ToolResult>,
    /// Whether JSON is asked for.
    schema: Option<bool>,
}

/// What a text holds and what it does not hold.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Texts {
    #[serde(default)]
    contains: Several,
    #[serde(default)]
    lacks: Several,
}

/// Which tools the request offers.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Tools {
    #[serde(default)]
    offered: Several,
    #[serde(default)]
    not_offered: Several,
}

/// What one result of a tool looks like.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ToolResult {
    tool: Option<String>,
    #[serde(default)]
    contains: Several,
    #[serde(default)]
    lacks: Several,
    failed: Option<bool>,
}

/// One text or a list of them. None is blank: a blank one is part of every text.
#[derive(Debug, Default)]
struct Several(Vec<String>);

impl<'de> Deserialize<'de> for Several {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct OneOrMany;

        impl<'de> Visitor<'de> for OneOrMany {
            type Value = Several;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a list of texts (a number as text stands in quotes)")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Several, E> {
                Ok(Several(vec![not_blank(text.to_owned())?]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut all: A) -> Result<Several, A::Error> {
                let mut texts = Vec::new();
                while let Some(text) = all.next_element()? {
                    texts.push(not_blank(text)?);
                }
                Ok(Several(texts))
            }
        }

        fn not_blank<E: de::Error>(text: String) -> Result<String, E> {
            match text.trim().is_empty() {
                true => Err(E::custom("a blank text is expected, which every text holds")),
                false => Ok(text),
            }
        }

        from.deserialize_any(OneOrMany)
    }
}

impl Expect {
    /// Whether JSON must be asked for, because the answer is JSON.
    pub(super) fn require_schema(&mut self) {
        self.schema = self.schema.or(Some(true));
    }

    /// Whether the script says that no JSON is asked for.
    pub(super) fn excludes_schema(&self) -> bool {
        self.schema == Some(false)
    }

    /// Everything in which `request` does not fit, in words.
    pub(super) fn misfits(&self, request: &Request) -> Vec<String> {
        let mut found = Vec::new();
        self.system.check("the system text", request.system.as_deref(), &mut found);
        self.user.check("the last user message", last_user(request).as_deref(), &mut found);
        self.anywhere.check_all(request, &mut found);
        self.tools.check(request, &mut found);
        if let Some(count) = self.messages.filter(|count| *count != request.messages.len()) {
            found.push(format!("{} instead of {count}", messages(request.messages.len())));
        }
        for result in &self.tool_results {
            result.check(request, &mut found);
        }
        match (self.schema, request.response_schema.is_some()) {
            (Some(true), false) => found.push("no JSON is asked for".to_owned()),
            (Some(false), true) => found.push("JSON is asked for".to_owned()),
            _ => {}
        }
        found
    }
}

impl Texts {
    fn check(&self, what: &str, text: Option<&str>, found: &mut Vec<String>) {
        let is = || text.map_or("there is none".to_owned(), |text| format!("it is {}", quoted(text)));
        let holds = |part: &String| text.is_some_and(|text| text.contains(part));
        for part in self.contains.0.iter().filter(|part| !holds(part)) {
            found.push(format!("{what} does not contain {}, {}", quoted(part), is()));
        }
        for part in self.lacks.0.iter().filter(|part| holds(part)) {
            found.push(format!("{what} contains {}", quoted(part)));
        }
    }

    fn check_all(&self, request: &Request, found: &mut Vec<String>) {
        if self.contains.0.is_empty() && self.lacks.0.is_empty() {
            return;
        }
        let texts = all_texts(request);
        let holds = |part: &String| texts.iter().any(|text| text.contains(part));
        for part in self.contains.0.iter().filter(|part| !holds(part)) {
            found.push(format!("{} is nowhere in the request", quoted(part)));
        }
        for part in self.lacks.0.iter().filter(|part| holds(part)) {
            found.push(format!("{} is in the request", quoted(part)));
        }
    }
}

impl Tools {
    fn check(&self, request: &Request, found: &mut Vec<String>) {
        let offered = |name: &String| request.tools.iter().any(|tool| tool.name == *name);
        for name in self.offered.0.iter().filter(|name| !offered(name)) {
            found.push(format!("tool `{name}` is not offered"));
        }
        for name in self.not_offered.0.iter().filter(|name| offered(name)) {
            found.push(format!("tool `{name}` is offered"));
        }
    }
}

impl ToolResult {
    fn check(&self, request: &Request, found: &mut Vec<String>) {
        let mut nearest = None;
        for message in &request.messages {
            let Message::Tool { name, content, is_error, .. } = message else { continue };
            if self.tool.as_ref().is_some_and(|tool| tool != name) {
                continue;
            }
            let right = self.contains.0.iter().all(|part| content.contains(part))
                && !self.lacks.0.iter().any(|part| content.contains(part))
                && self.failed.is_none_or(|failed| failed == *is_error);
            if right {
                return;
            }
            nearest = Some((content, is_error));
        }
        found.push(match nearest {
            Some((content, true)) => format!("no {self}; the last failed with {}", quoted(content)),
            Some((content, false)) => format!("no {self}; the last is {}", quoted(content)),
            None => format!("no {self}"),
        });
    }
}

impl fmt::Display for ToolResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.failed {
            Some(true) => f.write_str("failed result")?,
            Some(false) => f.write_str("successful result")?,
            None => f.write_str("result")?,
        }
        if let Some(tool) = &self.tool {
            write!(f, " of `{tool}`")?;
        }
        for (word, parts) in [("contains", &self.contains), ("lacks", &self.lacks)] {
            for part in &parts.0 {
                write!(f, " that {word} {}", quoted(part))?;
            }
        }
        Ok(())
    }
}

/// The request in one line, for messages.
pub(super) fn summary(request: &Request) -> String {
    let user = last_user(request).map_or("no user message".to_owned(), |text| format!("user said {}", quoted(&text)));
    let mut result = String::new();
    if let Some(Message::Tool { name, content, .. }) = request.messages.last() {
        result = format!(", the last message is the result of `{name}`, {}", quoted(content));
    }
    /// The most names that a message lists.
    const NAMES: usize = 8;
    let mut names: Vec<String> = request.tools.iter().take(NAMES).map(|tool| format!("`{}`", tool.name)).collect();
    if request.tools.len() > NAMES {
        names.push(format!("{} more", request.tools.len() - NAMES));
    }
    let tools = if names.is_empty() { "no tools".to_owned() } else { format!("tools {}", names.join(", ")) };
    format!("{user}{result}, {}, {tools}", messages(request.messages.len()))
}

fn messages(count: usize) -> String {
    if count == 1 { "1 message".to_owned() } else { format!("{count} messages") }
}

fn last_user(request: &Request) -> Option<String> {
    request.messages.iter().rev().find_map(|message| match message {
        Message::User { parts } => Some(user_text(parts)),
        Message::Assistant { .. } | Message::Tool { .. } => None,
    })
}

fn user_text(parts: &[Part]) -> String {
    let texts = parts.iter().filter_map(|part| match part {
        Part::Text { text } => Some(text.as_str()),
        Part::Image { .. } => None,
    });
    texts.collect::<Vec<_>>().join("\n")
}

/// Every text of a request: instructions, messages, the names and arguments of calls, results.
fn all_texts(request: &Request) -> Vec<String> {
    let mut texts: Vec<String> = request.system.iter().cloned().collect();
    for message in &request.messages {
        match message {
            Message::User { parts } => texts.push(user_text(parts)),
            Message::Assistant { text, tool_calls, .. } => {
                texts.extend(text.clone());
                for call in tool_calls {
                    texts.push(call.name.clone());
                    texts.push(match &call.arguments {
                        Arguments::Json(map) => serde_json::Value::Object(map.clone()).to_string(),
                        Arguments::Malformed { raw, .. } => raw.clone(),
                    });
                }
            }
            Message::Tool { content, .. } => texts.push(content.clone()),
        }
    }
    texts
}
