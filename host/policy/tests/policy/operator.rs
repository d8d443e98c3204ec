//! `toolcrib.toml`.

use toolcrib_policy::{HttpTarget, LimitName, OperatorFile, Requests};

use crate::{authority, complaint, get, operator, plugin};

const WHOLE: &str = r#"
[ceiling]
http = ["GET *", "POST https://api.example.com/**", "deny * https://evil.example.com/**"]
files = ["read-write ."]
env = ["LANG", "TZ"]
tools = ["*", "deny mail.*"]
ask = true
model = false
reject-imports = ["wasi:sockets", "wasi:keyvalue/store@0.2.0"]
limits = { fuel = "1 G" }

[plugin.shop]
http = ["GET,POST https://api.example.com/**", "deny POST https://api.example.com/admin/**"]
files = ["read-write ./out as /out, 100 MiB, 1000 files"]
env = ["LANG", "HOME"]
config = { currency = "CHF" }
tools = ["files.*", "mail.send", "deny files.write"]
ask = true
model = true
limits = { wall = "5 s", fuel = "2 G" }

[plugin.shop.tool.buy]
effect = "irreversible"
"#;

#[test]
fn a_whole_file_is_read_and_every_key_is_enforced() {
    let authority = authority(WHOLE);
    let post = |url: &str| HttpTarget::parse("POST", url).unwrap();
    assert!(authority.http(&get("https://api.example.com/x")).is_ok());
    assert!(authority.http(&post("https://api.example.com/x")).is_ok());
    assert!(authority.http(&post("https://api.example.com/admin/x")).is_err());
    assert!(authority.http(&get("https://evil.example.com/")).is_err());
    assert_eq!(authority.files.len(), 1);
    assert_eq!(authority.env.iter().collect::<Vec<_>>(), ["LANG"]);
    assert_eq!(authority.config("currency").unwrap(), Some("CHF"));
    assert_eq!(authority.config("other").unwrap(), None);
    for (tool, allowed) in [("files.read", true), ("files.write", false), ("mail.send", false), ("http.fetch", false)] {
        assert_eq!(authority.tool(&tool.parse().unwrap()).is_ok(), allowed, "{tool}");
    }
    assert!(authority.ask().is_ok() && authority.model().is_err());
    assert_eq!(
        (authority.limits.shown(LimitName::Fuel), authority.limits.shown(LimitName::WallTime)),
        ("1 G".to_owned(), "5 s".to_owned())
    );
}

#[test]
fn a_manifest_lowers_limits_too() {
    let mut requests = Requests::everything();
    requests.limits.parse_into(LimitName::WallTime, "1 s").unwrap();
    requests.limits.parse_into(LimitName::Fuel, "20 G").unwrap();
    let limits = operator(WHOLE).authority(&plugin(), &requests, None).limits;
    assert_eq!(
        (limits.shown(LimitName::Fuel), limits.shown(LimitName::WallTime)),
        ("1 G".to_owned(), "1 s".to_owned())
    );
}

#[test]
fn a_plugin_that_the_file_does_not_name_gets_nothing() {
    let other = operator(WHOLE).authority(&"other".parse().unwrap(), &Requests::everything(), None);
    assert!(other.is_nothing());
    assert!(other.http(&get("https://api.example.com/x")).is_err());
}

#[test]
fn an_absent_ceiling_does_not_narrow_and_an_empty_one_leaves_nothing() {
    let grants = "[plugin.shop]\nhttp = [\"GET https://a.com/\"]\nenv = [\"A\"]\ntools = [\"files.read\"]\nfiles = [\"read . as /x\"]";
    let open = authority(grants);
    assert!(open.http(&get("https://a.com/")).is_ok() && open.tool(&"files.read".parse().unwrap()).is_ok());
    let closed = authority(&format!("[ceiling]\nhttp = []\nenv = []\ntools = []\nfiles = []\n{grants}"));
    assert!(closed.is_nothing());
    assert!(closed.http(&get("https://a.com/")).is_err() && closed.tool(&"files.read".parse().unwrap()).is_err());
}

#[test]
fn a_key_that_nothing_reads_is_refused_by_name() {
    insta::assert_snapshot!(complaint("rules = []"), @"toolcrib.toml:1:1: unknown key `rules` in the file: did you mean `rule`?");
}

