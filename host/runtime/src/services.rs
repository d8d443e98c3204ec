//! What a call may ask of the crib around it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use toolcrib_agent::{Begun, INNER_DEPTH_MAX, InnerPath, StepOutcome};
use toolcrib_model::{Message, Meter, Request};
use toolcrib_policy::{Authority, IdempotencyKey, Label, Labels, ToolName};
use toolcrib_sandbox::{CallError, CallReport, CancellationToken, Completed, Completion, Services, Steady, StopWatch};

use crate::call::{Asked, Caller};
use crate::crib::Crib;
use crate::program::known;
use crate::tools::{failure, output};

/// How long the end of a call waits for a call inside of it that was told to end: longer than a write that has begun may
/// take.
const END_TIME: Duration = Duration::from_secs(8);

/// The crib, as one call sees it.
pub(crate) struct CallServices {
    pub(crate) crib: Crib,
    pub(crate) authority: Arc<Authority>,
    pub(crate) caller: Caller,
    /// The call's place among the calls of the step's program.
    pub(crate) path: InnerPath,
    /// Fuel that is left for the calls inside: together they get as much as the call itself.
    pub(crate) fuel: AtomicU64,
    pub(crate) watch: StopWatch,
    pub(crate) steady: Option<Arc<Steady>>,
    pub(crate) children: Children,
    /// What tells the call from every other.
    pub(crate) key: Option<IdempotencyKey>,
}

/// The calls inside one call: tasks of their own, which end with it. Clones are the same calls.
#[derive(Clone)]
pub(crate) struct Children(Arc<Inner>);

struct Inner {
    cancel: CancellationToken,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

impl Children {
    /// None yet. They are cancelled with `parent`.
    pub(crate) fn new(parent: &CancellationToken) -> Self {
        Self(Arc::new(Inner { cancel: parent.child_token(), tasks: Mutex::default() }))
    }

    /// Starts a call on a task of its own: it needs nothing of the stack of the one that makes it.
    fn start(&self, call: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = self.0.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.retain(|task| !task.is_finished());
        tasks.push(tokio::spawn(call));
    }

    /// Tells those that go on to end, and waits until they have.
    pub(crate) async fn end(&self) {
        let tasks = std::mem::take(&mut *self.0.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        if tasks.iter().all(JoinHandle::is_finished) {
            return;
        }
        self.0.cancel.cancel();
        for mut task in tasks {
            if tokio::time::timeout(END_TIME, &mut task).await.is_err() {
                task.abort();
            }
        }
    }
}

impl Drop for Inner {
    /// A call whose future was dropped ends those inside of it all the same.
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

#[async_trait]
impl Services for CallServices {
    fn progress(&self, done: u64, total: Option<u64>, message: &str) {
        if let Some(progress) = &self.caller.progress {
            progress(done, total, message);
        }
    }

