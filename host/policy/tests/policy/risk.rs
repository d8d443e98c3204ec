//! The line about risk.

use std::path::Path;

use toolcrib_policy::{OperatorFile, PluginName, Requests, Risk, RiskLevel};

fn granted(lines: &str) -> String {
    let file = OperatorFile::parse(&format!("[plugin.p]\n{lines}"), "toolcrib.toml", Path::new("/")).unwrap();
    let plugin: PluginName = "p".parse().unwrap();
    Risk::of_authority(&file.authority(&plugin, &Requests::everything(), None)).to_string()
}

#[test]
fn each_power_alone_is_less_than_two_that_make_a_leak() {
    let read = "files = [\"read ./a as /a\"]";
    let web = "http = [\"GET https://example.com/**\"]";
    let all = [
        "",
        "env = [\"LANG\"]",
        read,
        "files = [\"read-write ./a as /a\"]",
        web,
        "model = true",
        &format!("{web}\nenv = [\"LANG\"]"),
        &format!("{read}\n{web}"),
        &format!("{read}\nmodel = true"),
        "tools = [\"files.read\"]",
        &format!("tools = [\"files.read\"]\n{web}"),
    ]
    .map(granted);
    insta::assert_snapshot!(all.join("\n"), @r"
    none: reaches nothing outside its own call
    low: could read settings, and nothing leads out
    low: could read files, and nothing leads out
    medium: could change files, and nothing leads out
    medium: could send over the network what it is given, and reads nothing else
    medium: could show the language model what it is given
    high: could send its settings over the network
    high: could send files over the network
    high: could show files to the language model
    high: could act through other tools
    high: could send over the network what other tools give it
    ");
}

#[test]
fn what_is_asked_for_is_weighed_as_if_it_were_granted() {
    let imports = ["wasi:filesystem/types@0.2.0", "wasi:http/outgoing-handler@0.2.0"].map(str::to_owned);
    assert_eq!(Risk::of_requests(&Requests::from_imports(&imports)).level, RiskLevel::High);
    assert_eq!(Risk::of_requests(&Requests::from_imports::<String>(&[])).level, RiskLevel::None);
}
