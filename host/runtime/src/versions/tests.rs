//! A folder is put back to exactly what it was, whatever was done to it.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;

use super::rollback::put_back_states;
use super::{Keep, VersionError};

struct Ground {
    ground: tempfile::TempDir,
    keep: Keep,
}

impl Ground {
    fn new() -> Self {
        let ground = tempfile::tempdir().unwrap();
        fs::create_dir(ground.path().join("out")).unwrap();
        let keep = Keep::in_data(&ground.path().join("data"));
        Ground { ground, keep }
    }

    fn path(&self, path: &str) -> std::path::PathBuf {
        self.ground.path().join(path)
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn out(&self) -> std::path::PathBuf {
        self.path("out")
    }
}

/// All that there is below a folder: path, kind, mode, contents.
fn listed(folder: &Path) -> Vec<(String, u32, String)> {
    fn look(root: &Path, at: &Path, found: &mut Vec<(String, u32, String)>) {
        let mut entries: Vec<_> = fs::read_dir(at).unwrap().map(|entry| entry.unwrap().path()).collect();
        entries.sort();
        for path in entries {
            let metadata = fs::symlink_metadata(&path).unwrap();
            let what = match () {
                () if metadata.is_symlink() => format!("-> {}", fs::read_link(&path).unwrap().display()),
                () if metadata.is_dir() => "folder".to_owned(),
                () => fs::read_to_string(&path).unwrap(),
            };
            let mode = if metadata.is_symlink() { 0 } else { metadata.permissions().mode() & 0o777 };
            found.push((path.strip_prefix(root).unwrap().display().to_string(), mode, what));
            if metadata.is_dir() {
                look(root, &path, found);
            }
        }
    }
    let mut found = Vec::new();
    look(folder, folder, &mut found);
    found
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn everything_comes_back_and_nothing_outside_is_touched() {
    let ground = Ground::new();
    ground.write("secret.txt", "outside");
    ground.write("elsewhere/x.txt", "outside too");
    ground.write("out/a.txt", "a");
    ground.write("out/script.sh", "#!/bin/sh");
    mode(&ground.path("out/script.sh"), 0o755);
    ground.write("out/deep/er/b.txt", "b");
    mode(&ground.path("out/deep/er"), 0o500);
    fs::create_dir(ground.path("out/empty")).unwrap();
    symlink("../secret.txt", ground.path("out/link")).unwrap();
    symlink("../elsewhere", ground.path("out/folder-link")).unwrap();
    fs::hard_link(ground.path("secret.txt"), ground.path("out/hard")).unwrap();
    let before = listed(&ground.out());
    let state = ground.keep.snapshot(&ground.out(), true).unwrap();

    // As much as anybody can do, in one go: bytes, modes, kinds, names, and links where folders were.
    mode(&ground.path("out/deep/er"), 0o700);
    ground.write("out/a.txt", "other");
    mode(&ground.path("out/script.sh"), 0o600);
    fs::remove_dir_all(ground.path("out/deep")).unwrap();
    symlink("../elsewhere", ground.path("out/deep")).unwrap();
    fs::remove_dir(ground.path("out/empty")).unwrap();
    ground.write("out/empty", "a file now");
    ground.write("out/new/c.txt", "c");
    symlink("../elsewhere", ground.path("out/new/link")).unwrap();
    fs::remove_file(ground.path("out/link")).unwrap();
    fs::remove_file(ground.path("out/folder-link")).unwrap();
    fs::create_dir(ground.path("out/folder-link")).unwrap();
    ground.write("out/folder-link/x.txt", "inside");
    fs::remove_file(ground.path("out/hard")).unwrap();
    fs::hard_link(ground.path("elsewhere/x.txt"), ground.path("out/hard")).unwrap();
    let after = ground.keep.snapshot(&ground.out(), false).unwrap();
    let changed = listed(&ground.out());

    put_back_states(&ground.keep, std::slice::from_ref(&state)).unwrap();
    assert_eq!(listed(&ground.out()), before);
    assert_eq!(fs::read_to_string(ground.path("secret.txt")).unwrap(), "outside");
    assert_eq!(fs::read_to_string(ground.path("elsewhere/x.txt")).unwrap(), "outside too");
    assert_eq!(fs::read_dir(ground.path("elsewhere")).unwrap().count(), 1);
    assert_eq!(fs::metadata(ground.path("elsewhere/x.txt")).unwrap().nlink(), 1);
    // And forth again, as often as anybody likes.
    put_back_states(&ground.keep, &[after]).unwrap();
    assert_eq!(listed(&ground.out()), changed);
    put_back_states(&ground.keep, std::slice::from_ref(&state)).unwrap();
    put_back_states(&ground.keep, &[state]).unwrap();
    assert_eq!(listed(&ground.out()), before);
    mode(&ground.path("out/deep/er"), 0o700);
}

#[test]
fn what_somebody_else_changed_is_not_lost() {
    let ground = Ground::new();
    ground.write("out/a.txt", "a");
    let state = ground.keep.snapshot(&ground.out(), true).unwrap();
    ground.write("out/a.txt", "b");
    ground.keep.snapshot(&ground.out(), false).unwrap();
    ground.write("out/mine.txt", "mine");
    let refused = put_back_states(&ground.keep, &[state]).unwrap_err();
    assert!(matches!(&refused, VersionError::Foreign { why } if why.contains("`mine.txt`")), "{refused}");
    assert_eq!(fs::read_to_string(ground.path("out/a.txt")).unwrap(), "b");
}

#[test]
fn a_file_that_changes_within_a_tick_of_the_clock_is_seen() {
    let ground = Ground::new();
    ground.write("out/a.txt", "1");
    let mut states = Vec::new();
    for n in 1..20 {
        // Of the same length, and too soon for the clock of the file system.
        ground.write("out/a.txt", &(n % 10).to_string());
        states.push((n % 10, ground.keep.snapshot(&ground.out(), false).unwrap()));
    }
    for (n, state) in states {
        put_back_states(&ground.keep, &[state]).unwrap();
        assert_eq!(fs::read_to_string(ground.path("out/a.txt")).unwrap(), n.to_string());
    }
}

#[test]
fn a_state_that_is_not_needed_goes_and_what_others_share_stays() {
    let ground = Ground::new();
    ground.write("out/same.txt", "in both");
    ground.write("out/a.txt", "one");
    let one = ground.keep.snapshot(&ground.out(), false).unwrap();
    ground.write("out/a.txt", "two");
    let two = ground.keep.snapshot(&ground.out(), false).unwrap();
    ground.write("out/a.txt", "three");
    ground.keep.snapshot(&ground.out(), false).unwrap();
    let removed = ground.keep.retain(&[two.snapshot.clone()].into()).unwrap();
    // The state and the one file that no other has.
    assert_eq!(removed, 2);
    assert!(matches!(put_back_states(&ground.keep, &[one]), Err(VersionError::Lost { .. })));
    put_back_states(&ground.keep, &[two]).unwrap();
    assert_eq!(fs::read_to_string(ground.path("out/a.txt")).unwrap(), "two");
    assert_eq!(fs::read_to_string(ground.path("out/same.txt")).unwrap(), "in both");
}

#[test]
fn a_damaged_object_is_noticed_before_anything_changes() {
    let ground = Ground::new();
    ground.write("out/a.txt", "a");
    ground.write("out/b.txt", "b");
    let state = ground.keep.snapshot(&ground.out(), false).unwrap();
    ground.write("out/a.txt", "A");
    ground.write("out/b.txt", "B");
    ground.keep.snapshot(&ground.out(), false).unwrap();
    let object = ground.keep.object(&toolcrib_policy::Digest::of(b"b"));
    fs::write(object, "x").unwrap();
    assert!(matches!(put_back_states(&ground.keep, &[state]), Err(VersionError::Lost { .. })));
    assert_eq!(fs::read_to_string(ground.path("out/a.txt")).unwrap(), "A");
}
