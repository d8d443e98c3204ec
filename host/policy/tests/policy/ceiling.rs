//! Grants above the ceiling: what is cut is said, and what is not said is not cut.

use proptest::prelude::*;
use toolcrib_policy::{HttpTarget, OperatorFile, Requests};

use crate::{authority, get, operator, plugin};

/// What is said of one line under one list of the ceiling.
fn said(key: &str, ceiling: &str, grant: &str) -> String {
    operator(&format!("[ceiling]\n{key} = {ceiling}\n[plugin.shop]\n{key} = {grant}\n")).cut_by_ceiling().join("\n")
}

#[test]
fn a_line_of_which_nothing_is_left_is_named_with_the_way_out() {
    insta::assert_snapshot!(said("http", r#"["GET http://127.0.0.1:9999/**"]"#, r#"["GET http://127.0.0.1:8797/**, 2 per hour"]"#), @"the ceiling leaves nothing of the line `GET http://127.0.0.1:8797/**, 2 per hour` of `http` for `shop`: add `GET http://127.0.0.1:8797/**` to `http` in `[ceiling]`, or take the line out");
    insta::assert_snapshot!(said("http", r#"["* *", "deny * https://a.com/**"]"#, r#"["GET https://a.com/x/*"]"#), @"the line `deny * https://a.com/**` in `[ceiling]` leaves nothing of the line `GET https://a.com/x/*` of `http` for `shop`: take one of the two out");
    insta::assert_snapshot!(said("http", "[]", r#"["GET https://a.com/"]"#), @"the ceiling leaves nothing of the line `GET https://a.com/` of `http` for `shop`: add `GET https://a.com/` to `http` in `[ceiling]`, or take the line out");
    insta::assert_snapshot!(said("files", r#"["read ./docs"]"#, r#"["read-write ./out as /out, 1 MiB"]"#), @"the ceiling leaves nothing of the line `read-write ./out as /out, 1 MiB` of `files` for `shop`: add `read-write ./out, 1 MiB` to `files` in `[ceiling]`, or take the line out");
    insta::assert_snapshot!(said("keyvalue", r#"["read other"]"#, r#"["read-write seen"]"#), @"the ceiling leaves nothing of the line `read-write seen` of `keyvalue` for `shop`: add `read-write seen` to `keyvalue` in `[ceiling]`, or take the line out");
    insta::assert_snapshot!(said("env", r#"["LANG"]"#, r#"["LANG", "HOME"]"#), @"the ceiling leaves nothing of the line `HOME` of `env` for `shop`: add `HOME` to `env` in `[ceiling]`, or take the line out");
    insta::assert_snapshot!(said("tools", r#"["files.*"]"#, r#"["mail.send"]"#), @"the ceiling leaves nothing of the line `mail.send` of `tools` for `shop`: add `mail.send` to `tools` in `[ceiling]`, or take the line out");
    insta::assert_snapshot!(said("tools", r#"["*", "deny mail.*"]"#, r#"["mail.send"]"#), @"the line `deny mail.*` in `[ceiling]` leaves nothing of the line `mail.send` of `tools` for `shop`: take one of the two out");
    insta::assert_snapshot!(said("ask", "false", "true"), @"`ask = false` in `[ceiling]` leaves nothing of `ask = true` for `shop`: take one of the two out");
    insta::assert_snapshot!(said("model", "false", "true"), @"`model = false` in `[ceiling]` leaves nothing of `model = true` for `shop`: take one of the two out");
    let entry = r#"[{ for = "https://a.com/**", header = "x-key", value = "{secret:a}" }]"#;
    insta::assert_snapshot!(said("credentials", r#"["https://b.com/**"]"#, entry), @r#"the ceiling leaves nothing of the line `{ for = "https://a.com/**", header = "x-key", value = "{secret:a}" }` of `credentials` for `shop`: add `https://a.com/**` to `credentials` in `[ceiling]`, or take the line out"#);
}

#[test]
fn a_line_of_which_a_part_is_left_says_which() {
    insta::assert_snapshot!(said("http", r#"["GET https://a.com/x/**", "GET https://b.com/**"]"#, r#"["GET,POST https://a.com/**"]"#), @"the ceiling leaves only a part of the line `GET,POST https://a.com/**` of `http` for `shop` (`GET https://a.com/x/**`): add `GET,POST https://a.com/**` to `http` in `[ceiling]`, or write no more than that part");
    insta::assert_snapshot!(said("http", r#"["* *", "deny * https://a.com/Admin/**"]"#, r#"["GET https://a.com/**"]"#), @"the line `deny * https://a.com/Admin/**` in `[ceiling]` takes a part of the line `GET https://a.com/**` of `http` for `shop`: write it narrower, one or the other");
    insta::assert_snapshot!(said("files", r#"["read ./docs", "read-write ./docs/sub"]"#, r#"["read-write ./docs as /docs"]"#), @"the ceiling leaves only a part of the line `read-write ./docs as /docs` of `files` for `shop` (`read ./docs as /docs`, `read-write ./docs/sub as /docs/sub`): add `read-write ./docs` to `files` in `[ceiling]`, or write no more than that part");
    insta::assert_snapshot!(said("files", r#"["read-write ., 1 MiB"]"#, r#"["read-write ./out as /out, 2 MiB"]"#), @"the ceiling leaves only a part of the line `read-write ./out as /out, 2 MiB` of `files` for `shop` (`read-write ./out as /out, 1 MiB`): add `read-write ./out, 2 MiB` to `files` in `[ceiling]`, or write no more than that part");
    insta::assert_snapshot!(said("keyvalue", r#"["read *"]"#, r#"["read-write seen"]"#), @"the ceiling leaves only a part of the line `read-write seen` of `keyvalue` for `shop` (`read seen`): add `read-write seen` to `keyvalue` in `[ceiling]`, or write no more than that part");
    insta::assert_snapshot!(said("tools", r#"["files.read"]"#, r#"["files.*"]"#), @"the ceiling leaves only a part of the line `files.*` of `tools` for `shop` (`files.read`): add `files.*` to `tools` in `[ceiling]`, or write no more than that part");
    insta::assert_snapshot!(said("limits", r#"{ wall = "5 s", fuel = "2 G" }"#, r#"{ wall = "10 s", fuel = "1 G", memory = "1 MiB" }"#), @"the ceiling has `wall = 5 s`, which counts for `shop` instead of its `wall = 10 s`: lower the one, or raise the other");
}

#[test]
fn a_line_that_counts_as_it_stands_is_not_spoken_of() {
    for (key, ceiling, grant) in [
        ("http", r#"["GET https://a.com/**", "POST https://a.com/x/**"]"#, r#"["GET,POST https://a.com/x/*"]"#),
        ("http", r#"["* https://**"]"#, r#"["GET https://*.a.com/**"]"#),
        ("http", r#"["* *", "deny * https://b.com/**", "deny POST https://a.com/**"]"#, r#"["GET https://a.com/**"]"#),
        ("http", r#"["* https://*.a.com/*/x"]"#, r#"["GET https://b.a.com/y/x via 10.0.0.0/8, 2 per day"]"#),
        ("files", r#"["read ./docs", "read-write ."]"#, r#"["read-write ./docs/sub as /docs"]"#),
        ("files", r#"["read-write ., 1 MiB, 10 files"]"#, r#"["read-write ./out as /out"]"#),
        ("files", r#"["read-write ., 3 MiB"]"#, r#"["read-write ./out as /out, 2 MiB"]"#),
        ("keyvalue", r#"["read-write *, 1 MiB"]"#, r#"["read-write seen", "read other"]"#),
        ("env", r#"["*"]"#, r#"["LANG"]"#),
        ("tools", r#"["files.*", "mail.send"]"#, r#"["files.read", "files.*", "mail.send", "deny time.*"]"#),
        ("limits", r#"{ wall = "5 s" }"#, r#"{ wall = "5 s", fuel = "1 G" }"#),
    ] {
        assert_eq!(said(key, ceiling, grant), "", "{ceiling} {grant}");
    }
    // Without a ceiling nothing is cut, and what --grant gives is looked at too.
    assert!(operator("[plugin.shop]\nhttp = [\"GET https://a.com/\"]\nask = true\n").cut_by_ceiling().is_empty());
    let mut file = operator("[ceiling]\nenv = []\n");
    file.add_grant(&plugin(), "env", "LANG").unwrap();
    assert_eq!(file.cut_by_ceiling().len(), 1);
}

#[test]
fn the_way_out_leads_out() {
    for (key, ceiling, grant) in [
        ("http", r#"["GET https://a.com/x/**"]"#, r#"["GET,POST https://a.com/** via 10.0.0.0/8, 3 per day"]"#),
        ("http", "[]", r#"["* https://*.a.com/x/*"]"#),
        ("files", r#"["read ./docs"]"#, r#"["read-write ./docs as /docs, 1 MiB, 3 files"]"#),
        ("files", "[]", r#"["read . as /x"]"#),
        ("keyvalue", "[]", r#"["read-write seen, 1 MiB"]"#),
        ("env", "[]", r#"["HOME"]"#),
        ("tools", r#"["files.read"]"#, r#"["files.*"]"#),
        ("credentials", "[]", r#"[{ for = "GET https://a.com/**", basic = "me:{secret:a}" }]"#),
    ] {
        let warning = said(key, ceiling, grant);
        let line = warning.split(": add `").nth(1).and_then(|rest| rest.split('`').next()).unwrap();
        let wider = match ceiling {
            "[]" => format!("[\"{line}\"]"),
            _ => format!("[\"{line}\", {}", &ceiling[1..]),
        };
        assert_eq!(said(key, &wider, grant), "", "{warning}");
    }
}

fn hosts() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["https://a.b.com", "https://*.b.com", "http://a.b.com", "https://c.b.com:8443"])
}

fn paths() -> impl Strategy<Value = String> {
    let segment = prop::sample::select(vec!["x", "X", "y", "*", ""]);
    (prop::collection::vec(segment, 0..4), any::<bool>()).prop_map(|(segments, tail)| {
        let path: String = segments.iter().map(|segment| format!("/{segment}")).collect();
        match (tail, path.as_str()) {
            (true, _) => format!("{path}/**"),
            (false, "") => "/".to_owned(),
            (false, _) => path,
        }
    })
}

fn lines() -> impl Strategy<Value = String> {
    let methods = prop::sample::select(vec!["GET", "POST", "GET,POST", "*"]);
    let place = prop_oneof![
        1 => Just("https://**".to_owned()),
        1 => Just("*".to_owned()),
        6 => (hosts(), paths()).prop_map(|(host, path)| format!("{host}{path}")),
    ];
    (methods, place).prop_map(|(methods, place)| format!("{methods} {place}"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// What is said of requests is true of each of them.
    #[test]
    fn what_is_said_of_a_line_is_true_of_every_request(
        allow in prop::collection::vec(lines(), 0..3),
        deny in prop::option::of(lines()),
        grant in (prop::sample::select(vec!["GET", "GET,POST", "*"]), hosts(), paths()),
        segments in prop::collection::vec(prop::sample::select(vec!["x", "X", "y", "z", ""]), 0..4),
    ) {
        let rules: Vec<String> = allow.into_iter().chain(deny.map(|line| format!("deny {line}"))).collect();
        let (methods, host, path) = grant;
        let grant = format!("{methods} {host}{path}");
        let lists = format!("[ceiling]\nhttp = {}\n[plugin.shop]\nhttp = [\"{grant}\"]\n", toml::Value::from(rules));
        let file = operator(&lists);
        let warnings = file.cut_by_ceiling().join("\n");
        let free = operator(&format!("[plugin.shop]\nhttp = [\"{grant}\"]\n"));
        let may = |file: &OperatorFile, target: &HttpTarget| {
            file.authority(&plugin(), &Requests::everything(), None).http(target).is_ok()
        };
        let path: String = segments.iter().map(|segment| format!("/{segment}")).collect();
        for method in ["GET", "POST", "PUT"] {
            for host in ["https://a.b.com", "https://c.b.com:8443", "http://a.b.com", "https://d.b.com"] {
                let target = HttpTarget::parse(method, &format!("{host}{path}")).unwrap();
                if !may(&free, &target) {
                    continue;
                }
                let left = may(&file, &target);
                prop_assert!(left || !warnings.is_empty(), "{method} {host}{path} is cut\n{lists}");
                prop_assert!(!left || !warnings.contains("leaves nothing"), "{method} {host}{path} is left\n{lists}{warnings}");
            }
        }
    }
}

#[test]
fn what_is_said_is_what_counts() {
    let text = "[ceiling]\nhttp = [\"GET http://127.0.0.1:9999/**\"]\n[plugin.shop]\nhttp = [\"GET http://127.0.0.1:8797/**\"]\n";
    assert!(authority(text).http(&get("http://127.0.0.1:8797/")).is_err());
    assert_eq!(operator(text).cut_by_ceiling().len(), 1);
}
