//! Guests that take time.

use std::time::{Duration, Instant};

use serde_json::json;
use toolcrib_tests::authority;

use crate::host::{alone, only_tool, stopped};

const SHORT: &str = r#"limits = { wall = "300 ms" }"#;
const TOO_LONG: &str = "the tool took longer than its time (limit `wall` = 300 ms)";
/// The most that a call may take whose time is 300 ms, on a busy machine.
const SOON: Duration = Duration::from_secs(3);

#[test]
pub(crate) fn cpu_loop() {
    alone(async |host| {
        let plugin = host.load("cpu_loop").await;
        let begun = Instant::now();
        let report = host.call(&plugin, json!({}), &authority(SHORT)).await;
        stopped(&report, "limit-wall", TOO_LONG);
        assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
        assert!(report.receipt.fuel > 1_000_000, "{:?}", report.receipt);

        let report = host.call(&plugin, json!({}), &authority(r#"limits = { fuel = "5 M" }"#)).await;
        stopped(&report, "limit-fuel", "the tool used up its fuel (limit `fuel` = 5 M)");
        assert!((4_990_000..=5_000_000).contains(&report.receipt.fuel), "{}", report.receipt.fuel);

        // The same work costs the same.
        let again = host.call(&plugin, json!({}), &authority(r#"limits = { fuel = "5 M" }"#)).await;
        assert_eq!(again.receipt.fuel, report.receipt.fuel);
    });
}

#[test]
pub(crate) fn cpu_loop_at_start() {
    alone(async |host| {
        let plugin = host.load("cpu_loop_at_start").await;
        let begun = Instant::now();
        let report = host.call(&plugin, json!({}), &authority(SHORT)).await;
        stopped(&report, "limit-wall", TOO_LONG);
        assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
        let report = host.call(&plugin, json!({}), &authority(r#"limits = { fuel = "5 M" }"#)).await;
        stopped(&report, "limit-fuel", "the tool used up its fuel (limit `fuel` = 5 M)");
    });
}

#[test]
pub(crate) fn cpu_host_call_storm() {
    alone(async |host| {
        let plugin = host.load("cpu_host_call_storm").await;
        let limits = r#"limits = { host-calls = "50 k" }"#;
        let report = host.run(&plugin, &[], &authority(limits)).await;
        stopped(
            &report,
            "limit-host-calls",
            "the tool called the host more often than it may (limit `host-calls` = 50 k)",
        );
        assert_eq!(report.receipt.host_calls, 50_001);

        // With the default of a million, the deadline counts between host calls as well.
        let begun = Instant::now();
        let report = host.run(&plugin, &[], &authority(r#"limits = { wall = "30 ms" }"#)).await;
        stopped(&report, "limit-wall", "the tool took longer than its time (limit `wall` = 30 ms)");
        assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
    });
}

#[test]
pub(crate) fn cpu_log_storm() {
    alone(async |host| {
        let plugin = host.load("cpu_log_storm").await;
        let begun = Instant::now();
        let report = host.call(&plugin, json!({}), &authority(SHORT)).await;
        let took = begun.elapsed();
        stopped(&report, "limit-wall", TOO_LONG);
        assert!(took < SOON, "{took:?}, {} host calls", report.receipt.host_calls);

        // And what crosses the boundary is counted, whatever becomes of it.
        let report = host.call(&plugin, json!({}), &authority(r#"limits = { host-call-bytes = "6 MiB" }"#)).await;
        let sentence = "the tool handed the host more bytes than it may (limit `host-call-bytes` = 6 MiB)";
        stopped(&report, "limit-host-call-bytes", sentence);
        assert!(report.receipt.host_calls <= 2, "{}", report.receipt.host_calls);
    });
}

#[test]
pub(crate) fn cpu_copy() {
    alone(async |host| {
        let plugin = host.load("cpu_copy").await;
        let begun = Instant::now();
        let report = host.call(&plugin, json!({}), &authority(SHORT)).await;
        stopped(&report, "limit-wall", TOO_LONG);
        assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
        // Bulk instructions cost by what they move: 32 MiB for each turn.
        let report = host.call(&plugin, json!({}), &authority(r#"limits = { fuel = "200 M" }"#)).await;
        stopped(&report, "limit-fuel", "the tool used up its fuel (limit `fuel` = 200 M)");
    });
}

#[test]
pub(crate) fn cpu_sleep() {
    alone(async |host| {
        let plugin = host.load("cpu_sleep").await;
        let begun = Instant::now();
        let report = host.run(&plugin, &[], &authority(SHORT)).await;
        stopped(&report, "limit-wall", TOO_LONG);
        assert!((Duration::from_millis(290)..SOON).contains(&begun.elapsed()), "{:?}", begun.elapsed());

        let call = only_tool(&plugin, json!({}), &authority(""));
        let cancel = call.cancel.clone();
        let soon = async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            cancel.cancel();
        };
        let begun = Instant::now();
        let (report, ()) = tokio::join!(host.sandbox.call(&plugin, call), soon);
        stopped(&report, "cancelled", "the call was cancelled");
        assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
    });
}

#[test]
pub(crate) fn cpu_poll_many() {
    alone(async |host| {
        let plugin = host.load("cpu_poll_many").await;
        let begun = Instant::now();
        let report = host.run(&plugin, &["100000"], &authority(SHORT)).await;
        stopped(&report, "limit-handles", "the tool holds more handles than it may have (limit `handles` = 1 k)");
        let report = host.run(&plugin, &["900"], &authority(SHORT)).await;
        stopped(&report, "limit-wall", TOO_LONG);
        assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
        let report = host.run(&plugin, &["900"], &authority(r#"limits = { host-call-bytes = "1 MiB" }"#)).await;
        let sentence = "the tool handed the host more bytes than it may (limit `host-call-bytes` = 1 MiB)";
        stopped(&report, "limit-host-call-bytes", sentence);
    });
}
