//! From a checked target to an open connection: resolved once, every address checked, connected to a checked one.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use rustls::pki_types::ServerName;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;
use toolcrib_policy::{Authority, Host, HttpTarget, Refusal, Scheme};

use super::check::Checked;
use super::error::{Failure, Stage};
use super::network::{Connection, Network};

/// Addresses of one name that are tried. Names with more exist; the first ones answer, or none does.
const MAX_ADDRESSES: usize = 8;

/// Opens a connection for `checked` until `deadline`.
pub(super) async fn open(
    network: &dyn Network,
    authority: &Authority,
    checked: &Checked,
    deadline: Instant,
) -> Result<Box<dyn Connection>, Failure> {
    let work = async {
        let addresses = addresses(network, authority, checked).await?;
        let connection = first_that_answers(network, &addresses, deadline).await?;
        match checked.target.scheme {
            Scheme::Http => Ok(connection),
            Scheme::Https => secured(network, &checked.target, connection).await,
        }
    };
    timeout_at(deadline, work).await.unwrap_or(Err(Failure::Late(Stage::Connect)))
}

/// The addresses that may be connected. Nothing resolves the name again after this.
async fn addresses(
    network: &dyn Network,
    authority: &Authority,
    checked: &Checked,
) -> Result<Vec<SocketAddr>, Failure> {
    let HttpTarget { host, port, .. } = &checked.target;
    let found = match host {
        Host::Ip(ip) => vec![*ip],
        // This machine by its own name (RFC 6761): no resolver has a say in it.
        host if host.is_localhost() => vec![IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)],
        Host::Name(name) => lookup(network, name, *port).await?,
    };
    let mut allowed = Vec::new();
    let mut refused: Option<Refusal> = None;
    for ip in found {
        match authority.address(&checked.grant, &host.to_string(), ip) {
            Ok(()) => allowed.push(SocketAddr::new(ip, *port)),
            Err(refusal) => refused = refused.or(Some(refusal)),
        }
    }
    allowed.truncate(MAX_ADDRESSES);
    match refused {
        Some(refusal) if allowed.is_empty() => Err(Failure::Refused(refusal)),
        _ => Ok(allowed),
    }
}

async fn lookup(network: &dyn Network, name: &str, port: u16) -> Result<Vec<IpAddr>, Failure> {
    let fail = |why: String| Failure::Name { host: name.to_owned(), why };
    let found = network.resolve(name, port).await.map_err(|error| fail(error.to_string()))?;
    if found.is_empty() {
        return Err(fail("it has no address".to_owned()));
    }
    Ok(found.iter().map(SocketAddr::ip).collect())
}

/// Tries one address after the other, each with its share of the time, so that one which swallows everything does not
/// keep the next from being tried.
async fn first_that_answers(
    network: &dyn Network,
    addresses: &[SocketAddr],
    deadline: Instant,
) -> Result<Box<dyn Connection>, Failure> {
    let mut last = io::Error::from(io::ErrorKind::TimedOut);
    for (nth, address) in addresses.iter().enumerate() {
        let now = Instant::now();
        let left = u32::try_from(addresses.len() - nth).unwrap_or(u32::MAX);
        let share = now + deadline.saturating_duration_since(now) / left;
        match timeout_at(share, network.connect(*address)).await {
            Ok(Ok(connection)) => return Ok(connection),
            Ok(Err(error)) => last = error,
            Err(_) => {}
        }
    }
    Err(Failure::Connect(last))
}

/// TLS for the checked host, and for no other name. There is no way on without it.
async fn secured(
    network: &dyn Network,
    target: &HttpTarget,
    connection: Box<dyn Connection>,
) -> Result<Box<dyn Connection>, Failure> {
    let name = match &target.host {
        Host::Ip(ip) => ServerName::IpAddress((*ip).into()),
        Host::Name(name) => {
            ServerName::try_from(name.clone()).map_err(|error| Failure::Tls(io::Error::other(error)))?
        }
    };
    let connector = TlsConnector::from(Arc::clone(&network.trust().config()));
    let stream = connector.connect(name, connection).await.map_err(Failure::Tls)?;
    Ok(Box::new(stream))
}
