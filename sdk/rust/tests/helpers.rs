//! The helpers, as a native test sees them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::io::Read;

use toolcrib_sdk::http::{Cause, Error, Request};
use toolcrib_sdk::testing::{self, Reply};
use toolcrib_sdk::{EffectState, ErrorKind, ToolError, config, fs, keyvalue};

/// Answers `/N` with status N and everything else with its own path.
fn server(request: &Request) -> Result<Reply, Error> {
    let path = request.url().splitn(4, '/').nth(3).unwrap_or_default();
    Ok(match path.parse() {
        Ok(status) => Reply::new(status).header("Retry-After", "7"),
        Err(_) => match path.strip_prefix("to?") {
            Some(next) => Reply::new(302).header("location", next),
            None => Reply::new(200).header("Content-Type", "text/plain").body(format!("{} {path}", request.method())),
        },
    })
}

fn ask<R>(ask: impl FnOnce() -> R) -> R {
    testing::with_http(server, ask)
}

fn status(method: &str, status: u16) -> ToolError {
    let url = format!("http://a.example/{status}");
    ask(|| Request::new(method, url).send().unwrap().ok().unwrap_err())
}

#[test]
fn a_response_is_read_whole_in_part_or_as_a_stream() {
    ask(|| {
        let get = || Request::get("http://a.example/hello").send().unwrap();
        assert_eq!((get().status(), get().header("content-TYPE")), (200, Some("text/plain")));
        assert_eq!(get().text(9).unwrap(), "GET hello");
        assert_eq!(get().bytes(8).unwrap_err().cause(), Cause::TooLarge);
        assert_eq!(get().read_up_to(8).unwrap(), (b"GET hell".to_vec(), true));
        assert_eq!(get().read_up_to(9).unwrap(), (b"GET hello".to_vec(), false));
        assert_eq!(get().read_up_to(0).unwrap(), (Vec::new(), true));
        let mut text = String::new();
        get().read_to_string(&mut text).unwrap();
        assert_eq!(text, "GET hello");
        let failed = get().json::<u8>(100).unwrap_err();
        assert!(failed.message().starts_with("http://a.example/hello: JSON: "), "{failed}");
    });
}

#[test]
fn statuses_are_typed_errors() {
    for (code, kind) in [
        (401, ErrorKind::NeedsAuth),
        (403, ErrorKind::Denied),
        (404, ErrorKind::NotFound),
        (410, ErrorKind::NotFound),
        (429, ErrorKind::RateLimited { retry_after: Some(7) }),
        (503, ErrorKind::Unavailable),
        (500, ErrorKind::Failed),
        (418, ErrorKind::Failed),
    ] {
        let error = status("GET", code);
        assert_eq!((error.kind(), error.effect_state()), (kind, EffectState::None));
        assert_eq!(error.message(), format!("GET http://a.example/{code} answered {code}"));
    }
    assert_eq!(status("POST", 500).effect_state(), EffectState::Unknown);
    assert_eq!(status("POST", 404).effect_state(), EffectState::None);
    assert!(ask(|| Request::get("http://a.example/304").send().unwrap().ok().is_ok()));
}

#[test]
fn redirects_are_followed_only_where_asked_for_and_only_when_safe() {
    ask(|| {
        let to = |next: &str| format!("http://a.example/to?{next}");
        assert_eq!(Request::get(to("/b")).send().unwrap().status(), 302);
        assert_eq!(Request::post(to("/b")).redirects(3).send().unwrap().status(), 302);
        let followed = Request::get(to("/b")).redirects(1).send().unwrap();
        assert_eq!(followed.url(), "http://a.example/b");
        assert_eq!(followed.text(99).unwrap(), "GET b");
        let error = Request::get(to("/to?/to?/b")).redirects(1).send().unwrap_err();
        assert!(error.message().contains("more than 1 redirects"), "{error}");
        assert_eq!(Request::get(to("mailto:a@b")).redirects(1).send().unwrap_err().cause(), Cause::Invalid);
    });
}

#[test]
fn credentials_do_not_follow_to_another_server() {
    let handler = |request: &Request| {
        if request.url().contains("a.example") {
            return Ok(Reply::new(307).header("location", "http://b.example/"));
        }
        let names: Vec<&str> = request.headers().iter().map(|(name, _)| name.as_str()).collect();
        Ok(Reply::new(200).body(names.join(",")))
    };
    let names = testing::with_http(handler, || {
        let request =
            Request::get("http://a.example/").header("Authorization", "x").header("accept", "y").header("Cookie", "z");
        request.redirects(1).send().unwrap().text(99).unwrap()
    });
    assert_eq!(names, "accept");
}

