//! Guests that keep too much, or look for what others keep.

use std::path::Path;
use std::sync::Arc;

use serde_json::json;
use toolcrib_policy::{Authority, OperatorFile, Requests};
use toolcrib_sandbox::{CallReport, Plugin};
use toolcrib_store::State;

use crate::host::{Host, alone, only_tool, printed, refusals};

/// What a plugin of this name may do by these lines.
fn authority(plugin: &str, lines: &str) -> Arc<Authority> {
    let text = format!("[plugin.{plugin}]\nkeyvalue = [{lines}]\n");
    let file = OperatorFile::parse(&text, "test", Path::new("/")).expect("the grants are well formed");
    Arc::new(file.authority(&plugin.parse().expect("a name"), &Requests::everything(), None))
}

async fn run(host: &Host, guest: &Plugin, store: &State, authority: &Arc<Authority>, args: &[&str]) -> CallReport {
    let mut call = only_tool(guest, json!({ "args": args }), authority);
    call.keyvalue = Arc::new(store.clone());
    host.sandbox.call(guest, call).await
}

#[test]
pub(crate) fn keyvalue_quota() {
    alone(async |host| {
        let folder = tempfile::tempdir().expect("a folder");
        let store = State::at(folder.path().join("state.db"));
        let guest = host.load("keyvalue_quota").await;
        for (way, name, line, said) in [
            (
                "bytes",
                "one",
                "read-write one, 20 KiB",
                "after 20: keyvalue-full: plugin `guest` asked to write its bucket `one`",
            ),
            (
                "keys",
                "two",
                "read-write two, 50 keys",
                "after 50: keyvalue-full: plugin `guest` asked to write its bucket `two`",
            ),
            ("batch", "three", "read-write three, 25 KiB", "after 2 batches: keyvalue-full: plugin `guest`"),
            ("count", "four", "read-write four, 10 keys", "after 10 numbers: keyvalue-full: plugin `guest`"),
            ("large", "five", "read-write five", "a value has at most 1048576 bytes, and this one 2097152"),
        ] {
            let report = run(host, &guest, &store, &authority("guest", &format!("{line:?}")), &[way, name]).await;
            let text = printed(&report);
            assert!(text.contains(said), "{way}: {text}");
            assert!(report.receipt.may_have_changed || way == "large", "{:?}", report.receipt);
        }
        // Names are data: each is a key of its own, or none.
        let report = run(host, &guest, &store, &authority("guest", "\"read-write names\""), &["names", "names"]).await;
        let text = printed(&report);
        assert_eq!(text.matches("Ok(()) Ok(true)").count(), 6, "{text}");
        assert!(
            text.contains("a key has at least one byte") && text.contains("a key has at most 1024 bytes"),
            "{text}"
        );
        // Ten thousand keys are listed in pieces.
        let many = authority("guest", "\"read-write many, 1 MiB, 3000 keys\"");
        run(host, &guest, &store, &many, &["keys", "many"]).await;
        let report = run(host, &guest, &store, &many, &["list", "many"]).await;
        assert!(printed(&report).starts_with("3000 keys in 12 pages\n"), "{}", printed(&report));
        let size: u64 = ["state.db", "state.db-wal"]
            .iter()
            .filter_map(|name| folder.path().join(name).metadata().ok())
            .map(|file| file.len())
            .sum();
        assert!(size < 8 << 20, "{size}");
    });
}

#[test]
pub(crate) fn keyvalue_apart() {
    alone(async |host| {
        let folder = tempfile::tempdir().expect("a folder");
        let store = State::at(folder.path().join("state.db"));
        let guest = host.load("keyvalue_quota").await;
        let mine = authority("one", "\"read-write default\"");
        run(host, &guest, &store, &mine, &["write", "default"]).await;
        assert!(
            printed(&run(host, &guest, &store, &mine, &["read", "default"]).await).contains("found Some(\"default\")")
        );
        // Another plugin's bucket of the same name is another bucket.
        let other = authority("two", "\"read-write default\"");
        assert!(printed(&run(host, &guest, &store, &other, &["read", "default"]).await).contains("found None"));
        for (authority, args, code) in [
            (authority("three", ""), ["read", "default"], "keyvalue-denied open default"),
            (authority("one", "\"read-write default\""), ["read", "other"], "keyvalue-denied open other"),
            (authority("one", "\"read default\""), ["write", "default"], "keyvalue-denied set default/mark"),
        ] {
            let report = run(host, &guest, &store, &authority, &args).await;
            assert_eq!(refusals(&report), [code], "{}", printed(&report));
        }
        assert!(
            printed(&run(host, &guest, &store, &mine, &["read", "default"]).await).contains("found Some(\"default\")")
        );
    });
}
