//! What the layout promises, checked: crate boundaries, the one place with unsafe code, and the size of files.

use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().expect("the repository")
}

/// The names of all crates that a crate needs to be built for its users.
fn dependencies(package: &str) -> String {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--edges", "normal", "--prefix", "none", "--package", package])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[track_caller]
fn lacks(package: &str, forbidden: &[&str]) {
    let tree = dependencies(package);
    assert!(tree.contains(package), "{tree}");
    for name in forbidden {
        let found = tree.lines().find(|line| line.split(' ').next() == Some(name));
        assert!(found.is_none(), "{package} must not know {name}");
    }
}

#[test]
fn the_agent_knows_neither_engine_nor_network() {
    lacks("toolcrib-agent", &["wasmtime", "reqwest", "hyper", "toolcrib-sandbox", "toolcrib-catalog", "rusqlite"]);
}

#[test]
fn policy_is_pure() {
    lacks("toolcrib-policy", &["tokio", "wasmtime", "cap-std", "rustix", "reqwest"]);
}

#[test]
fn the_ledger_knows_nothing_of_tools() {
    lacks("toolcrib-ledger", &["toolcrib-policy", "toolcrib-agent", "wasmtime", "tokio"]);
}

#[test]
fn what_uses_secrets_does_not_know_where_they_are_kept() {
    for package in ["toolcrib-policy", "toolcrib-ledger", "toolcrib-sandbox", "toolcrib-agent", "toolcrib-model"] {
        lacks(package, &["age"]);
    }
}

#[test]
fn models_know_nothing_of_tools() {
    lacks("toolcrib-model", &["toolcrib-policy", "toolcrib-sandbox", "wasmtime"]);
}

/// Rust files below a folder.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() && !path.ends_with("target") {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn unsafe_code_stands_in_one_place() {
    let mut files = Vec::new();
    sources(&root().join("host"), &mut files);
    let places: Vec<_> = files
        .iter()
        .filter(|path| !path.components().any(|part| part.as_os_str() == "tests"))
        .filter(|path| std::fs::read_to_string(path).expect("a file").contains("    unsafe_code,\n"))
        .collect();
    assert_eq!(places.len(), 1, "{places:?}");
    assert!(places[0].ends_with("sandbox/src/sandbox.rs"), "{places:?}");
}

/// What opens a connection, or looks a name up. The language models' client is the one exception: it speaks to the vendor
/// that the operator chose, and no guest's request passes it.
#[test]
fn one_function_opens_connections() {
    const OPENING: &[&str] =
        &["TcpStream::connect", "TcpSocket", "UdpSocket", "UnixStream", "to_socket_addrs", "lookup_host"];
    let mut files = Vec::new();
    sources(&root().join("host"), &mut files);
    let is_test =
        |path: &Path| path.components().any(|part| part.as_os_str() == "tests" || part.as_os_str() == "tests.rs");
    let mut places = Vec::new();
    for path in files.iter().filter(|path| !is_test(path)) {
        let text = std::fs::read_to_string(path).expect("a file");
        // Tests stand at the end of a file.
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        let opens =
            code.lines().any(|line| OPENING.iter().any(|word| line.contains(word)) && !line.trim().starts_with("//"));
        places.extend(opens.then(|| path.strip_prefix(root()).expect("inside").display().to_string()));
    }
    assert_eq!(places, ["host/sandbox/src/capability/http/network.rs"]);
    let clients = |name: &str| dependencies(name).lines().any(|line| line.starts_with("reqwest "));
    for package in ["toolcrib-sandbox", "toolcrib-catalog", "toolcrib-ledger", "toolcrib-policy", "toolcrib-secrets"] {
        assert!(!clients(package), "{package} has an HTTP client of its own");
    }
}

/// A promise of the threat model is held by something that exists: a file, a hostile case, or a test by its name.
#[test]
fn what_the_threat_model_names_is_there() {
    let page = std::fs::read_to_string(root().join("docs/threat-model.md")).expect("the page");
    let promised = page.split("## What is promised").nth(1).and_then(|rest| rest.split("## ").next()).expect("a part");
    let mut files = Vec::new();
    for folder in ["host", "tests"] {
        sources(&root().join(folder), &mut files);
    }
    let code: String = files.iter().map(|path| std::fs::read_to_string(path).expect("a file")).collect();
    let mut promises = 0;
    for row in promised.lines().filter(|line| line.starts_with("| ")).skip(1) {
        let names = row.trim_end_matches('|').rsplit('|').next().unwrap_or_default();
        let names: Vec<&str> = names.split('`').skip(1).step_by(2).collect();
        assert!(!names.is_empty(), "nothing attacks this: {row}");
        for name in names {
            let there = root().join(name).exists()
                || root().join("tests/hostile").join(name).is_dir()
                || code.contains(&format!("fn {name}("));
            assert!(there, "`{name}` is not there: {row}");
        }
        promises += 1;
    }
    assert!(promises > 20, "{promises}");
}

#[test]
fn no_file_is_too_long_to_read() {
    let mut files = Vec::new();
    for folder in ["host", "plugins", "sdk", "tests"] {
        sources(&root().join(folder), &mut files);
    }
    let lines = |path: &PathBuf| std::fs::read_to_string(path).expect("a file").lines().count();
    let long: Vec<_> = files.iter().map(|path| (lines(path), path)).filter(|(lines, _)| *lines > 600).collect();
    assert!(long.is_empty(), "{long:?}");
}
