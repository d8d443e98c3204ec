//! What is under way at one moment.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt};
use toolcrib_model::Usage;
use toolcrib_policy::{ApprovalAnswer, ApprovalId, ApprovalRequest};

use super::critic::REVIEW_TIME;
use super::{Clock, Person};
use crate::critic::{Judge, JudgeError, Review, ReviewContext};
use crate::planner::{PlanContext, Planned, Planner, PlannerError};
use crate::{Approver, Cancel, Inside, Millis, NodeId, Question, ToolCall, ToolReport, Tools};

/// Something that is over.
pub(super) struct Landed {
    pub(super) node: NodeId,
    pub(super) task: Task,
}

/// What it was.
pub(super) enum Task {
    Called(ToolReport),
    Planned(Result<Planned, PlannerError>),
    Answered(Option<String>),
    Approved(ApprovalId, ApprovalAnswer),
    Waited(Millis),
    Reviewed(u32, Result<Review, JudgeError>),
}

/// Everything under way. It runs in the driver's own task: dropping the driver drops it all.
#[derive(Default)]
pub(super) struct Flight {
    tasks: FuturesUnordered<BoxFuture<'static, Landed>>,
    asking: BTreeSet<NodeId>,
    approving: BTreeSet<ApprovalId>,
    waiting: BTreeSet<Millis>,
    reviewing: BTreeSet<NodeId>,
}

impl Flight {
    /// `inside` is how a program tells the driver of the calls that it makes.
    pub(super) fn call(&mut self, tools: Arc<dyn Tools>, call: ToolCall, cancel: Cancel, inside: Option<Inside>) {
        let node = call.node;
        let call = async move {
            let report = match inside {
                None => tools.call(call, cancel).await,
                Some(inside) => tools.run(call, cancel, inside).await,
            };
            Landed { node, task: Task::Called(report) }
        };
        self.tasks.push(call.boxed());
    }

    pub(super) fn plan(&mut self, planner: Arc<dyn Planner>, context: PlanContext) {
        let node = context.node;
        self.tasks.push(async move { Landed { node, task: Task::Planned(planner.plan(&context).await) } }.boxed());
    }

    /// Asks once, however often the state says so.
    pub(super) fn ask(&mut self, node: NodeId, person: Arc<dyn Person>, question: Question) {
        if self.asking.insert(node) {
            self.tasks.push(async move { Landed { node, task: Task::Answered(person.ask(&question).await) } }.boxed());
        }
    }

    /// Gets a person's word once, however often the state says so.
    pub(super) fn approve(&mut self, node: NodeId, approver: Arc<dyn Approver>, request: ApprovalRequest) {
        if self.approving.insert(request.id.clone()) {
            let ask = async move {
                let answer = approver.answer(&request).await;
                Landed { node, task: Task::Approved(request.id, answer) }
            };
            self.tasks.push(ask.boxed());
        }
    }

    /// Has a result reviewed once, however often the state says so, in a bounded time.
    pub(super) fn review(
        &mut self,
        node: NodeId,
        attempt: u32,
        judge: Arc<dyn Judge>,
        context: ReviewContext,
        clock: Arc<dyn Clock>,
    ) {
        if self.reviewing.insert(node) {
            let until = clock.now().plus(REVIEW_TIME);
            let review = async move {
                let said = tokio::select! {
                    said = judge.review(&context) => said,
                    () = clock.sleep_until(until) => {
                        let why = format!("no answer in {} s", REVIEW_TIME.as_secs());
                        Err(JudgeError { why, usage: Usage::default() })
                    }
                };
                Landed { node, task: Task::Reviewed(attempt, said) }
            };
            self.tasks.push(review.boxed());
        }
    }

    /// Waits once for each point in time.
    pub(super) fn wait(&mut self, until: Millis, clock: Arc<dyn Clock>) {
        if self.waiting.insert(until) {
            let wait = async move {
                clock.sleep_until(until).await;
                Landed { node: NodeId::ROOT, task: Task::Waited(until) }
            };
            self.tasks.push(wait.boxed());
        }
    }

    /// The next that is over; none while nothing is under way.
    pub(super) async fn next(&mut self) -> Option<Landed> {
        let landed = self.tasks.next().await?;
        match &landed.task {
            Task::Answered(_) => drop(self.asking.remove(&landed.node)),
            Task::Approved(id, _) => drop(self.approving.remove(id)),
            Task::Waited(until) => drop(self.waiting.remove(until)),
            Task::Reviewed(..) => drop(self.reviewing.remove(&landed.node)),
            Task::Called(_) | Task::Planned(_) => {}
        }
        Some(landed)
    }
}
