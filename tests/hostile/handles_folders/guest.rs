//! Begins to list a large folder again and again, and keeps each listing.
fn main() {
    let mounts = wasip2::filesystem::preopens::get_directories();
    let folder = &mounts.iter().find(|(_, path)| path == "/data").expect("the folder is granted").0;
    let mut held = Vec::new();
    for n in 0..100_000 {
        match folder.read_directory() {
            Ok(list) => {
                assert!(list.read_directory_entry().is_ok_and(|entry| entry.is_some()));
                held.push(list);
            }
            Err(code) => {
                println!("{n}: {}", code.name());
                std::process::exit(1);
            }
        }
    }
    println!("{}", held.len());
}
