//! Which addresses a granted name may lead to.

use std::net::IpAddr;

use toolcrib_policy::{Authority, HttpTarget, RefusalCode, classify};

use crate::{authority, get};

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// Whether `url` may be fetched when its host resolves to `to`.
fn opens(authority: &Authority, url: &str, to: &str) -> bool {
    let target = get(url);
    let grant = authority.http(&target).unwrap();
    authority.address(grant, &target.host.to_string(), ip(to)).is_ok()
}

fn granted(line: &str) -> Authority {
    authority(&format!("[plugin.shop]\nhttp = [\"{line}\"]"))
}

#[test]
fn every_address_has_the_class_that_its_registry_says() {
    let table = [
        "8.8.8.8",
        "127.0.0.1",
        "127.255.0.3",
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "172.16.0.1",
        "172.32.0.1",
        "192.168.1.1",
        "169.254.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "100.100.100.200",
        "100.128.0.1",
        "192.0.0.192",
        "192.0.0.1",
        "192.0.2.1",
        "168.63.129.16",
        "198.18.0.1",
        "203.0.113.9",
        "224.0.0.1",
        "255.255.255.255",
        "240.0.0.1",
        "192.88.99.1",
        "::",
        "::1",
        "::7f00:1",
        "::ffff:127.0.0.1",
        "::ffff:a9fe:a9fe",
        "::ffff:8.8.8.8",
        "64:ff9b::7f00:1",
        "64:ff9b::808:808",
        "64:ff9b:1::1",
        "2002:7f00:1::",
        "2001::1",
        "2001:db8::1",
        "3fff::1",
        "2001:2::1",
        "2001:20::1",
        "2606:4700::1111",
        "fd00::1",
        "fd00:ec2::254",
        "fd20:ce::254",
        "fe80::1",
        "fec0::1",
        "ff02::1",
        "100::1",
        "4000::1",
    ];
    let lines: Vec<String> = table.iter().map(|text| format!("{text:18} {:?}", classify(ip(text)))).collect();
    insta::assert_snapshot!(lines.join("\n"), @r"
    8.8.8.8            Public
    127.0.0.1          Loopback
    127.255.0.3        Loopback
    0.0.0.0            Unspecified
    0.1.2.3            Reserved
    10.0.0.1           Private
    172.16.0.1         Private
    172.32.0.1         Public
    192.168.1.1        Private
    169.254.1.1        LinkLocal
    169.254.169.254    LinkLocal
    100.64.0.1         SharedSpace
    100.100.100.200    Metadata
    100.128.0.1        Public
    192.0.0.192        Metadata
    192.0.0.1          Reserved
    192.0.2.1          Documentation
    168.63.129.16      Metadata
    198.18.0.1         Benchmarking
    203.0.113.9        Documentation
    224.0.0.1          Multicast
    255.255.255.255    Multicast
    240.0.0.1          Reserved
    192.88.99.1        Reserved
    ::                 Unspecified
    ::1                Loopback
    ::7f00:1           Reserved
    ::ffff:127.0.0.1   Loopback
    ::ffff:a9fe:a9fe   LinkLocal
    ::ffff:8.8.8.8     Public
    64:ff9b::7f00:1    Tunnel
    64:ff9b::808:808   Public
    64:ff9b:1::1       Tunnel
    2002:7f00:1::      Tunnel
    2001::1            Tunnel
    2001:db8::1        Documentation
    3fff::1            Documentation
    2001:2::1          Benchmarking
    2001:20::1         Reserved
    2606:4700::1111    Public
    fd00::1            Private
    fd00:ec2::254      Metadata
    fd20:ce::254       Metadata
    fe80::1            LinkLocal
    fec0::1            Reserved
    ff02::1            Multicast
    100::1             Reserved
    4000::1            Reserved
    ");
}

#[test]
fn a_granted_name_leads_to_public_addresses_alone() {
    let authority = granted("GET https://a.com/**");
    assert!(opens(&authority, "https://a.com/", "93.184.216.34"));
    assert!(opens(&authority, "https://a.com/", "2606:4700::1111"));
    assert!(opens(&authority, "https://a.com/", "64:ff9b::808:808"));
    for closed in [
        "127.0.0.1",
        "10.0.0.1",
        "169.254.169.254",
        "::1",
        "::ffff:10.0.0.1",
        "fd00::1",
        "0.0.0.0",
        "64:ff9b::a00:1",
        "100.64.0.1",
    ] {
        assert!(!opens(&authority, "https://a.com/", closed), "{closed}");
    }
}

#[test]
fn via_opens_its_range_and_no_other() {
    let authority = granted("GET https://a.com/** via 10.0.0.0/8, fd00::/8");
    for open in ["10.1.2.3", "::ffff:10.1.2.3", "fd12::1", "93.184.216.34"] {
        assert!(opens(&authority, "https://a.com/", open), "{open}");
    }
    for closed in ["192.168.0.1", "127.0.0.1", "64:ff9b::a00:1", "2002:a00:1::", "fd00:ec2::254", "fe80::1"] {
        assert!(!opens(&authority, "https://a.com/", closed), "{closed}");
    }
}

#[test]
fn two_lines_that_say_the_same_open_both_ranges() {
    let authority = authority(
        r#"[plugin.shop]
        http = ["GET https://a.com/** via 10.0.0.0/8", "GET https://a.com/** via 192.168.0.0/16", "GET https://a.com/**"]"#,
    );
    assert!(opens(&authority, "https://a.com/", "10.0.0.1") && opens(&authority, "https://a.com/", "192.168.0.1"));
}

#[test]
fn via_on_one_line_does_not_open_the_range_for_another() {
    let authority = authority(
        r#"[plugin.shop]
        http = ["GET https://a.com/** via 10.0.0.0/8", "POST https://a.com/**"]"#,
    );
    let post = HttpTarget::parse("POST", "https://a.com/").unwrap();
    let grant = authority.http(&post).unwrap();
    assert!(authority.address(grant, "a.com", ip("10.0.0.1")).is_err());
}

#[test]
fn a_literal_address_opens_exactly_itself() {
    let authority = granted("GET http://10.0.0.5:8080/**");
    assert!(opens(&authority, "http://10.0.0.5:8080/", "10.0.0.5"));
    assert!(!opens(&authority, "http://10.0.0.5:8080/", "10.0.0.6"));
    assert!(!opens(&authority, "http://10.0.0.5:8080/", "93.184.216.34"));
    assert!(authority.http(&get("http://10.0.0.5/")).is_err());
    assert!(authority.http(&get("http://[::ffff:10.0.0.5]:8080/")).is_err());
    let grant = authority.http(&get("http://10.0.0.5:8080/")).unwrap();
    assert!(authority.address(grant, "not a host", ip("10.0.0.5")).is_err());
}

#[test]
fn localhost_opens_this_machine_at_that_port() {
    let authority = granted("GET http://localhost:8080/**");
    assert!(opens(&authority, "http://localhost:8080/", "127.0.0.1"));
    assert!(opens(&authority, "http://LOCALHOST.:8080/", "::1"));
    assert!(!opens(&authority, "http://localhost:8080/", "10.0.0.1"));
    assert!(!opens(&authority, "http://localhost:8080/", "93.184.216.34"));
    assert!(authority.http(&get("http://localhost/")).is_err());
    assert!(authority.http(&get("http://127.0.0.1:8080/")).is_err());
}

#[test]
fn what_is_never_reachable_is_refused_before_any_grant_is_read() {
    let authority = authority("");
    for url in [
        "http://169.254.169.254/",
        "http://[fd00:ec2::254]/",
        "http://192.0.0.192/",
        "http://metadata.google.internal/",
        "http://100.100.100.200/",
        "http://0.0.0.0/",
        "http://[::]/",
        "http://[::ffff:a9fe:a9fe]/",
        "http://[64:ff9b::7f00:1]/",
        "http://[2002:7f00:1::]/",
        "http://[fe80::1]/",
        "http://2852039166/",
        "http://METADATA.google.internal./",
    ] {
        let refusal = authority.http(&get(url)).unwrap_err();
        assert_eq!(refusal.code, RefusalCode::NetAddressBlocked, "{url}");
        assert_eq!(refusal.grant, None, "{url}");
    }
}

#[test]
fn a_wildcard_does_not_reach_a_metadata_service() {
    let authority = granted("GET http://*.google.internal/** via 10.0.0.0/8");
    assert_eq!(
        authority.http(&get("http://metadata.google.internal/")).unwrap_err().code,
        RefusalCode::NetAddressBlocked
    );
    assert!(authority.http(&get("http://other.google.internal/")).is_ok());
}

#[test]
fn a_private_literal_is_blocked_until_a_grant_names_it() {
    let authority = authority("");
    for url in
        ["http://127.0.0.1/", "http://localhost/", "http://[::1]/", "http://[::ffff:127.0.0.1]/", "http://10.0.0.1/"]
    {
        let refusal = authority.http(&get(url)).unwrap_err();
        assert_eq!(refusal.code, RefusalCode::NetAddressBlocked, "{url}");
        assert!(refusal.grant.is_some(), "{url}");
    }
}

#[test]
fn a_caller_has_to_open_the_range_too() {
    let file = crate::operator(
        r#"[plugin.shop]
        http = ["GET https://a.com/** via 10.0.0.0/8"]
        [plugin.closed]
        http = ["GET https://a.com/**"]
        [plugin.open]
        http = ["GET https://*.a.com/**", "GET https://a.com/x via 10.0.0.0/8", "GET https://a.com/**"]"#,
    );
    let all = toolcrib_policy::Requests::everything();
    let called_by = |name: &str| {
        let caller = file.authority(&name.parse().unwrap(), &all, None);
        file.authority(&crate::plugin(), &all, Some(&caller))
    };
    assert!(!opens(&called_by("closed"), "https://a.com/", "10.0.0.1"));
    assert!(opens(&called_by("closed"), "https://a.com/", "93.184.216.34"));
    assert!(opens(&called_by("open"), "https://a.com/", "10.0.0.1"));
}
