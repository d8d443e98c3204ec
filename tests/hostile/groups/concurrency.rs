//! Everything at once.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use toolcrib_policy::Authority;
use toolcrib_sandbox::{Plugin, Sandbox};
use toolcrib_tests::authority;

use crate::host::{alone, only_tool};

/// One kind of call in the mix.
struct Kind {
    plugin: Arc<Plugin>,
    grants: Arc<Authority>,
    /// The codes that it may end with; `ok` for a result.
    ends: &'static [&'static str],
}

/// A call that is cancelled after some milliseconds, and whose future is dropped after some.
async fn one(sandbox: Sandbox, kind: Arc<Kind>, cancel: Option<u64>, dropped: Option<u64>) {
    let call = only_tool(&kind.plugin, json!({}), &kind.grants);
    let token = call.cancel.clone();
    if let Some(after) = cancel {
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(after)).await;
            token.cancel();
        });
    }
    let report = sandbox.call(&kind.plugin, call);
    let report = match dropped {
        None => report.await,
        Some(after) => match tokio::time::timeout(Duration::from_millis(after), report).await {
            Ok(report) => report,
            Err(_) => return,
        },
    };
    let code = report.outcome.as_ref().map_or_else(|error| error.code.as_str(), |_| "ok");
    let cancelled = cancel.is_some() && code == "cancelled";
    assert!(cancelled || kind.ends.contains(&code), "{:?}: {:?}", kind.ends, report.outcome);
    assert!(report.receipt.wall_us > 0);
}

#[test]
pub(crate) fn concurrency_mixed() {
    alone(async |host| {
        let kind = async |case: &str, limits: &str, ends| {
            let grants = authority(&format!("limits = {{ {limits} }}"));
            Arc::new(Kind { plugin: host.load(case).await, grants, ends })
        };
        let kinds = [
            kind("cpu_loop", r#"wall = "800 ms""#, &["limit-wall"]).await,
            kind("cpu_loop", r#"fuel = "2 M""#, &["limit-fuel"]).await,
            kind("stack_recursion", "", &["limit-stack"]).await,
            kind("memory_grow", r#"memory = "2 MiB""#, &["ok"]).await,
            kind("memory_at_start", r#"memory = "64 MiB""#, &["limit-memory"]).await,
            kind("canary", "", &["ok"]).await,
            kind("cpu_sleep", r#"wall = "150 ms""#, &["limit-wall"]).await,
            kind("memory_random", "", &["limit-host-call-bytes"]).await,
            kind("output_result", "", &["limit-result"]).await,
            kind("environment_dump", "", &["ok"]).await,
        ];
        // Two guests that spin hold both workers; the neighbour has its turn all the same.
        let spin = || tokio::spawn(one(host.sandbox.clone(), kinds[0].clone(), None, None));
        let spinning = [spin(), spin(), spin(), spin()];
        tokio::time::sleep(Duration::from_millis(20)).await;
        let took = host.neighbour_takes().await;
        assert!(took < Duration::from_millis(400), "{took:?}");
        for spun in spinning {
            spun.await.expect("no task panics");
        }

        let mut calls = Vec::new();
        for n in 0..100u64 {
            let kind = kinds[(n % 10) as usize].clone();
            let cancel = (n % 7 == 3).then_some(n * 13 % 90);
            let dropped = (n % 5 == 4).then_some(n * 7 % 60);
            calls.push(tokio::spawn(one(host.sandbox.clone(), kind, cancel, dropped)));
            if n % 20 == 10 {
                let took = host.neighbour_takes().await;
                assert!(took < Duration::from_secs(2), "{took:?}");
            }
        }
        for call in calls {
            call.await.expect("no task panics");
        }
        // Each guest can be called again, whatever became of its last calls.
        for kind in kinds {
            one(host.sandbox.clone(), kind, None, None).await;
        }
    });
}
