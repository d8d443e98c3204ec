//! Targets: what a request asks for, in one spelling.

use toolcrib_policy::{HttpTarget, TargetError};

use crate::get;

fn refused(url: &str) -> TargetError {
    match HttpTarget::parse("GET", url) {
        Err(error) => error,
        Ok(target) => panic!("{url} became {target:?}"),
    }
}

#[test]
fn a_user_name_before_the_host_is_refused() {
    assert_eq!(refused("http://allowed.com@evil.com/"), TargetError::UserInfo);
    assert_eq!(refused("http://user:pass@allowed.com/"), TargetError::UserInfo);
    assert_eq!(refused("http://@allowed.com/"), TargetError::UserInfo);
}

#[test]
fn an_escape_in_the_host_is_refused_and_not_decoded() {
    for url in [
        "http://allowed.com%40evil.com",
        "http://allowed.com%2eevil.com/",
        "http://allowed%00.com/",
        "http://[fe80::1%25eth0]/",
    ] {
        assert!(matches!(refused(url), TargetError::Host(_)), "{url}");
    }
}

#[test]
fn a_backslash_is_refused_wherever_it_stands() {
    for url in [
        "http://allowed.com\\@evil.com/",
        "http://allowed.com\\evil.com/",
        "http:\\\\allowed.com/",
        "http://allowed.com/a\\..\\b",
    ] {
        assert!(HttpTarget::parse("GET", url).is_err(), "{url}");
    }
}

#[test]
fn white_space_and_control_characters_are_refused() {
    for url in [
        "http://allowed.com/a b",
        "http://allowed.com/a\r\nHost: evil.com",
        "http://allowed.com\t/",
        "http://al\nlowed.com/",
        " http://allowed.com/",
        "http://allowed.com/?a\u{0}b",
        "http://allowed .com/",
        "http://allowed.com:80\r/",
    ] {
        assert!(HttpTarget::parse("GET", url).is_err(), "{url:?}");
    }
    assert!(HttpTarget::parse("GET\r\nX: y", "http://allowed.com/").is_err());
}

#[test]
fn case_trailing_dot_and_unicode_have_one_spelling() {
    for (url, host) in [
        ("http://ALLOWED.com/", "allowed.com"),
        ("http://allowed.com./", "allowed.com"),
        ("http://bücher.example/", "xn--bcher-kva.example"),
        ("http://XN--BCHER-KVA.example/", "xn--bcher-kva.example"),
        ("http://allowed。com/", "allowed.com"),
        ("http://ａllowed.com/", "allowed.com"),
    ] {
        assert_eq!(get(url).host.to_string(), host, "{url}");
    }
}

#[test]
fn a_look_alike_name_is_another_host() {
    // The first letter is Cyrillic.
    assert_ne!(get("http://аllowed.com/").host, get("http://allowed.com/").host);
}

#[test]
fn names_that_break_the_rules_of_dns_are_refused() {
    let long = format!("http://{}.com/", "a".repeat(64));
    for url in ["http:///", "http://./", "http://.allowed.com/", "http://allowed..com/", "http://allowed.com../", &long]
    {
        assert!(HttpTarget::parse("GET", url).is_err(), "{url}");
    }
}

#[test]
fn every_spelling_of_an_address_becomes_the_address() {
    for url in [
        "http://127.0.0.1/",
        "http://127.1/",
        "http://0x7f.0.0.1/",
        "http://0177.0.0.1/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://017700000001/",
        "http://127.0.0.1./",
        "http://１２７.0.0.1/",
    ] {
        assert_eq!(get(url).host.to_string(), "127.0.0.1", "{url}");
    }
    assert_eq!(get("http://[0:0:0:0:0:0:0:1]/").host.to_string(), "[::1]");
}

#[test]
fn a_broken_address_is_not_taken_for_a_name() {
    for url in [
        "http://1.2.3.4.5/",
        "http://256.1.1.1/",
        "http://1.2.3.08/",
        "http://foo.0x4/",
        "http://[::1/",
        "http://::1/",
        "http://[::1]x/",
    ] {
        assert!(HttpTarget::parse("GET", url).is_err(), "{url}");
    }
}

#[test]
fn only_http_and_https_are_schemes_and_need_two_slashes() {
    for url in [
        "ftp://a.com/",
        "file:///etc/passwd",
        "http:a.com",
        "http:/a.com",
        "//a.com/",
        "a.com",
        "",
        "javascript:x",
        "ws://a.com/",
    ] {
        assert!(HttpTarget::parse("GET", url).is_err(), "{url}");
    }
    assert_eq!(get("HTTPS://a.com/").port, 443);
}

#[test]
fn a_port_is_1_to_65535_in_plain_digits() {
    assert_eq!(get("http://a.com:8080/").port, 8080);
    assert_eq!(get("http://a.com:00080/").port, 80);
    for url in [
        "http://a.com:0/",
        "http://a.com:65536/",
        "http://a.com:+80/",
        "http://a.com:/",
        "http://a.com:80:80/",
        "http://a.com:x/",
    ] {
        assert!(HttpTarget::parse("GET", url).is_err(), "{url}");
    }
}

#[test]
fn dot_segments_are_resolved_however_they_are_written() {
    for (url, path) in [
        ("http://a.com/x/../y", "/y"),
        ("http://a.com/x/%2e%2e/y", "/y"),
        ("http://a.com/x/.%2E/y", "/y"),
        ("http://a.com/../../y", "/y"),
        ("http://a.com/x/./y/.", "/x/y/"),
        ("http://a.com/x/..", "/"),
        ("http://a.com", "/"),
        ("http://a.com?q", "/"),
        ("http://a.com/%61%7e%2f%c3%bc", "/a~%2F%C3%BC"),
        ("http://a.com/ü", "/%C3%BC"),
    ] {
        assert_eq!(get(url).path, path, "{url}");
    }
}

#[test]
fn a_broken_escape_is_refused() {
    for url in ["http://a.com/%", "http://a.com/%2", "http://a.com/%zz", "http://a.com/?%g0", "http://a.com/%+1"] {
        assert!(HttpTarget::parse("GET", url).is_err(), "{url}");
    }
}

#[test]
fn a_query_keeps_its_meaning_and_a_fragment_is_not_sent() {
    let target = get("http://a.com/p?x=%2b+%61&y=/../#z");
    assert_eq!(target.path_and_query(), "/p?x=%2B+%61&y=/../");
    assert!(HttpTarget::from_parts("GET", "http", "a.com", "/p#z").is_err());
}

#[test]
fn the_authority_is_rebuilt_from_what_was_checked() {
    assert_eq!(get("http://A.com:80/").authority(), "a.com");
    assert_eq!(get("https://a.com:80/").authority(), "a.com:80");
    assert_eq!(get("http://[::1]:81/").authority(), "[::1]:81");
}

#[test]
fn tunnels_echoes_and_strange_methods_are_refused() {
    for method in ["CONNECT", "TRACE", "TRACK", "get", "", "GET ", "GE T", "GET\n", "*", "G,T", &"A".repeat(33)] {
        assert!(HttpTarget::parse(method, "http://a.com/").is_err(), "{method:?}");
    }
    assert!(HttpTarget::parse("PROPFIND", "http://a.com/").is_ok());
}

#[test]
fn a_message_shows_the_address_without_its_query() {
    assert_eq!(get("https://a.com/p?token=secret").shown(), "https://a.com/p");
}
