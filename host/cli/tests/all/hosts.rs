//! One host for a data folder, whatever becomes of it.

use std::process::Stdio;

use crate::bench::Bench;

#[test]
fn a_second_host_is_refused_by_name_and_a_lock_of_the_dead_means_nothing() {
    let bench = Bench::new();
    bench.write("out/a.txt", "a");
    // Nobody answers there, and nobody hangs up.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = silent.local_addr().expect("an address");
    bench.grant(&format!("[plugin.http]\nhttp = [\"GET http://{address}/**\"]"));
    let mut command = bench.command();
    command.args(["call", "http.fetch", &format!("{{\"url\":\"http://{address}/\"}}")]);
    let mut host = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the command runs");
    let lock = bench.path(".local/share/toolcrib/ledger.lock");
    let pid = host.id().to_string();
    while std::fs::read_to_string(&lock).unwrap_or_default().trim() != pid {
        assert!(host.try_wait().expect("a state").is_none(), "the host ended");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let second = || bench.toolcrib(&["call", "files.read", r#"{"path":"/out/a.txt"}"#, "--json"]);
    let refused = second();
    assert_ne!(refused.code, 0);
    let message = refused.json()["error"]["message"].as_str().expect("a message").to_owned();
    assert!(message.contains(&format!("process {pid}")), "{message}");
    // Reading needs nobody's leave.
    assert_eq!(bench.toolcrib(&["runs"]).code, 0);

    host.kill().expect("SIGKILL");
    host.wait().expect("an end");
    assert_eq!(std::fs::read_to_string(&lock).expect("the file stays").trim(), pid);
    let next = second();
    assert_eq!(next.code, 0, "{}{}", next.out, next.err);
    assert_eq!(bench.toolcrib(&["verify"]).code, 0);
}
