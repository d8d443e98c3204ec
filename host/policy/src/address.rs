//! Classes of addresses: which are the world, which are somebody's own network, and which nobody may reach.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

use crate::http::Host;

/// What an address is for, which decides whether a request may go there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AddressClass {
    /// The open network.
    Public,
    /// This machine.
    Loopback,
    /// Somebody's own network: RFC 1918 and unique local addresses.
    Private,
    /// A provider's own network (RFC 6598).
    SharedSpace,
    /// Networks set up for measurements (RFC 2544).
    Benchmarking,
    /// The services of a cloud that hand credentials to whoever asks from inside.
    Metadata,
    /// Valid on one wire only.
    LinkLocal,
    /// `0.0.0.0` and `::`, which systems read as this machine.
    Unspecified,
    /// Groups and broadcasts.
    Multicast,
    /// Addresses in examples.
    Documentation,
    /// Addresses that hide another one: 6to4, Teredo, local NAT64, NAT64 of an address that is not public.
    Tunnel,
    /// Everything that is reserved, or not handed out.
    Reserved,
}

impl AddressClass {
    /// Whether no grant opens the class.
    pub const fn is_never(self) -> bool {
        use AddressClass::*;
        matches!(self, Metadata | LinkLocal | Unspecified | Multicast | Documentation | Tunnel | Reserved)
    }

    /// Why an address of the class is refused, for messages.
    pub const fn sentence(self) -> &'static str {
        match self {
            AddressClass::Public => "public addresses are reachable",
            AddressClass::Loopback => "addresses of this machine are closed unless a grant names them",
            AddressClass::Private => "addresses of private networks are closed unless a grant names them",
            AddressClass::SharedSpace => "addresses of a provider's own network are closed unless a grant names them",
            AddressClass::Benchmarking => "addresses for measurements are closed unless a grant names them",
            AddressClass::Metadata => "metadata services are never reachable",
            AddressClass::LinkLocal => "link-local addresses are never reachable",
            AddressClass::Unspecified => "unspecified addresses are never reachable",
            AddressClass::Multicast => "multicast and broadcast addresses are never reachable",
            AddressClass::Documentation => "addresses for examples are never reachable",
            AddressClass::Tunnel => "addresses that wrap another address are never reachable",
            AddressClass::Reserved => "reserved addresses are never reachable",
        }
    }
}

/// Metadata services outside the link-local range: Alibaba, Oracle, Azure's agent.
const METADATA_V4: &[Ipv4Addr] =
    &[Ipv4Addr::new(100, 100, 100, 200), Ipv4Addr::new(192, 0, 0, 192), Ipv4Addr::new(168, 63, 129, 16)];

/// Metadata services with IPv6: AWS (instances, credentials of pods), Google, Scaleway.
const METADATA_V6: &[Ipv6Addr] = &[
    Ipv6Addr::new(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x254),
    Ipv6Addr::new(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x23),
    Ipv6Addr::new(0xfd20, 0x00ce, 0, 0, 0, 0, 0, 0x254),
    Ipv6Addr::new(0xfd00, 0x0042, 0, 0, 0, 0, 0, 0x42),
];

/// Names of metadata services. They resolve inside a cloud only, and nothing else has them.
const METADATA_NAMES: &[&str] =
    &["metadata", "metadata.google.internal", "metadata.goog", "instance-data", "instance-data.ec2.internal"];

/// The class of an address. Mapped and translated forms are seen through.
pub fn classify(ip: IpAddr) -> AddressClass {
    match ip {
        IpAddr::V4(ip) => classify_v4(ip),
        IpAddr::V6(ip) => classify_v6(ip),
    }
}

fn classify_v4(ip: Ipv4Addr) -> AddressClass {
    use AddressClass::*;
    let [a, b, c, _] = ip.octets();
    if METADATA_V4.contains(&ip) {
        return Metadata;
    }
    match (a, b, c) {
        (0, 0, 0) if ip.is_unspecified() => Unspecified,
        (127, ..) => Loopback,
        (10, ..) | (172, 16..=31, _) | (192, 168, _) => Private,
        (169, 254, _) => LinkLocal,
        (100, 64..=127, _) => SharedSpace,
        (198, 18..=19, _) => Benchmarking,
        (192, 0, 2) | (198, 51, 100) | (203, 0, 113) => Documentation,
        (224..=239, ..) => Multicast,
        _ if ip.is_broadcast() => Multicast,
        (0, ..) | (192, 0, 0) | (192, 88, 99) | (240.., ..) => Reserved,
        _ => Public,
    }
}

fn classify_v6(ip: Ipv6Addr) -> AddressClass {
    use AddressClass::*;
    if METADATA_V6.contains(&ip) {
        return Metadata;
    }
    if let Some(mapped) = ip.to_ipv4_mapped() {
        return classify_v4(mapped);
    }
    let parts = ip.segments();
    let last_v4 = Ipv4Addr::from((u32::from(parts[6]) << 16) | u32::from(parts[7]));
    match parts {
        [0, 0, 0, 0, 0, 0, 0, 0] => Unspecified,
        [0, 0, 0, 0, 0, 0, 0, 1] => Loopback,
        // NAT64 carries public addresses only (RFC 6052); on a network without IPv4 this is how they look.
        [0x64, 0xff9b, 0, 0, 0, 0, _, _] if classify_v4(last_v4) == Public => Public,
        [0x64, 0xff9b, ..] | [0x2002, ..] | [0x2001, 0, ..] => Tunnel,
        [0xfc00..=0xfdff, ..] => Private,
        [0xfe80..=0xfebf, ..] => LinkLocal,
        [0xff00..=0xffff, ..] => Multicast,
        [0x2001, 0xdb8, ..] | [0x3fff, 0..=0x0fff, ..] => Documentation,
        [0x2001, 2, 0, ..] => Benchmarking,
        // Of the protocol assignments 2001::/23 nothing else is a place to send a request to.
        [0x2001, 1..=0x01ff, ..] => Reserved,
        [0x2000..=0x3fff, ..] => Public,
        _ => Reserved,
    }
}

/// The class for which `host` is never reachable, if it says so before it is resolved.
pub(crate) fn never_host(host: &Host) -> Option<AddressClass> {
    match host {
        Host::Ip(ip) => Some(classify(*ip)).filter(|class| class.is_never()),
        Host::Name(name) => METADATA_NAMES.contains(&name.as_str()).then_some(AddressClass::Metadata),
    }
}

/// The ranges that `via` can open.
const OPENABLE: &[&str] = &[
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "127.0.0.0/8",
    "100.64.0.0/10",
    "198.18.0.0/15",
    "::1/128",
    "fc00::/7",
    "2001:2::/48",
];

/// Whether `range` lies within a range that can be opened.
pub(crate) fn is_openable(range: &IpNet) -> bool {
    OPENABLE.iter().filter_map(|outer| outer.parse::<IpNet>().ok()).any(|outer| outer.contains(range))
}
