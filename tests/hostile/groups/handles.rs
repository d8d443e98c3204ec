//! Guests that take handles, or the stack.

use serde_json::json;
use toolcrib_tests::{Held, authority, authority_in};

use crate::host::{alone, printed, stopped};

#[test]
pub(crate) fn stack_recursion() {
    alone(async |host| {
        let plugin = host.load("stack_recursion").await;
        let sentence = "the tool recursed deeper than its stack (limit `stack` = 1 MiB)";
        let report = host.call(&plugin, json!({}), &authority("")).await;
        stopped(&report, "limit-stack", sentence);
        // Also where the host is deep in a stack of its own.
        let report = Box::pin(deep(200, host.call(&plugin, json!({}), &authority("")))).await;
        stopped(&report, "limit-stack", sentence);
    });
}

/// Awaits inside so many other futures.
async fn deep<T>(levels: u32, inner: impl Future<Output = T>) -> T {
    let mut future: std::pin::Pin<Box<dyn Future<Output = T> + '_>> = Box::pin(inner);
    for _ in 0..levels {
        let within = future;
        future = Box::pin(async move {
            let room = std::hint::black_box([0u8; 512]);
            let result = within.await;
            std::hint::black_box(room);
            result
        });
    }
    future.await
}

#[test]
pub(crate) fn handles_files() {
    alone(async |host| {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("file.txt"), "text").expect("a file");
        let plugin = host.load("handles_files").await;
        let grants = authority_in(r#"files = ["read . as /data"]"#, folder.path());
        let report = host.run(&plugin, &[], &grants).await;
        stopped(&report, "limit-files-open", "the tool has more files open than it may (limit `files-open` = 64)");

        let grants = authority_in("files = [\"read . as /data\"]\nlimits = { handles = 20 }", folder.path());
        let report = host.run(&plugin, &[], &grants).await;
        stopped(&report, "limit-handles", "the tool holds more handles than it may have (limit `handles` = 20)");
    });
}

#[test]
pub(crate) fn handles_folders() {
    alone(async |host| {
        let folder = tempfile::tempdir().expect("a folder");
        for n in 0..1000 {
            std::fs::write(folder.path().join(format!("{n:0>200}")), "").expect("a file");
        }
        let plugin = host.load("handles_folders").await;
        let (before, peak) = (Held::now(), Held::reset_peak());
        let grants = authority_in(r#"files = ["read . as /data"]"#, folder.path());
        let report = host.run(&plugin, &[], &grants).await;
        let error = report.outcome.expect_err("it cannot hold them all");
        assert!(error.code.starts_with("limit-"), "{error:?}");
        // A listing that is held is held in the host.
        assert!(peak.bytes() < before.memory + (64 << 20), "{before:?} {} {error:?}", peak.bytes());
    });
}

#[test]
pub(crate) fn handles_pollables() {
    alone(async |host| {
        let plugin = host.load("handles_pollables").await;
        let report = host.run(&plugin, &[], &authority("")).await;
        stopped(&report, "limit-handles", "the tool holds more handles than it may have (limit `handles` = 1 k)");
    });
}

#[test]
pub(crate) fn handles_forged() {
    alone(async |host| {
        let plugin = host.load("handles_forged").await;
        for how in ["forged", "dropped", "twice", "other"] {
            let report = host.run(&plugin, &[how], &authority("")).await;
            stopped(&report, "bad-handle", "the tool used a handle that it does not hold");
        }
        let report = host.run(&plugin, &["honest"], &authority("")).await;
        assert_eq!(printed(&report), "held\n");
    });
}
