//! Buckets.

use toolcrib_policy::{Access, Authority, KeyValueGrant, KeyValueRule, Manifest, OperatorFile, Requests};

use crate::{authority, complaint, operator, plugin};

fn seen(authority: &Authority) -> Vec<String> {
    authority.keyvalue.iter().map(KeyValueGrant::to_string).collect()
}

#[test]
fn a_line_reads_as_said() {
    for line in ["read-write default, 10 MiB, 1000 keys", "read settings", "read-write notes, 1 key"] {
        assert_eq!(KeyValueGrant::parse(line).unwrap().to_string(), line);
    }
    let usual = KeyValueGrant::parse("read-write notes").unwrap();
    assert_eq!((usual.max_bytes(), usual.max_keys()), (10 << 20, 10_000));
    assert_eq!(KeyValueRule::parse("read-write *, 1 MiB").unwrap().to_string(), "read-write *, 1 MiB");
}

#[test]
fn each_mistake_in_a_line_is_named() {
    let wrong = [
        "notes",
        "write notes",
        "read-write a b",
        "read-write *",
        "read notes, 1 MiB",
        "read-write a, 5",
        "deny read a",
    ];
    let complaints: Vec<String> =
        wrong.iter().map(|line| complaint(&format!("[plugin.shop]\nkeyvalue = [\"{line}\"]"))).collect();
    insta::assert_snapshot!(complaints.join("\n"), @r#"
    toolcrib.toml:2:13: `notes` in `keyvalue`: write an access and a place, such as `read-write default, 10 MiB, 1000 keys` or `read settings`
    toolcrib.toml:2:13: `write notes` in `keyvalue`: write an access and a place, such as `read-write default, 10 MiB, 1000 keys` or `read settings`
    toolcrib.toml:2:13: `read-write a b` in `keyvalue`: `a b` is not the name of a bucket: 1 to 64 letters, digits, `-`, `_` and `.`
    toolcrib.toml:2:13: `read-write *` in `keyvalue`: `*` is not the name of a bucket: 1 to 64 letters, digits, `-`, `_` and `.`
    toolcrib.toml:2:13: `read notes, 1 MiB` in `keyvalue`: a quota limits what is written: `read` has none
    toolcrib.toml:2:13: `read-write a, 5` in `keyvalue`: `5` is not a quota: write a size such as `100 MiB`, a count such as `1000 files` or `1000 keys`, each once
    toolcrib.toml:2:13: `deny read a` in `keyvalue`: `deny` works for `http` and `tools`; buckets are granted one by one: leave out what is not to be given
    "#);
    assert!(complaint("[plugin.shop]\nkeyvalue = [\"read a\", \"read-write a\"]").contains("stands there twice"));
}

#[test]
fn every_side_has_to_agree() {
    let grants = "[plugin.shop]\nkeyvalue = [\"read-write notes, 5 MiB\", \"read settings\"]\n";
    assert_eq!(seen(&authority(grants)), ["read-write notes, 5 MiB", "read settings"]);
    for (ceiling, left) in [
        ("[]", &[][..]),
        ("[\"read *\"]", &["read notes, 5 MiB", "read settings"]),
        ("[\"read-write notes, 1 MiB, 10 keys\"]", &["read-write notes, 1 MiB, 10 keys"]),
    ] {
        assert_eq!(seen(&authority(&format!("[ceiling]\nkeyvalue = {ceiling}\n{grants}"))), left, "{ceiling}");
    }
    let text = "name = \"shop\"\nversion = \"1.0.0\"\n[requests]\nkeyvalue = [\"read notes\"]\n";
    let asked = Manifest::parse(text, "plugin.toml").unwrap().requests;
    let file = operator(grants);
    assert_eq!(seen(&file.authority(&plugin(), &asked, None)), ["read notes, 5 MiB"]);
    // A caller lends what it may do itself in some bucket of its own.
    let lent = |line: &str| {
        let file = operator(&format!("{grants}[plugin.caller]\nkeyvalue = [{line}]\n"));
        let caller = file.authority(&"caller".parse().unwrap(), &Requests::everything(), None);
        seen(&file.authority(&plugin(), &Requests::everything(), Some(&caller)))
    };
    assert_eq!(lent(""), [""; 0]);
    assert_eq!(lent("\"read own\""), ["read notes, 5 MiB", "read settings"]);
    assert_eq!(lent("\"read-write own\""), ["read-write notes, 5 MiB", "read settings"]);
}

#[test]
fn a_refusal_names_the_side_and_the_smallest_grant() {
    let authority = authority("[plugin.shop]\nkeyvalue = [\"read notes\"]\n");
    assert!(authority.keyvalue("notes", Access::Read).is_ok());
    let refusal = authority.keyvalue("notes", Access::ReadWrite).unwrap_err();
    insta::assert_snapshot!(refusal.to_string(), @"plugin `shop` asked to write its bucket `notes`: the operator has not granted it");
    assert_eq!(refusal.grant.as_deref(), Some("keyvalue = [\"read-write notes\"]"));
    let mut learned = OperatorFile::empty("/work".as_ref());
    assert!(learned.extend("/work".as_ref(), &plugin(), refusal.grant.as_deref().unwrap()).unwrap());
    assert_eq!(learned.grants(&plugin()), [("keyvalue", "read-write notes".to_owned())]);
    assert!(authority.keyvalue("no such\nname", Access::Read).unwrap_err().grant.is_none());
}
