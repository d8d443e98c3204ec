//! A model that reacts to what it is shown, and keeps every request.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use serde_json::Value;
use toolcrib_agent::{Budget, Cancel, Caps, Event, ModelPlanner, ModelView, Outcome, Ports, Run};
use toolcrib_model::{
    Arguments, Delta, Message, Model, ModelError, Part, Request, Response, StopReason, ToolCall, Usage,
};

use crate::support::{Book, Dies, Shed, ports};

/// What a model says.
pub(crate) enum Says {
    Text(String),
    Calls(Vec<(&'static str, Value)>),
}

pub(crate) fn says(text: impl Into<String>) -> Says {
    Says::Text(text.into())
}

pub(crate) fn calls(name: &'static str, arguments: Value) -> Says {
    Says::Calls(vec![(name, arguments)])
}

/// Answers by a function of what it is shown.
pub(crate) struct Reacting<F> {
    react: F,
    pub(crate) asked: Mutex<Vec<Request>>,
}

impl<F: Fn(&Request) -> Says + Send + Sync> Reacting<F> {
    pub(crate) fn new(react: F) -> Arc<Self> {
        Arc::new(Self { react, asked: Mutex::default() })
    }

    pub(crate) fn asked(&self) -> Vec<Request> {
        self.asked.lock().unwrap().clone()
    }
}

#[async_trait]
impl<F: Fn(&Request) -> Says + Send + Sync> Model for Reacting<F> {
    fn name(&self) -> &str {
        "reacting"
    }

    async fn complete(&self, request: &Request, _: &mut (dyn FnMut(Delta) + Send)) -> Result<Response, ModelError> {
        self.asked.lock().unwrap().push(request.clone());
        let (text, calls) = match (self.react)(request) {
            Says::Text(text) => (Some(text), Vec::new()),
            Says::Calls(calls) => (None, calls),
        };
        let call = |(at, (name, arguments)): (usize, (&str, Value))| ToolCall {
            id: format!("call-{at}"),
            name: name.to_owned(),
            arguments: Arguments::from_value(arguments),
        };
        let tool_calls = calls.into_iter().enumerate().map(call).collect();
        Ok(Response { text, tool_calls, stop: StopReason::End, usage: Usage::default(), continuation: None })
    }
}

/// The functions that a request offers.
pub(crate) fn offered(request: &Request) -> Vec<&str> {
    request.tools.iter().map(|tool| tool.name.as_str()).collect()
}

/// The texts of all messages.
pub(crate) fn texts(request: &Request) -> Vec<String> {
    let text = |message: &Message| match message {
        Message::User { parts } => {
            let texts = parts.iter().filter_map(|part| match part {
                Part::Text { text } => Some(text.clone()),
                Part::Image { .. } => None,
            });
            texts.collect()
        }
        Message::Assistant { .. } => String::new(),
        Message::Tool { content, .. } => content.clone(),
    };
    request.messages.iter().map(text).collect()
}

/// The goal that a request is about.
pub(crate) fn goal(request: &Request) -> String {
    let first = texts(request).into_iter().next().unwrap_or_default();
    first.lines().next().unwrap_or_default().trim_start_matches("Goal: ").to_owned()
}

/// How many results of this tool a request shows whole.
pub(crate) fn results(request: &Request, tool: &str) -> usize {
    request.messages.iter().filter(|message| matches!(message, Message::Tool { name, .. } if name == tool)).count()
}

/// A run with room for everything but what is tested.
pub(crate) struct Long {
    pub(crate) view: ModelView,
    pub(crate) caps: Caps,
    pub(crate) budget: Budget,
}

impl Long {
    pub(crate) fn seeing(context: u64) -> Self {
        let view = ModelView { context, ..ModelView::default() };
        let budget = Budget { steps: 10_000, tokens: u64::MAX, ..Budget::default() };
        Self { view, caps: Caps::default(), budget }
    }

    fn ports(&self, tools: &Arc<Shed>, model: &Arc<dyn Model>, book: &Arc<Book>) -> Ports {
        let planner = Arc::new(ModelPlanner::new(Arc::clone(model), self.view));
        ports(Arc::clone(tools), planner, Arc::clone(book))
    }

    pub(crate) async fn run(&self, tools: &Arc<Shed>, model: Arc<dyn Model>, goal: &str) -> (Outcome, Arc<Book>) {
        let book = Arc::new(Book::new(&[], Dies::Never));
        let mut run = Run::start(self.ports(tools, &model, &book), goal, self.budget, self.caps);
        (run.drive(&Cancel::new()).await.unwrap(), book)
    }

    pub(crate) async fn resume(&self, tools: &Arc<Shed>, model: Arc<dyn Model>, events: &[Event]) -> Outcome {
        let book = Arc::new(Book::new(events, Dies::Never));
        let mut run = Run::resume(self.ports(tools, &model, &book), events, None).unwrap();
        run.drive(&Cancel::new()).await.unwrap()
    }
}
