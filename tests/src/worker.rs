//! The compile worker that tests and benches hand to their sandboxes.

use std::process::ExitCode;

fn main() -> ExitCode {
    toolcrib_sandbox::compile_worker(&std::env::args().nth(1).unwrap_or_default())
}
