//! Tries each of its arguments as a path to read, and to write; prints what came of it.
fn main() {
    for path in std::env::args().skip(1) {
        match std::fs::read_to_string(&path) {
            Ok(text) => println!("READ {path}: {text}"),
            Err(error) => println!("no read {path}: {:?}", error.kind()),
        }
        match std::fs::write(&path, "overwritten by the guest") {
            Ok(()) => println!("WROTE {path}"),
            Err(error) => println!("no write {path}: {:?}", error.kind()),
        }
    }
}
