//! Tries to make a hard link and a symbolic link, and to rename across mounts.
fn main() {
    report("hard link", std::fs::hard_link("/data/file.txt", "/data/again.txt"));
    #[allow(deprecated, reason = "the portable name for what the guest tries")]
    report("soft link", std::fs::soft_link("/etc/passwd", "/data/passwd"));
    report("rename", std::fs::rename("/data/file.txt", "/fixed/file.txt"));
    report("truncate", std::fs::OpenOptions::new().write(true).truncate(true).open("/fixed/kept.txt").map(drop));
    report("remove", std::fs::remove_file("/fixed/kept.txt"));
    report("append to a linked file", std::fs::write("/data/linked.txt", "x"));
}

fn report(what: &str, result: std::io::Result<()>) {
    match result {
        Ok(()) => println!("DONE {what}"),
        Err(error) => println!("no {what}: {:?}", error.kind()),
    }
}
