//! Builds the plugins for WebAssembly, once, in a target folder of their own, and writes the list that the crate embeds.

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest, Sha256};

const TARGET: &str = "wasm32-wasip2";

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize()?;
    let plugins = root.join("plugins");
    for input in ["plugins", "sdk/rust", "wit"] {
        watch(&root.join(input))?;
    }
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    // OUT_DIR is `target/PROFILE/build/CRATE/out`: all profiles share the guests.
    let target = out.ancestors().nth(4).ok_or("no target folder")?.join("plugins");
    build(&plugins, &target)?;
    let list = list(&plugins, &target.join(TARGET).join("release"))?;
    fs::write(out.join("bundled.rs"), list)?;
    Ok(())
}

/// Watches sources, not what building them leaves beside them.
fn watch(folder: &Path) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() && !path.ends_with("target") {
            watch(&path)?;
        } else if path.is_file() {
            println!("cargo::rerun-if-changed={}", path.display());
        }
    }
    Ok(())
}

fn build(plugins: &Path, target: &Path) -> Result<(), Box<dyn Error>> {
    let cargo = std::env::var_os("CARGO").ok_or("no CARGO")?;
    let run = || {
        let mut command = Command::new(&cargo);
        command.args(["build", "--release", "--locked", "--target", TARGET, "--target-dir"]).arg(target);
        command.current_dir(plugins);
        // What was set for the host's build must not reach the guests'.
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy();
            let hosts = ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "RUSTC_WORKSPACE_WRAPPER", "CARGO_BUILD_TARGET"];
            if hosts.contains(&&*name) || name.starts_with("CARGO_PROFILE_") {
                command.env_remove(&*name);
            }
        }
        command.status()
    };
    if !has_target()? {
        println!("cargo::warning=installing the Rust target {TARGET}, which the plugins are built for");
        let added = Command::new("rustup").args(["target", "add", TARGET]).status();
        if !added.is_ok_and(|status| status.success()) {
            return Err(
                format!("the Rust target {TARGET} is missing; install it with `rustup target add {TARGET}`").into()
            );
        }
    }
    let status = run()?;
    if !status.success() {
        return Err(format!("building the plugins in {} failed: {status}", plugins.display()).into());
    }
    Ok(())
}

/// Whether the compiler that builds this has the library for the plugins' target.
fn has_target() -> Result<bool, Box<dyn Error>> {
    let rustc = std::env::var_os("RUSTC").ok_or("no RUSTC")?;
    let output = Command::new(rustc).args(["--print", "target-libdir", "--target", TARGET]).output()?;
    let folder = PathBuf::from(String::from_utf8(output.stdout)?.trim());
    Ok(folder.is_dir() && fs::read_dir(folder)?.next().is_some())
}

/// The source of the embedded list: each folder of `plugins/` with a manifest, by name.
fn list(plugins: &Path, built: &Path) -> Result<String, Box<dyn Error>> {
    let mut folders: Vec<PathBuf> = fs::read_dir(plugins)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.join("plugin.toml").is_file())
        .collect();
    folders.sort();
    let mut source = String::from("/// The plugins, by name.\npub const PLUGINS: &[Bundled] = &[\n");
    for folder in folders {
        let name = folder.file_name().and_then(|name| name.to_str()).ok_or("a plugin folder without a name")?;
        let component = built.join(format!("toolcrib_plugin_{}.wasm", name.replace('-', "_")));
        let mut digest = String::from("sha256:");
        for byte in Sha256::digest(fs::read(&component).map_err(|e| format!("{}: {e}", component.display()))?) {
            write!(digest, "{byte:02x}")?;
        }
        writeln!(
            source,
            "    Bundled {{ name: {name:?}, manifest: include_str!({manifest:?}), component: include_bytes!({component:?}), digest: {digest:?} }},",
            manifest = folder.join("plugin.toml"),
        )?;
    }
    source.push_str("];\n");
    Ok(source)
}
