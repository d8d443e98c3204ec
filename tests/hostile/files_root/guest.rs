//! Goes from the root that the host shows, and not from the mounts, to each of its arguments: what it may reach that way
//! is what the mounts give.
use wasip2::filesystem::preopens::get_directories;
use wasip2::filesystem::types::{Descriptor, DescriptorFlags, ErrorCode, OpenFlags, PathFlags};

fn main() {
    let root = get_directories().into_iter().find(|(_, path)| path == "/").expect("a root").0;
    list(&root);
    for path in std::env::args().skip(1) {
        let follow = PathFlags::SYMLINK_FOLLOW;
        tried("stat", &path, root.stat_at(follow, &path).map(|stat| format!("{:?}", stat.type_)));
        tried("hash", &path, root.metadata_hash_at(follow, &path).map(|_| String::new()));
        tried("link target", &path, root.readlink_at(&path));
        tried("read", &path, read(&root, &path));
        let write = OpenFlags::CREATE | OpenFlags::TRUNCATE;
        let opened = root.open_at(follow, &path, write, DescriptorFlags::WRITE);
        tried("write", &path, opened.and_then(|file| file.write(b"overwritten", 0)).map(|_| String::new()));
        tried("create folder", &path, root.create_directory_at(&path).map(|()| String::new()));
        tried("rename", &path, root.rename_at(&path, &root, "data/taken").map(|()| String::new()));
        tried("rename onto", &path, root.rename_at("data/inner", &root, &path).map(|()| String::new()));
        tried("remove", &path, root.unlink_file_at(&path).map(|()| String::new()));
        tried("remove folder", &path, root.remove_directory_at(&path).map(|()| String::new()));
    }
}

/// As `wasi-libc` lists a folder: each entry is asked for its number.
fn list(root: &Descriptor) {
    let entries = root.read_directory().expect("the root can be listed");
    while let Some(entry) = entries.read_directory_entry().expect("an entry") {
        let hash = root.metadata_hash_at(PathFlags::empty(), &entry.name);
        println!("entry {} {}", entry.name, if hash.is_ok() { "is there" } else { "is refused" });
    }
}

fn read(root: &Descriptor, path: &str) -> Result<String, ErrorCode> {
    let opened = root.open_at(PathFlags::SYMLINK_FOLLOW, path, OpenFlags::empty(), DescriptorFlags::READ)?;
    let (bytes, _) = opened.read(1000, 0)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn tried(what: &str, path: &str, result: Result<String, ErrorCode>) {
    match result {
        Ok(found) => println!("DONE {what} {path} {found}"),
        Err(error) => println!("no {what} {path}: {}", error.name()),
    }
}
