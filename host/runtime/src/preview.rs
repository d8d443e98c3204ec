//! Plans before they run: what would be called, what policy would say to it, and what a person changes.

use serde::Serialize;
use serde_json::{Map, Value};
use toolcrib_agent::flow::{self, Flow};
use toolcrib_agent::{
    Budget, Durability, Event, EventKind, Foreseen, ForeseenCall, Ledger as _, Millis, NodeId, Outcome, State, Step,
    StepName,
};
use toolcrib_catalog::Tool;
use toolcrib_ledger::RunId;
use toolcrib_policy::{
    Access, Authority, Decision, Effect, GuestPath, HttpTarget, Refusal, RunFacts, ToolName, Verdict,
};

use crate::approvals::inbox;
use crate::call::Caller;
use crate::crib::Crib;
use crate::error::CribError;
use crate::gate::{AtGate, now};
use crate::inspect::Line;
use crate::ledger::RunLog;
use crate::run::{PlannerChoice, run_error};
use crate::tools::CribTools;

/// What a plan would do. Nothing of it was done.
#[derive(Debug, Serialize)]
pub struct Preview {
    /// The calls, in order.
    pub calls: Vec<PreviewedCall>,
    /// Goals that are planned when their turn comes: what they call is not known yet.
    pub later: Vec<NodeId>,
    /// Loops of which nobody knows yet how often they go round; their calls stand here once.
    pub open_loops: Vec<NodeId>,
    /// How many calls these are at least.
    pub calls_least: u32,
    /// How many they are at most, with every retry; none where that is not known yet.
    pub calls_most: Option<u32>,
    /// What may be spent.
    pub budget: Budget,
    /// The state that all this is of.
    #[serde(skip)]
    pub state: State,
}

/// One call that a plan has.
#[derive(Debug, Serialize)]
pub struct PreviewedCall {
    /// The step.
    pub node: NodeId,
    /// Its name.
    pub step: StepName,
    /// The tool.
    pub tool: ToolName,
    /// Its arguments, where they are known before any result.
    pub arguments: Option<Value>,
    /// The steps whose results its arguments wait for.
    pub waits_for: Vec<StepName>,
    /// Its effect class.
    pub effect: Effect,
    /// Whether it may be left out.
    pub optional: bool,
    /// What the call gate would say.
    pub gate: Foretold,
    /// What is granted to its plugin.
    pub reach: Vec<Line>,
    /// What its arguments speak of and what is not granted, each with the smallest grant where one would help.
    pub missing: Vec<Refusal>,
    /// Whether its plugin asks for something and has no grant at all.
    pub nothing_granted: bool,
}

/// What the call gate would say.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case", tag = "gate")]
pub enum Foretold {
    /// It passes.
    Allow {
        /// The rule, where one says so.
        rule: Option<String>,
    },
    /// A person has to say yes, and has not.
    Ask {
        /// The rule; `plan` where the plan itself wants it.
        rule: String,
        /// The rule's reason.
        because: Option<String>,
    },
    /// A person has to say yes, and said it before.
    Approved {
        /// The rule.
        rule: String,
        /// The question that was answered.
        question: String,
    },
    /// It is refused.
    Deny {
        /// Why.
        refusal: Refusal,
    },
    /// It depends on the arguments, which are not known yet.
    Open {
        /// What may come out.
        verdicts: Vec<Verdict>,
        /// The rules that decide.
        rules: Vec<String>,
    },
    /// Its plugin is kept out, or is not there.
    Out {
        /// Why.
        why: String,
    },
}

impl Crib {
    /// What a run of a flow would do, with these inputs.
    ///
    /// # Errors
    ///
    /// As [`Crib::check_flow`], or the ledger cannot be read.
    pub fn preview_flow(&self, flow: &Flow, budget: Option<Budget>, inputs: Value) -> Result<Preview, CribError> {
        let patches = self.flow_patches(flow)?;
        let planner = PlannerChoice::Flow;
        let opening = flow.opening(planner.spec(), budget.unwrap_or(flow.budget), patches, inputs);
        let events: Vec<Event> = opening.into_iter().map(|kind| kind.at(Millis(now()))).collect();
        let state = State::fold(&events).map_err(|error| run_error("of the flow", error))?;
        self.preview(&state, "", false)
    }

