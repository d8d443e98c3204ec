//! An answer while it is put together, the same for every wire.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::names::Names;
use crate::{Arguments, Continuation, Delta, ModelError, Response, StopReason, ToolCall, Usage};

/// Where the pieces of an answer go as they are delivered.
pub(crate) type Events<'a> = &'a mut (dyn FnMut(Delta) + Send);

#[derive(Debug)]
struct Call {
    id: Option<String>,
    name: String,
    text: String,
    /// Arguments that came as JSON and not as text.
    value: Option<Value>,
}

/// The answer so far.
#[derive(Debug)]
pub(crate) struct Answer {
    names: Names,
    text: String,
    refusal: String,
    /// In the order in which the wire numbers them.
    calls: BTreeMap<u64, Call>,
    pub(crate) usage: Usage,
    stop: Option<StopReason>,
}

impl Answer {
    pub(crate) fn new(names: Names) -> Self {
        Self {
            names,
            text: String::new(),
            refusal: String::new(),
            calls: BTreeMap::new(),
            usage: Usage::default(),
            stop: None,
        }
    }

    pub(crate) fn text(&mut self, text: &str, events: Events<'_>) {
        if !text.is_empty() {
            self.text.push_str(text);
            events(Delta::Text { text: text.to_owned() });
        }
    }

    /// Why the model declines, in its words.
    pub(crate) fn refusal(&mut self, text: &str) {
        self.refusal.push_str(text);
    }

    /// Begins the call that the wire numbers `key`, or completes what is known of it.
    pub(crate) fn open_call(&mut self, key: u64, id: Option<&str>, name: &str, events: Events<'_>) {
        let id = id.filter(|id| !id.is_empty()).map(str::to_owned);
        match self.calls.get_mut(&key) {
            Some(call) => {
                call.id = call.id.take().or(id);
                if call.name.is_empty() {
                    call.name = name.to_owned();
                }
            }
            None => {
                self.calls.insert(key, Call { id, name: name.to_owned(), text: String::new(), value: None });
                self.tell(key, "", events);
            }
        }
    }

    /// Appends to the arguments of call `key`.
    pub(crate) fn extend_call(&mut self, key: u64, fragment: &str, events: Events<'_>) -> Result<(), ModelError> {
        if fragment.is_empty() {
            return Ok(());
        }
        let Some(call) = self.calls.get_mut(&key) else {
            return Err(ModelError::Malformed { detail: format!("arguments for call {key}, which never began") });
        };
        call.text.push_str(fragment);
        self.tell(key, fragment, events);
        Ok(())
    }

    /// Sets the whole arguments text of call `key`, which the wire repeats when the call is complete.
    pub(crate) fn complete_call(&mut self, key: u64, text: &str, events: Events<'_>) {
        let Some(call) = self.calls.get_mut(&key) else {
            return;
        };
        let began_empty = call.text.is_empty() && !text.is_empty();
        call.text = text.to_owned();
        if began_empty {
            self.tell(key, text, events);
        }
    }

    /// Adds a call that came in one piece.
    pub(crate) fn whole_call(&mut self, id: Option<&str>, name: &str, arguments: Value, events: Events<'_>) {
        let key = self.next_key();
        let text = arguments.to_string();
        self.open_call(key, id, name, events);
        if let Some(call) = self.calls.get_mut(&key) {
            call.value = Some(arguments);
        }
        self.tell(key, &text, events);
    }

    /// A number that no call has yet, after all others.
    pub(crate) fn next_key(&self) -> u64 {
        self.calls.last_key_value().map_or(0, |(key, _)| key + 1)
    }

    /// The number of the call that began last.
    pub(crate) fn last_key(&self) -> Option<u64> {
        self.calls.last_key_value().map(|(key, _)| *key)
    }

    /// The number of the call with this id.
    pub(crate) fn key_of(&self, id: &str) -> Option<u64> {
        self.calls.iter().find(|(_, call)| call.id.as_deref() == Some(id)).map(|(key, _)| *key)
    }

    pub(crate) fn set_usage(&mut self, usage: Usage, events: Events<'_>) {
        self.usage = usage;
        events(Delta::Usage { usage });
    }

    /// Notes the end of the answer. Without it the stream counts as cut.
    pub(crate) fn stop(&mut self, reason: StopReason) {
        self.stop = Some(reason);
    }

    pub(crate) fn stopped(&self) -> bool {
        self.stop.is_some()
    }

    pub(crate) fn is_bare(&self) -> bool {
        self.text.is_empty() && self.calls.is_empty() && self.refusal.is_empty()
    }

    fn tell(&self, key: u64, fragment: &str, events: Events<'_>) {
        if let Some(call) = self.calls.get(&key) {
            events(Delta::ToolCall {
                index: self.calls.range(..key).count(),
                name: self.names.decode(&call.name),
                fragment: fragment.to_owned(),
            });
        }
    }

    /// Makes the response of it.
    pub(crate) fn finish(mut self, continuation: Option<Continuation>) -> Result<Response, ModelError> {
        let Some(stop) = self.stop.take() else {
            let (chars, calls) = (self.text.chars().count(), self.calls.len());
            let detail =
                format!("the stream ended after {chars} characters and {calls} tool calls, without its end mark");
            return Err(ModelError::CutStream { detail });
        };
        let mut tool_calls = Vec::with_capacity(self.calls.len());
        for call in std::mem::take(&mut self.calls).into_values() {
            if call.name.is_empty() {
                return Err(ModelError::Malformed { detail: "a tool call without a name".to_owned() });
            }
            tool_calls.push(ToolCall {
                id: call.id.unwrap_or_else(|| self.names.fresh_id()),
                name: self.names.decode(&call.name),
                arguments: call.value.map_or_else(|| Arguments::parse(&call.text), Arguments::from_value),
            });
        }
        let text = Some(self.text).filter(|text| !text.trim().is_empty());
        if tool_calls.is_empty() && !self.refusal.is_empty() {
            return Err(ModelError::Refused { detail: self.refusal });
        }
        if tool_calls.is_empty() && text.is_none() {
            return Err(ModelError::Empty { stop });
        }
        let stop = match stop {
            StopReason::End if !tool_calls.is_empty() => StopReason::ToolCalls,
            stop => stop,
        };
        Ok(Response { text, tool_calls, stop, usage: self.usage, continuation })
    }
}
