//! The compile worker as a program of its own, for tests, benches and embedders. `toolcrib compile-worker` is the same.

use std::process::ExitCode;

fn main() -> ExitCode {
    let profile = std::env::args().nth(1).unwrap_or_default();
    toolcrib_sandbox::compile_worker(&profile)
}
