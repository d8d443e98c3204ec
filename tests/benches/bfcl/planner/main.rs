//! How many calls of the builtin planner are exactly right on BFCL v4, with no model.
//!
//! ```console
//! $ tests/benches/bfcl/fetch
//! $ cargo bench -p toolcrib-agent --bench bfcl
//! ```
//!
//! Each question is one run of the agent: its functions are all the tools that there are, every call gives an empty result,
//! nobody answers questions. The calls that the run makes are compared with the answer by the rules of BFCL's AST checker.
//! The first half of each category is what the planner was developed with, the second half is what it had not seen.
//! `BFCL_SHOW=multiple` prints the cases of the first half that are wrong.
#![allow(clippy::print_stdout, reason = "it is a program that prints")]

#[path = "../data.rs"]
mod data;
mod score;

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use serde_json::{Value, json};
use toolcrib_agent::{
    Budget, BuiltinPlanner, Cancel, Caps, Durability, Event, Ledger, LedgerError, Outcome, Ports, Run, SystemClock,
    ToolCall, ToolCard, ToolOutput, ToolReport, Tools,
};
use toolcrib_policy::{Effect, ToolName};

use data::{CATEGORIES, Case, Function, cases, folder, json_schema, qualified};

/// The functions of one question, and what was called.
struct Given {
    cards: Vec<(String, ToolCard)>,
    calls: Mutex<Vec<(String, Value)>>,
}

fn card(function: &Function) -> ToolCard {
    let (plugin, tool) = qualified(&function.name);
    ToolCard {
        name: format!("{plugin}.{tool}").parse().expect("a name"),
        title: String::new(),
        description: function.description.clone(),
        input_schema: json_schema(&function.parameters),
        output_schema: None,
        // What a plugin without grants is: it cannot change anything.
        effect: Effect::Read,
        open_world: false,
    }
}

#[async_trait]
impl Tools for Given {
    /// All of them: a question has four at most, and the planner itself chooses.
    fn search(&self, _query: &str, limit: usize) -> Vec<ToolCard> {
        self.cards.iter().take(limit).map(|(_, card)| card.clone()).collect()
    }

    fn get(&self, name: &ToolName) -> Option<ToolCard> {
        self.cards.iter().map(|(_, card)| card).find(|card| card.name == *name).cloned()
    }

    async fn call(&self, call: ToolCall, _cancel: Cancel) -> ToolReport {
        let known = self.cards.iter().find(|(_, card)| card.name == call.tool).expect("a tool that was found");
        self.calls.lock().expect("no call panics").push((known.0.clone(), call.arguments));
        let output = ToolOutput { structured: Some(json!({})), text: String::new() };
        ToolReport { outcome: Ok(output), receipt: Value::Null, label: None }
    }
}

/// A ledger that forgets.
struct Forgets;

#[async_trait]
impl Ledger for Forgets {
    async fn append(&self, _event: &Event, _durability: Durability) -> Result<(), LedgerError> {
        Ok(())
    }
}

async fn run(case: &Case) -> (Vec<(String, Value)>, Outcome) {
    let cards = case.functions.iter().map(|function| (function.name.clone(), card(function))).collect();
    let tools = Arc::new(Given { cards, calls: Mutex::default() });
    let ports = Ports {
        tools: Arc::clone(&tools) as Arc<dyn Tools>,
        planner: Arc::new(BuiltinPlanner),
        ledger: Arc::new(Forgets),
        approver: Arc::new(()),
        person: None,
        observer: Arc::new(()),
        clock: Arc::new(SystemClock),
        critic: Default::default(),
        judge: None,
    };
    let mut run = Run::start(ports, case.text.as_str(), Budget::default(), Caps::default());
    let outcome = run.drive(&Cancel::new()).await.expect("the ledger never fails");
    let calls = std::mem::take(&mut *tools.calls.lock().expect("no call panics"));
    (calls, outcome)
}

/// What came of some cases.
#[derive(Default)]
struct Tally {
    cases: usize,
    right: usize,
    /// The right functions the right number of times, whatever the arguments.
    functions: usize,
    /// Nothing was called: the planner asked, or said that it cannot.
    declined: usize,
}

impl Tally {
    fn share(&self, count: usize) -> f64 {
        100.0 * count as f64 / self.cases.max(1) as f64
    }

    fn add(&mut self, other: &Tally) {
        self.cases += other.cases;
        self.right += other.right;
        self.functions += other.functions;
        self.declined += other.declined;
    }

    fn print(&self, category: &str, half: &str) {
        let Tally { cases, right, functions, declined } = self;
        let (share, wrong) = (self.share(*right), cases - right - declined);
        println!(
            "{category:<14} {half:<7} {cases:>5} {right:>6} {share:>6.1} % {functions:>10} {declined:>9} {wrong:>6}"
        );
    }
}

fn main() {
    // `cargo test --benches` runs benches for their compilation alone.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let Some(folder) = folder() else { return };
    let show = std::env::var("BFCL_SHOW").unwrap_or_default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("the runtime starts");
    println!("category       half    cases  right   share  functions  declined  wrong");
    let mut all = [Tally::default(), Tally::default()];
    for category in CATEGORIES {
        let cases = cases(&folder, category);
        let mut halves = [Tally::default(), Tally::default()];
        for (at, case) in cases.iter().enumerate() {
            let half = usize::from(at >= cases.len() / 2);
            let (calls, outcome) = runtime.block_on(run(case));
            let right = score::is_right(case, &calls);
            let tally = &mut halves[half];
            tally.cases += 1;
            tally.right += usize::from(right);
            tally.functions += usize::from(score::has_the_functions(case, &calls));
            tally.declined += usize::from(calls.is_empty());
            if show == category && half == 0 && !right {
                print_wrong(at, case, &calls, &outcome);
            }
        }
        for (half, name) in ["first", "second"].iter().enumerate() {
            halves[half].print(category, name);
            all[half].add(&halves[half]);
        }
    }
    for (half, name) in ["first", "second"].iter().enumerate() {
        all[half].print("all", name);
    }
    let [mut both, second] = all;
    both.add(&second);
    both.print("all", "both");
}

fn print_wrong(at: usize, case: &Case, calls: &[(String, Value)], outcome: &Outcome) {
    println!("\n{at} {}", case.text);
    for (name, arguments) in &case.truth {
        println!("    wanted {name} {}", Value::Object(arguments.clone()));
    }
    for (name, arguments) in calls {
        println!("    called {name} {arguments}");
    }
    match outcome {
        Outcome::Asked { question, .. } => println!("    asked  {}", question.text),
        Outcome::Failed { reason, .. } => println!("    failed {reason}"),
        _ => {}
    }
}
