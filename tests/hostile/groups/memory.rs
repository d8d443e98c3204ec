//! Guests that take memory.

use serde_json::{Value, json};
use toolcrib_tests::{Held, authority};

use crate::host::{alone, refused, stopped};

const MIB: u64 = 1 << 20;
/// What the process may need beside the guest's own memory while it runs one.
const SLACK: u64 = 48 * MIB;

#[test]
pub(crate) fn memory_grow() {
    alone(async |host| {
        let plugin = host.load("memory_grow").await;
        let (before, peak) = (Held::now(), Held::reset_peak());
        let report = host.call(&plugin, json!({}), &authority(r#"limits = { memory = "64 MiB" }"#)).await;
        // 64 MiB are 1024 pages, and not one more.
        assert_eq!(report.outcome.expect("growing fails, the guest goes on").structured, Some(json!(1024)));
        assert_eq!(report.receipt.peak_memory_bytes, 64 * MIB);
        let peak = peak.bytes();
        assert!(peak <= before.memory + 64 * MIB + SLACK, "{before:?} {peak}");
    });
}

#[test]
pub(crate) fn memory_at_start() {
    alone(async |host| {
        let plugin = host.load("memory_at_start").await;
        let report = host.call(&plugin, json!({}), &authority(r#"limits = { memory = "64 MiB" }"#)).await;
        stopped(&report, "limit-memory", "the tool needs more memory than it may have (limit `memory` = 64 MiB)");
        assert_eq!(report.receipt.peak_memory_bytes, 0);
        host.call(&plugin, json!({}), &authority("")).await.outcome.expect("256 MiB are enough");
    });
}

#[test]
pub(crate) fn memory_table() {
    alone(async |host| {
        let plugin = host.load("memory_table").await;
        let report = host.call(&plugin, json!({}), &authority("")).await;
        let Some(Value::Number(elements)) = report.outcome.expect("growing fails, the guest goes on").structured else {
            panic!("a number");
        };
        assert!(elements.as_u64().is_some_and(|n| (10_000..=20_000).contains(&n)), "{elements}");
        // Tables count together with memories.
        let report = host.call(&plugin, json!({}), &authority(r#"limits = { memory = "64 KiB" }"#)).await;
        assert_eq!(report.outcome.expect("it goes on").structured, Some(json!(8001)));
        assert!(report.receipt.peak_memory_bytes <= 64 << 10, "{}", report.receipt.peak_memory_bytes);
    });
}

#[test]
pub(crate) fn memory_random() {
    alone(async |host| {
        let plugin = host.load("memory_random").await;
        let (before, peak) = (Held::now(), Held::reset_peak());
        let report = host.run(&plugin, &[], &authority("")).await;
        let sentence = "the tool handed the host more bytes than it may (limit `host-call-bytes` = 256 MiB)";
        stopped(&report, "limit-host-call-bytes", sentence);
        assert!(peak.bytes() <= before.memory + SLACK, "{before:?} {}", peak.bytes());
    });
}

/// A component with `count` core instances of one module.
fn many_instances(count: usize) -> String {
    let instances = "(core instance (instantiate $m))".repeat(count);
    format!(
        r#"(component (core module $m (memory 1)) {instances}
            (core module $n (func (export "f"))) (core instance $i (instantiate $n))
            (func (export "f") (canon lift (core func $i "f"))))"#
    )
}

/// A component whose module has `parts`.
fn module(parts: &str) -> String {
    format!(
        r#"(component (core module $m {parts} (func (export "f"))) (core instance $i (instantiate $m))
            (func (export "f") (canon lift (core func $i "f"))))"#
    )
}

#[test]
pub(crate) fn memory_instances() {
    alone(async |host| {
        let (code, sentence) = refused(host.load_text(&many_instances(1000)).await);
        assert_eq!(code, "component-invalid", "{sentence}");
        assert!(sentence.contains("instances count exceeds limit of 1000 (at offset 0x"), "{sentence}");
        for (what, text) in [
            ("instances", many_instances(100)),
            ("memories", module(&"(memory 1)".repeat(90))),
            ("tables", module(&"(table 1 funcref)".repeat(90))),
            ("one memory of 1 GiB", module("(memory 16384)")),
            ("one table of 10 million", module("(table 10000000 funcref)")),
        ] {
            let (code, sentence) = refused(host.load_text(&text).await);
            assert_eq!(code, "component-rejected", "{what}: {sentence}");
            assert!(sentence.starts_with("refused: it asks for more than any call may have: "), "{what}: {sentence}");
        }

        // What the engine could hold, and this call may not.
        let plugin = host.load_text(&many_instances(3)).await.expect("three memories are not many");
        let report = host.call(&plugin, json!({}), &authority("limits = { instances = 2 }")).await;
        let sentence = "the component has more instances, memories or tables than it may have (limit `instances` = 2)";
        stopped(&report, "limit-instances", sentence);
        host.call(&plugin, json!({}), &authority("")).await.outcome.expect("it may have three by default");
    });
}

#[test]
pub(crate) fn arguments_deep() {
    alone(async |host| {
        let plugin = host.load("cpu_sleep").await;
        let mut deep = json!({});
        for _ in 0..1000 {
            deep = Value::Object([("args".to_owned(), Value::Array(vec![deep]))].into_iter().collect());
        }
        let report = host.call(&plugin, deep, &authority("")).await;
        let sentence = "the arguments are nested deeper than they may be (limit `argument-depth` = 64)";
        stopped(&report, "limit-argument-depth", sentence);
        let long = json!({ "stdin": "x".repeat(8 << 20) });
        let report = host.call(&plugin, long, &authority("")).await;
        let sentence = "the arguments are larger than they may be (limit `argument-bytes` = 4 MiB)";
        stopped(&report, "limit-argument-bytes", sentence);
    });
}

#[test]
pub(crate) fn canary() {
    alone(async |host| {
        let plugin = host.load("canary").await;
        let nothing = authority("");
        for _ in 0..300 {
            let report = host.call(&plugin, json!({}), &nothing).await;
            assert_eq!(report.outcome.expect("it looks").structured, Some(json!(0)), "bytes of an earlier call");
        }
        for _ in 0..10 {
            let calls = (0..30).map(|_| host.call(&plugin, json!({}), &nothing));
            for report in futures::future::join_all(calls).await {
                assert_eq!(report.outcome.expect("it looks").structured, Some(json!(0)), "bytes of another call");
            }
        }
        // After calls that were cut off in the middle of writing.
        for _ in 0..20 {
            let few = authority("limits = { fuel = 50000 }");
            let report = host.call(&plugin, json!({}), &few).await;
            stopped(&report, "limit-fuel", "the tool used up its fuel (limit `fuel` = 50 k)");
            let report = host.call(&plugin, json!({}), &nothing).await;
            assert_eq!(
                report.outcome.expect("it looks").structured,
                Some(json!(0)),
                "bytes of a call that was stopped"
            );
        }
    });
}
