//! Guests that make links, carry files about, and fill the disk.

use std::path::Path;
use std::sync::Arc;

use toolcrib_policy::Authority;
use toolcrib_tests::authority_in;

use super::files::tree;
use crate::host::{alone, printed, refusals, stopped};

#[test]
pub(crate) fn files_links() {
    alone(async |host| {
        let ground = tempfile::tempdir().expect("a folder");
        let path = |below: &str| ground.path().join(below);
        for folder in ["data", "fixed", "other", "outside"] {
            std::fs::create_dir(path(folder)).expect("a folder");
        }
        for file in ["data/file.txt", "fixed/kept.txt", "outside/secret.txt"] {
            std::fs::write(path(file), file).expect("a file");
        }
        std::fs::hard_link(path("outside/secret.txt"), path("data/linked.txt")).expect("a link");
        let before = tree(ground.path());
        let lines =
            r#"files = ["read-write ./data as /data", "read ./fixed as /fixed", "read-write ./other as /other"]"#;
        let plugin = host.load("files_links").await;
        let report = host.run(&plugin, &[], &authority_in(lines, ground.path())).await;
        let text = printed(&report);
        assert!(!text.contains("DONE"), "{text}");
        assert!(text.ends_with("data/file.txt\n"), "{text}");
        assert_eq!(tree(ground.path()), before, "{text}");
        let refusals = refusals(&report);
        for refused in [
            "file-denied link /data/file.txt",
            "file-denied link /data/passwd",
            "file-denied read-write /fixed/file.txt",
            "file-denied read-write /fixed/kept.txt",
            "file-denied read-write /fixed/new.txt",
            "file-denied write /data/linked.txt",
        ] {
            assert!(refusals.iter().any(|line| line == refused), "{refused}: {refusals:#?}");
        }
    });
}

/// A folder `data` of its own, with these words behind the grant.
fn room(ground: &Path, quota: &str, limits: &str) -> Arc<Authority> {
    let folder = ground.join("data");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir(&folder).expect("a folder");
    authority_in(&format!("files = [\"read-write ./data as /data{quota}\"]\n{limits}"), ground)
}

/// Bytes that the files of `data` have, holes included.
fn bytes(ground: &Path) -> u64 {
    let entries = std::fs::read_dir(ground.join("data")).expect("a folder");
    entries.map(|entry| entry.and_then(|entry| entry.metadata()).expect("a file").len()).sum()
}

#[test]
pub(crate) fn files_quota() {
    alone(async |host| {
        let (one, two) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        let plugin = host.load("files_quota").await;
        let quota = ", 64 KiB, 10 files";
        for (way, said) in [
            ("write", "after 65536 bytes: "),
            ("stretch", "no stretch: "),
            ("far", "no far: "),
            ("files", "after 10 files: "),
        ] {
            let report = host.run(&plugin, &[way], &room(one.path(), quota, "")).await;
            assert!(printed(&report).starts_with(said), "{way}: {}", printed(&report));
            let refusals = refusals(&report);
            let code = if way == "files" { "limit-files-created" } else { "limit-file-bytes-written" };
            assert!(refusals.len() == 1 && refusals[0].starts_with(code), "{way}: {refusals:?}");
            assert!(bytes(one.path()) <= 64 << 10, "{way}: {}", bytes(one.path()));
            // Another plugin, with a folder of its own, does not notice.
            let report = host.run(&plugin, &["write"], &room(two.path(), ", 8 KiB", "")).await;
            assert!(printed(&report).starts_with("after 8192 bytes: "), "{}", printed(&report));
        }
        // A tool that fails of it is explained by it.
        let report = host.run(&plugin, &["write", "--fail"], &room(one.path(), quota, "")).await;
        let sentence = "plugin `guest` asked to write `/data/big`: the folder `/data` may hold 64 KiB and no more";
        stopped(&report, "limit-file-bytes-written", sentence);

        // What a folder holds already counts.
        std::fs::remove_file(one.path().join("data/big")).expect("the file");
        std::fs::write(one.path().join("data/old"), vec![0; 40 << 10]).expect("a file");
        let grants = authority_in(r#"files = ["read-write ./data as /data, 48 KiB"]"#, one.path());
        let text = printed(&host.run(&plugin, &["write"], &grants).await);
        assert!(text.starts_with("after 8192 bytes: "), "{text}");

        // Without a quota the call's own limits hold.
        let limits = r#"limits = { file-bytes-written = "64 KiB", files-created = 10 }"#;
        let written = "the tool wrote more bytes to files than it may (limit `file-bytes-written` = 64 KiB)";
        for way in ["write", "stretch", "far"] {
            let report = host.run(&plugin, &[way], &room(one.path(), "", limits)).await;
            stopped(&report, "limit-file-bytes-written", written);
            assert!(bytes(one.path()) <= 64 << 10, "{way}: {}", bytes(one.path()));
        }
        let report = host.run(&plugin, &["files"], &room(one.path(), "", limits)).await;
        let created = "the tool created more files than it may (limit `files-created` = 10)";
        stopped(&report, "limit-files-created", created);
        assert_eq!(std::fs::read_dir(one.path().join("data")).expect("a folder").count(), 10);
    });
}
