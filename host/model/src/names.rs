//! Tool names at the edge of a wire.
//!
//! Wires allow `[a-zA-Z0-9_-]`, at most 64 characters, beginning with a letter or `_`; the product's names are
//! `plugin.tool`. An ordinary name is written with `__` for each dot, which reads back by itself. A name that
//! this cannot carry (too long, other characters, underscores where a dot would be read) becomes what is left
//! of it, `___`, and a hash; an ordinary name never contains `___`. The same name always gets the same form,
//! so that a conversation keeps its prefix in a back end's cache. [`Names`] covers one request, settles the
//! last possible collision and is the only way back.

use std::collections::{HashMap, HashSet};

use crate::{Message, Request, ToolChoice};

/// The longest name that every wire accepts.
const MAX_WIRE_NAME: usize = 64;
/// `___` and sixteen hexadecimal digits.
const SUFFIX: usize = 19;

/// The tool names of one request, both ways.
#[derive(Debug, Default)]
pub(crate) struct Names {
    to_wire: HashMap<String, String>,
    from_wire: HashMap<String, String>,
    /// Call ids in the conversation so far, so that a made-up one is new.
    call_ids: HashSet<String>,
    made_up: usize,
}

/// Call ids that are made up here begin like this.
pub(crate) const MADE_UP_ID: &str = "toolcrib-call-";

impl Names {
    /// Collects every name that `request` mentions: offered, demanded, or called earlier.
    pub(crate) fn of(request: &Request) -> Self {
        let mut names = Self::default();
        for tool in &request.tools {
            names.add(&tool.name);
        }
        if let ToolChoice::Named(name) = &request.tool_choice {
            names.add(name);
        }
        for message in &request.messages {
            match message {
                Message::User { .. } => {}
                Message::Assistant { tool_calls, .. } => {
                    for call in tool_calls {
                        names.add(&call.name);
                        names.call_ids.insert(call.id.clone());
                    }
                }
                Message::Tool { name, call_id, .. } => {
                    names.add(name);
                    names.call_ids.insert(call_id.clone());
                }
            }
        }
        names
    }

    fn add(&mut self, name: &str) {
        if self.to_wire.contains_key(name) {
            return;
        }
        let mut wire = plain(name).unwrap_or_else(|| hashed(name, 0));
        let mut salt = 0;
        while self.from_wire.contains_key(&wire) {
            salt += 1;
            wire = hashed(name, salt);
        }
        self.from_wire.insert(wire.clone(), name.to_owned());
        self.to_wire.insert(name.to_owned(), wire);
    }

    /// The form of `name` on the wire.
    pub(crate) fn encode(&self, name: &str) -> String {
        match self.to_wire.get(name) {
            Some(wire) => wire.clone(),
            None => plain(name).unwrap_or_else(|| hashed(name, 0)),
        }
    }

    /// The name behind `wire`. A name that the request did not mention, which a model may invent, comes back
    /// as it would have been written; it is the caller's to refuse.
    pub(crate) fn decode(&self, wire: &str) -> String {
        match self.from_wire.get(wire) {
            Some(name) => name.clone(),
            None => wire.replace("__", "."),
        }
    }

    /// A call id that the conversation does not hold yet, for back ends that give none.
    pub(crate) fn fresh_id(&mut self) -> String {
        loop {
            self.made_up += 1;
            let id = format!("{MADE_UP_ID}{}", self.made_up);
            if self.call_ids.insert(id.clone()) {
                return id;
            }
        }
    }
}

/// `name` with `__` for each dot, if that reads back unmistakably.
fn plain(name: &str) -> Option<String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let segment = |s: &str| {
        !s.is_empty() && !s.starts_with('_') && !s.ends_with('_') && !s.contains("__") && s.chars().all(allowed)
    };
    let wire = name.replace('.', "__");
    let fits = name.split('.').all(segment)
        && wire.len() <= MAX_WIRE_NAME
        && name.starts_with(|c: char| c.is_ascii_alphabetic());
    fits.then_some(wire)
}

/// A readable remainder of `name`, `___`, and its hash.
fn hashed(name: &str, salt: u32) -> String {
    let mut wire = String::new();
    for c in name.chars() {
        if wire.len() >= MAX_WIRE_NAME - SUFFIX {
            break;
        }
        match c {
            'a'..='z' | 'A'..='Z' | '-' => wire.push(c),
            '0'..='9' if !wire.is_empty() => wire.push(c),
            _ if wire.ends_with('_') || wire.is_empty() => {}
            _ => wire.push('_'),
        }
    }
    let stem = wire.trim_matches(['_', '-']);
    let stem = if stem.starts_with(|c: char| c.is_ascii_alphabetic()) { stem } else { "tool" };
    format!("{stem}___{:016x}", fnv1a(name, salt))
}

/// FNV-1a: it only has to be stable; a collision, also a planned one, is settled by [`Names::add`].
fn fnv1a(text: &str, salt: u32) -> u64 {
    let bytes = salt.to_le_bytes().into_iter().chain(text.bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ToolSpec;

    fn request(names: &[String]) -> Request {
        let tools = names.iter().map(|name| ToolSpec {
            name: name.clone(),
            description: String::new(),
            parameters: serde_json::json!({}),
        });
        Request { tools: tools.collect(), ..Request::default() }
    }

    #[test]
    fn an_ordinary_name_is_readable_and_needs_no_table() {
        let names = Names::default();
        assert_eq!(names.encode("files.read_all"), "files__read_all");
        assert_eq!(names.decode("files__read_all"), "files.read_all");
    }

    #[test]
    fn names_that_look_alike_on_the_wire_stay_apart() {
        let all = ["a.b", "a__b", "a._b", "a_.b", "a b", "a_b", "ä.b", "__", ".", ""].map(String::from);
        let names = Names::of(&request(&all));
        for name in &all {
            assert_eq!(&names.decode(&names.encode(name)), name);
        }
    }

    #[test]
    fn a_made_up_call_id_is_not_in_the_conversation_yet() {
        let call = crate::ToolCall {
            id: format!("{MADE_UP_ID}1"),
            name: "a.b".into(),
            arguments: crate::Arguments::parse("{}"),
        };
        let mut names = Names::of(&Request { messages: vec![Message::tool(&call, "", false)], ..Request::default() });
        assert_eq!(names.fresh_id(), format!("{MADE_UP_ID}2"));
    }

    proptest! {
        #[test]
        fn every_set_of_names_survives_the_way_there_and_back(
            all in prop::collection::vec("[a-z_.\\-0-9]{0,80}|\\PC{0,20}", 0..12)
        ) {
            let names = Names::of(&request(&all));
            let mut seen = HashMap::new();
            for name in &all {
                let wire = names.encode(name);
                prop_assert!(wire.len() <= MAX_WIRE_NAME && !wire.is_empty(), "{wire}");
                prop_assert!(wire.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-'), "{wire}");
                prop_assert!(wire.starts_with(|c: char| c.is_ascii_alphabetic()), "{wire}");
                prop_assert_eq!(&names.decode(&wire), name);
                prop_assert_eq!(seen.insert(wire, name.clone()).unwrap_or_else(|| name.clone()), name.clone());
            }
        }
    }
}
