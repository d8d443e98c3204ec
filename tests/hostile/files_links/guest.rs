//! Tries to make links, to carry files from one folder into another, and to change what it may only read.
use std::fs::{self, File, OpenOptions};
use std::time::SystemTime;

fn main() {
    report("hard link", fs::hard_link("/data/file.txt", "/data/again.txt"));
    #[allow(deprecated, reason = "the portable name for what the guest tries")]
    report("soft link", fs::soft_link("/etc/passwd", "/data/passwd"));
    report("rename into what is read", fs::rename("/data/file.txt", "/fixed/file.txt"));
    report("rename out of what is read", fs::rename("/fixed/kept.txt", "/data/kept.txt"));
    report("rename into another folder", fs::rename("/data/file.txt", "/other/file.txt"));
    report("truncate", OpenOptions::new().write(true).truncate(true).open("/fixed/kept.txt").map(drop));
    report("create", OpenOptions::new().write(true).create(true).open("/fixed/new.txt").map(drop));
    report("remove", fs::remove_file("/fixed/kept.txt"));
    report("times of what is read", times("/fixed/kept.txt"));
    report("write to a linked file", fs::write("/data/linked.txt", "x"));
    report("append to a linked file", OpenOptions::new().append(true).open("/data/linked.txt").map(drop));
    report("times of a linked file", times("/data/linked.txt"));
    println!("{}", fs::read_to_string("/data/file.txt").expect("the folder is granted"));
}

fn times(path: &str) -> std::io::Result<()> {
    let set = File::open(path)?.set_modified(SystemTime::UNIX_EPOCH);
    // The second way: by the path, through the folder.
    set.or_else(|_| set_times_at(path))
}

fn set_times_at(path: &str) -> std::io::Result<()> {
    use wasip2::filesystem::preopens::get_directories;
    use wasip2::filesystem::types::{NewTimestamp, PathFlags};
    let (folder, name) = path.rsplit_once('/').expect("an absolute path");
    let mount = get_directories().into_iter().find(|(_, at)| at == folder).expect("the folder is granted").0;
    mount
        .set_times_at(PathFlags::SYMLINK_FOLLOW, name, NewTimestamp::NoChange, NewTimestamp::Now)
        .map_err(|code| std::io::Error::other(code.name()))
}

fn report(what: &str, result: std::io::Result<()>) {
    match result {
        Ok(()) => println!("DONE {what}"),
        Err(error) => println!("no {what}: {:?}", error.kind()),
    }
}
