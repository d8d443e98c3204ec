//! What is no component, and what pretends to be compiled.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use toolcrib_sandbox::{CacheConfig, MAX_COMPONENT_BYTES, Sandbox, SandboxConfig};
use toolcrib_tests::{authority, guest, worker};

use crate::host::{Host, alone, refused};

/// Bytes without an order, the same in every run.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x2545_F491_4F6C_DD1Du64;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[0]
    };
    (0..length).map(|_| next()).collect()
}

/// Compiled code that somebody else made, on this thread alone.
fn compiled(component: &[u8]) -> Vec<u8> {
    let mut config = wasmtime::Config::new();
    config.parallel_compilation(false);
    let engine = wasmtime::Engine::new(&config).expect("an engine");
    engine.precompile_component(component).expect("it compiles")
}

async fn refusal(host: &Host, bytes: &[u8]) -> (String, String) {
    refused(host.sandbox.load(bytes).await)
}

#[test]
pub(crate) fn compile_junk() {
    alone(async |host| {
        let invalid = |sentence: &str| ("component-invalid".to_owned(), sentence.to_owned());
        let magic = "not a component: 4096 bytes that do not begin with the WebAssembly magic `\\0asm` (at offset 0)";
        assert_eq!(refusal(host, &noise(4096)).await, invalid(magic));
        let empty = "not a component: 0 bytes that do not begin with the WebAssembly magic `\\0asm` (at offset 0)";
        assert_eq!(refusal(host, b"").await, invalid(empty));

        let module = wat::parse_str("(module)").expect("a module");
        let core = "this is a core WebAssembly module, not a component; build it for `wasm32-wasip2`, or wrap it with \
                    `wasm-tools component new`";
        assert_eq!(refusal(host, &module).await, invalid(core));

        let whole = guest("cpu_sleep");
        let (code, sentence) = refusal(host, &whole[..whole.len() / 2]).await;
        assert_eq!(code, "component-invalid");
        assert!(sentence.starts_with("not a component: ") && sentence.contains("out of bounds"), "{sentence}");
        let headed = [&whole[..8], &noise(4096)].concat();
        let (code, sentence) = refusal(host, &headed).await;
        assert_eq!(code, "component-invalid");
        assert!(sentence.contains("offset 0x"), "{sentence}");

        let compiled = compiled(&whole);
        let precompiled = "this is compiled code (`.cwasm`); give the component that it was compiled from, Toolcrib \
                           compiles it itself";
        assert_eq!(refusal(host, &compiled).await, invalid(precompiled));

        let mut large = whole.clone();
        large.resize(MAX_COMPONENT_BYTES + 1, 0);
        let sentence = "the component has 67108865 bytes; the most that is accepted is 67108864";
        assert_eq!(refusal(host, &large).await, ("component-too-large".to_owned(), sentence.to_owned()));
        drop(large);

        flipped(host).await;
    });
}

/// A component with one bit turned loads, or is refused in one line; nothing else comes of it.
async fn flipped(host: &Host) {
    let whole = guest("canary");
    let places = (8..whole.len()).step_by(whole.len() / 30);
    let loads = places.map(|place| {
        let mut bytes = whole.clone();
        bytes[place] ^= 1 << (place % 8);
        async move {
            let loaded = host.sandbox.load(&bytes).await;
            if let Err(error) = &loaded {
                let known = ["component-invalid", "component-rejected", "import-denied"];
                assert!(known.contains(&error.code()), "{place}: {error:?}");
                refused(loaded);
            }
        }
    });
    futures::future::join_all(loads).await;
}

/// A component that holds one core module and nothing else.
fn wrapped(module: &[u8]) -> Vec<u8> {
    [b"\0asm\x0d\0\x01\0", &*section(1, module)].concat()
}

fn section(id: u8, contents: &[u8]) -> Vec<u8> {
    [&[id][..], &leb(contents.len()), contents].concat()
}

/// A number in LEB128.
fn leb(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = (number & 0x7f) as u8;
        number >>= 7;
        bytes.push(if number > 0 { low | 0x80 } else { low });
        if number == 0 {
            return bytes;
        }
    }
}

/// A module with one function of this body, which has its locals in front.
fn one_function(body: &[u8]) -> Vec<u8> {
    let code = [&[1][..], &leb(body.len()), body].concat();
    [b"\0asm\x01\0\0\0", &*section(1, &[1, 0x60, 0, 0]), &*section(3, &[1, 0]), &*section(10, &code)].concat()
}

