//! Learning what a tool needs.

use crate::bench::{Bench, serve};

const PAGES: &[(&str, &str, &str)] = &[("/items.json", "application/json", "[1,2,3]")];

#[test]
fn in_a_dry_world_nothing_is_allowed_and_the_policy_is_printed() {
    let bench = Bench::new();
    let port = serve(PAGES).port();
    let url = format!("http://127.0.0.1:{port}/items.json");
    let learned = bench.toolcrib(&["learn", "--dry", "call", "http.fetch", &format!("{{\"url\":\"{url}\"}}")]);
    assert_eq!(learned.code, 0, "{}", learned.err);
    assert_eq!(learned.out, format!("[plugin.http]\nhttp = [\"GET {url}\"]\n"));
    assert!(learned.err.contains("nothing of it was allowed"), "{}", learned.err);
    // What was printed is what it takes: pasted, the call is allowed.
    bench.write("toolcrib.toml", &learned.out);
    let call = ["call", "http.fetch", &format!("{{\"url\":\"{url}\"}}"), "--json"];
    assert_eq!(bench.toolcrib(&call).code, 0);
    let again = bench.toolcrib(&["learn", "--dry", "call", "http.fetch", &format!("{{\"url\":\"{url}\"}}")]);
    assert_eq!((again.out.as_str(), again.code), ("", 0));
}

#[test]
fn in_a_dry_world_what_is_granted_has_no_effect_either() {
    let bench = Bench::new();
    let server = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = server.local_addr().expect("an address");
    bench.grant(&format!("[plugin.http]\nhttp = [\"GET http://{address}/**\"]"));
    let write = r#"{"path":"/out/new.txt","text":"x"}"#;
    let fetch = format!("{{\"url\":\"http://{address}/\"}}");
    for (tool, arguments) in [("files.write", write), ("http.fetch", &fetch)] {
        let learned = bench.toolcrib(&["learn", "--dry", "call", tool, arguments]);
        assert_eq!((learned.code, learned.out.as_str()), (0, ""), "{}", learned.err);
        assert!(learned.err.contains("what is granted had no effect here either"), "{}", learned.err);
    }
    assert!(!bench.path("out/new.txt").exists());
    server.set_nonblocking(true).expect("a socket");
    assert!(server.accept().is_err(), "a request left");
    // Why nothing was learned is said.
    let wrong = bench.toolcrib(&["learn", "call", "files.read", r#"{"pth":"/docs"}"#]);
    assert!(wrong.err.contains("it ended so: ") && wrong.err.contains("`pth`"), "{}", wrong.err);
    assert!(wrong.err.contains("nobody is there to be asked"), "{}", wrong.err);
}

#[test]
fn a_goal_is_learned_with_a_folder_as_people_write_it() {
    let bench = Bench::new();
    bench.write("docs/notes.md", "one two three\n");
    let learned = bench.toolcrib(&["learn", "--json", "run", "How many words are in /docs/notes.md?"]).json();
    assert_eq!(learned["policy"], "[plugin.files]\nfiles = [\"read ./docs as /docs\"]\n", "{learned}");
    assert_eq!(learned["dry"], true);
    assert!(!bench.path("toolcrib.toml").exists(), "applying it is a person's act");
}

#[test]
fn what_no_grant_would_allow_is_in_no_policy() {
    let bench = Bench::new();
    let learned = bench.toolcrib(&["learn", "call", "http.fetch", r#"{"url":"http://169.254.169.254/"}"#]);
    assert_eq!((learned.out.as_str(), learned.code), ("", 0), "{}", learned.err);
    assert!(learned.err.contains("no grant is missing, or none would help"), "{}", learned.err);
}
