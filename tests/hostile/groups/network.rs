//! Guests that want out onto the network. Nothing here opens a socket: the network is one that remembers and refuses.

use toolcrib_sandbox::CallReport;
use toolcrib_tests::authority;

use crate::host::{Host, alone, printed, refusals};

/// What came of each request, in order, as the guest tells it.
fn told(report: &CallReport) -> Vec<(String, String)> {
    let line = |line: &str| {
        let (outcome, request) = line.split_once('\t').expect("an outcome and its request");
        (request.to_owned(), outcome.to_owned())
    };
    printed(report).lines().map(line).collect()
}

/// Every request is refused with `code`, before a name is looked up or a connection wanted.
async fn all_refused(host: &Host, grants: &str, code: &str, requests: &[&str]) {
    let plugin = host.load("network_urls").await;
    host.network.clear();
    let report = host.run(&plugin, requests, &authority(grants)).await;
    for (request, outcome) in told(&report) {
        assert!(outcome.starts_with(&format!("{code}: plugin `guest` asked for ")), "{request}: {outcome}");
    }
    assert_eq!(refusals(&report).len(), requests.len(), "{:?}", report.receipt.uses);
    assert!(host.network.names().is_empty(), "{:?}", host.network.names());
    assert!(host.network.addresses().is_empty(), "{:?}", host.network.addresses());
}

#[test]
pub(crate) fn network_no_grant() {
    alone(async |host| {
        all_refused(host, "", "net-denied", &["GET|http|example.com|/", "GET|https|93.184.215.14|/?q=secret"]).await;
        // A grant opens what it says: this host, this scheme, this port, this method, this path.
        let grants = r#"http = ["GET https://api.example.com/v1/**"]"#;
        all_refused(
            host,
            grants,
            "net-denied",
            &[
                "GET|http|api.example.com|/v1/a",
                "GET|https|api.example.com:8443|/v1/a",
                "POST|https|api.example.com|/v1/a",
                "GET|https|api.example.com|/v2/a",
                "GET|https|evilapi.example.com|/v1/a",
                "GET|https|api.example.com.evil.com|/v1/a",
                "GET|https|example.com|/v1/a",
            ],
        )
        .await;
        let plugin = host.load("network_urls").await;
        let report = host.run(&plugin, &["GET|http|example.com|/private?token=canary"], &authority("")).await;
        let [(_, outcome)] = <[_; 1]>::try_from(told(&report)).expect("one line");
        let sentence =
            "net-denied: plugin `guest` asked for `GET http://example.com/private`: the operator has not granted it";
        assert_eq!(outcome, sentence);
        assert_eq!(refusals(&report), ["net-denied GET http://example.com/private"]);
    });
}

#[test]
pub(crate) fn network_blocked_addresses() {
    alone(async |host| {
        let grants = r#"http = ["GET http://*.example.com/**", "GET http://name.example.com/**"]"#;
        let addresses = [
            "169.254.169.254",
            "[fd00:ec2::254]",
            "192.0.0.192",
            "127.0.0.1",
            "localhost",
            "0.0.0.0",
            "[::]",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:a9fe:a9fe]",
            "[64:ff9b::7f00:1]",
            "[2002:7f00:1::]",
            "2130706433",
            "0x7f.1",
            "017700000001",
            "127.1",
            "metadata.google.internal",
            "10.0.0.1",
            "192.168.1.1",
            "100.64.0.1",
            "[fe80::1]",
        ];
        let requests = addresses.map(|address| format!("GET|http|{address}|/"));
        let requests: Vec<&str> = requests.iter().map(String::as_str).collect();
        all_refused(host, grants, "net-address-blocked", &requests).await;

        // The same behind a name that is granted: looked up, and not connected.
        let plugin = host.load("network_urls").await;
        for address in
            ["169.254.169.254:80", "[fd00:ec2::254]:80", "127.0.0.1:80", "[::ffff:127.0.0.1]:80", "10.1.2.3:80"]
        {
            host.network.clear();
            host.network.answer(&[address]);
            let report = host.run(&plugin, &["GET|http|name.example.com|/"], &authority(grants)).await;
            let [(_, outcome)] = <[_; 1]>::try_from(told(&report)).expect("one line");
            assert!(
                outcome.starts_with("net-address-blocked: plugin `guest` asked for `name.example.com` at "),
                "{outcome}"
            );
            assert_eq!(host.network.names(), ["name.example.com"]);
            assert!(host.network.addresses().is_empty(), "{address}: {:?}", host.network.addresses());
        }
    });
}

