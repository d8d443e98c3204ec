//! Prints a hundred thousand lines, with escape sequences and broken text in them.
use std::io::Write;
fn main() {
    let mut out = std::io::stdout().lock();
    for n in 0..100_000u32 {
        if out.write_all(b"\x1b]0;owned\x07 \xff\xfe line ").and_then(|()| writeln!(out, "{n}")).is_err() {
            return;
        }
    }
}
