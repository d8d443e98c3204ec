//! The host that every case attacks: one process, one sandbox, and a neighbour who must not notice.

use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::runtime::Runtime;
use toolcrib_policy::Authority;
use toolcrib_sandbox::{Call, CallError, CallReport, LoadError, Plugin, Sandbox};
use toolcrib_tests::{Held, Recorder, guest};

/// What a case may leave behind: what caches, pools and allocators keep.
const KEPT_MEMORY: u64 = 96 << 20;
/// How long threads and descriptors have to go away.
const SETTLED: Duration = Duration::from_secs(5);

/// One case at a time, so that what the process holds is what the case left.
static ALONE: Mutex<()> = Mutex::new(());
static HOST: LazyLock<(Runtime, Host)> = LazyLock::new(start);

/// What a case attacks.
pub(crate) struct Host {
    pub(crate) sandbox: Sandbox,
    /// Remembers every name that was looked up and every address that a connection was wanted to.
    pub(crate) network: Arc<Recorder>,
    /// A tool that does no harm.
    neighbour: Arc<Plugin>,
}

fn start() -> (Runtime, Host) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        // Threads for work that blocks go soon, so that one that stays shows.
        .thread_keep_alive(Duration::from_millis(20))
        .enable_all()
        .build()
        .expect("a runtime");
    let (sandbox, network) = toolcrib_tests::sandbox();
    let neighbour = runtime.block_on(load_bytes(&sandbox, &neighbour()));
    (runtime, Host { sandbox, network, neighbour })
}

/// Adds two numbers.
fn neighbour() -> Vec<u8> {
    let text = r#"(component
        (core module $m (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))
        (core instance $i (instantiate $m))
        (func (export "add") (param "a" u32) (param "b" u32) (result u32) (canon lift (core func $i "add"))))"#;
    wat::parse_str(text).expect("a component")
}

async fn load_bytes(sandbox: &Sandbox, bytes: &[u8]) -> Arc<Plugin> {
    sandbox.load(bytes).await.unwrap_or_else(|error| panic!("{error}"))
}

/// Runs a case alone in the process, and looks at what it left: the neighbour works, and no thread, no descriptor and
/// no memory is held beyond what was held before.
pub(crate) fn alone(case: impl AsyncFnOnce(&Host)) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let (runtime, host) = &*HOST;
    runtime.block_on(async {
        host.neighbour_works().await;
        let before = settled(|_| true).await;
        case(host).await;
        host.neighbour_works().await;
        let after = settled(|now| now.threads <= before.threads && now.descriptors <= before.descriptors).await;
        assert!(after.threads <= before.threads, "threads stay: {before:?} {after:?}");
        assert!(after.descriptors <= before.descriptors, "descriptors stay open: {before:?} {after:?}");
        assert!(after.memory <= before.memory + KEPT_MEMORY, "memory stays: {before:?} {after:?}");
    });
}

/// What the process holds once `enough` of it is gone, or time is up.
async fn settled(enough: impl Fn(Held) -> bool) -> Held {
    let until = Instant::now() + SETTLED;
    // The threads that the call before used end first.
    tokio::time::sleep(Duration::from_millis(40)).await;
    loop {
        let now = Held::now();
        if enough(now) || Instant::now() > until {
            return now;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

impl Host {
    /// Loads a case's guest.
    pub(crate) async fn load(&self, case: &str) -> Arc<Plugin> {
        load_bytes(&self.sandbox, &guest(case)).await
    }

    /// Loads a component that is written as text.
    pub(crate) async fn load_text(&self, text: &str) -> Result<Arc<Plugin>, LoadError> {
        let bytes = wat::parse_str(text).expect("the text is a component");
        self.sandbox.load(&bytes).await
    }

    /// Calls a guest's only tool.
    pub(crate) async fn call(&self, plugin: &Plugin, arguments: Value, authority: &Arc<Authority>) -> CallReport {
        self.sandbox.call(plugin, only_tool(plugin, arguments, authority)).await
    }

    /// Runs a guest that is a command, and gives what it printed.
    pub(crate) async fn run(&self, plugin: &Plugin, args: &[&str], authority: &Arc<Authority>) -> CallReport {
        self.call(plugin, json!({ "args": args }), authority).await
    }

    /// Other tools go on as if nothing had been.
    pub(crate) async fn neighbour_works(&self) {
        let authority = Arc::new(Authority::nothing());
        let report = self.call(&self.neighbour, json!({ "a": 2, "b": 3 }), &authority).await;
        assert_eq!(report.outcome.expect("the neighbour works").structured, Some(json!(5)));
    }

    /// A call of the neighbour, to be made beside others.
    pub(crate) async fn neighbour_takes(&self) -> Duration {
        let begun = Instant::now();
        self.neighbour_works().await;
        begun.elapsed()
    }
}

/// A call of a guest's only tool.
pub(crate) fn only_tool(plugin: &Plugin, arguments: Value, authority: &Arc<Authority>) -> Call {
    let tool = plugin.info().tools.first().expect("a guest has a tool").name.clone();
    Call::new(tool, arguments, authority.clone())
}

/// The error that a call ended with: this code, this one sentence, and a receipt all the same.
pub(crate) fn stopped(report: &CallReport, code: &str, sentence: &str) -> CallError {
    let error = report.outcome.as_ref().expect_err("the call was stopped").clone();
    assert_eq!((error.code.as_str(), error.message.as_str()), (code, sentence), "{error:?}");
    assert!(!error.message.contains('\n') && !error.message.ends_with('.'), "{error:?}");
    assert!(report.receipt.wall_us > 0, "{:?}", report.receipt);
    error
}

/// The code and the sentence that a component was refused with.
pub(crate) fn refused(loaded: Result<Arc<Plugin>, LoadError>) -> (String, String) {
    let error = loaded.expect_err("the component is refused");
    let sentence = error.to_string();
    assert!(sentence.len() < 1000 && !sentence.contains('\n'), "one clear line: {sentence:?}");
    (error.code().to_owned(), sentence)
}

/// What a command printed.
pub(crate) fn printed(report: &CallReport) -> String {
    let output = report.outcome.as_ref().unwrap_or_else(|error| panic!("{error:?}"));
    let text = output.structured.as_ref().and_then(|value| value["stdout"].as_str());
    text.expect("a command prints").to_owned()
}

/// The refusals that a receipt lists, as `code access target`.
pub(crate) fn refusals(report: &CallReport) -> Vec<String> {
    let refused = report.receipt.uses.listed.iter().filter(|used| !used.allowed);
    let line = |used: &toolcrib_sandbox::CapabilityUse| {
        let code = used.refusal.as_deref().unwrap_or("no code");
        format!("{code} {} {}", used.access, used.target)
    };
    refused.map(line).collect()
}
