//! A first call: a component goes through the compile worker, is linked, called, and leaves a receipt.

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::json;
use toolcrib_policy::Authority;
use toolcrib_sandbox::{Call, Sandbox, SandboxConfig, WorkerCommand};

fn sandbox() -> Sandbox {
    let worker = WorkerCommand { program: PathBuf::from(env!("CARGO_BIN_EXE_compile-worker")), arguments: vec![] };
    Sandbox::new(SandboxConfig::new(worker))
}

#[tokio::test]
async fn probe() {
    let bytes = std::fs::read(std::env::var("PROBE").expect("PROBE")).expect("component");
    let sandbox = sandbox();
    let plugin = sandbox.load(&bytes).await.expect("loads");
    println!("{}", serde_json::to_string_pretty(plugin.info()).expect("json"));
    let tool = std::env::var("TOOL").expect("TOOL");
    let args = serde_json::from_str(&std::env::var("ARGS").unwrap_or("{}".into())).expect("args");
    let report = sandbox.call(&plugin, Call::new(tool, args, Arc::new(Authority::nothing()))).await;
    println!("{:#?}", report.outcome);
    println!("{}", serde_json::to_string_pretty(&report.receipt).expect("json"));
    let _ = json!({});
}
