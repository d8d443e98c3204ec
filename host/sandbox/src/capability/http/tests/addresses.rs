//! Which address a name may lead to, and that nothing asks for the name twice.

use toolcrib_policy::RefusalCode;

use super::server::{OK, Say, Server};
use super::{Bench, Recorder, authority};

const ANYWHERE: &str = "GET http://name.example.com/**";

async fn blocked(grants: &[&str], network: Recorder, url: &str) {
    let bench = Bench::with(authority(grants), network);
    let error = bench.get(url).await.expect_err(url);
    let code = bench.record.last_refusal().map(|refusal| refusal.code);
    assert_eq!(code, Some(RefusalCode::NetAddressBlocked), "{url}: {error}");
    assert!(error.to_string().contains("net-address-blocked: "), "{url}: {error}");
    assert!(bench.network.connects().is_empty(), "{url}");
    assert!(!bench.record.possible_write());
}

#[tokio::test]
async fn names_that_lead_to_closed_addresses_are_refused_without_a_connection() {
    for ip in [
        "169.254.169.254",
        "fd00:ec2::254",
        "192.0.0.192",
        "127.0.0.1",
        "0.0.0.0",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:a9fe:a9fe",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "10.0.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "fe80::1",
    ] {
        blocked(&[ANYWHERE], Recorder::new().answering("name.example.com", &[ip]), "http://name.example.com/").await;
    }
}

#[tokio::test]
async fn closed_addresses_written_out_are_refused_unless_a_grant_names_them() {
    let wildcard = &["GET http://*.example.com/**", ANYWHERE][..];
    for url in [
        "http://169.254.169.254/",
        "http://[fd00:ec2::254]/",
        "http://192.0.0.192/",
        "http://127.0.0.1/",
        "http://localhost/",
        "http://0.0.0.0/",
        "http://[::]/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[::ffff:a9fe:a9fe]/",
        "http://[64:ff9b::7f00:1]/",
        "http://[2002:7f00:1::]/",
        "http://2130706433/",
        "http://0x7f.1/",
    ] {
        blocked(wildcard, Recorder::new(), url).await;
    }
}

#[tokio::test]
async fn the_metadata_service_by_its_name_is_refused_before_it_is_looked_up() {
    let bench = Bench::new(&["GET http://*.google-internal.example.com/**", ANYWHERE]);
    bench.get("http://metadata.google.internal/").await.unwrap_err();
    assert_eq!(bench.refusal(), Some("net-address-blocked"));
    assert!(bench.network.lookups().is_empty() && bench.network.connects().is_empty());
}

#[tokio::test]
async fn a_name_is_looked_up_once_and_the_checked_address_is_connected() {
    let server = Server::saying(&[Say::Text(OK)]).await;
    let port = server.address.port();
    let network =
        Recorder::new().answering("name.example.com", &["127.0.0.1"]).answering("name.example.com", &["10.0.0.1"]);
    let grant = format!("GET http://name.example.com:{port}/** via 127.0.0.0/8");
    let bench = Bench::with(authority(&[&grant]), network);
    let url = format!("http://name.example.com:{port}/a");
    assert_eq!(bench.get(&url).await.unwrap().0, 200);
    assert_eq!(bench.network.lookups(), ["name.example.com"]);
    assert_eq!(bench.network.connects(), [server.address]);

    // The next request asks again, and the new answer is checked like the first.
    bench.get(&url).await.unwrap_err();
    assert_eq!(bench.refusal(), Some("net-address-blocked"));
    assert_eq!(bench.network.connects(), [server.address]);
}

#[tokio::test]
async fn of_several_addresses_only_those_that_pass_are_tried() {
    let server = Server::saying(&[Say::Text(OK)]).await;
    let port = server.address.port();
    let network = Recorder::new().answering("name.example.com", &["169.254.169.254", "10.0.0.1", "127.0.0.1"]);
    let bench = Bench::with(authority(&[&format!("GET http://name.example.com:{port}/** via 127.0.0.1")]), network);
    assert_eq!(bench.get(&format!("http://name.example.com:{port}/")).await.unwrap().0, 200);
    assert_eq!(bench.network.connects(), [server.address]);
}

#[tokio::test]
async fn the_next_address_is_tried_when_one_takes_no_connection() {
    let server = Server::saying(&[Say::Text(OK)]).await;
    let port = server.address.port();
    let network = Recorder::new().answering("name.example.com", &["10.0.0.1", "127.0.0.1"]);
    let grant = format!("GET http://name.example.com:{port}/** via 127.0.0.1, 10.0.0.0/8");
    let bench = Bench::with(authority(&[&grant]), network);
    assert_eq!(bench.get(&format!("http://name.example.com:{port}/")).await.unwrap().0, 200);
    assert_eq!(bench.network.connects().len(), 2);
}

#[tokio::test]
async fn a_granted_literal_address_is_connected_without_a_lookup() {
    let server = Server::saying(&[Say::Text(OK)]).await;
    let bench = Bench::new(&[&server.grant()]);
    assert_eq!(bench.get(&server.url("/")).await.unwrap().2, "ok");
    assert!(bench.network.lookups().is_empty());
}

#[tokio::test]
async fn this_machine_by_its_own_name_needs_no_resolver() {
    let server = Server::saying(&[Say::Text(OK)]).await;
    let port = server.address.port();
    let bench = Bench::new(&[&format!("GET http://localhost:{port}/**")]);
    assert_eq!(bench.get(&format!("http://localhost:{port}/")).await.unwrap().0, 200);
    assert!(bench.network.lookups().is_empty());
}

#[tokio::test]
async fn a_name_without_an_address_is_a_dns_error() {
    let bench = Bench::with(authority(&[ANYWHERE]), Recorder::new().answering("name.example.com", &[]));
    let error = bench.get("http://name.example.com/").await.unwrap_err();
    assert!(matches!(error, wasmtime_wasi_http::Error::DnsError { .. }), "{error}");
    assert_eq!(bench.refusal(), None);
}
