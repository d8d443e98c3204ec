//! Lines about requests.

use toolcrib_policy::{HttpGrant, HttpPattern, HttpTarget, Requests};

use crate::{get, operator, plugin};

fn matches(line: &str, url: &str) -> bool {
    HttpPattern::parse(line).unwrap().matches(&get(url))
}

fn complaint(line: &str) -> String {
    HttpGrant::parse(line).unwrap_err().to_string()
}

#[test]
fn a_line_matches_exactly_its_host() {
    let line = "GET https://allowed.com/**";
    assert!(matches(line, "https://allowed.com/"));
    assert!(matches(line, "https://ALLOWED.com./x"));
    for url in [
        "https://evilallowed.com/",
        "https://allowed.com.evil.com/",
        "https://www.allowed.com/",
        "https://аllowed.com/",
    ] {
        assert!(!matches(line, url), "{url}");
    }
}

#[test]
fn a_star_in_a_host_stands_for_exactly_one_label() {
    let line = "GET https://*.allowed.com/**";
    assert!(matches(line, "https://api.allowed.com/"));
    for url in ["https://a.b.allowed.com/", "https://allowed.com/", "https://xallowed.com/"] {
        assert!(!matches(line, url), "{url}");
    }
    assert!(HttpTarget::parse("GET", "https://.allowed.com/").is_err());
}

#[test]
fn a_line_matches_its_scheme_and_port_alone() {
    assert!(!matches("GET https://a.com/**", "http://a.com/"));
    assert!(!matches("GET https://a.com/**", "https://a.com:8443/"));
    assert!(matches("GET https://a.com:443/**", "https://a.com/"));
    assert!(matches("GET http://a.com:8080/**", "http://a.com:8080/x"));
}

#[test]
fn methods_are_a_list_or_a_star() {
    let post = HttpTarget::parse("POST", "https://a.com/").unwrap();
    assert!(HttpPattern::parse("GET,POST https://a.com/").unwrap().matches(&post));
    assert!(HttpPattern::parse("* https://a.com/").unwrap().matches(&post));
    assert!(!HttpPattern::parse("GET https://a.com/").unwrap().matches(&post));
    assert!(
        !HttpPattern::parse("GET https://a.com/")
            .unwrap()
            .matches(&HttpTarget::parse("HEAD", "https://a.com/").unwrap())
    );
}

#[test]
fn a_star_in_a_path_stands_for_one_segment_and_two_for_any_tail() {
    let one = "GET https://a.com/repos/*/issues";
    assert!(matches(one, "https://a.com/repos/x/issues"));
    for url in [
        "https://a.com/repos/x/y/issues",
        "https://a.com/repos/issues",
        "https://a.com/repos//issues",
        "https://a.com/repos/x/issues/1",
    ] {
        assert!(!matches(one, url), "{url}");
    }
    let tail = "GET https://a.com/repos/acme/**";
    for url in ["https://a.com/repos/acme", "https://a.com/repos/acme/", "https://a.com/repos/acme/x/y"] {
        assert!(matches(tail, url), "{url}");
    }
    assert!(!matches(tail, "https://a.com/repos/acmex"));
}

#[test]
fn a_path_prefix_cannot_be_escaped() {
    let line = "GET https://a.com/repos/acme/**";
    for url in [
        "https://a.com/repos/acme/../other",
        "https://a.com/repos/acme/%2e%2e/other",
        "https://a.com/repos/acme/..%2fother",
        "https://a.com/repos/acme/..%5cother",
        "https://a.com/repos/acme/%252e%252e/other",
        "https://a.com/repos/acme/..;/other",
        "https://a.com/repos/acme/..;x=1/other",
        "https://a.com/repos/acme/..%3b/other",
        "https://a.com/repos/acme/%c0%ae%c0%ae/other",
        "https://a.com/repos/acme/..%c0%afother",
        "https://a.com/repos/acme/..%00/other",
        "https://a.com/repos/acme/..%20/other",
        "https://a.com/repos/acme/x%2f..%2f..%2fother",
        "https://a.com/repos/acme%2f..%2fother",
    ] {
        assert!(!matches(line, url), "{url}");
    }
    for url in [
        "https://a.com/repos/acme/100%25",
        "https://a.com/repos/acme/a;v=1",
        "https://a.com/repos/acme/%C3%BC%20x",
        "https://a.com/repos/acme/.well-known",
    ] {
        assert!(matches(line, url), "{url}");
    }
}

#[test]
fn a_whole_host_is_granted_with_every_path_it_has() {
    assert!(matches("GET https://a.com/**", "https://a.com/x%2f..%2fy"));
}

