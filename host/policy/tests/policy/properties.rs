//! What holds for every input.

use std::net::IpAddr;
use std::path::Path;

use proptest::prelude::*;
use toolcrib_policy::{
    Digest, FileGrant, FileRequest, GuestPath, Host, HttpGrant, HttpPattern, HttpTarget, Manifest, OperatorFile,
    PluginName, Requests, ToolName, ToolPattern, classify,
};

use crate::{authority, operator, plugin};

/// Addresses from a small world, so that lines and requests meet.
fn url() -> impl Strategy<Value = String> {
    let host =
        prop::sample::select(vec!["a.com", "x.a.com", "y.x.a.com", "b.com:8080", "10.0.0.1", "localhost", "A.COM."]);
    let part = prop::sample::select(vec!["x", "y", "..", ".", "%2e%2e", "%2F", "*", "", "..;", "%252e", "X"]);
    let path = prop::collection::vec(part, 0..4);
    ("https?", host, path).prop_map(|(scheme, host, path)| format!("{scheme}://{host}/{}", path.join("/")))
}

fn target() -> impl Strategy<Value = HttpTarget> {
    let method = prop::sample::select(vec!["GET", "POST", "DELETE"]);
    (method, url()).prop_filter_map("no target", |(method, url)| HttpTarget::parse(method, &url).ok())
}

fn grant_line() -> impl Strategy<Value = String> {
    let methods = prop::sample::select(vec!["GET", "POST", "GET,POST", "*"]);
    let host = prop::sample::select(vec!["a.com", "*.a.com", "b.com:8080", "10.0.0.1", "localhost"]);
    let path = prop::sample::select(vec!["/**", "/x/**", "/*/y", "/x", "/", "/x/*/**"]);
    (methods, "https?", host, path)
        .prop_map(|(methods, scheme, host, path)| format!("{methods} {scheme}://{host}{path}"))
}

fn any_line() -> impl Strategy<Value = String> {
    prop_oneof![8 => grant_line(), 1 => Just("GET *".to_owned()), 1 => Just("* https://**".to_owned())]
}

fn list(lines: &[String]) -> String {
    let lines: Vec<String> = lines.iter().map(|line| format!("{line:?}")).collect();
    format!("[{}]", lines.join(", "))
}

fn matching(lines: &[String], target: &HttpTarget) -> bool {
    lines.iter().any(|line| HttpPattern::parse(line).unwrap().matches(target))
}

/// A text that is near to what is read, or anything at all.
fn noise() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[a-zA-Z*/.:%?#@,;\\[\\] 0-9-]{0,60}",
        "(GET|deny|read|read-write|\\*)? ?(https?://)?[*a-z0-9.:\\[\\]%@-]{0,20}/?[*a-z%./]{0,20}( via | as )?[0-9./a-f:, ]{0,20}",
    ]
}

