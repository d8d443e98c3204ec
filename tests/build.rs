//! Builds the guests that are written in Rust, and writes down which cases there are: a case without its test does not
//! compile.

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

const TARGET: &str = "wasm32-wasip2";

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let target = out.ancestors().nth(4).ok_or("no target folder")?.join("guests");
    println!("cargo::rerun-if-changed=guests/Cargo.toml");
    println!("cargo::rerun-if-changed=hostile");
    let cases = cases(&root.join("hostile"))?;
    let rust: Vec<&String> = cases.iter().filter(|(_, kind)| *kind == Kind::Rust).map(|(name, _)| name).collect();
    build(&root.join("guests"), &target, &rust)?;
    fs::write(out.join("cases.rs"), list(&cases, &target.join(TARGET).join("release")))?;
    Ok(())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Rust,
    Wat,
    /// The stimulus is no guest of its own: a file, a crash, or a first-party tool.
    None,
}

/// Each folder of `hostile/` is a case, but for that of the tests.
fn cases(folder: &Path) -> Result<Vec<(String, Kind)>, Box<dyn Error>> {
    let mut cases = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        // The tests themselves lie beside the cases.
        if !path.is_dir() || path.ends_with("groups") {
            continue;
        }
        let name = path.file_name().and_then(|n| n.to_str()).ok_or("a case without a name")?.to_owned();
        let kind = match (path.join("guest.rs").is_file(), path.join("guest.wat").is_file()) {
            (true, _) => Kind::Rust,
            (false, true) => Kind::Wat,
            (false, false) => Kind::None,
        };
        cases.push((name, kind));
    }
    cases.sort();
    Ok(cases)
}

impl PartialOrd for Kind {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Kind {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (*self as u8).cmp(&(*other as u8))
    }
}

/// One program for each case, generated from the folder's name.
fn build(guests: &Path, target: &Path, cases: &[&String]) -> Result<(), Box<dyn Error>> {
    let mut command = Command::new(env::var_os("CARGO").ok_or("no CARGO")?);
    command.args(["build", "--release", "--locked", "--target", TARGET, "--target-dir"]).arg(target);
    for case in cases {
        command.args(["--bin", case]);
    }
    command.current_dir(guests);
    for name in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "RUSTC_WORKSPACE_WRAPPER", "CARGO_BUILD_TARGET"] {
        command.env_remove(name);
    }
    let status = command.status()?;
    if status.success() { Ok(()) } else { Err(format!("building the guests failed: {status}").into()) }
}

fn list(cases: &[(String, Kind)], built: &Path) -> String {
    let mut source =
        String::from("/// The bytes of a case's guest.\npub fn guest(case: &str) -> Vec<u8> {\n    match case {\n");
    for (name, kind) in cases {
        let bytes = match kind {
            Kind::Rust => format!("include_bytes!({:?}).to_vec()", built.join(format!("{name}.wasm"))),
            Kind::Wat => {
                format!("text(include_str!(concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/hostile/{name}/guest.wat\")))")
            }
            Kind::None => continue,
        };
        let _ = writeln!(source, "        {name:?} => {bytes},");
    }
    source.push_str("        other => panic!(\"no guest `{other}`\"),\n    }\n}\n\n");
    source.push_str(
        "/// Calls a macro with every case.\n#[macro_export]\nmacro_rules! each_case {\n    ($call:ident) => {\n",
    );
    for (name, _) in cases {
        let _ = writeln!(source, "        $call!({name});");
    }
    source.push_str("    };\n}\n");
    source
}
