//! Lines for whoever looks at the receipt of the call.
//!
//! They go to standard error, which every WASI host has, as `level: message`. The host keeps them in the receipt, up to
//! its limits. Standard output is free for the tool; the host keeps it as well.

use std::io::Write;

/// Something that helps to find a fault in the tool.
pub fn debug(message: &str) {
    write("debug", message);
}

/// Something worth knowing.
pub fn info(message: &str) {
    write("info", message);
}

/// Something odd that did not stop the call.
pub fn warn(message: &str) {
    write("warn", message);
}

/// Something that went wrong.
pub fn error(message: &str) {
    write("error", message);
}

fn write(level: &str, message: &str) {
    // One write, so that a line is one record. A full or closed log must not fail the call.
    let line = format!("{level}: {message}\n");
    let _ = std::io::stderr().write_all(line.as_bytes());
}
