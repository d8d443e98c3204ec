//! Opens the listing of a large folder again and again, and keeps each.
fn main() {
    let mut held = Vec::new();
    for n in 0..100_000 {
        match std::fs::read_dir("/data") {
            Ok(mut list) => {
                drop(list.next());
                held.push(list);
            }
            Err(error) => {
                println!("{n}: {error}");
                std::process::exit(1);
            }
        }
    }
    println!("{}", held.len());
}