proptest! {
    #[test]
    fn an_intersection_allows_exactly_what_every_side_allows(
        asked in prop::collection::vec(any_line(), 0..4),
        granted in prop::collection::vec(grant_line(), 0..4),
        ceiling in prop::option::of(prop::collection::vec(any_line(), 0..4)),
        handed in prop::option::of(prop::collection::vec(grant_line(), 0..4)),
        denied in prop::collection::vec(any_line(), 0..2),
        target in target(),
    ) {
        let mut lines = granted.clone();
        lines.extend(denied.iter().map(|line| format!("deny {line}")));
        let mut text = ceiling.as_ref().map(|lines| format!("[ceiling]\nhttp = {}\n", list(lines))).unwrap_or_default();
        text.push_str(&format!("[plugin.shop]\nhttp = {}\n[plugin.caller]\nhttp = {}", list(&lines), list(&handed.clone().unwrap_or_default())));
        let file = operator(&text);
        let requests = Requests { http: asked.iter().map(|line| HttpPattern::parse(line).unwrap()).collect(), ..Requests::nothing() };
        let caller = handed.as_ref().map(|_| file.authority(&"caller".parse().unwrap(), &Requests::everything(), None));
        let allowed = file.authority(&plugin(), &requests, caller.as_ref()).http(&target).is_ok();
        let expected = matching(&asked, &target)
            && matching(&granted, &target)
            && ceiling.is_none_or(|lines| matching(&lines, &target))
            && handed.is_none_or(|lines| matching(&lines, &target))
            && !denied.iter().any(|line| HttpPattern::parse(line).unwrap().denies(&target));
        prop_assert_eq!(allowed, expected);
    }

    #[test]
    fn a_deny_covers_at_least_what_the_same_line_allows(line in any_line(), target in target()) {
        let pattern = HttpPattern::parse(&line).unwrap();
        prop_assert!(!pattern.matches(&target) || pattern.denies(&target));
    }

    #[test]
    fn pasting_a_printed_grant_allows_the_request(target in target()) {
        let refusal = authority("").http(&target).unwrap_err();
        let after = authority(&format!("[plugin.shop]\n{}", refusal.grant.unwrap()));
        prop_assert!(after.http(&target).is_ok());
    }

    #[test]
    fn a_folder_that_is_seen_lies_within_every_side(
        grant in folder(), request in folder(), ceiling in folder(), handed in folder(),
    ) {
        let text = format!(
            "[ceiling]\nfiles = [\"{} ./{}\"]\n[plugin.shop]\nfiles = [\"{} ./{} as /{}\"]\n[plugin.caller]\nfiles = [\"{} ./{} as /q\"]",
            ceiling.0, ceiling.1, grant.0, grant.1, grant.2, handed.0, handed.1
        );
        let file = operator(&text);
        let caller = file.authority(&"caller".parse().unwrap(), &Requests::everything(), None);
        let files = vec![FileRequest::parse(&format!("{} /{}", request.0, request.2)).unwrap()];
        let seen = file.authority(&plugin(), &Requests { files, ..Requests::nothing() }, Some(&caller)).files;
        for folder in &seen {
            let access = folder.access.as_str();
            for (allowed, host) in [(&grant.0, &grant.1), (&ceiling.0, &ceiling.1), (&handed.0, &handed.1)] {
                prop_assert!(access == "read" || allowed == "read-write");
                prop_assert!(folder.host.starts_with(Path::new("/work").join(host)));
            }
            prop_assert!(access == "read" || request.0 == "read-write");
            let asked = GuestPath::parse(&["/", &request.2].concat()).unwrap();
            prop_assert!(folder.guest.below(&asked).is_some());
        }
    }

    #[test]
    fn lines_print_and_read_back_the_same(line in grant_line(), wide in any_line()) {
        let grant = HttpGrant::parse(&line).unwrap();
        prop_assert_eq!(HttpGrant::parse(&grant.to_string()).unwrap(), grant);
        let pattern = HttpPattern::parse(&wide).unwrap();
        prop_assert_eq!(HttpPattern::parse(&pattern.to_string()).unwrap(), pattern);
    }

    #[test]
    fn what_reads_at_all_prints_and_reads_back_the_same(text in noise()) {
        if let Ok(grant) = HttpGrant::parse(&text) {
            prop_assert_eq!(HttpGrant::parse(&grant.to_string()).unwrap(), grant);
        }
        if let Ok(pattern) = HttpPattern::parse(&text) {
            prop_assert_eq!(HttpPattern::parse(&pattern.to_string()).unwrap(), pattern);
        }
        if let Ok(grant) = FileGrant::parse(&text, Path::new("/work")) {
            prop_assert_eq!(FileGrant::parse(&grant.to_string(), Path::new("/work")).unwrap(), grant);
        }
        if let Ok(request) = FileRequest::parse(&text) {
            prop_assert_eq!(FileRequest::parse(&request.to_string()).unwrap(), request);
        }
        if let Ok(pattern) = ToolPattern::parse(&text) {
            prop_assert_eq!(ToolPattern::parse(&pattern.to_string()).unwrap(), pattern);
        }
        if let Ok(host) = Host::parse(&text) {
            prop_assert_eq!(Host::parse(&host.to_string()).unwrap(), host);
        }
    }

    #[test]
    fn a_target_is_its_own_normal_form(text in noise(), url in url()) {
        for url in [format!("http://{text}"), text, url] {
            let Ok(target) = HttpTarget::parse("GET", &url) else { continue };
            let again = HttpTarget::from_parts("GET", target.scheme.as_str(), &target.authority(), &target.path_and_query()).unwrap();
            prop_assert_eq!(&again, &target);
            prop_assert!(target.path.starts_with('/') && !target.path.split('/').any(|part| part == ".." || part == "."));
            prop_assert!(target.path_and_query().bytes().all(|byte| byte.is_ascii_graphic()));
        }
    }

    #[test]
    fn no_input_makes_a_reader_panic(text in noise(), toml in "(\\[[a-z.]{0,12}\\]\n)?([a-z-]{1,8} = [\"\\[{a-z0-9 }\\]]{0,12}\n){0,4}") {
        for text in [text.as_str(), toml.as_str()] {
            let _ = Manifest::parse(text, "plugin.toml");
            let _ = OperatorFile::parse(text, "toolcrib.toml", Path::new("/work"));
            let _ = (text.parse::<PluginName>(), text.parse::<ToolName>(), text.parse::<Digest>());
            let mut file = OperatorFile::empty(Path::new("/work"));
            for capability in ["http", "files", "env", "config", "tools", "ask", "model", text] {
                let _ = file.add_grant(&plugin(), capability, text);
            }
            let nothing = toolcrib_policy::Authority::nothing();
            let _ = nothing.file_refusal(text, toolcrib_policy::Access::Read);
            let _ = (nothing.env(text), nothing.config(text));
        }
    }

    #[test]
    fn a_mapped_address_has_the_class_of_what_it_maps(octets in any::<[u8; 4]>()) {
        let plain = std::net::Ipv4Addr::from(octets);
        prop_assert_eq!(classify(plain.to_ipv6_mapped().into()), classify(plain.into()));
    }

    #[test]
    fn no_grant_opens_what_is_never_reachable(ip in any::<IpAddr>(), line in grant_line()) {
        let authority = authority(&format!("[plugin.shop]\nhttp = [\"{line}\", \"GET https://a.com/** via 10.0.0.0/8, fc00::/7, 127.0.0.0/8\"]"));
        for grant in &authority.http {
            for host in ["a.com", "x.a.com", "localhost", &ip.to_string()] {
                if classify(ip).is_never() {
                    prop_assert!(authority.address(grant, host, ip).is_err());
                }
            }
        }
    }
}

/// An access, a folder of this machine and a place in the sandbox, from a small world.
fn folder() -> impl Strategy<Value = (String, String, String)> {
    let access = prop::sample::select(vec!["read", "read-write"]);
    let host = prop::sample::select(vec![".", "a", "a/b", "a/b/c", "x", "a/../x", "ab"]);
    let guest = prop::sample::select(vec!["", "a", "a/b", "ab"]);
    let host = host.prop_map(|host| if host == "a/../x" { "x" } else { host });
    (access, host, guest).prop_map(|(access, host, guest)| (access.to_owned(), host.to_owned(), guest.to_owned()))
}