#[test]
pub(crate) fn network_rebinding() {
    alone(async |host| {
        let plugin = host.load("network_urls").await;
        host.network.clear();
        // The first answer is public, the second leads home. One request is one look-up, and goes where that said.
        host.network.answer(&["93.184.215.14:80"]);
        host.network.answer(&["127.0.0.1:80"]);
        let grants = authority(r#"http = ["GET http://name.example.com/**"]"#);
        let report = host.run(&plugin, &["GET|http|name.example.com|/a"], &grants).await;
        assert_eq!(host.network.names(), ["name.example.com"]);
        assert_eq!(host.network.addresses(), ["93.184.215.14:80".parse().expect("an address")]);
        assert!(told(&report)[0].1.starts_with("ErrorCode::ConnectionRefused"), "{:?}", told(&report));
        // The next request asks again, and is checked again.
        let report = host.run(&plugin, &["GET|http|name.example.com|/a"], &grants).await;
        assert!(told(&report)[0].1.starts_with("net-address-blocked: "), "{:?}", told(&report));
        assert_eq!(host.network.names().len(), 2);
        assert_eq!(host.network.addresses().len(), 1, "{:?}", host.network.addresses());
    });
}

#[test]
pub(crate) fn network_urls() {
    alone(async |host| {
        let plugin = host.load("network_urls").await;
        let grants = authority(r#"http = ["GET http://allowed.example.com/**", "GET http://*.wild.example.com/**"]"#);
        host.network.clear();
        let report = host
            .run(
                &plugin,
                &[
                    "GET|http|allowed.example.com@evil.com|/",
                    "GET|http|allowed.example.com%40evil.com|/",
                    "GET|http|allowed.example.com%2eevil.com|/",
                    "GET|http|allowed.example.com\\@evil.com|/",
                    "GET|http|allowed.example.com:80:80|/",
                    "GET|http|allowed.example.com|/a\r\nHost: evil.com",
                    "GET|http|allowed.example.com|//evil.com/",
                    "GET|http|allowed.example.com|/%2e%2e/secret",
                    "GET|http|allowed.example.com#@evil.com|/",
                    "GE T|http|allowed.example.com|/",
                    "CONNECT|http|evil.com|/",
                    "GET|http|a.b.wild.example.com|/",
                    "GET|http|wild.example.com|/",
                    "GET|http|.wild.example.com|/",
                    "GET|http|evilallowed.example.com|/",
                    "GET|http|аllowed.example.com|/",
                    "GET|http||/",
                ],
                &grants,
            )
            .await;
        for (request, outcome) in told(&report) {
            let known = ["net-denied: ", "url-invalid: ", "no such authority", "no such path", "no such method"];
            let to_the_granted = request.contains("|allowed.example.com|/");
            assert!(to_the_granted || known.iter().any(|known| outcome.starts_with(known)), "{request}: {outcome}");
        }
        // Only the granted name was ever looked up, and nothing was connected.
        assert!(host.network.names().iter().all(|name| name == "allowed.example.com"), "{:?}", host.network.names());
        assert!(host.network.addresses().is_empty());

        // What would speak for the host, or make two requests of one.
        for header in [
            "+host:evil.com",
            "+connection:close",
            "+transfer-encoding:chunked",
            "+proxy-authorization:Basic eA==",
            "+x-split:a\r\nhost: evil.com",
            "+upgrade:h2c",
            "+te:trailers",
        ] {
            let report = host.run(&plugin, &[header, "GET|http|allowed.example.com|/"], &grants).await;
            assert!(printed(&report).starts_with("headers: "), "{header:?}: {}", printed(&report));
        }
        let lengths = ["+content-length:0", "+content-length:5", "GET|http|allowed.example.com|/"];
        for lengths in [&lengths[1..], &lengths[..]] {
            let report = host.run(&plugin, lengths, &grants).await;
            let outcome = &told(&report)[0].1;
            assert!(
                outcome.starts_with("ErrorCode::Http") || outcome.starts_with("headers: "),
                "{lengths:?}: {outcome}"
            );
        }
        assert!(host.network.addresses().is_empty());

        let many = "GET|http|allowed.example.com|/";
        let few = authority("http = [\"GET http://allowed.example.com/**\"]\nlimits = { http-requests = 2 }");
        let report = host.run(&plugin, &[many, many, many], &few).await;
        let told = told(&report);
        assert!(told[2].1.contains("limit-http-requests"), "{told:?}");
    });
}

#[test]
pub(crate) fn network_sockets() {
    alone(async |host| {
        let plugin = host.load("network_sockets").await;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a listener on loopback");
        let address = listener.local_addr().expect("an address").to_string();
        let grants = authority(r#"http = ["GET http://127.0.0.1/**"]"#);
        for way in ["connect", "listen", "send", "look up"] {
            let report = host.run(&plugin, &[way, &address], &grants).await;
            // The interface's own error, which the guest can handle.
            assert!(report.outcome.is_ok(), "{way}: {:?}", report.outcome);
            let told = if way == "look up" { "no look up: " } else { &*format!("no {way}: PermissionDenied") };
            assert!(printed(&report).starts_with(told), "{}", printed(&report));
            let refusals = refusals(&report);
            assert!(
                !refusals.is_empty() && refusals.iter().all(|line| line.starts_with("net-denied ")),
                "{refusals:?}"
            );
        }
        let knocked = tokio::time::timeout(std::time::Duration::from_millis(50), listener.accept()).await;
        assert!(knocked.is_err(), "somebody connected");
        // What it could reach is shown, and is nothing.
        let reach = plugin.reach().into_iter().find(|reach| reach.capability == "sockets");
        assert!(reach.is_some(), "{:?}", plugin.reach());
    });
}
