//! Secrets: set, listed, used, and nowhere to be found.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use toolcrib_runtime::secrets::forms;

use crate::bench::{Bench, Done};

const SECRET: &str = "canary-s3cr3t/Token+42";

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

/// Neither the files of the home nor what was printed hold the secret in any form.
fn nowhere(bench: &Bench, secret: &str, done: &[&Done]) {
    let mut found = Vec::new();
    files(&bench.path("."), &mut found);
    assert!(found.iter().any(|path| path.ends_with("ledger.db")), "there is a ledger to look into");
    let texts = found.iter().map(|path| (path.display().to_string(), std::fs::read(path).expect("a file")));
    let printed = done.iter().map(|done| ("printed".to_owned(), format!("{}{}", done.out, done.err).into_bytes()));
    for (place, text) in texts.chain(printed) {
        for form in forms(secret) {
            let hit = text.windows(form.len()).any(|window| window.eq_ignore_ascii_case(form.as_bytes()));
            assert!(!hit, "{place} holds the secret as `{form}`");
        }
    }
}

/// What a server was sent: the head of each request.
type Heads = Arc<Mutex<Vec<String>>>;

/// A server on loopback that answers with what `answer` makes of a request's head and body.
fn server(answer: impl Fn(&str, &str) -> String + Send + 'static) -> (SocketAddr, Heads) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let heads = Heads::default();
    let seen = heads.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut reader = BufReader::new(&stream);
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head).is_ok_and(|read| read > 0) {}
            let length =
                head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
            let mut body = vec![0; length.unwrap_or(0)];
            let _ = reader.read_exact(&mut body);
            let said = answer(&head, &String::from_utf8_lossy(&body));
            seen.lock().expect("no panic").push(head);
            let _ = (&stream).write_all(said.as_bytes());
        }
    });
    (address, heads)
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| {
        let (key, value) = line.split_once(": ")?;
        key.eq_ignore_ascii_case(name).then_some(value)
    })
}

/// Repeats the credential in the headers and in every form in the body.
fn echo(head: &str, _body: &str) -> String {
    let sent = header(head, "authorization").unwrap_or("none");
    let secret = sent.strip_prefix("Bearer ").unwrap_or(sent);
    let body = format!("got {sent}\n{}\nrequest was:\n{head}", forms(secret).join("\n"));
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\nx-echo: {sent}\r\nset-cookie: t={secret}\r\ncontent-length: {}\r\n\
         connection: close\r\n\r\n{body}",
        body.len()
    )
}

fn policy(address: SocketAddr) -> String {
    format!(
        "[plugin.http]\nhttp = [\"GET http://{address}/**\"]\ncredentials = [\n  \
         {{ for = \"http://{address}/api/**\", header = \"Authorization\", value = \"Bearer {{secret:api}}\" }},\n]\n"
    )
}

#[test]
fn a_credential_is_used_and_no_trace_of_it_is_left() {
    let bench = Bench::new();
    let (address, heads) = server(echo);
    bench.write("toolcrib.toml", &policy(address));
    let set = bench.with_input(&["secret", "set", "api"], format!("{SECRET}\n").as_bytes());
    assert_eq!((set.code, set.out.as_str()), (0, "api: set\n"), "{}", set.err);
    let call = |path: &str, more: &[&str]| {
        let arguments = format!("{{\"url\": \"http://{address}{path}\"}}");
        bench.toolcrib(&[&["call", "http.fetch", &arguments, "--receipt"], more].concat())
    };
    let (json, plain) = (call("/api/echo", &["--json", "-vv"]), call("/api/echo", &[]));
    assert_eq!((json.code, plain.code), (0, 0), "{} {}", json.err, plain.err);
    let goal = bench.toolcrib(&["run", &format!("Fetch http://{address}/api/echo")]);
    assert_eq!(goal.code, 0, "{}", goal.err);
    let sent: Vec<String> = heads
        .lock()
        .expect("no panic")
        .iter()
        .filter_map(|head| header(head, "authorization").map(str::to_owned))
        .collect();
    assert_eq!(sent, vec![format!("Bearer {SECRET}"); 3], "the server got it each time");
    let stars = "*".repeat(SECRET.len());
    assert!(plain.out.contains(&format!("got Bearer {stars}")), "{}", plain.out);
    let uses = json.json()["receipt"]["uses"]["listed"].clone();
    assert_eq!(uses[0]["capability"], "credentials");
    assert!(uses[0]["by"].as_str().is_some_and(|by| by.contains("{secret:api}")), "{uses}");
    let why = bench.toolcrib(&["why"]);
    let shown = bench.toolcrib(&["export"]);
    // Everything that the host and its libraries could say of what they do.
    let arguments = format!("{{\"url\": \"http://{address}/api/echo\"}}");
    let traced = bench.command().env("TOOLCRIB_LOG", "trace").args(["call", "http.fetch", &arguments]).output();
    let traced = Done::of(&traced.expect("the command runs"));
    assert!(traced.code == 0 && traced.err.lines().count() > 10, "it says a lot: {}", traced.err);
    let other = call("/other", &["--json"]);
    assert!(other.out.contains("got none"), "another path gets none: {}", other.out);
    nowhere(&bench, SECRET, &[&set, &json, &plain, &goal, &why, &shown, &traced, &other]);
}

