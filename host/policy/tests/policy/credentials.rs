//! Credentials: what is read, and who gets them.

use toolcrib_policy::{Authority, HttpTarget, Manifest, OperatorFile, Requests};

use crate::{authority, complaint, get, operator, plugin};

const GITHUB: &str =
    r#"{ for = "https://api.github.com/**", header = "authorization", value = "Bearer {secret:github}" }"#;

/// A plugin's section with these entries, and everything else that they need.
fn file(entries: &str) -> String {
    format!("[plugin.shop]\nhttp = [\"* https://api.github.com/**\"]\ncredentials = [{entries}]\n")
}

fn entries(text: &str) -> Vec<String> {
    let grants = operator(text).grants(&plugin());
    grants.into_iter().filter(|(key, _)| *key == "credentials").map(|(_, line)| line).collect()
}

/// What a request gets, as a receipt shows it, and the codes of what it does not get.
fn given(authority: &Authority, target: &HttpTarget) -> (Vec<String>, Vec<String>) {
    let (given, refused) = authority.credentials(target);
    (given.iter().map(|grant| grant.access()).collect(), refused.iter().map(ToString::to_string).collect())
}

#[test]
fn every_kind_prints_as_what_it_is_read_from() {
    for entry in [
        GITHUB,
        r#"{ for = "GET,POST https://api.example.com/v1/*", query = "key", value = "{secret:maps}" }"#,
        r#"{ for = "https://api.example.com/**", basic = "me:{secret:password}" }"#,
        r#"{ for = "https://api.example.com/**", header = "x-token", value = "{oauth:calendar}" }"#,
        r#"{ for = "https://api.example.com/**", sign = "http-message", key-id = "k1", key = "{secret:shared}" }"#,
        r#"{ for = "https://s3.eu-central-1.amazonaws.com/**", sign = "aws-sigv4", key-id = "AKIA", key = "{secret:aws}", session-token = "{secret:session}", region = "eu-central-1", service = "s3" }"#,
        r#"{ for = "http://127.0.0.1:8080/**", header = "x-a", value = "a{{b}}{secret:x}" }"#,
        r#"{ for = "http://intranet.example.com/**", header = "x-a", value = "{secret:x}", cleartext = true }"#,
    ] {
        let oauth = "[oauth.calendar]\ntoken-url = \"https://login.example.com/token\"\nclient-id = \"a\"\n\
                     client-secret = \"{secret:c}\"\n";
        assert_eq!(entries(&format!("{oauth}{}", file(entry))), [entry]);
        if !entry.contains("oauth") {
            let mut again = OperatorFile::empty(std::path::Path::new("/work"));
            again.add_grant(&plugin(), "credentials", entry).unwrap();
            assert_eq!(again.grants(&plugin()), [("credentials", entry.to_owned())]);
        }
    }
}

