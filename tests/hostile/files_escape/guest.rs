//! Tries each of its arguments as a path, in every way that a file can be touched; prints what came of it.
use std::fs::{self, OpenOptions};

fn main() {
    let mut fails = false;
    for path in std::env::args().skip(1) {
        if path == "--fail" {
            fails = true;
            continue;
        }
        match fs::read_to_string(&path) {
            Ok(text) => println!("DONE read {path}: {text}"),
            Err(error) => println!("no read {path}: {:?}", error.kind()),
        }
        tried("list", &path, fs::read_dir(&path).map(drop));
        tried("link target", &path, fs::read_link(&path).map(drop));
        tried("write", &path, fs::write(&path, "overwritten by the guest"));
        tried("append", &path, OpenOptions::new().append(true).open(&path).map(drop));
        tried("truncate", &path, OpenOptions::new().write(true).truncate(true).open(&path).map(drop));
        tried("create folder", &path, fs::create_dir(&path));
        tried("remove folder", &path, fs::remove_dir(&path));
        tried("rename", &path, fs::rename(&path, "/data/taken"));
        tried("rename onto", &path, fs::rename("/data/bait", &path));
        tried("remove", &path, fs::remove_file(&path));
    }
    if fails {
        std::process::exit(1);
    }
}

fn tried(what: &str, path: &str, result: std::io::Result<()>) {
    match result {
        Ok(()) => println!("DONE {what} {path}"),
        Err(error) => println!("no {what} {path}: {:?}", error.kind()),
    }
}
