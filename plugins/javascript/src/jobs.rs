//! What is to be run after the program: reactions of promises, and timers in the order of their time.
//!
//! Nobody waits for a timer: when nothing else is left to do, the clock goes forward to the next.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::pin::pin;
use std::rc::Rc;
use std::task::{Poll, Waker};

use boa_engine::context::time::{Clock, JsDuration, JsInstant, StdClock};
use boa_engine::job::{GenericJob, Job, JobExecutor, NativeAsyncJob, PromiseJob, TimeoutJob};
use boa_engine::object::builtins::JsFunction;
use boa_engine::{Context, JsNativeError, JsResult, JsValue};

/// The most timers that fire. An interval that nobody stops would fire until the fuel is gone.
const FIRED_MAX: u32 = 100_000;

/// The queue, and the clock that goes with it.
#[derive(Default)]
pub(crate) struct Loop {
    promises: RefCell<VecDeque<PromiseJob>>,
    others: RefCell<VecDeque<GenericJob>>,
    outside: RefCell<VecDeque<NativeAsyncJob>>,
    /// By the time when they are due, then in the order in which they were set.
    timers: RefCell<BTreeMap<(u64, u32), Timer>>,
    last_timer: Cell<u32>,
    clock: StdClock,
    /// How far the clock went forward, in milliseconds.
    ahead: Cell<u64>,
}

/// Something that happens later.
pub(crate) enum Timer {
    /// What a program set.
    Callback { function: JsFunction, arguments: Vec<JsValue>, every: Option<u64> },
    /// What the engine set.
    Job(TimeoutJob),
}

impl Loop {
    /// Sets a timer, in milliseconds from now. The number is for [`Loop::stop`].
    pub(crate) fn set(&self, timer: Timer, after: u64) -> u32 {
        let number = self.last_timer.get().wrapping_add(1);
        self.last_timer.set(number);
        self.timers.borrow_mut().insert((self.ahead.get().saturating_add(after), number), timer);
        number
    }

    /// Stops a timer.
    pub(crate) fn stop(&self, number: u32) {
        self.timers.borrow_mut().retain(|(_, known), _| *known != number);
    }

    /// Runs everything that need not wait.
    fn run_ready(&self, context: &mut Context) -> JsResult<()> {
        loop {
            // Taken out first: what runs may add to the queues.
            let promise = self.promises.borrow_mut().pop_front();
            if let Some(job) = promise {
                job.call(context)?;
                continue;
            }
            let other = self.others.borrow_mut().pop_front();
            if let Some(job) = other {
                job.call(context)?;
                continue;
            }
            let outside = self.outside.borrow_mut().pop_front();
            let Some(job) = outside else {
                return Ok(());
            };
            finish(job, context)?;
        }
    }

    fn fire(&self, due: u64, number: u32, timer: Timer, context: &mut Context) -> JsResult<()> {
        self.ahead.set(due.max(self.ahead.get()));
        match timer {
            Timer::Callback { function, arguments, every } => {
                if let Some(every) = every {
                    let again = Timer::Callback {
                        function: function.clone(),
                        arguments: arguments.clone(),
                        every: Some(every),
                    };
                    self.timers.borrow_mut().insert((due.saturating_add(every), number), again);
                }
                function.call(&JsValue::undefined(), &arguments, context)?;
            }
            Timer::Job(job) if !job.cancelled() => {
                job.call(context)?;
            }
            Timer::Job(_) => {}
        }
        Ok(())
    }
}

impl JobExecutor for Loop {
    fn enqueue_job(self: Rc<Self>, job: Job, _: &mut Context) {
        match job {
            Job::PromiseJob(job) => self.promises.borrow_mut().push_back(job),
            Job::GenericJob(job) => self.others.borrow_mut().push_back(job),
            Job::AsyncJob(job) => self.outside.borrow_mut().push_back(job),
            Job::TimeoutJob(job) => {
                let after = job.timeout().as_millis();
                self.set(Timer::Job(job), after);
            }
            // Nothing is collected so long that its finalizer would count.
            _ => {}
        }
    }

    fn run_jobs(self: Rc<Self>, context: &mut Context) -> JsResult<()> {
        for _ in 0..FIRED_MAX {
            self.run_ready(context)?;
            context.clear_kept_objects();
            let next = self.timers.borrow_mut().pop_first();
            match next {
                Some(((due, number), timer)) => self.fire(due, number, timer, context)?,
                None => return Ok(()),
            }
        }
        let message = format!("timers fired {FIRED_MAX} times: stop the interval with `clearInterval`");
        Err(JsNativeError::range().with_message(message).into())
    }
}

impl Clock for Loop {
    fn now(&self) -> JsInstant {
        self.clock.now() + JsDuration::from_millis(self.ahead.get())
    }

    fn system_time_millis(&self) -> i64 {
        self.clock.system_time_millis().saturating_add_unsigned(self.ahead.get())
    }
}

/// Runs a job of the engine that could wait for the world outside. There is none, so what waits has failed.
fn finish(job: NativeAsyncJob, context: &mut Context) -> JsResult<()> {
    let context = RefCell::new(context);
    let future = pin!(job.call(&context));
    match future.poll(&mut std::task::Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result.map(drop),
        Poll::Pending => {
            Err(JsNativeError::error().with_message("nothing outside of the program can be waited for").into())
        }
    }
}
