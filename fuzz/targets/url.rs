//! Web addresses: what a gate reads is what is sent, and what another reader would read.
#![no_main]

use std::net::IpAddr;
use std::path::Path;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use toolcrib_policy::{Host, HttpTarget, OperatorFile, Requests};

/// Addresses that nothing opens.
static NEVER: LazyLock<Vec<IpAddr>> = LazyLock::new(|| {
    let list = ["169.254.169.254", "fd00:ec2::254", "192.0.0.192", "0.0.0.0", "224.0.0.1", "::ffff:169.254.169.254"];
    list.iter().filter_map(|ip| ip.parse().ok()).collect()
});

fuzz_target!(|data: &str| {
    let (url, host) = data.split_once('\n').unwrap_or((data, "api.example.com"));
    let Ok(target) = HttpTarget::parse("GET", url) else { return };
    // What was read reads as itself.
    let sent = format!("{}://{}{}", target.scheme, target.authority(), target.path_and_query());
    let again = HttpTarget::parse("GET", &sent).unwrap_or_else(|error| panic!("{sent:?}: {error}"));
    assert_eq!(again, target, "{sent:?}");
    assert!(
        target.path.starts_with('/') && !target.path.split('/').any(|part| part == ".." || part == "."),
        "{target:?}"
    );
    assert!(sent.is_ascii() && !sent.contains(|c: char| c.is_ascii_control() || c == ' '), "{sent:?}");
    // The reader of browsers finds the same host and port in it.
    let other = url::Url::parse(&sent).unwrap_or_else(|error| panic!("{sent:?}: {error}"));
    assert_eq!(other.port_or_known_default(), Some(target.port), "{sent:?}");
    match (&target.host, other.host()) {
        (Host::Ip(ours), Some(url::Host::Ipv4(theirs))) => assert_eq!(*ours, IpAddr::V4(theirs), "{sent:?}"),
        (Host::Ip(ours), Some(url::Host::Ipv6(theirs))) => assert_eq!(*ours, IpAddr::V6(theirs), "{sent:?}"),
        (Host::Name(ours), Some(url::Host::Domain(theirs))) => {
            assert_eq!(ours.trim_end_matches('.'), theirs.trim_end_matches('.'), "{sent:?}")
        }
        (ours, theirs) => panic!("{sent:?}: {ours:?} {theirs:?}"),
    }
    // What follows a host would be a path of the line.
    if host.contains(['/', '?', '#', '\\']) {
        return;
    }
    // A grant for a host matches that host, or one label below it, and opens no address that is never open.
    let text = format!("[plugin.a]\nhttp = [{:?}]\n", format!("GET https://{host}/**"));
    let Ok(file) = OperatorFile::parse(&text, "f", Path::new("/")) else { return };
    let authority = file.authority(&"a".parse().expect("a name"), &Requests::everything(), None);
    if let Ok(grant) = authority.http(&target) {
        let name = target.host.to_string();
        let wanted = host.to_ascii_lowercase();
        let wanted = wanted.split_once("]:").map_or(wanted.as_str(), |_| wanted.as_str());
        if let Some(below) = wanted.strip_prefix("*.") {
            let below = below.rsplit_once(':').map_or(below, |(below, _)| below);
            let label = name.strip_suffix(below.trim_end_matches('.')).and_then(|head| head.strip_suffix('.'));
            assert!(
                label.is_some_and(|label| !label.is_empty() && !label.contains('.')) || !below.is_ascii(),
                "{name} {host}"
            );
        }
        for ip in NEVER.iter() {
            assert!(authority.address(grant, &name, *ip).is_err(), "{name} {host} {ip}");
        }
    }
});
