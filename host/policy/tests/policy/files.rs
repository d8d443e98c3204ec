//! Folders.

use std::path::{Path, PathBuf};

use toolcrib_policy::{Access, FileGrant, FileRequest, GuestPath, OperatorFile, Requests};

use crate::{operator, plugin};

fn grant(line: &str) -> FileGrant {
    FileGrant::parse(line, Path::new("/work")).unwrap()
}

fn complaint(line: &str) -> String {
    FileGrant::parse(line, Path::new("/work")).unwrap_err().to_string()
}

/// The folders that the plugin sees, as lines, if it asks for `requests`.
fn seen(file: &OperatorFile, requests: &[&str]) -> Vec<String> {
    let files = requests.iter().map(|line| FileRequest::parse(line).unwrap()).collect();
    let requests = Requests { files, ..Requests::nothing() };
    file.authority(&plugin(), &requests, None).files.iter().map(ToString::to_string).collect()
}

#[test]
fn a_line_reads_as_said() {
    let docs = grant("read ./docs as /docs");
    assert_eq!((docs.access, docs.host, docs.guest.as_str()), (Access::Read, PathBuf::from("/work/docs"), "/docs"));
    let out = grant("read-write ./out as /out, 100 MiB, 1000 files");
    assert_eq!((out.max_bytes, out.max_files), (Some(100 << 20), Some(1000)));
    assert_eq!(grant("read-write out as /o,2 files,1 kB").max_bytes, Some(1000));
}

#[test]
fn a_folder_is_named_without_detours_before_it_is_compared_or_opened() {
    assert_eq!(grant("read ./a/../b as /b").host, PathBuf::from("/work/b"));
    assert_eq!(grant("read ../b as /b").host, PathBuf::from("/b"));
    assert_eq!(grant("read . as /b/").host, PathBuf::from("/work"));
    assert_eq!(grant("read /srv/my files, old as /b").host, PathBuf::from("/srv/my files, old"));
    assert_eq!(grant("read ./x as y as /b").host, PathBuf::from("/work/x as y"));
}

