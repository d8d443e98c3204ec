//! `plugin.toml`.

use toolcrib_policy::{Effect, Manifest, Requests};

const WHOLE: &str = r#"
name = "shop"
version = "1.2.3"
description = "Buys things."
license = "Apache-2.0"
homepage = "https://example.com"
component = "build/shop.wasm"

[requests]
http = ["GET,POST https://api.example.com/**", "GET *"]
files = ["read /**", "read-write /out"]
env = ["LANG"]
config = ["*"]
tools = ["mail.send", "files.*"]
ask = true
model = true

[limits]
wall = "5 s"
http-requests = 3

[tool.buy]
effect = { reversible = "give-back" }
title = "Buy"
description = "Buys one thing."
[tool.look]
effect = "read"
"#;

fn complaint(text: &str) -> String {
    Manifest::parse(text, "plugin.toml").unwrap_err().to_string()
}

/// The complaint about a manifest that has `more` after what every manifest has.
fn with(more: &str) -> String {
    complaint(&format!("name = \"shop\"\nversion = \"1.2.3\"\n{more}"))
}

#[test]
fn a_whole_manifest_is_read() {
    let manifest = Manifest::parse(WHOLE, "plugin.toml").unwrap();
    assert_eq!(manifest.name.as_str(), "shop");
    assert_eq!(manifest.version, semver::Version::new(1, 2, 3));
    assert_eq!(manifest.component.unwrap().to_str(), Some("build/shop.wasm"));
    assert_eq!(manifest.license.as_deref(), Some("Apache-2.0"));
    assert_eq!(manifest.tools["buy"].effect, Some(Effect::Reversible { undo: "give-back".to_owned() }));
    assert_eq!(manifest.tools["look"].effect, Some(Effect::Read));
    assert_eq!(manifest.requests.limits.entries().len(), 2);
    let lines: Vec<String> = manifest.requests.lines().iter().map(|(what, line)| format!("{what}: {line}")).collect();
    insta::assert_snapshot!(lines.join("\n"), @r"
    http: GET,POST https://api.example.com/**
    http: GET *
    files: read /
    files: read-write /out
    env: LANG
    config: *
    tools: mail.send
    tools: files.*
    ask: true
    model: true
    ");
}

#[test]
fn a_manifest_that_asks_for_nothing_gets_nothing() {
    let manifest = Manifest::parse("name = \"a\"\nversion = \"0.1.0\"", "plugin.toml").unwrap();
    assert_eq!(manifest.requests, Requests::nothing());
    assert_eq!(manifest.component, None);
}

#[test]
fn a_typo_is_answered_with_the_nearest_key_and_its_place() {
    insta::assert_snapshot!(with("descripton = \"x\""), @"plugin.toml:3:1: unknown key `descripton` in the file: did you mean `description`?");
    insta::assert_snapshot!(with("[requests]\nhtpp = []"), @"plugin.toml:4:1: unknown key `htpp` in `[requests]`: did you mean `http`?");
    insta::assert_snapshot!(with("[limits]\nfuell = 1"), @"plugin.toml:4:1: unknown key `fuell` in `limits`: did you mean `fuel`?");
    insta::assert_snapshot!(with("[tool.buy]\neffects = \"read\""), @"plugin.toml:4:1: unknown key `effects` in `[tool.buy]`: did you mean `effect`?");
    insta::assert_snapshot!(with("[qqq]"), @"plugin.toml:3:2: unknown key `qqq` in the file");
    insta::assert_snapshot!(with("[limits]\nhost_calls = 1"), @"plugin.toml:4:1: unknown key `host_calls` in `limits`: did you mean `host-calls`?");
}

#[test]
fn each_mistake_is_named_with_its_place() {
    let all: Vec<String> = [
        "",
        "name = 3",
        "name = \"Shop\"",
        "name = \"a\"",
        "name = \"a\"\nversion = \"one\"",
        "name = \"a\"\nversion = \"0.1\"",
        "name = \"a\"\nversion = \"1.0.0\"\ncomponent = \"../x.wasm\"",
        "name = \"a\"\nversion = \"1.0.0\"\ncomponent = \"/x.wasm\"",
        "name = \"a\"\nversion = \"1.0.0\"\ncomponent = \"x.cwasm\"",
        "name = \"a\"\nname = \"b\"",
        "name = ",
        "requests = 3\nname = \"a\"\nversion = \"1.0.0\"",
    ]
    .iter()
    .map(|text| complaint(text))
    .chain([
        with("[requests]\nhttp = \"GET *\""),
        with("[requests]\nhttp = [\n  \"GET *\",\n  3]"),
        with("[requests]\nhttp = [\n  \"GET *\",\n  \"GET https://*.com/x\"]"),
        with("[requests]\nhttp = [\"deny GET *\"]"),
        with("[requests]\nhttp = [\"GET https://a.com/ via 10.0.0.0/8\"]"),
        with("[requests]\nfiles = [\"read ./docs as /docs\"]"),
        with("[requests]\nask = \"yes\""),
        with("[requests]\ncredentials = [\"github\"]"),
        with("[requests]\nenv = [\"A B\"]"),
        with("[requests]\ntools = [\"mail\"]"),
        with("[limits]\nwall = \"1 w\""),
        with("[limits]\nwall = 1.5"),
        with("[tool.Buy]"),
        with("[tool.buy]\neffect = \"reversible\""),
        with("[tool.buy]\neffect = { reversible = \"X\" }"),
        with("[tool.buy]\neffect = {}"),
    ])
    .collect();
    insta::assert_snapshot!(all.join("\n"), @r#"
    plugin.toml: `name` is missing: write `name = "my-plugin"`
    plugin.toml:1:8: `name` is a number and has to be a string
    plugin.toml:1:8: `name` cannot be `Shop`: `Shop` is not a plugin name: 1 to 64 characters of a-z, 0-9 and `-`, beginning with a letter
    plugin.toml: `version` is missing: write `version = "0.1.0"`
    plugin.toml:2:11: `version` cannot be `one`: write three numbers, as in `0.1.0` (unexpected character 'o' while parsing major version number)
    plugin.toml:2:11: `version` cannot be `0.1`: write three numbers, as in `0.1.0`
    plugin.toml:3:13: `component` cannot be `../x.wasm`: name a `.wasm` file in the folder of the manifest or below
    plugin.toml:3:13: `component` cannot be `/x.wasm`: name a `.wasm` file in the folder of the manifest or below
    plugin.toml:3:13: `component` cannot be `x.cwasm`: name a `.wasm` file in the folder of the manifest or below
    plugin.toml:2:1: duplicate key: `name`
    plugin.toml:1:8: string values must be quoted, expected literal string
    plugin.toml:1:12: `requests` is a number and has to be a table
    plugin.toml:4:8: `http` is a string and has to be a list of strings
    plugin.toml:6:3: `http` is a number and has to be a string
    plugin.toml:6:3: `GET https://*.com/x` in `http`: `*.com` would grant hosts of everybody who registers below `com`: name at least one label more
    plugin.toml:4:9: `deny GET *` in `http`: `deny` belongs to the operator's file: a manifest asks, and what it does not ask for it does not get
    plugin.toml:4:9: `GET https://a.com/ via 10.0.0.0/8` in `http`: `via` opens a private range and belongs to a grant, not here
    plugin.toml:4:10: `read ./docs as /docs` in `files`: `./docs as /docs` is not a path inside the sandbox: begin with `/`, without `..`, `.`, stars or empty parts
    plugin.toml:4:7: `ask` is a string and has to be `true` or `false`
    plugin.toml:4:16: `github` in `credentials`: `github` is not an address that begins with `http://` or `https://`
    plugin.toml:4:8: `A B` in `env`: `A B` is not a name: 1 to 128 printable characters without spaces, `=`, quotes or stars
    plugin.toml:4:10: `mail` in `tools`: `mail` is not a qualified tool name: write `plugin.tool`, or `plugin.*` for all tools of a plugin
    plugin.toml:4:8: `wall` cannot be `1 w`: write a time such as `5 s`, `250 ms` or `2 min`; the most is 1 min
    plugin.toml:4:8: `wall` is a fraction and has to be a number, or a string with a unit
    plugin.toml:3:1: `Buy` is not a tool name: 1 to 64 characters of a-z, 0-9, `-` and `_`, beginning with a letter
    plugin.toml:4:10: `effect` cannot be `reversible`: write `read`, `idempotent`, `irreversible`, or `{ reversible = "the-tool-that-undoes-it" }`
    plugin.toml:4:25: `X` is not a tool name: 1 to 64 characters of a-z, 0-9, `-` and `_`, beginning with a letter
    plugin.toml:4:10: `effect` cannot be `{}`: write `read`, `idempotent`, `irreversible`, or `{ reversible = "the-tool-that-undoes-it" }`
    "#);
}

#[test]
fn a_plugin_without_a_manifest_asks_for_what_its_imports_could_use() {
    let requests = Requests::from_imports(&[
        "wasi:http/outgoing-handler@0.2.0",
        "wasi:cli/environment@0.2.3",
        "toolcrib:host/ask@0.1.0",
        "wasi:clocks/wall-clock@0.2.0",
    ]);
    assert!(!requests.http.is_empty() && !requests.env.is_empty() && requests.ask);
    assert!(requests.files.is_empty() && requests.tools.is_empty() && requests.config.is_empty() && !requests.model);
    assert_eq!(Requests::from_imports::<&str>(&[]), Requests::nothing());
    let all = [
        "wasi:http/outgoing-handler",
        "wasi:filesystem/preopens",
        "wasi:cli/environment",
        "wasi:config/store",
        "wasi:keyvalue/store",
        "toolcrib:host/tools",
        "toolcrib:host/ask",
        "toolcrib:host/model",
    ];
    assert_eq!(Requests::from_imports(&all), Requests::everything());
}
