//! The intersection of what is asked for, granted, under the ceiling, and handed on.

use toolcrib_policy::{Authority, HttpPattern, Requests, ToolPattern};

use crate::{get, operator, plugin};

fn asks_http(lines: &[&str]) -> Requests {
    let http = lines.iter().map(|line| HttpPattern::parse(line).unwrap()).collect();
    Requests { http, ..Requests::nothing() }
}

#[test]
fn nothing_may_do_nothing() {
    let nothing = Authority::nothing();
    assert!(nothing.is_nothing());
    assert!(nothing.http(&get("https://a.com/")).is_err());
    assert!(nothing.tool(&"files.read".parse().unwrap()).is_err());
    assert!(nothing.env("PATH").is_err() && nothing.ask().is_err() && nothing.model().is_err());
}

#[test]
fn a_request_needs_both_the_manifest_and_the_grant() {
    let file = operator("[plugin.shop]\nhttp = [\"GET https://a.com/x/**\", \"GET https://b.com/**\"]");
    let authority = file.authority(&plugin(), &asks_http(&["GET https://a.com/**", "POST https://b.com/**"]), None);
    assert!(authority.http(&get("https://a.com/x/y")).is_ok());
    assert!(authority.http(&get("https://a.com/y")).is_err());
    assert!(authority.http(&get("https://b.com/")).is_err());
    let silent = file.authority(&plugin(), &Requests::nothing(), None);
    assert!(silent.is_nothing() && silent.http(&get("https://a.com/x/y")).is_err());
}

#[test]
fn a_called_plugin_does_no_more_than_its_caller() {
    let file = operator(
        r#"[plugin.shop]
        http = ["GET https://a.com/**", "GET https://b.com/**"]
        env = ["A", "B"]
        tools = ["files.*"]
        ask = true
        model = true
        config = { key = "value" }
        [plugin.caller]
        http = ["GET https://a.com/x/**", "deny GET https://a.com/x/secret"]
        env = ["B", "C"]
        tools = ["files.read"]
        ask = true
        limits = { wall = "1 s" }"#,
    );
    let all = Requests::everything();
    let caller = file.authority(&"caller".parse().unwrap(), &all, None);
    let called = file.authority(&plugin(), &all, Some(&caller));
    assert!(called.http(&get("https://a.com/x/y")).is_ok());
    for url in ["https://a.com/", "https://b.com/", "https://a.com/x/secret"] {
        assert!(called.http(&get(url)).is_err(), "{url}");
    }
    assert_eq!(called.env.iter().collect::<Vec<_>>(), ["B"]);
    assert!(
        called.tool(&"files.read".parse().unwrap()).is_ok() && called.tool(&"files.write".parse().unwrap()).is_err()
    );
    assert!(called.ask().is_ok() && called.model().is_err());
    assert_eq!(called.limits.wall, caller.limits.wall);
    assert_eq!(called.config("key").unwrap(), Some("value"));
}

#[test]
fn authority_handed_on_twice_is_narrowed_twice() {
    let file = operator(
        r#"[plugin.shop]
        http = ["GET https://a.com/**"]
        [plugin.one]
        http = ["GET https://a.com/x/**"]
        [plugin.two]
        http = ["GET https://a.com/x/y/**", "GET https://a.com/z"]"#,
    );
    let all = Requests::everything();
    let one = file.authority(&"one".parse().unwrap(), &all, None);
    let two = file.authority(&"two".parse().unwrap(), &all, Some(&one));
    let called = file.authority(&plugin(), &all, Some(&two));
    assert!(called.http(&get("https://a.com/x/y/1")).is_ok());
    assert!(called.http(&get("https://a.com/x/1")).is_err() && called.http(&get("https://a.com/z")).is_err());
}

#[test]
fn a_grant_that_no_other_side_could_ever_agree_to_does_not_count_as_one() {
    let file = operator("[plugin.shop]\nhttp = [\"POST https://a.com/**\"]\ntools = [\"mail.send\"]");
    let mut requests = asks_http(&["GET *", "POST https://b.com/**"]);
    requests.tools = vec![ToolPattern::parse("files.*").unwrap()];
    assert!(file.authority(&plugin(), &requests, None).is_nothing());
}

#[test]
fn a_value_that_was_shortened_by_hand_allows_less() {
    let mut authority = crate::authority("[plugin.shop]\nhttp = [\"GET https://a.com/**\"]\ntools = [\"files.*\"]");
    authority.http.clear();
    authority.tools.clear();
    assert!(authority.http(&get("https://a.com/")).unwrap_err().message.ends_with("the operator has not granted it"));
    assert!(authority.tool(&"files.read".parse().unwrap()).is_err());
}

#[test]
fn a_deny_wins_over_every_grant() {
    let authority = crate::authority(
        r#"[plugin.shop]
        http = ["* https://a.com/**", "GET https://a.com/secret/open", "deny * https://a.com/secret/**"]
        tools = ["files.write", "deny files.*"]"#,
    );
    assert!(authority.http(&get("https://a.com/x")).is_ok());
    assert!(authority.http(&get("https://a.com/secret/open")).is_err());
    assert!(authority.tool(&"files.write".parse().unwrap()).is_err());
}
