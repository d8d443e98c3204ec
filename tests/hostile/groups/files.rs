//! Guests that look for a way out of their folders.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;
use toolcrib_policy::Authority;
use toolcrib_sandbox::Plugin;
use toolcrib_tests::authority_in;

use crate::host::{Host, alone, printed, refusals, stopped};

/// Everything below a folder: names, kinds, bytes, times and link targets.
type Tree = BTreeMap<PathBuf, String>;

/// A folder that is granted, and one beside it that is not.
pub(super) struct Ground(TempDir);

impl Ground {
    pub(super) fn new() -> Self {
        let ground = Ground(tempfile::tempdir().expect("a folder"));
        for folder in ["outside/empty", "granted/inner"] {
            std::fs::create_dir_all(ground.path(folder)).expect("a folder");
        }
        std::fs::write(ground.path("outside/secret.txt"), "the secret").expect("a file");
        std::fs::write(ground.path("granted/bait"), "bait").expect("a file");
        let link = |target: &str, name: &str| std::os::unix::fs::symlink(target, ground.path(name)).expect("a link");
        link("../outside/secret.txt", "granted/link");
        link("../outside", "granted/way");
        link("../outside/empty", "granted/empty");
        link("../outside/new.txt", "granted/dangling");
        let absolute = ground.path("outside/secret.txt");
        link(absolute.to_str().expect("text"), "granted/absolute");
        ground
    }

    pub(super) fn path(&self, below: &str) -> PathBuf {
        self.0.path().join(below)
    }

    fn grants(&self, line: &str) -> Arc<Authority> {
        authority_in(&format!("files = [\"{line}\"]"), self.0.path())
    }
}

pub(super) fn tree(root: &Path) -> Tree {
    let mut tree = Tree::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
            let metadata = entry.symlink_metadata().expect("it is there");
            let what = if metadata.is_dir() {
                folders.push(entry.clone());
                "folder".to_owned()
            } else if metadata.is_symlink() {
                format!("link to {:?}", std::fs::read_link(&entry).expect("a link"))
            } else {
                format!("{:?} of {:?}", std::fs::read(&entry).expect("a file"), metadata.modified().expect("a time"))
            };
            tree.insert(entry, what);
        }
    }
    tree
}

/// Ways out: by `..`, by an absolute path, by links that the host made, each with what may stand behind a path.
fn ways_out() -> Vec<String> {
    let mut ways: Vec<String> = [
        "/data/../outside/secret.txt",
        "/data/inner/../../outside/secret.txt",
        "/data//../outside/secret.txt",
        "/data/./../outside/secret.txt",
        "/data/../outside",
        "/data/..",
        "/outside/secret.txt",
        "/etc/passwd",
        "/etc",
        "/proc/self/environ",
        "/../outside/secret.txt",
        "/data/way/secret.txt",
        "/data/way/empty",
        "/data/way/../outside/secret.txt",
        "/data/way/new.txt",
    ]
    .map(str::to_owned)
    .into();
    for link in ["link", "absolute", "way", "empty", "dangling"] {
        ways.extend(["", "/", "/.", "//", "/.."].map(|end| format!("/data/{link}{end}")));
    }
    ways
}

/// What a guest may do to a link that lies in a folder where it may write: take the link away, not what it leads to.
fn harmless(line: &str) -> bool {
    let link = ["/data/link", "/data/absolute", "/data/way", "/data/empty", "/data/dangling"];
    let to_the_link = link.iter().any(|link| line.ends_with(&format!(" {link}")));
    let what = ["DONE rename ", "DONE rename onto ", "DONE remove ", "DONE link target "];
    // `link/..` is the folder that the link lies in, once the link is gone or was never followed.
    to_the_link && what.iter().any(|what| line.starts_with(what))
}

