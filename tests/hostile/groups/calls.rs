//! Tools that call tools.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};
use tokio::sync::Barrier;
use toolcrib_policy::{Authority, ToolName};
use toolcrib_sandbox::{Call, CallReport, Completed, Completion, Plugin, Sandbox, Services};
use toolcrib_tests::authority;

use crate::host::alone;

/// Places for calls that are not inside another: what the pools of small guests have.
const PLACES: usize = 256;

/// Calls the same guest again, one deeper, on a task of its own.
struct Nest {
    sandbox: Sandbox,
    guest: Arc<Plugin>,
    authority: Arc<Authority>,
    /// All callers wait here until each has its place.
    all: Arc<Barrier>,
    made: Arc<AtomicUsize>,
    depth: usize,
}

#[async_trait]
impl Services for Nest {
    fn progress(&self, _done: u64, _total: Option<u64>, _message: &str) {}

    async fn call_tool(&self, _tool: &ToolName, _arguments: Value) -> CallReport {
        if self.depth == 0 {
            self.all.wait().await;
        }
        self.made.fetch_add(1, Ordering::SeqCst);
        // The innermost calls nothing.
        let times = if self.depth < 3 { 1 } else { 0 };
        let inside = Nest { all: self.all.clone(), made: self.made.clone(), depth: self.depth + 1, ..self.again() };
        let call = relay(self.authority.clone(), times, Arc::new(inside), self.depth + 1);
        let (sandbox, guest) = (self.sandbox.clone(), self.guest.clone());
        tokio::spawn(async move { sandbox.call(&guest, call).await }).await.expect("no task panics")
    }

    async fn ask(&self, _question: &str, _choices: &[String]) -> Option<String> {
        None
    }

    async fn complete(&self, _request: Completion) -> Result<Completed, String> {
        Err("no model".to_owned())
    }
}

impl Nest {
    fn again(&self) -> Self {
        Nest {
            sandbox: self.sandbox.clone(),
            guest: self.guest.clone(),
            authority: self.authority.clone(),
            all: self.all.clone(),
            made: self.made.clone(),
            depth: self.depth,
        }
    }
}

fn relay(authority: Arc<Authority>, times: u32, services: Arc<dyn Services>, depth: usize) -> Call {
    let arguments = json!({ "tool": "guest.relay", "arguments": "{}", "times": times });
    Call { services, depth, ..Call::new("relay", arguments, authority) }
}

#[test]
pub(crate) fn calls_nested() {
    alone(async |host| {
        let guest = host.load("calls_nested").await;
        let authority = authority("tools = [\"guest.relay\"]");
        let (all, made) = (Arc::new(Barrier::new(PLACES)), Arc::new(AtomicUsize::new(0)));
        let nest =
            Nest { sandbox: host.sandbox.clone(), guest: guest.clone(), authority, all, made: made.clone(), depth: 0 };
        let mut callers = Vec::new();
        for _ in 0..PLACES {
            let (sandbox, guest) = (host.sandbox.clone(), guest.clone());
            let call = relay(nest.authority.clone(), 1, Arc::new(nest.again()), 0);
            callers.push(tokio::spawn(async move { sandbox.call(&guest, call).await }));
        }
        let ended = async {
            for caller in callers {
                let report = caller.await.expect("no task panics");
                // 0: what was called gave a result.
                assert_eq!(report.outcome.expect("it ends").structured, Some(json!(false)));
            }
        };
        tokio::time::timeout(Duration::from_secs(50), ended).await.expect("nobody waits for ever");
        // Each caller, and three inside of each that call on.
        assert_eq!(made.load(Ordering::SeqCst), PLACES * 4);
    });
}

#[test]
pub(crate) fn calls_storm() {
    alone(async |host| {
        let guest = host.load("calls_nested").await;
        let authority = authority("tools = [\"guest.relay\"]\nlimits = { tool-calls = 7 }");
        let (all, made) = (Arc::new(Barrier::new(1)), Arc::new(AtomicUsize::new(0)));
        let sandbox = host.sandbox.clone();
        // What it calls calls nothing.
        let nest =
            Nest { sandbox, guest: guest.clone(), authority: authority.clone(), all, made: made.clone(), depth: 3 };
        let report = host.sandbox.call(&guest, relay(authority, u32::MAX, Arc::new(nest), 3)).await;
        assert_eq!(report.outcome.expect_err("it ends").code, "limit-tool-calls");
        assert_eq!(made.load(Ordering::SeqCst), 7);
        assert_eq!(report.receipt.inner.listed.len(), 7);
    });
}
