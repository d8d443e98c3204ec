//! Requests, statuses, headers, formats, limits.

use std::cell::RefCell;
use std::rc::Rc;

use serde_json::{Value, json};
use toolcrib_sdk::http::{Cause, Error, Request};
use toolcrib_sdk::testing::{self, Reply};
use toolcrib_sdk::{Effect, EffectState, ErrorKind, ToolError};

use crate::PLUGIN;

fn ask(tool: &str, arguments: Value, answer: impl Fn(&Request) -> Reply + 'static) -> Result<Value, ToolError> {
    testing::with_http(move |request| Ok(answer(request)), || testing::call_structured(&PLUGIN, tool, arguments))
}

fn page(html: &str) -> Reply {
    Reply::new(200).header("content-type", "text/html; charset=utf-8").body(html)
}

fn header<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    let found = request.headers().iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.as_str())
}

#[test]
fn fetch_may_change_the_world_and_links_only_reads_it() {
    let tools = PLUGIN.describe();
    assert_eq!(tools.len(), 2);
    assert_eq!((tools[0].name.to_string(), tools[0].effect), ("fetch".to_owned(), Some(Effect::Irreversible)));
    assert_eq!((tools[1].name.to_string(), tools[1].effect), ("links".to_owned(), Some(Effect::Read)));
    assert!(tools.iter().all(|tool| tool.open_world));
}

#[test]
fn a_page_comes_as_markdown_text_or_as_it_is() {
    let html = "<title>T</title><h1>Hallo</h1><p>Eine <b>Welt</b></p><script>x()</script>";
    let fetch = |format| {
        let arguments = json!({ "url": "http://a/x", "format": format });
        ask("fetch", arguments, move |_| page(html)).unwrap()
    };
    let fetched = fetch("auto");
    assert_eq!(fetched["body"], "# Hallo\n\nEine **Welt**");
    assert_eq!(fetched["status"], 200);
    assert_eq!(fetched["url"], "http://a/x");
    assert_eq!(fetched["media_type"], "text/html");
    assert_eq!(fetched["headers"]["content-type"], "text/html; charset=utf-8");
    assert_eq!(fetched["truncated"], false);
    assert_eq!(fetched.get("encoding"), None);
    assert_eq!(fetch("markdown")["body"], fetched["body"]);
    assert_eq!(fetch("text")["body"], "Hallo\n\nEine Welt");
    assert_eq!(fetch("raw")["body"], html);
}

#[test]
fn json_and_other_text_stay_as_they_are() {
    for (kind, body) in [("application/json", "{\"a\":\n1}"), ("text/plain", "<b>*x*</b>"), ("application/xml", "<a/>")]
    {
        let answer = move |_: &Request| Reply::new(200).header("content-type", kind).body(body);
        let fetched = ask("fetch", json!({ "url": "http://a/" }), answer).unwrap();
        assert_eq!((&fetched["body"], &fetched["media_type"]), (&json!(body), &json!(kind)));
    }
}

#[test]
fn a_request_says_who_asks_unless_the_caller_says_it() {
    let seen = |headers: Value| {
        let answer = |request: &Request| {
            let said =
                ["user-agent", "accept", "accept-encoding"].map(|name| header(request, name).unwrap().to_owned());
            Reply::new(200).body(said.join("|"))
        };
        ask("fetch", json!({ "url": "http://a/", "headers": headers }), answer).unwrap()["body"].clone()
    };
    assert!(seen(json!({})).as_str().unwrap().starts_with("toolcrib/"));
    assert_eq!(seen(json!({ "User-Agent": "me", "ACCEPT": "x/y" })), "me|x/y|identity");
}

#[test]
fn a_body_is_sent_with_its_media_type() {
    let sent = |body: &str, headers: Value| {
        let arguments = json!({ "url": "http://a/", "method": "post", "body": body, "headers": headers });
        let answer = |request: &Request| {
            let body = String::from_utf8(request.body_bytes().to_vec()).unwrap();
            let kind = header(request, "content-type").unwrap();
            Reply::new(201).body(format!("{} {kind} {body}", request.method()))
        };
        ask("fetch", arguments, answer).unwrap()["body"].clone()
    };
    assert_eq!(sent("{\"ü\":1}", json!({})), "POST application/json {\"ü\":1}");
    assert_eq!(sent("a=1", json!({})), "POST text/plain; charset=utf-8 a=1");
    let form = json!({ "content-type": "application/x-www-form-urlencoded" });
    assert_eq!(sent("a=1", form), "POST application/x-www-form-urlencoded a=1");
    let error = ask("fetch", json!({ "url": "http://a/", "body": "x" }), |_| Reply::new(200)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArguments);
}

