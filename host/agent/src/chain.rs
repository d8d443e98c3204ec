//! Models that stand in for each other.
//!
//! ```text
//! request ─► first model ─► answer
//!                │ unavailable, over its quota, refuses, too long a conversation, … after its own retries
//!                ▼
//!            next model, with the request as it fits into it ─► answer
//! ```

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use toolcrib_model::{Delta, Meter, Model, ModelError, Request, Response, Usage};

/// One model of a chain.
pub struct Link {
    model: Arc<dyn Model>,
    context: Option<u64>,
    /// It failed for good and is not asked again: a key that was refused is refused a second time.
    lost: AtomicBool,
}

impl Link {
    /// How many tokens it can read, where that is known to be less than usual.
    pub fn context(&self) -> Option<u64> {
        self.context
    }

    /// Its name.
    pub fn name(&self) -> &str {
        self.model.name()
    }
}

/// Models of which the next answers where one does not.
pub struct Chain {
    first: Link,
    others: Vec<Link>,
}

/// An answer, and who gave it.
#[derive(Debug)]
pub struct Answered {
    /// The answer.
    pub response: Response,
    /// The name of the model.
    pub model: String,
    /// What was spent in all, on models that did not answer too.
    pub usage: Usage,
}

/// No model answered.
#[derive(Debug)]
pub struct NoAnswer {
    /// What each said, by its name. The last one stands for all where only one was asked.
    pub errors: Vec<(String, ModelError)>,
    /// What was spent all the same.
    pub usage: Usage,
}

impl fmt::Display for NoAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.errors.as_slice() {
            [] => f.write_str("every model failed for good earlier in this run; `toolcrib resume` asks them again"),
            [(_, error)] => error.fmt(f),
            errors => {
                f.write_str("no model answered")?;
                errors.iter().try_for_each(|(model, error)| write!(f, "; {model}: {error}"))
            }
        }
    }
}

impl Chain {
    /// One model; `context` is how many tokens it can read, where that is known to be less than usual.
    pub fn new(model: Arc<dyn Model>, context: Option<u64>) -> Self {
        Self { first: Link { model, context, lost: AtomicBool::new(false) }, others: Vec::new() }
    }

    /// The same with another model behind those that there are.
    #[must_use]
    pub fn or(mut self, model: Arc<dyn Model>, context: Option<u64>) -> Self {
        self.others.push(Link { model, context, lost: AtomicBool::new(false) });
        self
    }

    /// The name of the first model.
    pub fn name(&self) -> &str {
        self.first.name()
    }

    /// Asks one model after the other until one answers. `request` makes the request as it fits into a model.
    ///
    /// # Errors
    ///
    /// None answered, or one failed in a way that another could only hide.
    pub async fn ask(
        &self,
        meter: &dyn Meter,
        request: impl Fn(&Link) -> Request + Send + Sync,
    ) -> Result<Answered, NoAnswer> {
        let (mut errors, mut usage) = (Vec::new(), Usage::default());
        for link in std::iter::once(&self.first).chain(&self.others) {
            if link.lost.load(Ordering::Relaxed) {
                continue;
            }
            let request = request(link);
            let mut told = Usage::default();
            let mut spent = Usage::default();
            let result = link
                .model
                .complete_metered(&request, meter, &mut |delta| match delta {
                    Delta::Usage { usage } => told = usage,
                    Delta::Retry { .. } => spent += std::mem::take(&mut told),
                    Delta::Text { .. } | Delta::ToolCall { .. } => {}
                })
                .await;
            match result {
                Ok(response) => {
                    usage += response.usage;
                    return Ok(Answered { response, model: link.name().to_owned(), usage });
                }
                Err(error) => {
                    usage += spent;
                    usage += told;
                    link.lost.store(error.is_for_good(), Ordering::Relaxed);
                    tracing::debug!(model = link.name(), code = error.code(), "no answer");
                    let stops = !error.another_may_answer();
                    errors.push((link.name().to_owned(), error));
                    if stops {
                        break;
                    }
                }
            }
        }
        Err(NoAnswer { errors, usage })
    }
}