async fn escapes(host: &Host, plugin: &Plugin, access: &str, way: &str) {
    let ground = Ground::new();
    let grants = ground.grants(&format!("{access} ./granted as /data"));
    let (outside, granted) = (tree(&ground.path("outside")), tree(&ground.path("granted")));
    let report = host.run(plugin, &[way], &grants).await;
    let text = printed(&report);
    assert_eq!(tree(&ground.path("outside")), outside, "{access} {way}: {text}");
    assert!(!text.contains("the secret"), "{access} {way}: {text}");
    let done: Vec<&str> = text.lines().filter(|line| line.starts_with("DONE") && !harmless(line)).collect();
    assert!(done.is_empty(), "{access} {way}: {done:?}");
    if access == "read" {
        assert_eq!(tree(&ground.path("granted")), granted, "{way}: {text}");
    }
    let refusals = refusals(&report);
    assert!(refusals.iter().any(|line| line.starts_with("file-denied ")), "{access} {way}: {refusals:?} {text}");
}

#[test]
pub(crate) fn files_escape() {
    alone(async |host| {
        let plugin = host.load("files_escape").await;
        for way in ways_out() {
            escapes(host, &plugin, "read", &way).await;
            escapes(host, &plugin, "read-write", &way).await;
        }
        let ground = Ground::new();
        let grants = ground.grants("read ./granted as /data");
        let report = host.run(&plugin, &["--fail", "/data/../outside/secret.txt"], &grants).await;
        let sentence = "plugin `guest` may not leave the folder `/data` by the path `../outside/secret.txt`";
        stopped(&report, "file-denied", sentence);
        let report = host.run(&plugin, &["--fail", "/docs/secret.txt"], &grants).await;
        let sentence = "plugin `guest` asked to read `/docs/secret.txt`: the operator has not granted it";
        let error = stopped(&report, "file-denied", sentence);
        let grant = error.refusal.and_then(|refusal| refusal.grant);
        assert_eq!(grant.as_deref(), Some(r#"files = ["read ./docs as /docs"]"#));
        // What is granted works all the same.
        let report = host.run(&plugin, &["/data/bait"], &grants).await;
        assert!(printed(&report).starts_with("DONE read /data/bait: bait\n"));
    });
}

/// What a guest does that begins every path at the root which it is shown.
async fn from_the_root(
    host: &Host,
    plugin: &Plugin,
    ground: &Ground,
    access: &str,
    path: &str,
) -> (String, Vec<String>) {
    let grants = ground.grants(&format!("{access} ./granted as /data"));
    let report = host.run(plugin, &[path], &grants).await;
    (printed(&report), refusals(&report))
}

#[test]
pub(crate) fn files_root() {
    alone(async |host| {
        let plugin = host.load("files_root").await;
        let up =
            ["data/..", "data/../outside/secret.txt", "data/../../etc/passwd", "data/inner/../../outside/secret.txt"];
        let away = ["/data/bait", "//data/bait", "/etc/passwd", "etc/passwd", "..", "../outside", "dat", "data2"];
        let links =
            ["data/link", "data/absolute", "data/way/secret.txt", "data/way/../outside/secret.txt", "data/empty/"];
        for path in up.iter().chain(&away).chain(&links) {
            for access in ["read", "read-write"] {
                let ground = Ground::new();
                let outside = tree(&ground.path("outside"));
                let (text, refusals) = from_the_root(host, &plugin, &ground, access, path).await;
                assert_eq!(tree(&ground.path("outside")), outside, "{access} {path}: {text}");
                assert!(!text.contains("the secret") && !text.contains("root:"), "{access} {path}: {text}");
                let harmless = |line: &&str| harmless(&line.replace(" data/", " /data/"));
                let done: Vec<&str> =
                    text.lines().filter(|l| l.starts_with("DONE") && !harmless(&l.trim_end())).collect();
                let target_only = done.iter().all(|line| links.contains(path) && line.starts_with("DONE link target "));
                assert!(target_only, "{access} {path}: {done:?}");
                assert!(
                    refusals.iter().any(|line| line.starts_with("file-denied ")),
                    "{access} {path}: {refusals:?} {text}"
                );
            }
        }

        // The root can be listed, and what the mount gives is there, with its rules.
        let ground = Ground::new();
        let granted = tree(&ground.path("granted"));
        let (text, _) = from_the_root(host, &plugin, &ground, "read", "data/bait").await;
        let done: Vec<&str> = text.lines().filter(|line| !line.starts_with("no ")).collect();
        let reads = [
            "entry data is there",
            "DONE stat data/bait DescriptorType::RegularFile",
            "DONE hash data/bait ",
            "DONE read data/bait bait",
        ];
        assert_eq!(done, reads, "{text}");
        assert_eq!(tree(&ground.path("granted")), granted, "a read grant cannot write");
        let (text, _) = from_the_root(host, &plugin, &ground, "read-write", "data/bait").await;
        assert!(text.contains("DONE write data/bait"), "{text}");
        assert_ne!(tree(&ground.path("granted")), granted);
    });
}

#[test]
pub(crate) fn files_names() {
    alone(async |host| {
        let ground = Ground::new();
        let plugin = host.load("files_names").await;
        let report = host.run(&plugin, &[], &ground.grants("read-write ./granted/inner as /data")).await;
        let text = printed(&report);
        let done: Vec<&str> = text.lines().filter(|line| line.starts_with("DONE")).collect();
        // Odd names are names; what is no name, or leads out, is not made.
        let made = ["line\\nbreak", "\\u{1b}[31mred", "CON", "COM¹", "a\\\\..\\\\b", "255"];
        assert_eq!(done, made.map(|name| format!("DONE {name:?}").replace("\\\\", "\\")), "{text}");
        assert!(!ground.path("granted/b").exists() && !ground.path("b").exists());
        assert_eq!(tree(&ground.path("granted/inner")).len(), made.len());
    });
}

#[test]
pub(crate) fn files_special() {
    alone(async |host| {
        let ground = Ground::new();
        let pipe = ground.path("granted/pipe");
        let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, mode, 0).expect("a pipe");
        let socket = std::os::unix::net::UnixListener::bind(ground.path("granted/socket")).expect("a socket");
        let plugin = host.load("files_special").await;
        let begun = std::time::Instant::now();
        let grants = ground.grants("read-write ./granted as /data");
        let report = host.run(&plugin, &["pipe", "socket"], &grants).await;
        let text = printed(&report);
        assert!(!text.contains("DONE"), "{text}");
        assert!(begun.elapsed().as_secs() < 2, "{:?}", begun.elapsed());
        drop(socket);
    });
}

#[test]
pub(crate) fn files_endless() {
    alone(async |host| {
        let ground = Ground::new();
        let huge = std::fs::File::create(ground.path("granted/huge")).expect("a file");
        // Ten gigabytes that take no room on the disk.
        huge.set_len(10 << 30).expect("a sparse file");
        let plugin = host.load("files_endless").await;
        let grants = "files = [\"read ./granted as /data\"]\nlimits = { file-bytes-read = \"8 MiB\" }";
        let report = host.run(&plugin, &[], &authority_in(grants, &ground.path("."))).await;
        let text = format!("{:?} {:?}", report.outcome, report.receipt.uses);
        assert!(text.contains("limit-file-bytes-read"), "{text}");
        let read: u64 = report.receipt.uses.listed.iter().map(|used| used.bytes).sum();
        assert!(read <= 8 << 20, "{read}");
    });
}

#[test]
pub(crate) fn files_apart() {
    alone(async |host| {
        let ground = Ground::new();
        for (folder, text) in [("one", "of one"), ("two", "of two")] {
            std::fs::create_dir(ground.path(folder)).expect("a folder");
            std::fs::write(ground.path(folder).join("bait"), text).expect("a file");
        }
        let plugin = host.load("files_escape").await;
        for (folder, sees, hides) in [("one", "of one", "of two"), ("two", "of two", "of one")] {
            let grants = ground.grants(&format!("read ./{folder} as /data"));
            let report = host.run(&plugin, &["/data/bait"], &grants).await;
            let text = printed(&report);
            assert!(text.starts_with(&format!("DONE read /data/bait: {sees}")) && !text.contains(hides), "{text}");
        }
        let report = host.run(&plugin, &["--fail", "/data/bait"], &authority_in("", &ground.path("."))).await;
        stopped(&report, "file-denied", "plugin `guest` asked to read `/data/bait`: the operator has not granted it");
    });
}
