//! The way to the outside: names to addresses, addresses to connections, and whose certificates count.

use std::fmt;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::{Arc, LazyLock};

use async_trait::async_trait;
use rustls::client::Resumption;
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

/// Lookups of names at the same time, over all calls. The system's resolver cannot be cancelled: one that hangs keeps a
/// thread until it gives up by itself, and this bounds how many.
const LOOKUPS: usize = 16;

/// An open connection.
pub trait Connection: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Connection for T {}

/// Where names are resolved and connections opened. It is handed only what was checked: a name of a granted host, and
/// addresses that the policy lets through.
#[async_trait]
pub trait Network: Send + Sync + fmt::Debug {
    /// The addresses of `host`, a name in lower-case ASCII. Asked once for each request.
    async fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>>;

    /// Opens a connection to exactly `address`.
    async fn connect(&self, address: SocketAddr) -> io::Result<Box<dyn Connection>>;

    /// Whose certificates count for `https`.
    fn trust(&self) -> Trust {
        Trust::web()
    }
}

/// The network of this machine: its resolver and its TCP, never a proxy, whatever the environment says.
#[derive(Clone, Debug)]
pub struct SystemNetwork {
    trust: Trust,
    lookups: Arc<Semaphore>,
}

impl SystemNetwork {
    /// The network of this machine, with the roots of the web.
    pub fn new() -> Self {
        Self::trusting(Trust::web())
    }

    /// The network of this machine, where the certificates of `trust` count.
    pub fn trusting(trust: Trust) -> Self {
        SystemNetwork { trust, lookups: Arc::new(Semaphore::new(LOOKUPS)) }
    }
}

impl Default for SystemNetwork {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Network for SystemNetwork {
    async fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        let permit = self.lookups.clone().acquire_owned().await.map_err(io::Error::other)?;
        let host = host.to_owned();
        let lookup = tokio::task::spawn_blocking(move || {
            let found = (host.as_str(), port).to_socket_addrs().map(Iterator::collect);
            drop(permit);
            found
        });
        lookup.await.map_err(io::Error::other)?
    }

    async fn connect(&self, address: SocketAddr) -> io::Result<Box<dyn Connection>> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Box::new(stream))
    }

    fn trust(&self) -> Trust {
        self.trust.clone()
    }
}

/// Whose certificates count. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Trust(Arc<ClientConfig>);

/// A certificate cannot be a root.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the certificate cannot be used as a root: {0}; give a DER-encoded X.509 certificate of an authority")]
pub struct TrustError(rustls::Error);

impl Trust {
    /// The roots that browsers trust.
    pub fn web() -> Self {
        static WEB: LazyLock<Trust> = LazyLock::new(|| {
            let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
            Trust::of(roots).expect("the compiled-in provider supports the default versions")
        });
        WEB.clone()
    }

    /// Exactly these roots, each a DER-encoded certificate: a company's own authority, or the one of a test.
    pub fn only<'a>(certificates: impl IntoIterator<Item = &'a [u8]>) -> Result<Self, TrustError> {
        let mut roots = RootCertStore::empty();
        for certificate in certificates {
            roots.add(CertificateDer::from(certificate)).map_err(TrustError)?;
        }
        Self::of(roots).map_err(TrustError)
    }

    fn of(roots: RootCertStore) -> Result<Self, rustls::Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        // A resumed session would tell a server that two calls, of two plugins perhaps, come from one host.
        config.resumption = Resumption::disabled();
        Ok(Trust(Arc::new(config)))
    }

    pub(super) fn config(&self) -> Arc<ClientConfig> {
        self.0.clone()
    }
}