#[test]
fn redirects_are_followed_to_the_fifth() {
    let hops = Rc::new(RefCell::new(0));
    let counted = Rc::clone(&hops);
    let answer = move |request: &Request| {
        *counted.borrow_mut() += 1;
        let at: u32 = request.url().rsplit('/').next().unwrap().parse().unwrap();
        if at < 5 { Reply::new(302).header("location", &format!("/{}", at + 1)) } else { Reply::new(200).body("there") }
    };
    let fetched = ask("fetch", json!({ "url": "http://a/0" }), answer).unwrap();
    assert_eq!((&fetched["url"], &fetched["body"], *hops.borrow()), (&json!("http://a/5"), &json!("there"), 6));
    let error = ask("fetch", json!({ "url": "http://a/0" }), |_| Reply::new(302).header("location", "/0")).unwrap_err();
    assert!(error.message().contains("more than 5 redirects"), "{error}");
    let arguments = json!({ "url": "http://a/0", "method": "POST", "body": "x" });
    let posted = ask("fetch", arguments, |_| Reply::new(303).header("location", "/1")).unwrap();
    assert_eq!(posted["status"], 303);
}

#[test]
fn a_refusal_by_the_server_is_a_result() {
    for status in [400, 403, 404, 410, 500] {
        let answer = move |_: &Request| Reply::new(status).header("content-type", "text/plain").body("no such thing");
        let fetched = ask("fetch", json!({ "url": "http://a/" }), answer).unwrap();
        assert_eq!((&fetched["status"], &fetched["body"]), (&json!(status), &json!("no such thing")));
    }
}

#[test]
fn what_credentials_or_waiting_may_mend_is_a_typed_error_with_the_servers_words() {
    let kind = |status: u16| {
        let answer = move |_: &Request| {
            Reply::new(status)
                .header("retry-after", "7")
                .header("content-type", "text/html")
                .body("<h1>Sorry</h1><p>not  now</p>")
        };
        let error = ask("fetch", json!({ "url": "http://a/x" }), answer).unwrap_err();
        assert!(error.message().contains("http://a/x"), "{error}");
        (error.kind(), error.message().to_owned())
    };
    assert_eq!(kind(401).0, ErrorKind::NeedsAuth);
    assert!(kind(503).1.ends_with("Sorry not now"), "{}", kind(503).1);
    assert_eq!(kind(503).0, ErrorKind::Unavailable);
    let (limited, message) = kind(429);
    assert_eq!(limited, ErrorKind::RateLimited { retry_after: Some(7) });
    assert!(message.contains("after 7 seconds"), "{message}");
}

#[test]
fn a_post_that_a_server_could_not_finish_has_an_unknown_effect() {
    let arguments = json!({ "url": "http://a/", "method": "POST", "body": "x" });
    let error = ask("fetch", arguments, |_| Reply::new(502)).unwrap_err();
    assert_eq!((error.kind(), error.effect_state()), (ErrorKind::Unavailable, EffectState::Unknown));
    let error = ask("fetch", json!({ "url": "http://a/" }), |_| Reply::new(502)).unwrap_err();
    assert_eq!(error.effect_state(), EffectState::None);
}

#[test]
fn bytes_come_in_base64_and_only_when_asked_for() {
    let png = |_: &Request| Reply::new(200).header("content-type", "image/png").body(*b"\x89PNG\x00");
    let error = ask("fetch", json!({ "url": "http://a/x.png" }), png).unwrap_err();
    assert_eq!((error.kind(), error.effect_state()), (ErrorKind::Failed, EffectState::None));
    assert!(error.message().contains("5 bytes of image/png"), "{error}");
    let posted = ask("fetch", json!({ "url": "http://a/", "method": "POST" }), png).unwrap_err();
    assert_eq!(posted.effect_state(), EffectState::Done);
    let raw = ask("fetch", json!({ "url": "http://a/x.png", "format": "raw" }), png).unwrap();
    assert_eq!(
        (&raw["body"], &raw["encoding"], &raw["truncated"]),
        (&json!("iVBORwA="), &json!("base64"), &json!(false))
    );
    let cut = ask("fetch", json!({ "url": "http://a/x.png", "format": "raw", "max_bytes": 5 }), png).unwrap();
    assert_eq!((&cut["body"], &cut["truncated"]), (&json!("iVBO"), &json!(true)));
}

