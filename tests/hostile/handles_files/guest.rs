//! Opens files until it may not, and keeps them.
fn main() {
    let mut held = Vec::new();
    for n in 0..100_000 {
        match std::fs::File::open("/data/file.txt") {
            Ok(file) => held.push(file),
            Err(error) => {
                println!("{n}: {error}");
                std::process::exit(1);
            }
        }
    }
    println!("{}", held.len());
}
