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

/// Polls a future so many times, then drops it.
struct Polls<F> {
    inner: F,
    left: u32,
}

impl<F: Future + Unpin> Future for Polls<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: std::pin::Pin<&mut Self>, cx: &mut std::task::Context<'_>) -> std::task::Poll<Self::Output> {
        if self.left == 0 {
            return std::task::Poll::Ready(None);
        }
        self.left -= 1;
        std::pin::Pin::new(&mut self.inner).poll(cx).map(Some)
    }
}

#[test]
pub(crate) fn concurrency_dropped() {
    alone(async |host| {
        let folder = tempfile::tempdir().expect("a folder");
        let files = toolcrib_tests::authority_in("files = [\"read-write . as /data\"]", folder.path());
        let network = authority(r#"http = ["GET http://name.example.com/**"]"#);
        let fuel = authority(r#"limits = { fuel = "300 M" }"#);
        let cases: [(&str, serde_json::Value, &Arc<Authority>); 4] = [
            ("files_quota", json!({ "args": ["files"] }), &files),
            ("network_urls", json!({ "args": ["GET|http|name.example.com|/"] }), &network),
            ("cpu_loop", json!({}), &fuel),
            ("cpu_sleep", json!({}), &fuel),
        ];
        for (case, arguments, grants) in cases {
            let plugin = host.load(case).await;
            let mut finished = false;
            for polls in 0..40 {
                let call = only_tool(&plugin, arguments.clone(), grants);
                let polled = Polls { inner: Box::pin(host.sandbox.call(&plugin, call)), left: polls };
                // One that waits for a timer would not be polled again by itself.
                let ended = tokio::time::timeout(Duration::from_millis(30), polled).await;
                finished |= matches!(ended, Ok(Some(_)));
            }
            host.neighbour_works().await;
            let report = host
                .call(&plugin, json!({ "args": ["none"] }), &authority(r#"limits = { fuel = "1 M", wall = "200 ms" }"#))
                .await;
            assert!(report.receipt.wall_us > 0, "{case}: the next call has its own end: {:?}", report.outcome);
            assert!(finished || case != "network_urls", "some calls come to their end");
        }
    });
}