#[test]
fn a_deny_is_not_avoided_by_another_spelling() {
    let deny = HttpPattern::parse("GET https://a.com/secret/**").unwrap();
    for url in [
        "https://a.com/secret/x",
        "https://a.com/SECRET/x",
        "https://a.com//secret//x",
        "https://a.com/%73ecret",
        "https://a.com/x%2f..%2fsecret",
        "https://a.com/x/../secret",
    ] {
        assert!(deny.denies(&get(url)), "{url}");
    }
    for url in ["https://a.com/secret;v=1/x", "https://a.com/secret%3Bv/x", "https://a.com/;a/secret/x"] {
        assert!(deny.denies(&get(url)), "{url}");
    }
    let action = HttpPattern::parse("* https://a.com/v1/x:delete").unwrap();
    for url in ["https://a.com/v1/x:delete", "https://a.com/v1/x%3Adelete", "https://a.com/V1/X%3adelete;y"] {
        assert!(action.denies(&get(url)), "{url}");
    }
    assert!(!action.denies(&get("https://a.com/v1/x")));
    assert!(!deny.denies(&get("https://a.com/public")));
    assert!(!deny.denies(&get("https://b.com/secret/x")));
}

#[test]
fn a_manifest_can_ask_for_any_address_and_a_grant_cannot_give_it() {
    for line in ["*", "* *", "GET *", "* https://**", "GET http://**"] {
        assert!(HttpPattern::parse(line).is_ok(), "{line}");
        assert!(complaint(line).contains("grants every host"), "{line}");
    }
    assert!(matches("GET https://**", "https://a.com:8443/x"));
    assert!(!matches("GET https://**", "http://a.com/x"));
}

#[test]
fn a_wildcard_over_strangers_is_refused_with_the_reason() {
    insta::assert_snapshot!(complaint("GET https://*/x"), @"`*` as a host would grant every host there is: name hosts, or one label below a name as in `*.example.com`");
    insta::assert_snapshot!(complaint("GET https://*.com/x"), @"`*.com` would grant hosts of everybody who registers below `com`: name at least one label more");
    for line in ["GET https://*.co.uk/x", "GET https://*.github.io/x", "GET https://*.localhost/x"] {
        assert!(complaint(line).contains("registers below"), "{line}");
        assert!(HttpPattern::parse(line).is_err(), "{line}");
    }
    for line in [
        "GET https://a*.b.com/x",
        "GET https://a.*.com/x",
        "GET https://**.b.com/x",
        "GET https://*b.com/x",
        "GET https://*.1.2.3/x",
    ] {
        assert!(complaint(line).contains("one whole first label"), "{line}");
    }
}

