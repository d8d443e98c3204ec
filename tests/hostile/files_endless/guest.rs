//! Reads a file that seems to have no end, piece by piece.
use std::io::Read;

fn main() {
    let mut file = std::fs::File::open("/data/huge").expect("the folder is granted");
    let mut buffer = vec![0u8; 64 * 1024];
    let mut read = 0u64;
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return println!("DONE {read} bytes"),
            Ok(more) => read += more as u64,
            Err(error) => return println!("after {read} bytes: {error}"),
        }
    }
}