#[test]
fn each_mistake_in_a_line_is_named() {
    let all: Vec<String> = [
        "",
        "read",
        "read ./docs",
        "write ./docs as /docs",
        "deny ./docs as /docs",
        "read ./docs as docs",
        "read ./docs as /a/../b",
        "read  as /x",
        "read ~/docs as /docs",
        "read $HOME as /docs",
        "read ../../.. as /x",
        "read ./d* as /x",
        "read ./d as /x, 100 MiB",
        "read-write ./d as /x, 100",
        "read-write ./d as /x, many files",
        "read-write ./d as /x, 1 MiB, 2 MiB",
        "read-write ./d as /x,",
    ]
    .iter()
    .map(|line| format!("{line:38} {}", complaint(line)))
    .collect();
    insta::assert_snapshot!(all.join("\n"), @r"
                                           write an access and a place, such as `read ./docs as /docs` or `read-write ./out as /out, 100 MiB, 1000 files`
    read                                   write an access and a place, such as `read ./docs as /docs` or `read-write ./out as /out, 100 MiB, 1000 files`
    read ./docs                            write an access and a place, such as `read ./docs as /docs` or `read-write ./out as /out, 100 MiB, 1000 files`
    write ./docs as /docs                  write an access and a place, such as `read ./docs as /docs` or `read-write ./out as /out, 100 MiB, 1000 files`
    deny ./docs as /docs                   `deny` works for `http` and `tools`; folders are granted one by one: leave out what is not to be given
    read ./docs as docs                    `docs` is not a path inside the sandbox: begin with `/`, without `..`, `.`, stars or empty parts
    read ./docs as /a/../b                 `/a/../b` is not a path inside the sandbox: begin with `/`, without `..`, `.`, stars or empty parts
    read  as /x                            write an access and a place, such as `read ./docs as /docs` or `read-write ./out as /out, 100 MiB, 1000 files`
    read ~/docs as /docs                   `~/docs` has `~` or `$`, which are not expanded: write the whole path
    read $HOME as /docs                    `$HOME` has `~` or `$`, which are not expanded: write the whole path
    read ../../.. as /x                    `../../..` leads above the root of the file system
    read ./d* as /x                        `./d*` has a star or a control character: name one folder
    read ./d as /x, 100 MiB                a quota limits what is written: `read` has none
    read-write ./d as /x, 100              `100` is not a quota: write a size such as `100 MiB`, a count such as `1000 files` or `1000 keys`, each once
    read-write ./d as /x, many files       `many files` is not a quota: write a size such as `100 MiB`, a count such as `1000 files` or `1000 keys`, each once
    read-write ./d as /x, 1 MiB, 2 MiB     `2 MiB` is not a quota: write a size such as `100 MiB`, a count such as `1000 files` or `1000 keys`, each once
    read-write ./d as /x,                  `` is not a quota: write a size such as `100 MiB`, a count such as `1000 files` or `1000 keys`, each once
    ");
}

#[test]
fn a_place_in_the_sandbox_is_absolute_and_plain() {
    for (text, path) in [("/", "/"), ("/a", "/a"), ("/a/", "/a"), ("/a b/c.txt", "/a b/c.txt")] {
        assert_eq!(GuestPath::parse(text).unwrap().as_str(), path);
    }
    for bad in ["", "a", "//", "/a//b", "/./a", "/a/..", "/a\0", "/a\nb", "/a\\b", "/*"] {
        assert!(GuestPath::parse(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn below_counts_whole_names() {
    let path = |text: &str| GuestPath::parse(text).unwrap();
    assert_eq!(path("/docs/a/b").below(&path("/docs")), Some("a/b"));
    assert_eq!(path("/docs").below(&path("/docs")), Some(""));
    assert_eq!(path("/docs").below(&path("/")), Some("docs"));
    assert_eq!(path("/").below(&path("/")), Some(""));
    assert_eq!(path("/docsx").below(&path("/docs")), None);
    assert_eq!(path("/").below(&path("/docs")), None);
}

#[test]
fn a_plugin_sees_a_granted_folder_where_it_asked_for_it_with_the_lesser_access() {
    let file = operator("[plugin.shop]\nfiles = [\"read-write ./out as /out\"]");
    assert_eq!(seen(&file, &["read /**"]), ["read /work/out as /out"]);
    assert_eq!(seen(&file, &["read-write /**"]), ["read-write /work/out as /out"]);
    assert_eq!(seen(&file, &["read /out", "read-write /out/**"]), ["read-write /work/out as /out"]);
    assert!(seen(&file, &["read-write /other"]).is_empty());
    assert!(seen(&file, &[]).is_empty());
    let file = operator("[plugin.shop]\nfiles = [\"read ./out as /out\"]");
    assert_eq!(seen(&file, &["read-write /**"]), ["read /work/out as /out"]);
}

#[test]
fn a_plugin_that_asks_for_less_than_a_granted_folder_does_not_choose_a_folder_inside() {
    // The part would be a path that the plugin names and the host opens: a link in it would lead out.
    let file = operator("[plugin.shop]\nfiles = [\"read ./docs as /docs\"]");
    assert!(seen(&file, &["read /docs/sub"]).is_empty());
}

#[test]
fn the_ceiling_cuts_folders_by_their_place_on_this_machine() {
    let under = |ceiling: &str| {
        let text = format!(
            "[ceiling]\nfiles = [{ceiling}]\n[plugin.shop]\nfiles = [\"read-write ./out as /o, 10 MiB\", \"read ./docs as /d\"]"
        );
        seen(&operator(&text), &["read-write /**"])
    };
    assert!(under("").is_empty());
    assert_eq!(under("\"read .\""), ["read /work/docs as /d", "read /work/out as /o, 10 MiB"]);
    assert_eq!(under("\"read-write ./out, 1 MiB, 5 files\""), ["read-write /work/out as /o, 1 MiB, 5 files"]);
    assert_eq!(under("\"read-write ./out/sub\""), ["read-write /work/out/sub as /o/sub, 10 MiB"]);
    assert!(under("\"read-write ./o\"").is_empty());
}

#[test]
fn a_caller_hands_on_its_own_folders_and_no_others() {
    let file = operator(
        r#"[plugin.shop]
        files = ["read-write ./out as /o", "read ./docs as /d"]
        [plugin.caller]
        files = ["read ./out/part as /somewhere"]"#,
    );
    let all = Requests::everything();
    let caller = file.authority(&"caller".parse().unwrap(), &all, None);
    let called: Vec<String> =
        file.authority(&plugin(), &all, Some(&caller)).files.iter().map(ToString::to_string).collect();
    assert_eq!(called, ["read /work/out/part as /o/part"]);
}

#[test]
fn one_place_shows_one_folder_and_no_false_protection() {
    let text = |lines: &str| crate::complaint(&format!("[plugin.shop]\nfiles = [{lines}]"));
    assert!(text("\"read ./a as /x\", \"read ./b as /x/\"").contains("stands for a folder twice"));
    assert!(text("\"read-write ./a as /x\", \"read ./a/y as /x/y\"").contains("only read cannot lie inside"));
}

#[test]
fn a_place_whose_name_ends_with_a_space_is_one_that_no_line_can_say() {
    for line in ["read /docs /", "read /docs /**", "read /docs\u{a0}/"] {
        assert!(FileRequest::parse(line).is_err(), "{line:?}");
    }
    for line in ["read ./docs as /docs /", "read ./docs / as /docs", "read ./docs /. as /docs"] {
        assert!(FileGrant::parse(line, "/work".as_ref()).is_err(), "{line:?}");
    }
}

#[test]
fn a_folder_that_is_written_can_be_versioned() {
    let grant = |line: &str| toolcrib_policy::FileGrant::parse(line, std::path::Path::new("/base"));
    let line = "read-write /base/out as /out, 100 MiB, 7 files, versioned";
    let read = grant(line).unwrap();
    assert!(read.versioned && read.max_files == Some(7));
    assert_eq!(read.to_string(), line);
    assert!(!grant("read-write ./out as /out").unwrap().versioned);
    for wrong in
        ["read ./a as /a, versioned", "read-write ./a as /a, versioned, 1 MiB", "read-write ./a as /a versioned, 1 MiB"]
    {
        assert!(grant(wrong).is_err(), "{wrong}");
    }
    let alone = operator("[plugin.shop]\nfiles = [\"read-write ./a as /a, versioned\", \"read ./b as /b\"]");
    let alone = alone.authority(&plugin(), &toolcrib_policy::Requests::everything(), None);
    assert!(alone.changes_only_versioned() && alone.versioned().count() == 1);
    for more in [
        "files = [\"read-write ./a as /a, versioned\", \"read-write ./b as /b\"]",
        "files = [\"read ./a as /a\"]",
        "files = [\"read-write ./a as /a, versioned\"]\nhttp = [\"POST https://a.com/**\"]",
    ] {
        let file = operator(&format!("[plugin.shop]\n{more}"));
        assert!(
            !file.authority(&plugin(), &toolcrib_policy::Requests::everything(), None).changes_only_versioned(),
            "{more}"
        );
    }
}
