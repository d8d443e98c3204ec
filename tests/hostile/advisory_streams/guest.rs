//! Asks streams for as much as a number can say, when nothing is there to read and nobody to write to.
use wasip2::cli::{stderr, stdin, stdout};
use wasip2::random::{insecure, random};

fn main() {
    let (input, output) = (stdin::get_stdin(), stdout::get_stdout());
    match std::env::args().nth(1).as_deref() {
        Some("read") => println!("{:?}", input.read(u64::MAX).map(|bytes| bytes.len())),
        Some("blocking-read") => println!("{:?}", input.blocking_read(u64::MAX).map(|bytes| bytes.len())),
        Some("skip") => println!("{:?}", input.skip(u64::MAX)),
        Some("blocking-skip") => println!("{:?}", input.blocking_skip(u64::MAX)),
        Some("splice") => println!("{:?}", output.splice(&input, u64::MAX)),
        Some("blocking-splice") => println!("{:?}", output.blocking_splice(&input, u64::MAX)),
        Some("zeroes") => println!("{:?}", output.write_zeroes(u64::MAX)),
        Some("blocking-zeroes") => println!("{:?}", output.blocking_write_zeroes_and_flush(u64::MAX)),
        Some("empty") => empty(),
        Some("random") => println!("{}", random::get_random_bytes(u64::MAX).len()),
        _ => println!("{}", insecure::get_insecure_random_bytes(u64::MAX).len()),
    }
}

/// Writes nothing, very often: a host that queues each of them holds them all.
fn empty() {
    let output = stderr::get_stderr();
    for _ in 0..200_000 {
        output.write(b"").expect("nothing can be written");
    }
    println!("written");
}
