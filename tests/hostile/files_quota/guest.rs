//! Fills a folder: `write` in blocks, `stretch` by setting a size, `files` with empty ones; until it may not.
use std::fs::File;
use std::io::Write;

fn main() {
    let mut arguments = std::env::args().skip(1);
    match arguments.next().as_deref() {
        Some("write") => write(),
        Some("stretch") => stretch(),
        Some("far") => far(),
        _ => files(),
    }
    if arguments.next().as_deref() == Some("--fail") {
        std::process::exit(1);
    }
}

fn write() {
    let mut file = File::create("/data/big").expect("the folder is granted");
    let mut written = 0u64;
    while written < 1 << 30 {
        match file.write(&[7u8; 4096]) {
            Ok(n) => written += n as u64,
            Err(error) => return println!("after {written} bytes: {error}"),
        }
    }
}

fn stretch() {
    let file = File::create("/data/big").expect("the folder is granted");
    match file.set_len(1 << 40) {
        Ok(()) => println!("DONE stretch"),
        Err(error) => println!("no stretch: {error}"),
    }
}

fn far() {
    use std::io::{Seek, SeekFrom};
    let mut file = File::create("/data/big").expect("the folder is granted");
    file.seek(SeekFrom::Start(1 << 40)).expect("a place");
    match file.write_all(b"x").and_then(|()| file.sync_all()) {
        Ok(()) => println!("DONE far"),
        Err(error) => println!("no far: {error}"),
    }
}

fn files() {
    for n in 0..1_000_000 {
        if let Err(error) = File::create(format!("/data/{n}")) {
            return println!("after {n} files: {error}");
        }
    }
}