#[test]
fn each_mistake_is_named_with_its_place() {
    let all: Vec<String> = [
        "ceilling = {}",
        "[ceiling]\nhtp = []",
        "[ceiling]\nhttp = [\"GET https://a.com/ via 10.0.0.0/8\"]",
        "[ceiling]\nfiles = [\"read ./a as /a\"]",
        "[ceiling]\nreject-imports = [\"sockets\"]",
        "[plugin.Shop]",
        "[plugin]\nshop = 3",
        "[plugin.shop]\nhttps = []",
        "[plugin.shop]\nhttp = [\"GET *\"]",
        "[plugin.shop]\nhttp = [\"GET https://*.com/x\"]",
        "[plugin.shop]\nenv = [\"*\"]",
        "[plugin.shop]\nconfig = { a = 3 }",
        "[plugin.shop]\nconfig = [\"a\"]",
        "[plugin.shop]\nlimits = { memory = \"8 GiB\" }",
        "[plugin.shop.tool.buy]\neffect = \"harmless\"",
        "[plugin.shop.tool.buy]\ntitle = \"x\"",
        "x = [",
        "[plugins.files]\nfiles = []",
        "[plugins]\nlokc = \"x\"",
        "[plugins]\ntrusted-keys = [{ key = \"RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3\", until = \"2027-01-31\" }]",
        "[plugin.shop]\nask = \"true\"",
        "[plugin.shop]\nhttp = [\"GET https://a.com/** 10 per minute\"]",
        "[ceiling]\nhttp = [\"GET https://a.com/**, 10 per minute\"]",
    ]
    .iter()
    .map(|text| complaint(text))
    .collect();
    insta::assert_snapshot!(all.join("\n"), @r#"
    toolcrib.toml:1:1: unknown key `ceilling` in the file: did you mean `ceiling`?
    toolcrib.toml:2:1: unknown key `htp` in `[ceiling]`: did you mean `http`?
    toolcrib.toml:2:9: `GET https://a.com/ via 10.0.0.0/8` in `http`: `via` opens a private range and belongs to a grant, not here
    toolcrib.toml:2:10: `read ./a as /a` in `files`: write an access and a place, such as `read ./docs` or `read-write ./out, 100 MiB, 1000 files`
    toolcrib.toml:2:19: `sockets` in `reject-imports`: `sockets` is not an interface: write `namespace:package/interface`, with `@version` where one is meant
    toolcrib.toml:1:1: `Shop` is not a plugin name: 1 to 64 characters of a-z, 0-9 and `-`, beginning with a letter
    toolcrib.toml:2:8: `shop` is a number and has to be a table
    toolcrib.toml:2:1: unknown key `https` in `[plugin.shop]`: did you mean `http`?
    toolcrib.toml:2:9: `GET *` in `http`: `GET *` grants every host: a grant names hosts (only a manifest and the ceiling can speak of all of them)
    toolcrib.toml:2:9: `GET https://*.com/x` in `http`: `*.com` would grant hosts of everybody who registers below `com`: name at least one label more
    toolcrib.toml:2:8: `*` in `env`: `*` is not a name: 1 to 128 printable characters without spaces, `=`, quotes or stars
    toolcrib.toml:2:16: `a` is a number and has to be a string
    toolcrib.toml:2:10: `config` is a list and has to be a table
    toolcrib.toml:2:21: `memory` cannot be `8 GiB`: a limit is lowered, never raised, and this one is at most 256 MiB
    toolcrib.toml:2:10: `effect` cannot be `harmless`: write `read`, `idempotent`, `irreversible`, or `{ reversible = "the-tool-that-undoes-it" }`
    toolcrib.toml:2:1: unknown key `title` in `[plugin.shop.tool.buy]`
    toolcrib.toml:1:6: unclosed array, expected `]`
    toolcrib.toml:1:10: unknown key `files` in `[plugins]`: did you mean `[plugin.files]`?
    toolcrib.toml:2:1: unknown key `lokc` in `[plugins]`: did you mean `lock`?
    toolcrib.toml:2:93: `until` is a string and has to be a date: write it without quotes, such as 2027-01-31
    toolcrib.toml:2:7: `ask` is a string and has to be `true` or `false`: write it without quotes
    toolcrib.toml:2:9: `GET https://a.com/** 10 per minute` in `http`: a rate stands behind a comma: `GET https://example.com/**, 10 per minute`
    toolcrib.toml:2:9: `GET https://a.com/**, 10 per minute` in `http`: a rate belongs to a grant, not here
    "#);
}

#[test]
fn a_grant_can_be_added_from_the_command_line() {
    let mut file = OperatorFile::empty("/work".as_ref());
    for (capability, line) in [
        ("http", "GET https://a.com/**"),
        ("http", "deny GET https://a.com/x"),
        ("files", "read . as /x"),
        ("env", "LANG"),
        ("config", "a=b=c"),
        ("tools", "files.*"),
        ("ask", "true"),
        ("model", "true"),
    ] {
        file.add_grant(&plugin(), capability, line).unwrap();
    }
    let lines: Vec<String> = file.grants(&plugin()).iter().map(|(what, line)| format!("{what}: {line}")).collect();
    insta::assert_snapshot!(lines.join("\n"), @r"
    http: GET https://a.com/**
    http: deny GET https://a.com/x
    files: read /work as /x
    env: LANG
    config: a=b=c
    tools: files.*
    ask: true
    model: true
    ");
    let authority = file.authority(&plugin(), &Requests::everything(), None);
    assert!(authority.http(&get("https://a.com/")).is_ok() && authority.http(&get("https://a.com/x")).is_err());
    assert_eq!(authority.config("a").unwrap(), Some("b=c"));
}

#[test]
fn a_wrong_grant_from_the_command_line_changes_nothing() {
    let mut file = OperatorFile::empty("/work".as_ref());
    let mut wrong = |capability: &str, line: &str| file.add_grant(&plugin(), capability, line).unwrap_err().to_string();
    insta::assert_snapshot!(wrong("htp", "GET https://a.com/"), @"--grant: `htp` is not a capability: write one of http, credentials, files, keyvalue, env, config, tools, ask, model");
    insta::assert_snapshot!(wrong("http", "GET *"), @"--grant: `GET *` in `http`: `GET *` grants every host: a grant names hosts (only a manifest and the ceiling can speak of all of them)");
    insta::assert_snapshot!(wrong("config", "a"), @"--grant: `a` in `config`: `a` is not a setting: write `key=value`");
    insta::assert_snapshot!(wrong("ask", "yes"), @"--grant: `yes` in `ask`: `yes` is neither `true` nor `false`");
    assert!(file.grants(&plugin()).is_empty());
}

#[test]
fn an_import_is_rejected_by_package_interface_or_version() {
    let file =
        operator("[ceiling]\nreject-imports = [\"wasi:sockets\", \"wasi:keyvalue/store@0.2.0\", \"wasi:http/types\"]");
    for (import, line) in [
        ("wasi:sockets/tcp@0.2.0", Some("wasi:sockets")),
        ("wasi:sockets/udp", Some("wasi:sockets")),
        ("wasi:keyvalue/store@0.2.0", Some("wasi:keyvalue/store@0.2.0")),
        ("wasi:keyvalue/store@0.2.1", None),
        ("wasi:http/types@0.2.0", Some("wasi:http/types")),
        ("wasi:http/outgoing-handler@0.2.0", None),
        ("wasi:socketsx/tcp", None),
    ] {
        assert_eq!(file.rejects_import(import), line, "{import}");
    }
}

#[test]
fn a_file_larger_than_a_person_writes_is_refused() {
    assert!(complaint(&"#".repeat(1024 * 1024 + 1)).contains("larger than"));
}

#[test]
fn nesting_without_end_is_an_error_and_not_a_crash() {
    assert!(!complaint(&format!("a = {}{}", "[".repeat(100_000), "]".repeat(100_000))).is_empty());
    assert!(!complaint(&format!("a = {}", "{a=".repeat(100_000))).is_empty());
    assert!(!complaint(&format!("[{}a]", "a.".repeat(100_000))).is_empty());
}

#[test]
fn advice_fits_the_file_as_it_stands() {
    let advise = |text: &str, grants: &[&str]| {
        let mut file = operator(text);
        let advice = grants.iter().map(|grant| file.advise(&plugin(), grant, "toolcrib.toml").to_string());
        advice.collect::<Vec<_>>().join("\n")
    };
    let etc = "files = [\"read ./etc as /etc\"]";
    insta::assert_snapshot!(advise("", &[etc, "files = [\"read ./usr as /usr\"]", "ask = true"]), @r#"
    to allow it, add to toolcrib.toml:
    [plugin.shop]
    files = ["read ./etc as /etc"]
    to allow it, in [plugin.shop] of toolcrib.toml, add to `files`:
    "read ./usr as /usr"
    to allow it, in [plugin.shop] of toolcrib.toml, add:
    ask = true
    "#);
    let granted = "[plugin.shop]\nfiles = [\"read ./docs as /docs\", \"read /srv/x as /out/x\"]\nask = false\n";
    insta::assert_snapshot!(advise(granted, &[etc, "ask = true", "env = [\"LANG\"]"]), @r#"
    to allow it, in [plugin.shop] of toolcrib.toml, add to `files`:
    "read ./etc as /etc"
    to allow it, change `ask = false` into `ask = true` in [plugin.shop] of toolcrib.toml
    to allow it, in [plugin.shop] of toolcrib.toml, add:
    env = ["LANG"]
    "#);
    insta::assert_snapshot!(advise(granted, &["files = [\"read-write /work/docs as /docs\"]"]), @"to allow it, change the line `read ./docs as /docs` into `read-write ./docs as /docs` in [plugin.shop] of toolcrib.toml");
    insta::assert_snapshot!(advise(granted, &["files = [\"read-write ./out as /out\"]"]), @r#"
    to allow it, in [plugin.shop] of toolcrib.toml, add to `files`:
    "read-write ./out as /out"
    and take out the line `read /srv/x as /out/x`, which lies inside
    "#);
    let advice = operator("").advise(&plugin(), etc, "toolcrib.toml");
    assert_eq!(advice.folder, Some(("./etc".to_owned(), "/work/etc".into())));
}

#[test]
fn a_reviewer_sees_the_ceiling_and_what_will_not_work() {
    let file = operator(
        r#"
        [ceiling]
        http = ["GET *", "deny GTE https://a.com/**"]
        env = []
        ask = false
        limits = { wall = "5 s" }
        reject-imports = ["wasi:sockets"]
        [plugin.shop]
        http = ["POTS https://a.com/**", "PROPFIND https://a.com/**", "BREW https://a.com/**"]
        files = ["read-write ./out as /out, 1 files"]
        limits = { fuel = "1 M" }
        "#,
    );
    insta::assert_snapshot!(format!("{:?}", file.ceiling()), @r#"[("http", "GET *"), ("http", "deny GTE https://a.com/**"), ("env", ""), ("ask", "false"), ("reject-imports", "wasi:sockets"), ("limits", "wall = 5 s")]"#);
    insta::assert_snapshot!(format!("{:?}", file.odd_methods()), @r#"[("GTE", Some("GET")), ("POTS", Some("POST")), ("BREW", None)]"#);
    insta::assert_snapshot!(format!("{:?}", file.limits(&plugin())), @r#"["fuel = 1 M"]"#);
    let asked = Requests { http: Requests::everything().http, ..Requests::nothing() };
    insta::assert_snapshot!(format!("{:?}", file.unasked(&plugin(), &asked)), @r#"[("files", "read-write /work/out as /out, 1 file")]"#);
}

#[test]
fn deny_says_for_which_lines_it_works() {
    let file =
        |line: &str| OperatorFile::parse(line, "toolcrib.toml", std::path::Path::new("/work")).unwrap_err().to_string();
    insta::assert_snapshot!(file("[plugin.shop]\nenv = [\"deny HOME\"]"), @"toolcrib.toml:2:8: `deny HOME` in `env`: `deny` works for `http` and `tools`; environment variables are granted one by one: leave out what is not to be given");
    assert!(file("[plugin.shop]\nfiles = [\"deny ./a as /a\"]").contains("folders are granted one by one"));
}