#[test]
fn what_cannot_be_sent_is_refused_before_the_host_sees_it() {
    let cause = |request: Request| ask(|| request.send()).unwrap_err().cause();
    assert_eq!(cause(Request::get("example.org")), Cause::Invalid);
    assert_eq!(cause(Request::new("GET it", "http://a/")), Cause::Invalid);
    assert_eq!(cause(Request::get("http://a/").header("a b", "c")), Cause::Invalid);
    assert_eq!(cause(Request::get("http://a/").header("a", "b\r\nc: d")), Cause::Invalid);
    assert_eq!(Request::get("http://a/").send().unwrap_err().cause(), Cause::Denied);
}

#[test]
fn an_error_says_whether_a_change_may_have_happened() {
    let effect = |method: &str, cause: Cause| {
        let fail = move |_: &Request| Err(Error::new(cause, "x"));
        let error = testing::with_http(fail, || Request::new(method, "http://a/").send()).unwrap_err();
        assert_eq!(error.message(), format!("{method} http://a/: x"));
        let error = ToolError::from(error);
        (error.kind(), error.effect_state())
    };
    assert_eq!(effect("POST", Cause::Timeout), (ErrorKind::Unavailable, EffectState::Unknown));
    assert_eq!(effect("POST", Cause::Denied), (ErrorKind::Denied, EffectState::None));
    assert_eq!(effect("GET", Cause::Broken), (ErrorKind::Failed, EffectState::None));
}

#[test]
fn settings_are_those_of_the_test() {
    testing::with_config(&[("key", "value")], || {
        assert_eq!(config::require("key").unwrap(), "value");
        assert_eq!(config::get("other").unwrap(), None);
        assert!(config::require("other").unwrap_err().message().contains("`other`"));
        assert_eq!(config::all().unwrap().len(), 1);
    });
    assert_eq!(config::get("key").unwrap(), None);
}

#[test]
fn files_are_read_up_to_a_limit_and_errors_name_the_path() {
    let folder = std::env::temp_dir().join(format!("toolcrib-sdk-{}", std::process::id()));
    std::fs::create_dir_all(folder.join("b")).unwrap();
    fs::write(folder.join("a"), "héllo").unwrap();
    fs::write(folder.join("c"), [0xff]).unwrap();
    let entries: Vec<_> =
        fs::list(&folder).unwrap().into_iter().map(|entry| (entry.name, entry.kind, entry.size)).collect();
    assert_eq!(
        entries,
        [
            ("a".to_owned(), fs::EntryKind::File, 6),
            ("b".to_owned(), fs::EntryKind::Directory, 0),
            ("c".to_owned(), fs::EntryKind::File, 1)
        ]
    );
    assert_eq!(fs::read_text(folder.join("a"), 6).unwrap(), "héllo");
    assert!(fs::read_text(folder.join("a"), 5).unwrap_err().message().contains("longer than 5 bytes"));
    assert!(fs::read_text(folder.join("c"), 5).unwrap_err().message().contains("not UTF-8"));
    assert!(fs::read(folder.join("a"), 2).unwrap().truncated);
    let missing = fs::read(folder.join("nope"), 2).unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound);
    assert_eq!(missing.message(), format!("`{}`: no such file or directory", folder.join("nope").display()));
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_bucket_keeps_what_the_grant_allows() {
    testing::with_buckets(&["seen"], || {
        let bucket = keyvalue::open("seen").unwrap();
        assert_eq!(bucket.get("a").unwrap(), None);
        bucket.set("a", "text").unwrap();
        bucket.set_json("b", &[1, 2, 3]).unwrap();
        assert_eq!(bucket.get("a").unwrap().as_deref(), Some(&b"text"[..]));
        assert_eq!(bucket.get_json::<Vec<u8>>("b").unwrap(), Some(vec![1, 2, 3]));
        assert_eq!(bucket.get_json::<Vec<u8>>("c").unwrap(), None);
        let no_json = bucket.get_json::<Vec<u8>>("a").unwrap_err();
        assert!(no_json.message().starts_with("bucket `seen`, key `a`: expected"), "{no_json}");
        assert_eq!((bucket.increment("n", 2).unwrap(), bucket.increment("n", 3).unwrap()), (2, 5));
        assert_eq!(bucket.increment("a", 1).unwrap_err().message(), "bucket `seen`, key `a`: the value is no number");
        assert_eq!(bucket.keys().unwrap(), ["a", "b", "n"]);
        bucket.delete("a").unwrap();
        bucket.delete("a").unwrap();
        assert!(!bucket.exists("a").unwrap());
        // Another handle is the same bucket.
        assert!(keyvalue::open("seen").unwrap().exists("n").unwrap());
        let other = keyvalue::open("other").err().unwrap();
        assert_eq!(other.kind(), ErrorKind::Denied);
    });
    assert!(keyvalue::open("seen").is_err());
}