    /// What a run would do from here on. The gates of the policy are asked as if each call were made now.
    ///
    /// # Errors
    ///
    /// The ledger cannot be read.
    pub fn preview(&self, state: &State, run: &str, attended: bool) -> Result<Preview, CribError> {
        let known = match self.ledger_read_only() {
            Ok(ledger) => inbox::fold(&ledger)?,
            Err(CribError::Ledger(toolcrib_ledger::LedgerError::NoLedger { .. })) => Default::default(),
            Err(error) => return Err(error),
        };
        let facts = RunFacts {
            id: run.to_owned(),
            goal: state.goal().to_owned(),
            planner: state.planner().to_owned(),
            attended,
            calls: u64::from(state.spent().steps),
        };
        let Foreseen { state, open_loops, later, calls } = state.foresee();
        let mut seen = Vec::new();
        let (mut least, mut most) = (0, Some(0_u32));
        for call in calls {
            let Some(step) = state.plan().step(call.node) else { continue };
            let tries = step.trying.attempts.unwrap_or(state.caps().attempts);
            least += u32::from(!call.optional);
            most = most.map(|most| most.saturating_add(tries));
            let facts = RunFacts { calls: facts.calls + seen.len() as u64, ..facts.clone() };
            seen.push(self.previewed(&state, step, call, &facts, &known));
        }
        if !later.is_empty() || !open_loops.is_empty() {
            most = None;
        }
        let budget = *state.budget();
        Ok(Preview { calls: seen, later, open_loops, calls_least: least, calls_most: most, budget, state })
    }

    fn previewed(
        &self,
        state: &State,
        step: &Step,
        call: ForeseenCall,
        run: &RunFacts,
        known: &toolcrib_policy::Approvals,
    ) -> PreviewedCall {
        let ForeseenCall { node, arguments, labels, under, optional } = call;
        let asks = step.trying.ask;
        let mut seen = PreviewedCall {
            node,
            step: step.name.clone(),
            tool: step.tool.clone(),
            waits_for: state.waits_for(node),
            effect: step.effect.clone(),
            optional,
            gate: Foretold::Allow { rule: None },
            reach: Vec::new(),
            missing: Vec::new(),
            nothing_granted: false,
            arguments,
        };
        let (plugin, tool) = match self.tool(&seen.tool.to_string()) {
            Ok(found) => found,
            Err(error) => {
                seen.gate = Foretold::Out { why: error.to_string() };
                return seen;
            }
        };
        seen.reach = Line::all(self.operator().grants(plugin.name()));
        seen.nothing_granted = seen.reach.is_empty() && !Self::requests(&plugin).lines().is_empty();
        if let Err(error) = self.check_admission(&plugin) {
            seen.gate = Foretold::Out { why: error.to_string() };
            return seen;
        }
        match &seen.arguments {
            Some(arguments) => {
                let effect = self.effect_of_call(&plugin, &tool, arguments);
                let gate =
                    AtGate { plugin: &plugin, tool: &tool, arguments, effect: &effect, labels: &labels, under, run };
                seen.gate = self.foretold(&gate, asks, known);
                seen.missing = missing(&self.authority(&plugin, None), &Self::requests(&plugin), arguments, &effect);
                seen.effect = effect;
            }
            None => seen.gate = self.outlook(&tool, &seen.effect, asks),
        }
        seen
    }

    fn foretold(&self, call: &AtGate<'_>, asks: bool, known: &toolcrib_policy::Approvals) -> Foretold {
        let (rule, because) = match self.decide(call) {
            Decision::Deny { refusal, .. } => return Foretold::Deny { refusal },
            Decision::Allow { .. } if asks => ("plan".to_owned(), None),
            Decision::Allow { rule } => return Foretold::Allow { rule },
            Decision::Ask { rule, because } => (rule, because),
        };
        match known.covering(&call.run.id, now(), &call.bound()) {
            Some(id) => Foretold::Approved { rule, question: id.to_string() },
            None => Foretold::Ask { rule, because },
        }
    }