/// A component that exports one function, with `parts` before it and `exports` after.
fn around(parts: &str, exports: &str) -> Vec<u8> {
    let text = format!(
        r#"(component {parts} (core module $n (func (export "f"))) (core instance $i (instantiate $n))
            (func $f (canon lift (core func $i "f"))) {exports})"#
    );
    wat::parse_str(text).expect("a component")
}

/// As many pieces of text as `count`, each with its number.
fn each(count: usize, piece: impl Fn(usize) -> String) -> String {
    (0..count).map(piece).collect()
}

#[test]
pub(crate) fn compile_bombs() {
    const NOP: u8 = 0x01;
    const END: u8 = 0x0b;
    alone(async |host| {
        let large = [&[0][..], &vec![NOP; 10 << 20], &[END]].concat();
        let locals = [&[1][..], &leb(50_001), &[0x7f, END]].concat();
        // Each of type 0; their bodies are missing, which is looked at later.
        let many = [leb(1_000_001), vec![0; 1_000_001]].concat();
        let functions = [b"\0asm\x01\0\0\0", &*section(1, &[1, 0x60, 0, 0]), &*section(3, &many)].concat();
        let deep = each(10_000, |level| format!("(type $t{} (list {}))", level + 1, format_args!("$t{level}")));
        let bombs = [
            ("a function of 10 MB", wrapped(&one_function(&large)), "component-invalid", "size"),
            ("50,001 locals", wrapped(&one_function(&locals)), "component-invalid", "locals"),
            ("1,000,001 functions", wrapped(&functions), "component-invalid", "functions count exceeds limit"),
            (
                "10,000 exports",
                around("", &each(10_000, |n| format!("(export \"f{n}\" (func $f))"))),
                "component-rejected",
                "at most 1024",
            ),
            ("types 10,000 deep", around(&format!("(type $t0 (list u8)) {deep}"), ""), "component-invalid", "too deep"),
            (
                "a name of 1 MB",
                around("", &format!("(export \"{}\" (func $f))", "a".repeat(1 << 20))),
                "component-invalid",
                "string size",
            ),
            (
                "a name of 10 kB",
                around("", &format!("(export \"{}\" (func $f))", "a".repeat(10_000))),
                "component-rejected",
                "at most 256",
            ),
        ];
        for (what, bytes, code, words) in bombs {
            let begun = std::time::Instant::now();
            let refused = refusal(host, &bytes).await;
            assert_eq!(refused.0, code, "{what}: {refused:?}");
            assert!(refused.1.contains(words), "{what}: {refused:?}");
            assert!(begun.elapsed().as_secs() < 20, "{what}: {:?}", begun.elapsed());
        }
    });
}

#[test]
pub(crate) fn compile_orphan() {
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};
    use std::time::{Duration, Instant};

    // The worker waits for its component on a pipe that stays open: nothing but its parent's end ends it.
    let script = "exec 3<&0; \"$0\" small <&3 >/dev/null 2>&1 & echo $!; wait";
    let mut parent = Command::new("/bin/sh")
        .args(["-c", script])
        .arg(worker().program)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a shell");
    let _open = parent.stdin.take();
    let mut line = String::new();
    BufReader::new(parent.stdout.take().expect("a pipe")).read_line(&mut line).expect("a number");
    let place = format!("/proc/{}", line.trim());
    // Once it has the engine's thousands of pages, it has asked for the signal as well.
    let pages = || std::fs::read_to_string(format!("{place}/statm")).ok()?.split(' ').nth(1)?.parse::<u64>().ok();
    let until = Instant::now() + Duration::from_secs(20);
    while pages().is_none_or(|pages| pages < 1000) && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(20));
    }
    std::thread::sleep(Duration::from_millis(300));
    let runs = || std::fs::read_to_string(format!("{place}/stat")).is_ok_and(|stat| !stat.contains(") Z "));
    assert!(runs(), "the worker runs below its parent");
    parent.kill().expect("a child can be killed");
    parent.wait().expect("it ends");
    let until = Instant::now() + Duration::from_secs(5);
    while runs() && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(!runs(), "the worker outlives its parent");
}