#[test]
fn a_long_body_is_cut_between_two_characters() {
    let long = |_: &Request| Reply::new(200).header("content-type", "text/plain").body("ü".repeat(3 << 20));
    let fetched = ask("fetch", json!({ "url": "http://a/", "max_bytes": 5 }), long).unwrap();
    assert_eq!((&fetched["body"], &fetched["truncated"]), (&json!("üü"), &json!(true)));
    let fetched = ask("fetch", json!({ "url": "http://a/" }), long).unwrap();
    assert_eq!((fetched["body"].as_str().unwrap().len(), &fetched["truncated"]), (1 << 20, &json!(true)));
    let whole = ask("fetch", json!({ "url": "http://a/", "max_bytes": 2 }), |_| Reply::new(200).body("ab")).unwrap();
    assert_eq!((&whole["body"], &whole["truncated"]), (&json!("ab"), &json!(false)));
}

#[test]
fn an_empty_body_and_repeated_headers_come_through() {
    let answer = |_: &Request| Reply::new(204).header("x-a", "1").header("X-A", "2");
    let fetched = ask("fetch", json!({ "url": "http://a/", "method": "HEAD" }), answer).unwrap();
    assert_eq!((&fetched["body"], &fetched["media_type"]), (&json!(""), &json!("")));
    assert_eq!(fetched["headers"], json!({ "x-a": "1, 2" }));
}

#[test]
fn a_character_set_is_understood() {
    let answer =
        |_: &Request| Reply::new(200).header("content-type", "text/html;charset=ISO-8859-1").body(*b"<p>Gr\xFC\xDFe");
    assert_eq!(ask("fetch", json!({ "url": "http://a/" }), answer).unwrap()["body"], "Grüße");
}

#[test]
fn what_is_no_address_method_or_header_is_refused() {
    for arguments in [
        json!({ "url": "" }),
        json!({ "url": "file:///etc/passwd" }),
        json!({ "url": "http://a/", "method": "GE T" }),
        json!({ "url": "http://a/", "headers": { "a b": "c" } }),
        json!({ "url": "http://a/", "headers": { "a": "b\r\nc: d" } }),
        json!({ "url": "http://a/", "format": "pdf" }),
    ] {
        let error = ask("fetch", arguments.clone(), |_| Reply::new(200)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArguments, "{arguments}");
    }
}

#[test]
fn a_refusal_of_the_host_comes_through_with_its_words() {
    let refused = |_: &Request| Err(Error::new(Cause::Denied, "no grant for http://a"));
    let call = || testing::call(&PLUGIN, "links", json!({ "url": "http://a/" }));
    let error = testing::with_http(refused, call).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied);
    assert!(error.message().contains("no grant for http://a"), "{error}");
}

#[test]
fn links_are_absolute_each_once_and_in_order() {
    let html = "<nav><a href='/b'>  B <i>1</i></a> <a href='#top'>up</a> <a href='c?d=1#e'><img alt='C'></a></nav>
        <a href='/b'>again</a> <a href='//x.org'></a> <a href='javascript:x()'>no</a> <a href='data:,x'>no</a>
        <a href='mailto:a@b.c'>Mail</a> <a>none</a> <a href='http://x.org/'>X</a> <script><a href='/no'></script>";
    let found = ask("links", json!({ "url": "http://a/p/q" }), move |_| page(html)).unwrap();
    assert_eq!(
        found,
        json!({ "url": "http://a/p/q", "links": [
            { "url": "http://a/b", "text": "B 1" },
            { "url": "http://a/p/c?d=1#e", "text": "C" },
            { "url": "http://x.org/", "text": "X" },
            { "url": "mailto:a@b.c", "text": "Mail" },
        ] })
    );
}

#[test]
fn the_base_of_a_page_is_what_it_says() {
    let html = "<head><base href='/docs/'></head><a href=x>x</a>";
    let found = ask("links", json!({ "url": "http://a/p" }), move |_| page(html)).unwrap();
    assert_eq!(found["links"][0]["url"], "http://a/docs/x");
}

#[test]
fn links_of_what_is_missing_or_no_page_are_an_error() {
    let error = ask("links", json!({ "url": "http://a/" }), |_| Reply::new(404)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    let json = |_: &Request| Reply::new(200).header("content-type", "application/json").body("{}");
    let error = ask("links", json!({ "url": "http://a/" }), json).unwrap_err();
    assert!(error.message().contains("is application/json, not a web page"), "{error}");
}