    /// An inner call has no more authority than the caller, and ends with it.
    async fn call_tool(&self, tool: &ToolName, arguments: Value) -> CallReport {
        let begun = match &self.caller.inside {
            Some(inside) => {
                // The book and the person take their own time, not the program's.
                let _still = self.watch.pause();
                inside.begin(&self.path, tool, &arguments).await
            }
            None => self.outside_a_run(tool, &arguments),
        };
        let (report, finished) = match begun {
            Begun::Over { outcome, receipt, finished } => (known(outcome, receipt), Some(finished)),
            Begun::Make { path, labels, under, approval, program } => {
                let (reply, answer) = oneshot::channel();
                let (crib, caller, name) = (self.crib.clone(), self.caller.clone(), tool.to_string());
                let (authority, cancel) = (Arc::clone(&self.authority), self.children.0.cancel.clone());
                let (above, fuel) = (Some(self.watch.clone()), Some(self.fuel.load(Ordering::Relaxed)));
                // The same place has the same key, also when the program is run again.
                let key = self.key.as_ref().map(|key| key.of_inner(u64::from(path.number())));
                self.children.start(async move {
                    let (seen, given) = (arguments.clone(), labels.clone());
                    let asked = Asked {
                        under,
                        approval: approval.as_ref(),
                        delegated: Some(&authority),
                        path: path.clone(),
                        program,
                        above,
                        fuel,
                        key,
                        ..Asked::of(&name, arguments, labels)
                    };
                    let (inside, run) = (caller.inside.clone(), Arc::clone(&caller.run));
                    let report = crib.call_inside(asked, caller, cancel).await;
                    let report = report
                        .unwrap_or_else(|error| CallReport::not_made(CallError::new(error.code(), error.to_string())));
                    let Some(inside) = inside else { return drop(reply.send((report, None))) };
                    let label = crib.inner_marks(&name, seen, given, under, &run, &report);
                    let (outcome, receipt) = told(&report);
                    // What the program gets is what it would get from the ledger: it must not tell one from the other.
                    let report = known(outcome.clone(), receipt.clone());
                    let finished = inside.end(&path, outcome, receipt, label).await;
                    let _ = reply.send((report, finished));
                });
                match answer.await {
                    Ok(over) => over,
                    Err(_) => (CallReport::not_made(CallError::new("cancelled", "the call was cancelled")), None),
                }
            }
        };
        if let (Some(steady), Some(finished)) = (&self.steady, finished) {
            steady.advance_to(finished.0);
        }
        let spent = report.receipt.fuel;
        let _ = self.fuel.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| Some(left.saturating_sub(spent)));
        report
    }

    async fn ask(&self, question: &str, choices: &[String]) -> Option<String> {
        let person = self.caller.person.as_ref()?;
        let question =
            toolcrib_agent::Question { choices: choices.to_vec(), ..toolcrib_agent::Question::open(question) };
        let _still = self.watch.pause();
        person.ask(&question).await
    }

    async fn complete(&self, request: Completion) -> Result<Completed, String> {
        let models = self.caller.models.as_ref().ok_or("no model is configured")?;
        let meter: &dyn Meter = self.caller.meter.as_deref().unwrap_or(&());
        let request = Request {
            system: request.system,
            messages: vec![Message::user(request.prompt)],
            max_tokens: Some(request.max_tokens),
            ..Request::default()
        };
        let answered = models.ask(meter, |_| request.clone()).await.map_err(|none| none.to_string())?;
        let response = answered.response;
        Ok(Completed {
            text: response.text.unwrap_or_default(),
            input_tokens: response.usage.input,
            output_tokens: response.usage.output,
        })
    }
}

impl CallServices {
    /// A call that no run makes: nothing of it is in a ledger.
    fn outside_a_run(&self, tool: &ToolName, arguments: &Value) -> Begun {
        let path = self.path.child(1);
        let deep = (path.depth() > INNER_DEPTH_MAX).then(|| format!("calls nest at most {INNER_DEPTH_MAX} deep"));
        let not_its = || format!("`{tool}` was not called: it is none of the tools of the agent");
        if let Some(why) = deep.or_else(|| (!self.caller.may_call(tool)).then(not_its)) {
            let failure = failure(CallError::new("denied", why));
            let finished = toolcrib_agent::Millis::default();
            return Begun::Over { outcome: StepOutcome::Failed { failure }, receipt: Value::Null, finished };
        }
        // Whatever the program has received may be in what it passes on.
        let names = arguments.as_object().into_iter().flatten().map(|(name, _)| name.clone());
        let labels: Labels = names.map(|name| (name, Label::UNKNOWN)).collect();
        Begun::Make { path, labels, under: Label::UNKNOWN, approval: None, program: None }
    }
}

/// What came of a call, for the book.
fn told(report: &CallReport) -> (StepOutcome, Value) {
    let receipt = serde_json::to_value(&report.receipt).unwrap_or_default();
    let outcome = match report.outcome.clone() {
        Ok(result) => StepOutcome::Done { output: output(result) },
        Err(error) => StepOutcome::Failed { failure: failure(error) },
    };
    (outcome, receipt)
}
