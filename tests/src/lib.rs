//! What tests and benches share: a sandbox, a network that records, and the guests.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use serde_json::Value;
use toolcrib_policy::{Authority, OperatorFile, PluginName, Requests};
use toolcrib_sandbox::{Call, CallReport, Connection, Network, Plugin, Sandbox, SandboxConfig, WorkerCommand};

include!(concat!(env!("OUT_DIR"), "/cases.rs"));

/// A component that is written as text.
fn text(wat: &str) -> Vec<u8> {
    wat::parse_str(wat).expect("the guest's text is a component")
}

/// The worker, which cargo builds beside the tests: two folders above this test's own program.
pub fn worker() -> WorkerCommand {
    let program = std::env::current_exe().expect("a program has a path");
    let folder = program.ancestors().nth(2).expect("a program lies in a folder");
    WorkerCommand { program: folder.join("tests-compile-worker"), arguments: Vec::new() }
}

/// A sandbox whose network refuses every connection and remembers it.
pub fn sandbox() -> (Sandbox, Arc<Recorder>) {
    let recorder = Arc::new(Recorder::default());
    let mut config = SandboxConfig::new(worker());
    config.network = recorder.clone();
    (Sandbox::new(config), recorder)
}

/// What `plugin` may do by these lines of an operator's file under `[plugin.guest]`.
pub fn authority(grants: &str) -> Arc<Authority> {
    authority_in(grants, &std::env::temp_dir())
}

/// The same, with folders relative to `base`.
pub fn authority_in(grants: &str, base: &std::path::Path) -> Arc<Authority> {
    let text = format!("[plugin.guest]\n{grants}\n");
    let file = OperatorFile::parse(&text, "test", base).expect("the grants are well formed");
    let name = PluginName::try_from("guest").expect("a name");
    Arc::new(file.authority(&name, &Requests::everything(), None))
}

/// Loads a case's guest.
pub async fn load(sandbox: &Sandbox, case: &str) -> Arc<Plugin> {
    sandbox.load(&guest(case)).await.unwrap_or_else(|error| panic!("{case}: {error}"))
}

/// Calls the guest's `run` or its only tool.
pub async fn call(sandbox: &Sandbox, plugin: &Plugin, arguments: Value, authority: &Arc<Authority>) -> CallReport {
    let tool = plugin.info().tools.first().expect("a guest has a tool").name.clone();
    sandbox.call(plugin, Call::new(tool, arguments, authority.clone())).await
}

/// Resolves nothing and connects to nothing, and remembers what was tried.
#[derive(Debug, Default)]
pub struct Recorder {
    names: Mutex<Vec<String>>,
    addresses: Mutex<Vec<SocketAddr>>,
    answers: Mutex<Vec<Vec<SocketAddr>>>,
}

impl Recorder {
    /// What the next look-ups answer, in order; after them nothing is found.
    pub fn answer(&self, addresses: &[&str]) {
        let parsed = addresses.iter().map(|a| a.parse().expect("an address")).collect();
        self.answers.lock().unwrap_or_else(PoisonError::into_inner).push(parsed);
    }

    /// Forgets what was tried.
    pub fn clear(&self) {
        self.names.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.addresses.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.answers.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Names that were looked up.
    pub fn names(&self) -> Vec<String> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Addresses that a connection was wanted to.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.addresses.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl Network for Recorder {
    async fn resolve(&self, host: &str, _port: u16) -> io::Result<Vec<SocketAddr>> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner).push(host.to_owned());
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(if answers.is_empty() { Vec::new() } else { answers.remove(0) })
    }

    async fn connect(&self, address: SocketAddr) -> io::Result<Box<dyn Connection>> {
        self.addresses.lock().unwrap_or_else(PoisonError::into_inner).push(address);
        Err(io::ErrorKind::ConnectionRefused.into())
    }
}

/// What the process holds: resident memory in bytes, open descriptors, threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// Resident memory.
    pub memory: u64,
    /// Open descriptors.
    pub descriptors: usize,
    /// Threads.
    pub threads: usize,
}

impl Held {
    /// Reads it from `/proc/self`.
    pub fn now() -> Self {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let field = |name: &str| {
            let line = status.lines().find(|line| line.starts_with(name))?;
            line.split_whitespace().nth(1)?.parse::<u64>().ok()
        };
        Held {
            memory: field("VmRSS:").unwrap_or(0) * 1024,
            descriptors: std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count),
            threads: usize::try_from(field("Threads:").unwrap_or(0)).unwrap_or(0),
        }
    }
}

/// The most memory that the process has had resident since this was made.
#[derive(Debug)]
pub struct Peak(());

impl Held {
    /// Begins to watch for a new peak of resident memory.
    pub fn reset_peak() -> Peak {
        // The kernel's word for "reset the high-water mark".
        std::fs::write("/proc/self/clear_refs", "5").expect("a process may reset its own peak");
        Peak(())
    }
}

impl Peak {
    /// The peak in bytes.
    pub fn bytes(&self) -> u64 {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("Linux says so");
        let kib = line.split_whitespace().next().and_then(|kib| kib.parse::<u64>().ok()).expect("a number of KiB");
        kib * 1024
    }
}
