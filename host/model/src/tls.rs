//! The HTTP client: whom it trusts and which way it goes.
//!
//! TLS is rustls with ring. The roots are the bundled Mozilla set, so that a container without a certificate
//! store works, and those that the caller adds. Nothing is read from the environment here.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::ConfigError;
use crate::config::HttpConfig;

/// Builds a client for `config`. `proxied` is false for addresses that no proxy could reach.
pub(crate) fn client(config: &HttpConfig, proxied: bool) -> Result<reqwest::Client, ConfigError> {
    let mut builder = reqwest::Client::builder()
        .tls_backend_preconfigured(tls(config.extra_roots.as_deref())?)
        .connect_timeout(config.timeouts.connect)
        // A redirect would carry the key to another address.
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("toolcrib/", env!("CARGO_PKG_VERSION")))
        .no_proxy();
    if let Some(proxy) = config.proxy.as_ref().filter(|_| proxied) {
        // The address may hold a password: the cause is not passed on.
        let address = reqwest::Proxy::all(proxy.url.as_str()).map_err(|_| ConfigError::Proxy)?;
        let except = proxy.except.as_deref().and_then(reqwest::NoProxy::from_string);
        builder = builder.proxy(address.no_proxy(except));
    }
    builder.build().map_err(|error| ConfigError::Client { detail: error.without_url().to_string() })
}

fn tls(extra_roots: Option<&[u8]>) -> Result<rustls::ClientConfig, ConfigError> {
    let mut roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    if let Some(pem) = extra_roots {
        let bad = |detail: String| ConfigError::Roots { detail };
        let mut added = 0;
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|error| bad(error.to_string()))?;
            roots.add(certificate).map_err(|error| bad(error.to_string()))?;
            added += 1;
        }
        if added == 0 {
            return Err(bad("no certificate in it".to_owned()));
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| ConfigError::Client { detail: error.to_string() })?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}