    fn outlook(&self, tool: &Tool, effect: &Effect, asks: bool) -> Foretold {
        let outlook = self.operator().outlook(tool.name(), effect);
        let rules = outlook.always.iter().chain(&outlook.sometimes).cloned().collect();
        let verdicts: Vec<Verdict> = outlook.verdicts.iter().copied().collect();
        match verdicts.as_slice() {
            [Verdict::Allow] if asks => Foretold::Ask { rule: "plan".to_owned(), because: None },
            [Verdict::Allow] => Foretold::Allow { rule: outlook.always },
            _ => Foretold::Open { verdicts, rules },
        }
    }

    /// Changes the plan of a held run to what a person wrote, once it was checked.
    ///
    /// # Errors
    ///
    /// There is no such run, it is not held, the plan cannot be used, or the ledger cannot be written.
    pub async fn edit_plan(&self, run: &str, text: &str, by: &str) -> Result<(RunId, State), CribError> {
        let ledger = std::sync::Arc::new(self.ledger_in_turn().await?);
        let run = ledger.resolve(run)?;
        let (_, mut state) = RunLog::read(&ledger, run)?;
        if state.outcome() != Some(&Outcome::Held) {
            let how = state.outcome().map_or("not ended", Outcome::name);
            return Err(CribError::NotHeld { run: run.to_string(), how });
        }
        let tools = CribTools { crib: self.clone(), caller: Caller::default(), meters: None, last: None };
        let node = NodeId::ROOT;
        let patches = flow::plan(text, &state, node, &tools).map_err(CribError::Plan)?;
        let event = EventKind::PlanEdited { node, patches, by: by.to_owned() }.at(Millis(now()));
        state.apply(&event).map_err(|error| run_error(run, error))?;
        let log = RunLog::new(ledger, run);
        log.append(&event, Durability::Power).await.map_err(|error| run_error(run, error))?;
        Ok((run, state))
    }
}

/// What the arguments speak of and the plugin may not reach, as its own authority says. Addresses are looked at where the plugin
/// asks for the network, and arguments that are called a path or folder where it asks for files: what a tool makes of others is
/// not known before it runs.
fn missing(
    authority: &Authority,
    requests: &toolcrib_policy::Requests,
    arguments: &Value,
    effect: &Effect,
) -> Vec<Refusal> {
    let Value::Object(arguments) = arguments else { return Vec::new() };
    let method = arguments.get("method").and_then(Value::as_str).unwrap_or("GET");
    let access = if *effect == Effect::Read { Access::Read } else { Access::ReadWrite };
    let mut found: Vec<Refusal> = Vec::new();
    for (name, text) in texts(arguments) {
        let refusal = if text.starts_with("http://") || text.starts_with("https://") {
            let target = (!requests.http.is_empty()).then(|| HttpTarget::parse(method, text).ok()).flatten();
            target.and_then(|target| authority.http(&target).err())
        } else if text.starts_with('/') && is_place(name) && !requests.files.is_empty() {
            let path = GuestPath::parse(text).ok();
            let granted = |path: &GuestPath| {
                authority.files.iter().any(|grant| path.below(&grant.guest).is_some() && grant.access >= access)
            };
            path.filter(|path| !granted(path)).map(|path| authority.file_refusal(path.as_str(), access))
        } else {
            None
        };
        found.extend(refusal.filter(|refusal| !found.iter().any(|known| known.message == refusal.message)));
    }
    found
}

/// Whether an argument's name says that it is a place among files.
fn is_place(name: &str) -> bool {
    const WORDS: [&str; 8] = ["path", "file", "folder", "directory", "from", "to", "source", "target"];
    name.split(['_', '-']).any(|word| WORDS.contains(&word.trim_end_matches('s')))
}

/// Every text among the arguments, with the name of the argument that it is in.
fn texts(arguments: &Map<String, Value>) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    for (name, value) in arguments {
        let mut open = vec![value];
        while let Some(value) = open.pop() {
            match value {
                Value::String(text) => found.push((name.as_str(), text.as_str())),
                Value::Array(items) => open.extend(items),
                Value::Object(map) => open.extend(map.values()),
                _ => {}
            }
        }
    }
    found
}