#[test]
fn each_mistake_in_a_line_is_named() {
    let all: Vec<String> = [
        "",
        "GET",
        "get https://a.com/",
        "GET,post https://a.com/",
        "CONNECT https://a.com/",
        "GET a.com/x",
        "GET ftp://a.com/x",
        "GET https://a.com",
        "GET https://a.com/x?y",
        "GET https://a.com/**/x",
        "GET https://a.com/x*",
        "GET https://a.com/../x",
        "GET https://a.com/x%2fy",
        "GET https://u@a.com/",
        "GET https://a.com:0/",
        "GET https://a_b!/x",
        "GET https://a.com/x y",
        "GET https://169.254.169.254/**",
        "GET http://metadata.google.internal/**",
        "GET https://a.com/** via 8.8.8.0/24",
        "GET https://a.com/** via lan",
        "GET http://10.0.0.1/** via 10.0.0.0/8",
    ]
    .iter()
    .map(|line| format!("{line:45} {}", complaint(line)))
    .collect();
    insta::assert_snapshot!(all.join("\n"), @r"
                                                  write a method and an address, such as `GET https://example.com/**`
    GET                                           write a method and an address, such as `GET https://example.com/**`
    get https://a.com/                            `get` is not a method: write `GET`, a list such as `GET,POST`, or `*` for any
    GET,post https://a.com/                       `post` is not a method: write `GET`, a list such as `GET,POST`, or `*` for any
    CONNECT https://a.com/                        `CONNECT` is not a method: write `GET`, a list such as `GET,POST`, or `*` for any
    GET a.com/x                                   `a.com/x` is not an address that begins with `http://` or `https://`
    GET ftp://a.com/x                             `ftp://a.com/x` is not an address that begins with `http://` or `https://`
    GET https://a.com                             `https://a.com` has no path: write `https://a.com/**` for everything there, or `https://a.com/` for its root alone
    GET https://a.com/x?y                         the path `/x?y` has a query: a line speaks of the path alone
    GET https://a.com/**/x                        the path `/**/x` has `**` before its end: it stands for any tail
    GET https://a.com/x*                          the path `/x*` has a star inside a segment: `*` is one whole segment
    GET https://a.com/../x                        the path `/../x` has `.` or `..`: write where it leads
    GET https://a.com/x%2fy                       the path `/x%2fy` has an escape that servers read differently, such as `%2F`
    GET https://u@a.com/                          an address in a policy has no user name or password: credentials never stand in it
    GET https://a.com:0/                          `a.com:0` is not a port
    GET https://a_b!/x                            `a_b!` is not a host name or address
    GET https://a.com/x y                         write a method and an address, such as `GET https://example.com/**`
    GET https://169.254.169.254/**                `169.254.169.254` can never be granted: link-local addresses are never reachable
    GET http://metadata.google.internal/**        `metadata.google.internal` can never be granted: metadata services are never reachable
    GET https://a.com/** via 8.8.8.0/24           `via 8.8.8.0/24`: only private ranges can be opened, such as `10.0.0.0/8`, `192.168.0.0/16`, `127.0.0.0/8` or `fd00::/8`
    GET https://a.com/** via lan                  `lan` is not a range such as `10.0.0.0/8`
    GET http://10.0.0.1/** via 10.0.0.0/8         `via` belongs to a name: a literal address or `localhost` opens exactly itself
    ");
}

#[test]
fn a_line_longer_than_a_person_reads_is_refused() {
    assert!(complaint(&format!("GET https://a.com/{}", "x".repeat(2000))).contains("2000 bytes"));
}

#[test]
fn a_line_is_printed_in_its_one_spelling() {
    for (line, printed) in [
        ("  GET   https://API.Example.com:443/a/%7Eb/** ", "GET https://api.example.com/a/~b/**"),
        ("* http://[::1]:81/*", "* http://[::1]:81/*"),
        (
            "GET,POST https://*.b.com/ via 10.1.2.3/8,192.168.1.1",
            "GET,POST https://*.b.com/ via 10.0.0.0/8, 192.168.1.1/32",
        ),
    ] {
        assert_eq!(HttpGrant::parse(line).unwrap().to_string(), printed);
    }
}

#[test]
fn a_line_says_how_often_and_prints_it() {
    for line in [
        "GET https://a.example.com/**, 10 per minute",
        "POST http://localhost:8080/x, 1 per second",
        "GET https://a.example.com/** via 10.0.0.0/8, 192.168.0.0/16, 3 per day",
    ] {
        assert_eq!(HttpGrant::parse(line).unwrap().to_string(), line);
    }
    let grant = HttpGrant::parse("GET https://a.example.com/a,b").unwrap();
    assert_eq!((grant.rate(), grant.to_string().as_str()), (None, "GET https://a.example.com/a,b"));
    let spaced = HttpGrant::parse("GET https://a.example.com/**,2 per  hour ").unwrap();
    assert_eq!(spaced.to_string(), "GET https://a.example.com/**, 2 per hour");
    assert_eq!(HttpGrant::parse("GET https://a.example.com/**,\t2\tper\thour").unwrap(), spaced);
    for wrong in ["0 per minute", "1.5 per minute", "ten per minute", "1 per week", "-1 per day", "10 per", "per day"] {
        let error = HttpGrant::parse(&format!("GET https://a.example.com/**, {wrong}")).unwrap_err();
        assert!(error.to_string().contains("is not a rate"), "{wrong}: {error}");
    }
    let most = HttpGrant::parse("GET https://a.example.com/**, 4294967295 per day").unwrap();
    assert_eq!(most.rate().map(|rate| rate.count()), Some(u32::MAX));
}

#[test]
fn a_rate_in_the_wrong_place_says_where_it_belongs() {
    insta::assert_snapshot!(complaint("GET https://a.example.com/**, 99999999999 per minute"), @"`99999999999 per minute`: a rate allows at most 4294967295 requests");
    for line in [
        "GET https://a.example.com/** 10 per minute",
        "GET https://a.example.com/a,b 10 per minute",
        "GET https://a.example.com/** via 10.0.0.0/8 10 per minute",
        "GET https://a.example.com/** via 10.0.0.0/8, 192.168.0.0/16 10 per minute",
    ] {
        let comma = "a rate stands behind a comma: `GET https://example.com/**, 10 per minute`";
        assert_eq!(complaint(line), comma, "{line}");
    }
    let elsewhere = HttpPattern::parse("GET https://a.example.com/**, 10 per minute").unwrap_err().to_string();
    insta::assert_snapshot!(elsewhere, @"a rate belongs to a grant, not here");
}

#[test]
fn a_request_is_counted_under_the_line_that_allows_it_and_under_its_callers() {
    let file = operator(
        "[plugin.shop]\nhttp = [\"GET https://a.example.com/x, 1 per day\", \"GET https://a.example.com/**, 5 per hour\"]\n\
         [plugin.caller]\nhttp = [\"* https://a.example.com/**, 2 per minute\"]\n",
    );
    let everything = Requests::everything();
    let caller = file.authority(&"caller".parse().unwrap(), &everything, None);
    let lent = file.authority(&plugin(), &everything, Some(&caller));
    let counted = |url: &str| -> Vec<String> {
        lent.rates(&get(url)).iter().map(|(plugin, _, rate)| format!("{plugin} {rate}")).collect()
    };
    assert_eq!(counted("https://a.example.com/x"), ["shop 1 per day", "caller 2 per minute"]);
    assert_eq!(counted("https://a.example.com/y"), ["shop 5 per hour", "caller 2 per minute"]);
    assert!(counted("https://b.example.com/").is_empty());
}

#[test]
fn a_line_that_could_not_be_said_again_is_refused() {
    let escaped = format!("GET https://a.example.com/{}", "<".repeat(900));
    assert!(HttpPattern::parse(&escaped).unwrap_err().to_string().contains("at most 2000 bytes"));
    assert!(HttpPattern::parse(&escaped[..400]).is_ok());
}