#[test]
pub(crate) fn compile_unknown_import() {
    alone(async |host| {
        let loaded = host.sandbox.load(&guest("compile_unknown_import")).await;
        let sentence = "imports that this host does not have: evil:corp/backdoor@1.0.0; a component may import WASI 0.2 \
                        and `toolcrib:host`";
        assert_eq!(refused(loaded), ("import-denied".to_owned(), sentence.to_owned()));
        // A name that it has, with a type that it has not.
        let lie = r#"(component
            (import "wasi:random/random@0.2.0" (instance (export "get-random-bytes" (func (param "len" string)))))
            (core module $m (func (export "f"))) (core instance $i (instantiate $m))
            (func (export "f") (canon lift (core func $i "f"))))"#;
        let (code, sentence) = refused(host.load_text(lie).await);
        assert_eq!(code, "component-rejected");
        assert!(sentence.starts_with("refused: an import does not have the type that it should: "), "{sentence}");
    });
}

/// A component whose only tool gives `number`. All of them have the same length.
fn giving(number: u32) -> Vec<u8> {
    assert!(number < 10);
    let text = format!(
        r#"(component (core module $m (func (export "give") (result i32) (i32.const {number})))
            (core instance $i (instantiate $m))
            (func (export "give") (result u32) (canon lift (core func $i "give"))))"#
    );
    wat::parse_str(text).expect("a component")
}

/// What a fresh process with this cache gets from a component.
async fn given(cache: &Path, component: &[u8]) -> Value {
    let mut config = SandboxConfig::new(worker());
    config.cache = Some(CacheConfig { folder: cache.join("compiled"), key_file: cache.join("key") });
    let sandbox = Sandbox::new(config);
    let plugin = sandbox.load(component).await.expect("it loads, whatever the cache holds");
    let report = toolcrib_tests::call(&sandbox, &plugin, json!({}), &authority("")).await;
    report.outcome.expect("it runs").structured.expect("it gives a number")
}

/// The cache's entries, oldest first.
fn entries(cache: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = Vec::new();
    for folder in std::fs::read_dir(cache.join("compiled")).expect("a cache").flatten() {
        files.extend(std::fs::read_dir(folder.path()).expect("a folder").flatten().map(|entry| entry.path()));
    }
    files.sort_by_key(|file| file.metadata().and_then(|metadata| metadata.modified()).expect("a time"));
    files
}

#[test]
pub(crate) fn cache_planted() {
    alone(async |_host| {
        let folder = tempfile::tempdir().expect("a folder");
        let cache = folder.path();
        let (one, two) = (giving(1), giving(2));
        assert_eq!(given(cache, &one).await, json!(1));
        let [entry] = entries(cache).try_into().expect("one entry");
        assert_eq!(given(cache, &two).await, json!(2));
        let other = entries(cache).into_iter().find(|file| *file != entry).expect("another entry");
        let (own, foreign) = (std::fs::read(&entry).expect("it"), std::fs::read(&other).expect("it"));

        let turned = |place: usize| {
            let mut bytes = own.clone();
            bytes[place] ^= 1;
            bytes
        };
        let compiled = compiled(&two);
        let planted = [
            foreign.clone(),
            turned(0),
            turned(40),
            turned(own.len() / 2),
            turned(own.len() - 1),
            own[..20].to_vec(),
            own[..own.len() - 1].to_vec(),
            [own.clone(), vec![0]].concat(),
            Vec::new(),
            compiled,
            [&own[..32], &foreign[32..]].concat(),
            [&foreign[..32], &own[32..]].concat(),
        ];
        for (number, bytes) in planted.into_iter().enumerate() {
            std::fs::write(&entry, &bytes).expect("the cache lies open");
            assert_eq!(given(cache, &one).await, json!(1), "plant {number}");
            assert_ne!(std::fs::read(&entry).expect("it"), bytes, "plant {number} was replaced");
        }

        // Who has another key has another cache.
        use std::os::unix::fs::PermissionsExt;
        let mode = cache.join("key").metadata().expect("a key").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "the key is its owner's alone");
        std::fs::write(cache.join("key"), [0; 32]).expect("a key");
        let before = std::fs::read(&entry).expect("it");
        assert_eq!(given(cache, &one).await, json!(1));
        assert_ne!(std::fs::read(&entry).expect("it"), before);
    });
}
