//! Writes blocks to one file, then makes empty files, until it may not.
use std::io::Write;
fn main() {
    let mut file = std::fs::File::create("/data/big").expect("the folder is granted");
    let mut written = 0u64;
    while written < 1 << 30 {
        match file.write(&[7u8; 4096]) {
            Ok(n) => written += n as u64,
            Err(error) => {
                println!("bytes {written}: {:?}", error.kind());
                break;
            }
        }
    }
    for n in 0..1_000_000 {
        if let Err(error) = std::fs::File::create(format!("/data/{n}")) {
            println!("files {n}: {:?}", error.kind());
            break;
        }
    }
}