#[test]
fn what_is_wrong_is_named_with_its_place() {
    let wrong = [
        r#"{ for = "https://a.example.com/**", header = "authorization", value = "Bearer hunter2" }"#,
        r#"{ for = "https://a.example.com/**", header = "authorization", value = "Bearer {github}" }"#,
        r#"{ for = "https://a.example.com/**", header = "authorization", value = "{secret:GitHub}" }"#,
        r#"{ for = "https://a.example.com/**", header = "authorization", value = "{oauth:missing}" }"#,
        r#"{ for = "https://a.example.com/**", header = "a", value = "{secret:x}\n" }"#,
        r#"{ for = "https://a.example.com/**", header = "Host", value = "{secret:x}" }"#,
        r#"{ for = "https://a.example.com/**", header = "a b", value = "{secret:x}" }"#,
        r#"{ for = "https://a.example.com/**", query = "a&b", value = "{secret:x}" }"#,
        r#"{ for = "https://a.example.com/**", basic = "{secret:x}" }"#,
        r#"{ for = "https://a.example.com/**", sign = "md5", key-id = "a", key = "{secret:x}" }"#,
        r#"{ for = "https://a.example.com/**", header = "a", query = "b", value = "{secret:x}" }"#,
        r#"{ for = "https://a.example.com/**" }"#,
        r#"{ for = "*", header = "a", value = "{secret:x}" }"#,
        r#"{ for = "http://a.example.com/**", header = "a", value = "{secret:x}" }"#,
        r#"{ for = "https://a.example.com/**", header = "a", valeu = "{secret:x}" }"#,
        r#"{ for = "https://a.example.com/**", headr = "a", value = "{secret:x}" }"#,
        r#"{ for = "https://a.example.com/**", query = "a" }"#,
        r#"{ for = "https://a.example.com/**", sign = "http-message", key = "{secret:x}" }"#,
        r#"{ for = "https://a.example.com/**", sign = "aws-sigv4", key-id = "a", key = "{secret:x}", service = "s3" }"#,
        r#"{ header = "a", value = "{secret:x}" }"#,
        r#""https://a.example.com/**""#,
    ];
    let complaints: Vec<String> = wrong.iter().map(|entry| complaint(&file(entry))).collect();
    insta::assert_snapshot!(complaints.join("\n"), @r#"
    toolcrib.toml:3:86: `value` cannot be `…`: it names no secret: write `{secret:NAME}` where the value belongs, and keep the value itself in the store (`toolcrib secret set NAME`)
    toolcrib.toml:3:86: `value` cannot be `Bearer {github}`: `{github}` is not a reference: write `{secret:NAME}` or `{oauth:NAME}`, and `{{` or `}}` for a brace
    toolcrib.toml:3:86: `value` cannot be `{secret:GitHub}`: `{secret:GitHub}` is not a reference: write `{secret:NAME}` or `{oauth:NAME}`, and `{{` or `}}` for a brace
    toolcrib.toml:3:16: `credentials` cannot be `{oauth:missing}`: there is no `[oauth.missing]` in the file
    toolcrib.toml:3:74: `value` cannot be `…`: it has a control character or one that is not ASCII, which no header can hold
    toolcrib.toml:3:61: `header` cannot be `Host`: the host writes this header itself, or it says how a message is read
    toolcrib.toml:3:61: `header` cannot be `a b`: it is not the name of a header
    toolcrib.toml:3:60: `query` cannot be `a&b`: write a name of letters, digits, `-`, `.`, `_`, `~`, `[` and `]`
    toolcrib.toml:3:60: `basic` cannot be `…`: write `user:{secret:NAME}`
    toolcrib.toml:3:59: `sign` cannot be `md5`: write `http-message` (RFC 9421) or `aws-sigv4`
    toolcrib.toml:3:16: `credentials` cannot be `{ … }`: it goes to one place: `header` or `query` with `value`, `basic`, or `sign` with `key` and `key-id`
    toolcrib.toml:3:16: `credentials` cannot be `{ … }`: say where it goes: `header` or `query` with `value`, `basic`, or `sign` with `key` and `key-id`
    toolcrib.toml:3:24: `for` cannot be `*`: name the host that the credential goes to
    toolcrib.toml:3:24: `for` cannot be `http://a.example.com/**`: the credential would travel unencrypted: use `https`, or say that it may with `cleartext = true`
    toolcrib.toml:3:66: unknown key `valeu` in an entry of `credentials`: did you mean `value`?
    toolcrib.toml:3:52: unknown key `headr` in an entry of `credentials`: did you mean `header`?
    toolcrib.toml:3:16: `value` is missing: write `{ for = "https://api.example.com/**", query = "key", value = "{secret:NAME}" }`
    toolcrib.toml:3:16: `key-id` is missing: write `{ for = "https://api.example.com/**", sign = "http-message", key-id = "…", key = "{secret:NAME}" }`
    toolcrib.toml:3:16: `region` is missing: write `{ for = "https://s3.eu-central-1.amazonaws.com/**", sign = "aws-sigv4", key-id = "…", key = "{secret:NAME}", region = "eu-central-1", service = "s3" }`
    toolcrib.toml:3:16: `for` is missing: write `{ for = "https://api.example.com/**", header = "Authorization", value = "Bearer {secret:NAME}" }`
    toolcrib.toml:3:16: `credentials` is a string and has to be a table
    "#);
}

#[test]
fn a_request_gets_the_credentials_that_are_for_it_and_no_other_does() {
    let both = format!(
        r#"{GITHUB}, {{ for = "GET https://api.github.com/repos/**", header = "x-key", value = "{{secret:two}}" }}"#
    );
    let authority = authority(&file(&both));
    let repos = get("https://api.github.com/repos/a");
    assert_eq!(given(&authority, &repos).0, ["header authorization", "header x-key"]);
    assert_eq!(given(&authority, &get("https://api.github.com/user")).0, ["header authorization"]);
    for other in [
        "https://api.github.com.evil.example.com/repos/a",
        "https://github.com/repos/a",
        "http://api.github.com/repos/a",
        "https://api.github.com:444/repos/a",
    ] {
        assert_eq!(given(&authority, &get(other)), (vec![], vec![]), "{other}");
    }
}

#[test]
fn of_two_for_one_place_the_first_of_the_file_counts() {
    let both = format!(r#"{GITHUB}, {{ for = "https://api.github.com/**", basic = "me:{{secret:two}}" }}"#);
    let authority = authority(&file(&both));
    let (given, _) = authority.credentials(&get("https://api.github.com/user"));
    let names: Vec<String> = given.iter().flat_map(|grant| grant.references()).map(ToString::to_string).collect();
    assert_eq!(names, ["{secret:github}"]);
}

#[test]
fn a_manifest_that_asks_for_no_credentials_gets_none_and_the_receipt_says_so() {
    let manifest = |credentials: &str| {
        let text = format!(
            "name = \"shop\"\nversion = \"1.0.0\"\n[requests]\nhttp = [\"* https://api.github.com/**\"]\n{credentials}"
        );
        Manifest::parse(&text, "plugin.toml").unwrap().requests
    };
    let with = |requests: &Requests| operator(&file(GITHUB)).authority(&plugin(), requests, None);
    let target = get("https://api.github.com/user");
    let (some, none) = given(&with(&manifest("")), &target);
    assert!(some.is_empty());
    assert_eq!(
        none,
        [
            "plugin `shop` asked for `GET https://api.github.com/user`, which goes without the granted `header authorization`: \
          its manifest does not request it"
        ]
    );
    let asked = manifest("credentials = [\"https://api.github.com/**\"]");
    assert_eq!(given(&with(&asked), &target).0, ["header authorization"]);
}

#[test]
fn the_ceiling_keeps_credentials_from_hosts() {
    let target = get("https://api.github.com/user");
    for (ceiling, some) in [
        ("credentials = []", 0),
        ("credentials = [\"https://other.example.com/**\"]", 0),
        ("credentials = [\"https://**\", \"deny https://api.github.com/user\"]", 0),
        ("credentials = [\"https://**\"]", 1),
        ("", 1),
    ] {
        let authority = authority(&format!("[ceiling]\n{ceiling}\n{}", file(GITHUB)));
        assert_eq!(given(&authority, &target).0.len(), some, "{ceiling}");
    }
}

#[test]
fn a_caller_lends_only_the_credentials_that_it_has_itself() {
    let target = get("https://api.github.com/user");
    let lent = |caller: &str| {
        let text = format!("{}[plugin.caller]\nhttp = [\"* https://api.github.com/**\"]\n{caller}", file(GITHUB));
        let operator = operator(&text);
        let everything = Requests::everything();
        let caller = operator.authority(&"caller".parse().unwrap(), &everything, None);
        given(&operator.authority(&plugin(), &everything, Some(&caller)), &target)
    };
    assert_eq!(lent(&format!("credentials = [{GITHUB}]")).0, ["header authorization"]);
    let (some, refused) = lent("");
    assert!(some.is_empty() && refused[0].contains("its caller `caller` may not do it either"), "{refused:?}");
    let other = GITHUB.replace("secret:github", "secret:other");
    assert!(lent(&format!("credentials = [{other}]")).0.is_empty(), "another secret is another credential");
}

#[test]
fn a_client_of_an_authorization_server_is_checked_when_it_is_read() {
    let wrong = [
        "client-id = \"a\"",
        "token-url = \"https://login.example.com/token\"",
        "token-url = \"https://login.example.com/token\"\nclient-id = \"a\"",
        "token-url = \"http://login.example.com/token\"\nclient-id = \"a\"\nclient-secret = \"{secret:x}\"",
        "token-url = \"https://169.254.169.254/token\"\nclient-id = \"a\"\nclient-secret = \"{secret:x}\"",
        "token-url = \"https://a.example.com/token\"\nvia = \"8.8.8.0/24\"\nclient-id = \"a\"\nclient-secret = \"{secret:x}\"",
        "token-url = \"https://login.example.com/token\"\nclient-id = \"a\"\nclient-secret = \"hunter2\"",
        "token-url = \"https://login.example.com/token\"\nclient-id = \"a\"\nclient-secret = \"{oauth:calendar}\"",
        "token-url = \"https://login.example.com/token\"\nclient-id = \"a\"\nrefresh-token = \"x{secret:x}\"",
        "token-url = \"https://login.example.com/token\"\nclient-id = \"a\"\nclient-secret = \"{secret:x}\"\nparameters = { scope = \"x\" }",
        "token-url = \"https://login.example.com/token\"\nclient-id = \"a\"\nclient-secret = \"{secret:x}\"\nclient-authentication = \"jwt\"",
        "token-url = \"https://login.example.com/token\"\nclient-id = \"a\"\nclient-secret = \"{secret:x}\"\nscopes = \"x\"",
    ];
    let complaints: Vec<String> = wrong.iter().map(|text| complaint(&format!("[oauth.calendar]\n{text}\n"))).collect();
    insta::assert_snapshot!(complaints.join("\n"), @r#"
    toolcrib.toml:1:1: `token-url` is missing: write the address of the token endpoint
    toolcrib.toml:1:1: `client-id` is missing: write `client-id = "…"`
    toolcrib.toml:1:1: `client-secret` is missing: write `client-secret = "{secret:NAME}"`, or `refresh-token` for tokens that a person consented to
    toolcrib.toml:2:13: `token-url` cannot be `http://login.example.com/token`: secrets would travel unencrypted: use `https`
    toolcrib.toml:2:13: `token-url` cannot be `https://169.254.169.254/token`: `169.254.169.254` can never be granted: link-local addresses are never reachable
    toolcrib.toml:3:7: `via` cannot be `8.8.8.0/24`: `via 8.8.8.0/24`: only private ranges can be opened, such as `10.0.0.0/8`, `192.168.0.0/16`, `127.0.0.0/8` or `fd00::/8`
    toolcrib.toml:4:17: `client-secret` cannot be `…`: it names no secret: write `{secret:NAME}` where the value belongs, and keep the value itself in the store (`toolcrib secret set NAME`)
    toolcrib.toml:4:17: `client-secret` cannot be `{oauth:calendar}`: a token cannot be got with another token: write `{secret:NAME}`
    toolcrib.toml:4:17: `refresh-token` cannot be `x{secret:x}`: write `{secret:NAME}` alone: the host replaces it when the server does
    toolcrib.toml:5:24: `scope` cannot be `scope`: the host writes this parameter itself
    toolcrib.toml:5:25: `client-authentication` cannot be `jwt`: write `basic` or `form`
    toolcrib.toml:5:1: unknown key `scopes` in `[oauth.calendar]`: did you mean `scope`?
    "#);
}

#[test]
fn the_host_may_ask_a_token_endpoint_and_nothing_else() {
    let file = operator(
        "[oauth.calendar]\ntoken-url = \"https://login.example.com/token\"\nvia = \"10.0.0.0/8\"\nclient-id = \"a\"\n\
         client-secret = \"{secret:client}\"\nrefresh-token = \"{secret:refresh}\"\n",
    );
    let client = file.oauth(&"calendar".parse().unwrap()).unwrap();
    let authority = client.authority();
    let grant = authority.http(client.token_url()).unwrap();
    assert!(authority.address(grant, "login.example.com", "10.1.2.3".parse().unwrap()).is_ok());
    assert!(authority.address(grant, "login.example.com", "192.168.1.1".parse().unwrap()).is_err());
    assert!(authority.http(&get("https://login.example.com/token")).is_err(), "only a POST");
    assert!(authority.http(&HttpTarget::parse("POST", "https://login.example.com/other").unwrap()).is_err());
    assert!(file.ports().contains(&443));
    let names: Vec<String> = file.secrets().iter().map(ToString::to_string).collect();
    assert_eq!(names, ["client", "refresh"]);
}

#[test]
fn the_places_for_secrets_are_checked_when_they_are_read() {
    let file = operator("[secrets]\nsources = [\"folder /run/secrets\", \"env\"]\nidentity = \"keys/age.txt\"\n");
    let shown: Vec<String> = file.secret_settings().sources.iter().map(ToString::to_string).collect();
    assert_eq!(shown, ["folder /run/secrets", "env"]);
    assert_eq!(file.secret_settings().identity.as_deref(), Some(std::path::Path::new("/work/keys/age.txt")));
    let wrong = [
        "sources = [\"vault\"]",
        "sources = [\"env\", \"env\"]",
        "sources = \"env\"",
        "identity = \"\"",
        "store = \"file\"",
    ];
    let complaints: Vec<String> = wrong.iter().map(|text| complaint(&format!("[secrets]\n{text}\n"))).collect();
    insta::assert_snapshot!(complaints.join("\n"), @r#"
    toolcrib.toml:2:12: `sources` cannot be `vault`: write `file` (the encrypted file of this installation), `env` (`TOOLCRIB_SECRET_…`), `keyring` (the kernel's, of the user), or `folder PATH`
    toolcrib.toml:2:19: `sources` cannot be `env`: it stands there twice
    toolcrib.toml:2:11: `sources` is a string and has to be a list
    toolcrib.toml:2:12: `identity` cannot be ``: name a file
    toolcrib.toml:2:1: unknown key `store` in `[secrets]`: did you mean `sources`?
    "#);
}

#[test]
fn a_variable_that_holds_a_secret_cannot_be_granted() {
    for name in ["TOOLCRIB_SECRET_GITHUB", "toolcrib_secret_github"] {
        assert!(
            complaint(&format!("[plugin.shop]\nenv = [\"{name}\"]\n")).contains("which no plugin ever sees"),
            "{name}"
        );
    }
}
