//! Guests that look around, that print too much, and that end themselves.

use std::sync::Arc;

use serde_json::json;
use toolcrib_tests::{Held, authority};

use crate::host::{alone, only_tool, printed, stopped};

#[test]
pub(crate) fn environment_dump() {
    alone(async |host| {
        let plugin = host.load("environment_dump").await;
        let values = [("PATH", "/bin"), ("HOME", "/root"), ("SERVICE_KEY", "canary-key"), ("LANG", "C"), ("TZ", "UTC")];
        let values: Arc<[(String, String)]> = values.map(|(name, value)| (name.to_owned(), value.to_owned())).into();

        let mut call = only_tool(&plugin, json!({ "args": ["one"] }), &authority(r#"env = ["TZ"]"#));
        call.environment = values.clone();
        let report = host.sandbox.call(&plugin, call).await;
        let text = printed(&report);
        assert_eq!(text, "TZ=UTC\narguments [\"guest\", \"one\"]\nfolder Ok(\"/\")\nroot Ok([])\n");

        let mut call = only_tool(&plugin, json!({}), &authority(""));
        call.environment = values;
        let report = host.sandbox.call(&plugin, call).await;
        assert!(printed(&report).starts_with("arguments [\"guest\"]\n"), "{}", printed(&report));
        let all = format!("{report:?}");
        assert!(!all.contains("canary-key") && !all.contains("/bin"), "{all}");
    });
}

#[test]
pub(crate) fn output_flood() {
    alone(async |host| {
        let plugin = host.load("output_flood").await;
        let limits = r#"limits = { output = "64 KiB", output-lines = 100 }"#;
        let report = host.run(&plugin, &[], &authority(limits)).await;
        let text = printed(&report);
        assert_eq!(text.lines().count(), 100);
        assert!(text.starts_with("\u{1b}]0;owned\u{7} \u{fffd}\u{fffd} line 0\n"), "{:?}", &text[..40]);
        let stdout = &report.receipt.stdout;
        assert_eq!(stdout.dropped_lines, 100_000 - 100);
        assert!(stdout.dropped_bytes > 2_000_000, "{}", stdout.dropped_bytes);
        assert_eq!(stdout.text, text);

        // Bytes run out before lines do.
        let (before, peak) = (Held::now(), Held::reset_peak());
        let report = host.run(&plugin, &[], &authority(r#"limits = { output = "1 KiB" }"#)).await;
        assert!(report.receipt.stdout.text.len() <= 2 * 1024, "{}", report.receipt.stdout.text.len());
        assert!(report.receipt.stdout.dropped_lines > 99_000);
        assert!(peak.bytes() < before.memory + (48 << 20), "{before:?} {}", peak.bytes());
    });
}

#[test]
pub(crate) fn output_result() {
    alone(async |host| {
        let plugin = host.load("output_result").await;
        let (before, peak) = (Held::now(), Held::reset_peak());
        let report = host.call(&plugin, json!({}), &authority("")).await;
        stopped(&report, "limit-result", "the result is larger than it may be (limit `result` = 4 MiB)");
        assert_eq!(report.receipt.result_bytes, 0);
        // The guest touches none of its 200 MiB, and the host none on its behalf.
        assert!(peak.bytes() < before.memory + (48 << 20), "{before:?} {}", peak.bytes());
    });
}

#[test]
pub(crate) fn output_exit() {
    alone(async |host| {
        let plugin = host.load("output_exit").await;
        // `wasi:cli/exit` says only whether all went well.
        let report = host.run(&plugin, &["7"], &authority("")).await;
        stopped(&report, "exit", "the tool ended itself with exit code 1");
        assert_eq!(report.receipt.stdout.text, "before the end\n");

        // A program that ends itself and says that all went well.
        let report = host.run(&plugin, &["0"], &authority("")).await;
        assert_eq!(printed(&report), "before the end\n");

        let report = host.run(&plugin, &["panic"], &authority("")).await;
        let sentence =
            "the tool crashed: wasm trap: wasm `unreachable` instruction executed; it said: the guest gave up  [2J";
        stopped(&report, "trap", sentence);
        assert!(report.receipt.stderr.text.contains("the guest gave up"), "{:?}", report.receipt.stderr);
    });
}

#[test]
pub(crate) fn failure_causes() {
    const CRASHED: &str = "the tool crashed: wasm trap: wasm `unreachable` instruction executed";
    alone(async |host| {
        let plugin = host.load("failure_causes").await;
        let ended = async |way: &str, code: &str, sentence: &str| {
            let report = host.run(&plugin, &[way], &authority("")).await;
            stopped(&report, code, sentence)
        };
        // A refusal that came by the way leaves the tool its own words.
        let error = ended("probe", "trap", &format!("{CRASHED}; it said: ValueError: wrong value")).await;
        assert_eq!(error.refusal, None);
        let error =
            ended("probe-denied", "trap", &format!("{CRASHED}; it said: PermissionError: permission denied")).await;
        assert_eq!(error.refusal, None);
        let own = "the tool ended itself with exit code 1; it said: the shop is closed";
        assert_eq!(ended("swallowed", "exit", own).await.refusal, None);

        // One that the tool could not do without takes their place, and they stay in the detail.
        let denied = "plugin `guest` asked to read `/docs/notes.txt`: the operator has not granted it";
        let error = ended("uncaught", "file-denied", denied).await;
        let grant = error.refusal.and_then(|refusal| refusal.grant);
        assert_eq!(grant.as_deref(), Some(r#"files = ["read ./docs as /docs"]"#));
        let detail = error.detail.expect("the tool's own words");
        assert!(detail.contains("called `Result::unwrap()` on an `Err` value"), "{detail}");
        let error = ended("named", "file-denied", denied).await;
        let detail = error.detail.expect("the tool's own words");
        assert!(detail.contains("it said: starting; good bye"), "{detail}");
        ended("silent", "file-denied", denied).await;

        let report = host.run(&plugin, &["memory"], &authority("")).await;
        let sentence = format!(
            "{CRASHED}; it said: memory allocation of 536870912 bytes failed; it was refused memory (limit `memory` = \
             256 MiB)"
        );
        stopped(&report, "trap", &sentence);
    });
}
