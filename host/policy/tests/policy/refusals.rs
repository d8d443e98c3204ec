//! What refusals say, and that their grants suffice.

use toolcrib_policy::{Access, HttpTarget, LimitName, Refusal, RefusalCode, Requests};

use crate::{authority, get, operator, plugin};

fn shown(refusal: Refusal) -> String {
    format!("{}\n{}\n{}", refusal.code, refusal.message, refusal.grant.unwrap_or_else(|| "-".to_owned()))
}

const GRANTS: &str = r#"
[ceiling]
http = ["* https://a.com/**", "* https://b.com/**", "* https://intra.example.com/**"]
env = ["LANG"]
[plugin.shop]
http = ["GET https://a.com/x/**", "GET https://c.com/**", "deny GET https://a.com/x/secret", "GET https://intra.example.com/**"]
files = ["read ./docs as /docs"]
env = ["HOME"]
"#;

#[test]
fn a_request_that_is_not_granted_names_the_grant() {
    let authority = authority(GRANTS);
    insta::assert_snapshot!(shown(authority.http(&HttpTarget::parse("POST", "https://b.com/repos/acme/x?token=1").unwrap()).unwrap_err()), @r#"
    net-denied
    plugin `shop` asked for `POST https://b.com/repos/acme/x`: the operator has not granted it
    http = ["POST https://b.com/repos/acme/x"]
    "#);
}

#[test]
fn the_nearest_grant_is_named_with_what_it_lacks() {
    let authority = authority(GRANTS);
    let message =
        |method: &str, url: &str| authority.http(&HttpTarget::parse(method, url).unwrap()).unwrap_err().message;
    insta::assert_snapshot!(message("POST", "https://a.com/x/y"), @"plugin `shop` asked for `POST https://a.com/x/y`: the operator has not granted it (`GET https://a.com/x/**` does not cover the method `POST`)");
    insta::assert_snapshot!(message("GET", "https://a.com/y"), @"plugin `shop` asked for `GET https://a.com/y`: the operator has not granted it (`GET https://a.com/x/**` does not cover this path)");
    insta::assert_snapshot!(message("GET", "https://a.com:8443/x"), @"plugin `shop` asked for `GET https://a.com:8443/x`: the operator has not granted it, and it is above the ceiling of this host (`GET https://a.com/x/**` does not cover port 8443)");
    insta::assert_snapshot!(message("GET", "http://a.com/x"), @"plugin `shop` asked for `GET http://a.com/x`: the operator has not granted it, and it is above the ceiling of this host (`GET https://a.com/x/**` does not cover the scheme `http`)");
}

#[test]
fn what_is_not_granted_of_an_address_that_is_open_is_denied_and_not_blocked() {
    let authority = authority("[plugin.shop]\nhttp = [\"GET http://127.0.0.1:8765/prices\"]\n");
    let code = |url: &str| authority.http(&get(url)).unwrap_err().code;
    assert_eq!(code("http://127.0.0.1:8765/people"), RefusalCode::NetDenied);
    assert_eq!(code("http://127.0.0.1:9999/prices"), RefusalCode::NetDenied);
    assert_eq!(code("http://127.0.0.2:8765/prices"), RefusalCode::NetAddressBlocked);
    assert_eq!(code("http://localhost:8765/prices"), RefusalCode::NetAddressBlocked);
}

#[test]
fn every_side_that_does_not_agree_is_named() {
    let file = operator(GRANTS);
    let all = authority(GRANTS);
    insta::assert_snapshot!(shown(all.http(&get("https://c.com/")).unwrap_err()), @r"
    net-denied
    plugin `shop` asked for `GET https://c.com/`: it is above the ceiling of this host
    -
    ");
    insta::assert_snapshot!(shown(all.http(&get("https://a.com/x/secret")).unwrap_err()), @r"
    net-denied
    plugin `shop` asked for `GET https://a.com/x/secret`: the operator's line `deny GET https://a.com/x/secret` forbids it
    -
    ");
    let silent = file.authority(&plugin(), &Requests::nothing(), None);
    insta::assert_snapshot!(shown(silent.http(&get("https://d.com/")).unwrap_err()), @r#"
    net-denied
    plugin `shop` asked for `GET https://d.com/`: its manifest does not request it, and the operator has not granted it, and it is above the ceiling of this host
    -
    "#);
    let caller = file.authority(&"caller".parse().unwrap(), &Requests::everything(), None);
    let called = file.authority(&plugin(), &Requests::everything(), Some(&caller));
    insta::assert_snapshot!(shown(called.http(&get("https://a.com/x/y")).unwrap_err()), @r"
    net-denied
    plugin `shop` asked for `GET https://a.com/x/y`: its caller `caller` may not do it either
    -
    ");
}

#[test]
fn a_deny_line_is_named_wherever_it_stands() {
    let text = r#"
        [ceiling]
        http = ["* *", "deny * https://b.com/admin/**"]
        tools = ["*", "deny mail.*"]
        credentials = ["https://**", "deny https://b.com/me"]
        [plugin.shop]
        http = ["GET https://b.com/**"]
        tools = ["mail.send", "files.*", "deny files.write"]
        credentials = [{ for = "https://b.com/**", header = "X-Key", value = "{secret:b}" }]
    "#;
    let authority = authority(text);
    let tool = |name: &str| authority.tool(&name.parse().unwrap()).unwrap_err().message;
    insta::assert_snapshot!(authority.http(&get("https://b.com/admin/x")).unwrap_err().message, @"plugin `shop` asked for `GET https://b.com/admin/x`: the line `deny * https://b.com/admin/**` in the ceiling of this host forbids it");
    insta::assert_snapshot!(tool("mail.send"), @"plugin `shop` asked to call `mail.send`: the line `deny mail.*` in the ceiling of this host forbids it");
    insta::assert_snapshot!(tool("files.write"), @"plugin `shop` asked to call `files.write`: the operator's line `deny files.write` forbids it");
    let (_, refused) = authority.credentials(&get("https://b.com/me"));
    insta::assert_snapshot!(refused[0].message, @"plugin `shop` asked for `GET https://b.com/me`, which goes without the granted `header x-key`: the line `deny https://b.com/me` in the ceiling of this host forbids it");
}

#[test]
fn an_address_that_is_never_reachable_has_no_grant() {
    let authority = authority(GRANTS);
    insta::assert_snapshot!(shown(authority.http(&get("http://169.254.169.254/latest")).unwrap_err()), @r"
    net-address-blocked
    plugin `shop` asked for `http://169.254.169.254/latest`: link-local addresses are never reachable
    -
    ");
    insta::assert_snapshot!(shown(authority.http(&get("http://127.0.0.1:8080/")).unwrap_err()), @r#"
    net-address-blocked
    plugin `shop` asked for `GET http://127.0.0.1:8080/`: the operator has not granted it, and it is above the ceiling of this host (addresses of this machine are closed unless a grant names them)
    -
    "#);
}

#[test]
fn a_name_that_leads_into_a_private_range_names_the_range_to_open() {
    let authority = authority(GRANTS);
    let grant = authority.http(&get("https://intra.example.com/")).unwrap();
    let refused = |ip: &str| shown(authority.address(grant, "intra.example.com", ip.parse().unwrap()).unwrap_err());
    insta::assert_snapshot!(refused("::ffff:10.1.2.3"), @r#"
    net-address-blocked
    plugin `shop` asked for `intra.example.com` at `::ffff:10.1.2.3`: addresses of private networks are closed unless a grant names them
    http = ["GET https://intra.example.com/** via 10.1.2.3/32"]
    "#);
    insta::assert_snapshot!(refused("169.254.169.254"), @r"
    net-address-blocked
    plugin `shop` asked for `intra.example.com` at `169.254.169.254`: link-local addresses are never reachable
    -
    ");
}

#[test]
fn a_folder_that_is_not_granted_names_the_smallest_folder() {
    let authority = authority(GRANTS);
    let refused = |path: &str, access: Access| shown(authority.file_refusal(path, access));
    insta::assert_snapshot!(refused("/docs/a.txt", Access::ReadWrite), @r#"
    file-denied
    plugin `shop` asked to write `/docs/a.txt`: the operator has not granted it
    files = ["read-write /work/docs as /docs"]
    "#);
    insta::assert_snapshot!(refused("/src/lib/a.rs", Access::Read), @r#"
    file-denied
    plugin `shop` asked to read `/src/lib/a.rs`: the operator has not granted it
    files = ["read ./src/lib as /src/lib"]
    "#);
    insta::assert_snapshot!(refused("/out", Access::ReadWrite), @r#"
    file-denied
    plugin `shop` asked to write `/out`: the operator has not granted it (granted is `/docs`)
    files = ["read-write ./out as /out"]
    "#);
    insta::assert_snapshot!(refused("../x", Access::Read), @r"
    file-denied
    plugin `shop` asked to read `../x`: it is not a plain path inside the sandbox
    -
    ");
}

#[test]
fn a_folder_above_what_the_manifest_asks_for_names_the_part_to_grant() {
    let file = operator(GRANTS);
    let files = vec![toolcrib_policy::FileRequest::parse("read /docs/sub").unwrap()];
    let authority = file.authority(&plugin(), &Requests { files, ..Requests::nothing() }, None);
    insta::assert_snapshot!(shown(authority.file_refusal("/docs/sub/a.txt", Access::Read)), @r#"
    file-denied
    plugin `shop` asked to read `/docs/sub/a.txt`: the operator has not granted it
    files = ["read /work/docs/sub as /docs/sub"]
    "#);
    insta::assert_snapshot!(shown(authority.file_refusal("/docs/sub", Access::Read)), @r#"
    file-denied
    plugin `shop` asked to read `/docs/sub`: the operator has not granted it
    files = ["read /work/docs/sub as /docs/sub"]
    "#);
}

#[test]
fn a_grant_is_offered_only_where_it_alone_would_help() {
    let asked = |line: &str| {
        let files = vec![toolcrib_policy::FileRequest::parse(line).unwrap()];
        Requests { files, ..Requests::nothing() }
    };
    let refused = |text: &str, requests: &Requests, path: &str, access: Access| {
        let refusal = operator(text).authority(&plugin(), requests, None).file_refusal(path, access);
        format!("{}\n{}", refusal.message, refusal.grant.unwrap_or_else(|| "-".to_owned()))
    };
    insta::assert_snapshot!(refused("", &asked("read /docs"), "/src/a", Access::Read), @r"
    plugin `shop` asked to read `/src/a`: its manifest does not request it, and the operator has not granted it
    -
    ");
    let ceiling = "[ceiling]\nfiles = [\"read ./docs\"]\n";
    insta::assert_snapshot!(refused(ceiling, &Requests::everything(), "/src/a", Access::Read), @r"
    plugin `shop` asked to read `/src/a`: the operator has not granted it, and it is above the ceiling of this host
    -
    ");
    insta::assert_snapshot!(refused(ceiling, &Requests::everything(), "/docs/a", Access::Read), @r#"
    plugin `shop` asked to read `/docs/a`: the operator has not granted it
    files = ["read ./docs as /docs"]
    "#);
    insta::assert_snapshot!(refused(ceiling, &Requests::everything(), "/docs/a", Access::ReadWrite), @r"
    plugin `shop` asked to write `/docs/a`: the operator has not granted it, and it is above the ceiling of this host
    -
    ");
    let caller = operator("[plugin.caller]\nfiles = [\"read ./docs as /docs\"]");
    let caller = caller.authority(&"caller".parse().unwrap(), &Requests::everything(), None);
    let called = operator("").authority(&plugin(), &Requests::everything(), Some(&caller));
    insta::assert_snapshot!(shown(called.file_refusal("/src/a", Access::Read)), @r"
    file-denied
    plugin `shop` asked to read `/src/a`: the operator has not granted it, and its caller `caller` may not do it either
    -
    ");
}

#[test]
fn the_ceiling_is_blamed_only_where_there_is_one() {
    let granted = "[plugin.shop]\nfiles = [\"read ./docs as /docs\"]\n";
    let why = |text: &str| operator(text).authority(&plugin(), &Requests::everything(), None);
    let message = |text: &str| why(text).file_refusal("/docs", Access::Read).message;
    insta::assert_snapshot!(message(granted), @"plugin `shop` asked to read `/docs`: no granted folder covers it");
    insta::assert_snapshot!(message(&format!("[ceiling]\nfiles = [\"read ./out\"]\n{granted}")), @"plugin `shop` asked to read `/docs`: it is above the ceiling of this host");
}

#[test]
fn codes_that_say_no_are_told_from_codes_that_say_something_else() {
    for code in ["denied", "net-denied", "net-address-blocked", "file-denied", "tool-denied", "import-denied"] {
        assert!(RefusalCode::is_denial(code), "{code}");
    }
    for code in ["url-invalid", "limit-fuel", "not-found", "failed", "grant-broken"] {
        assert!(!RefusalCode::is_denial(code), "{code}");
    }
}

#[test]
fn other_capabilities_name_their_switch() {
    let authority = authority(GRANTS);
    insta::assert_snapshot!(shown(authority.env("PATH").unwrap_err()), @r#"
    env-denied
    plugin `shop` asked for the environment variable `PATH`: the operator has not granted it, and it is above the ceiling of this host
    -
    "#);
    insta::assert_snapshot!(shown(authority.env("HOME").unwrap_err()), @r"
    env-denied
    plugin `shop` asked for the environment variable `HOME`: it is above the ceiling of this host
    -
    ");
    insta::assert_snapshot!(shown(authority.tool(&"mail.send".parse().unwrap()).unwrap_err()), @r#"
    tool-denied
    plugin `shop` asked to call `mail.send`: the operator has not granted it
    tools = ["mail.send"]
    "#);
    insta::assert_snapshot!(shown(authority.ask().unwrap_err()), @r"
    ask-denied
    plugin `shop` asked for an answer from a person: the operator has not granted it
    ask = true
    ");
    insta::assert_snapshot!(shown(authority.model().unwrap_err()), @r"
    model-denied
    plugin `shop` asked for a completion by the model: the operator has not granted it
    model = true
    ");
    insta::assert_snapshot!(shown(authority.limit_refusal(LimitName::HttpRequestCount)), @r"
    limit-http-requests
    plugin `shop` has used up its limit `http-requests` of 100
    -
    ");
    let silent = operator(GRANTS).authority(&plugin(), &Requests::nothing(), None);
    insta::assert_snapshot!(shown(silent.config("key").unwrap_err()), @r"
    config-denied
    plugin `shop` asked for the configuration key `key`: its manifest does not request it
    -
    ");
}

#[test]
fn a_target_that_cannot_be_checked_says_why() {
    let error = HttpTarget::parse("GET", "http://allowed.com@evil.com/").unwrap_err();
    insta::assert_snapshot!(shown(authority("").url_refusal(&error)), @r"
    url-invalid
    plugin `shop` asked for an address that cannot be checked: the address carries a user name or password before `@`, which hides the host
    -
    ");
}

#[test]
fn pasting_the_printed_grants_allows_what_was_refused() {
    let before = authority("");
    let mut text = "[plugin.shop]\n".to_owned();
    let target = get("http://127.0.0.1:8080/a*b/c%2Fd?x");
    let http = before.http(&target).unwrap_err().grant.unwrap();
    let files = before.file_refusal("/src/a.rs", Access::ReadWrite).grant.unwrap();
    let env = before.env("LANG").unwrap_err().grant.unwrap();
    let tools = before.tool(&"mail.send".parse().unwrap()).unwrap_err().grant.unwrap();
    for line in
        [http, files, env, tools, before.ask().unwrap_err().grant.unwrap(), before.model().unwrap_err().grant.unwrap()]
    {
        text.push_str(&line);
        text.push('\n');
    }
    let after = authority(&text);
    assert!(
        after.http(&target).is_ok() && after.env("LANG").is_ok() && after.tool(&"mail.send".parse().unwrap()).is_ok()
    );
    assert!(after.ask().is_ok() && after.model().is_ok());
    assert_eq!(after.files[0].to_string(), "read-write /work/src as /src");
}

#[test]
fn a_refusal_travels_as_json_with_its_stable_code() {
    let refusal = authority("").limit_refusal(LimitName::Fuel);
    let json = serde_json::to_value(&refusal).unwrap();
    assert_eq!(json["code"], "limit-fuel");
    assert_eq!(serde_json::from_value::<Refusal>(json).unwrap(), refusal);
    assert!(serde_json::from_str::<RefusalCode>("\"nonsense\"").is_err());
    for name in LimitName::ALL {
        assert_eq!(RefusalCode::try_from(name.code().to_owned()), Ok(RefusalCode::Limit(*name)));
    }
}