#[test]
fn a_secret_that_is_missing_is_named_before_anything_leaves() {
    let bench = Bench::new();
    let (address, heads) = server(echo);
    bench.write("toolcrib.toml", &policy(address));
    let arguments = format!("{{\"url\": \"http://{address}/api/x\"}}");
    let refused = bench.toolcrib(&["call", "http.fetch", &arguments]);
    assert_eq!(refused.code, 1, "{}", refused.err);
    assert!(refused.err.contains("credential-unavailable"), "{}", refused.err);
    assert!(refused.err.contains("`toolcrib secret set api`"), "{}", refused.err);
    assert!(heads.lock().expect("no panic").is_empty());
    let checked = bench.toolcrib(&["policy", "check"]);
    assert!(format!("{}{}", checked.out, checked.err).contains("the secret `api` is nowhere"), "{}", checked.out);
    let listed = bench.toolcrib(&["secret", "list", "--json"]).json();
    assert_eq!(listed["missing"][0], "api");
}

#[test]
fn the_environment_is_a_place_for_secrets_and_no_plugin_sees_it() {
    let bench = Bench::new();
    let (address, heads) = server(echo);
    bench.write("toolcrib.toml", &policy(address));
    let arguments = format!("{{\"url\": \"http://{address}/api/x\"}}");
    let output = bench
        .command()
        .env("TOOLCRIB_SECRET_API", SECRET)
        .args(["call", "http.fetch", &arguments, "--json"])
        .output()
        .expect("the command runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(header(&heads.lock().expect("no panic")[0], "authorization"), Some(format!("Bearer {SECRET}").as_str()));
    let granted = bench.toolcrib(&["--grant", "http.env=TOOLCRIB_SECRET_API", "tools"]);
    assert_eq!(granted.code, 2);
    assert!(granted.err.contains("which no plugin ever sees"), "{}", granted.err);
    nowhere(&bench, SECRET, &[&granted]);
}

#[test]
fn secrets_are_set_listed_and_removed_and_never_shown() {
    let bench = Bench::new();
    let set = bench.with_input(&["secret", "set", "first", "--json"], SECRET.as_bytes());
    assert_eq!(set.json()["replaced"], false);
    let again = bench.with_input(&["secret", "set", "first", "--json"], SECRET.as_bytes());
    assert_eq!(again.json()["replaced"], true);
    let list = bench.toolcrib(&["secret", "list"]);
    assert_eq!(list.out, "first                     file  (no credential refers to it)\n");
    let removed = bench.toolcrib(&["secret", "rm", "first", "--json"]);
    assert_eq!(removed.json()["removed"], "first");
    let none = bench.toolcrib(&["secret", "rm", "first"]);
    assert_eq!(none.code, 2);
    for done in [&set, &again, &list, &removed, &none] {
        assert!(!done.out.contains(SECRET) && !done.err.contains(SECRET));
    }
}

#[test]
fn a_value_or_name_that_is_none_is_refused() {
    let bench = Bench::new();
    for (name, value, said) in [
        ("api", "", "the value is empty"),
        ("api", "abc", "a secret of less than 4 bytes"),
        ("Api Key", SECRET, "is no name of a secret"),
    ] {
        let done = bench.with_input(&["secret", "set", name], value.as_bytes());
        assert_eq!(done.code, 2, "{}", done.err);
        assert!(done.err.contains(said), "{}", done.err);
    }
    let short = bench.with_input(&["secret", "set", "pin"], "12345".as_bytes());
    assert!(short.code == 0 && short.err.contains("5 bytes are few"), "{}", short.err);
}

#[test]
fn an_identity_that_others_can_read_stops_everything_that_needs_it() {
    let bench = Bench::new();
    bench.with_input(&["secret", "set", "api"], SECRET.as_bytes());
    let key = bench.path(".config/toolcrib/secrets.key");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).expect("a file");
    let list = bench.toolcrib(&["secret", "list", "--json"]);
    assert_eq!(list.code, 6);
    assert_eq!(list.json()["error"]["code"], "secrets");
    assert!(list.out.contains("chmod 600"), "{}", list.out);
}

#[test]
fn a_tool_uses_a_token_that_the_host_got_and_sees_neither_it_nor_what_it_was_got_for() {
    let bench = Bench::new();
    let (tokens, asked) = server(|_, body| {
        let granted = body.contains("grant_type=client_credentials") && body.contains("scope=read");
        let said = r#"{"access_token": "canary-access-token-77", "token_type": "Bearer", "expires_in": 3600}"#;
        let status = if granted { "200 OK" } else { "400 Bad Request" };
        format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{said}", said.len())
    });
    let (api, heads) = server(echo);
    bench.write(
        "toolcrib.toml",
        &format!(
            "[oauth.calendar]\ntoken-url = \"http://{tokens}/token\"\nclient-id = \"crib\"\nclient-secret = \"{{secret:client}}\"\n\
             scope = \"read\"\n\n[plugin.http]\nhttp = [\"GET http://{api}/**\"]\ncredentials = [{{ for = \"http://{api}/**\", \
             header = \"Authorization\", value = \"Bearer {{oauth:calendar}}\" }}]\n"
        ),
    );
    bench.with_input(&["secret", "set", "client"], SECRET.as_bytes());
    let call = bench.toolcrib(&["call", "http.fetch", &format!("{{\"url\": \"http://{api}/today\"}}"), "--json"]);
    assert_eq!(call.code, 0, "{}", call.err);
    assert_eq!(header(&heads.lock().expect("no panic")[0], "authorization"), Some("Bearer canary-access-token-77"));
    assert!(
        header(&asked.lock().expect("no panic")[0], "authorization").is_some_and(|sent| sent.starts_with("Basic "))
    );
    nowhere(&bench, SECRET, &[&call]);
    nowhere(&bench, "canary-access-token-77", &[&call]);
}
