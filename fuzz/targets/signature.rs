//! Signatures of plugins: none counts but the one that the key made, whatever stands around it.
#![no_main]

use std::path::Path;
use std::sync::LazyLock;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use libfuzzer_sys::fuzz_target;
use toolcrib_catalog::fuzzing::signature;
use toolcrib_policy::{OperatorFile, TrustedKey};

/// The files in `corpus/signature` are the two signatures of this by the key below; nothing else ever was signed with it.
const BYTES: &[u8] = b"the bytes of a plugin";
const KEY: &str = "RWR0b29sY3JpYqPqOZaW8vdBYKL93FatrDxDPoGosZdSNLT9Fba1QfDT";
const COMMENT: &str = "timestamp:0\tfile:plugin.wasm";
/// A signature and the signature of its comment.
const SIGNED: [[&str; 2]; 2] = [
    [
        "RUR0b29sY3JpYlQy0xhh58VDsnCK02WnTu/3QH/jtKiY1E+aoI+s81VyuykeDQjeqnfRNPeXzj1ZnQFlKsBueRptx5Zt8JbNEAY=",
        "ZkMHHq70SP+DKbzBvHMqBZlIFcnYp8jATsO7TTLZSDbf20rgfXN/JgsUajG/WGG4dCSKFq0GmmVKo7Pb3mLfCg==",
    ],
    [
        "RWR0b29sY3JpYtsMzMD+1LITixuSmRF2fKKXZMuIRReBW4eP/GVTXFiLInPtCaO+R7eqAn2iSwtwpU3EYFELp3wPyiiUApBEwwQ=",
        "qIlDCPqyje51xZ/E55mHpwbcpT8hUm0xAWWdpp98pp/hRq+9Xl5eunz3J2yaNDPqtUKrYpkoVW7gSFvXTxFSCA==",
    ],
];

static KEYS: LazyLock<Vec<TrustedKey>> = LazyLock::new(|| {
    let file = format!("[plugins]\ntrusted-keys = [\"{KEY}\"]\n");
    let file = OperatorFile::parse(&file, "toolcrib.toml", Path::new("/work")).expect("an operator file");
    let keys = file.admission().trusted_keys.clone();
    for [of_bytes, of_comment] in SIGNED {
        let text = format!("untrusted comment: \n{of_bytes}\ntrusted comment: {COMMENT}\n{of_comment}\n");
        assert_eq!(signature(BYTES, &text, &keys, 0).as_deref(), Ok(KEY));
    }
    keys
});

fuzz_target!(|text: &str| {
    let found = signature(BYTES, text, &KEYS, 0);
    assert!(signature(b"other bytes", text, &KEYS, 0).is_err(), "{text:?}");
    let Ok(key) = found else { return };
    assert_eq!(key, KEY);
    let lines: Vec<&str> = text.lines().collect();
    let decoded = |line: &str| BASE64_STANDARD.decode(line.trim()).ok();
    let made = |[signature, of_comment]: &[&str; 2]| {
        decoded(lines[1]) == decoded(signature) && decoded(lines[3]) == decoded(of_comment)
    };
    assert!(SIGNED.iter().any(made), "{text:?}");
    assert_eq!(lines[2].strip_prefix("trusted comment: "), Some(COMMENT), "{text:?}");
});
