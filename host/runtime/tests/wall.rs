//! The second wall under attack, in a process of its own: what stands cannot be taken down.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::collections::BTreeSet;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;

use toolcrib_policy::SecondWall;
use toolcrib_runtime::{Needs, Strength, raise};

const PLACE: &str = "TOOLCRIB_TEST_WALL_PLACE";
const PORTS: &str = "TOOLCRIB_TEST_WALL_PORTS";

/// Raises the wall and tries everything; each attempt is a line `name: ok` or `name: refused`.
#[test]
#[ignore = "the child process of the other tests in this file"]
fn child_behind_the_wall() {
    let place = PathBuf::from(std::env::var_os(PLACE).unwrap());
    let ports = std::env::var(PORTS).unwrap();
    let ports: Vec<u16> = ports.split(',').map(|port| port.parse().unwrap()).collect();
    let needs = Needs {
        read: vec![place.join("read")],
        write: vec![place.join("write")],
        ports: BTreeSet::from([ports[0]]),
        keyring: false,
    };
    let report = raise(SecondWall::Auto, &needs).unwrap();
    for (part, strength) in report.parts() {
        println!("{part}: {}", if *strength == Strength::Full { "stands" } else { "absent" });
    }
    let attempt = |name: &str, done: bool| println!("{name}: {}", if done { "ok" } else { "refused" });
    let read = |path: PathBuf| std::fs::read(path).is_ok();
    let write = |path: PathBuf| std::fs::write(path, "x").is_ok();
    attempt("read what is granted", read(place.join("read/a.txt")));
    attempt("write where it is granted", write(place.join("write/new.txt")));
    attempt("write what may be read", write(place.join("read/a.txt")));
    attempt("make a file where it may be read", write(place.join("read/new.txt")));
    attempt("read what is not granted", read(place.join("secret/key.txt")));
    attempt("read through a link", read(place.join("write/link")));
    attempt("read through the process folder", read(place.join("write/../secret/key.txt")));
    attempt("read the users of the machine", read("/etc/passwd".into()));
    attempt("list the root", std::fs::read_dir("/").is_ok());
    attempt("move a file out", std::fs::rename(place.join("write/mine.txt"), place.join("secret/mine.txt")).is_ok());
    attempt("start another program", Command::new("/bin/true").status().is_ok());
    attempt("connect to a granted port", TcpStream::connect(("127.0.0.1", ports[0])).is_ok());
    attempt("connect to another port", TcpStream::connect(("127.0.0.1", ports[1])).is_ok());
    attempt("listen", TcpListener::bind(("127.0.0.1", 0)).is_ok());
    attempt("change its root", std::os::unix::fs::chroot("/").is_ok());
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let has = |line: &str| status.lines().any(|found| found.split_whitespace().eq(line.split(' ')));
    attempt("be filtered", has("Seccomp: 2"));
    attempt("gain no privileges", has("NoNewPrivs: 1"));
    let core = rustix::process::getrlimit(rustix::process::Resource::Core);
    attempt("leave a core dump", core.current != Some(0));
    let thread = std::thread::spawn(move || std::fs::read(place.join("secret/key.txt")).is_ok());
    attempt("read from a new thread", thread.join().unwrap());
}

fn behind_the_wall(place: &Path, open: u16, closed: u16) -> String {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child_behind_the_wall", "--ignored", "--nocapture", "--test-threads", "1"])
        .env(PLACE, place)
        .env(PORTS, format!("{open},{closed}"))
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    text
}

#[test]
fn what_no_plugin_is_granted_is_gone_for_the_whole_process() {
    let dir = tempfile::tempdir().unwrap();
    for folder in ["read", "write", "secret"] {
        std::fs::create_dir(dir.path().join(folder)).unwrap();
    }
    for file in ["read/a.txt", "write/mine.txt", "secret/key.txt"] {
        std::fs::write(dir.path().join(file), "text").unwrap();
    }
    std::os::unix::fs::symlink(dir.path().join("secret/key.txt"), dir.path().join("write/link")).unwrap();
    let listeners = [(), ()].map(|()| TcpListener::bind(("127.0.0.1", 0)).unwrap());
    let [open, closed] = [&listeners[0], &listeners[1]].map(|listener| listener.local_addr().unwrap().port());

    let said = behind_the_wall(dir.path(), open, closed);
    let is = |name: &str, what: &str| said.lines().any(|line| line.ends_with(&format!("{name}: {what}")));
    // A kernel that lacks a part cannot be tested on it; the ones that stand have to hold.
    let stands = |part: &str| is(part, "stands");
    let holds = |part: &str, allowed: &[&str], refused: &[&str]| {
        if stands(part) {
            allowed.iter().for_each(|name| assert!(is(name, "ok"), "{name}\n{said}"));
            refused.iter().for_each(|name| assert!(is(name, "refused"), "{name}\n{said}"));
        }
    };
    holds(
        "files and programs",
        &["read what is granted", "write where it is granted"],
        &[
            "write what may be read",
            "make a file where it may be read",
            "read what is not granted",
            "read through a link",
            "read through the process folder",
            "read the users of the machine",
            "list the root",
            "move a file out",
            "start another program",
            "read from a new thread",
        ],
    );
    holds("TCP ports", &["connect to a granted port"], &["connect to another port", "listen"]);
    holds("system calls", &["be filtered", "gain no privileges"], &["change its root"]);
    holds("core dumps", &[], &["leave a core dump"]);
    assert_eq!(std::fs::read_to_string(dir.path().join("secret/key.txt")).unwrap(), "text");
    assert!(stands("core dumps"));
}
