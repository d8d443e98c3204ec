//! The sender without a guest: a gate, and exchanges with servers on this machine. No packet goes anywhere else.

mod addresses;
mod bodies;
mod credentials;
mod gate;
mod keys;
mod limits;
mod receipt;
mod server;
mod tls;
mod view;

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use tokio::net::TcpStream;
use toolcrib_policy::{Authority, HttpGrant, LimitName};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody};

use super::client::{Answer, Client};
use super::credential::{NoVault, Vault};
use super::network::{Connection, Network, Trust};
use super::rates::NoRates;
use crate::call::Record;
use crate::receipt::CapabilityUse;

/// A network that writes down what is asked of it, answers from a list, and opens connections to this machine alone.
#[derive(Debug)]
struct Recorder {
    /// For each name, its answers in order; the last one stays.
    names: Mutex<HashMap<String, Vec<Vec<IpAddr>>>>,
    lookups: Mutex<Vec<String>>,
    connects: Mutex<Vec<SocketAddr>>,
    trust: Trust,
    /// Never answers at all.
    stuck: bool,
}

impl Recorder {
    fn new() -> Self {
        Recorder {
            names: Mutex::default(),
            lookups: Mutex::default(),
            connects: Mutex::default(),
            trust: Trust::web(),
            stuck: false,
        }
    }

    /// A resolver that lets everybody wait.
    fn stuck() -> Self {
        Recorder { stuck: true, ..Self::new() }
    }

    fn trusting(mut self, trust: Trust) -> Self {
        self.trust = trust;
        self
    }

    /// One more answer for `name`.
    fn answering(self, name: &str, addresses: &[&str]) -> Self {
        let addresses = addresses.iter().map(|ip| ip.parse().unwrap()).collect();
        self.names.lock().unwrap().entry(name.to_owned()).or_default().push(addresses);
        self
    }

    fn lookups(&self) -> Vec<String> {
        self.lookups.lock().unwrap().clone()
    }

    fn connects(&self) -> Vec<SocketAddr> {
        self.connects.lock().unwrap().clone()
    }
}

#[async_trait]
impl Network for Recorder {
    async fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        self.lookups.lock().unwrap().push(host.to_owned());
        if self.stuck {
            std::future::pending::<()>().await;
        }
        let mut names = self.names.lock().unwrap();
        let answers = names.get_mut(host).ok_or(io::ErrorKind::NotFound)?;
        let answer = if answers.len() > 1 { answers.remove(0) } else { answers[0].clone() };
        Ok(answer.into_iter().map(|ip| SocketAddr::new(ip, port)).collect())
    }

    async fn connect(&self, address: SocketAddr) -> io::Result<Box<dyn Connection>> {
        self.connects.lock().unwrap().push(address);
        if !address.ip().is_loopback() {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        Ok(Box::new(TcpStream::connect(address).await?))
    }

    fn trust(&self) -> Trust {
        self.trust.clone()
    }
}

/// A call's sender, with what it was made from.
struct Bench {
    client: Arc<Client>,
    record: Arc<Record>,
    network: Arc<Recorder>,
}

fn authority(grants: &[&str]) -> Authority {
    let mut authority = Authority::nothing();
    authority.http = grants.iter().map(|line| HttpGrant::parse(line).unwrap()).collect();
    authority
}

impl Bench {
    fn new(grants: &[&str]) -> Self {
        Self::with(authority(grants), Recorder::new())
    }

    fn with(authority: Authority, network: Recorder) -> Self {
        Self::with_vault(authority, network, Arc::new(NoVault))
    }

    fn with_vault(authority: Authority, network: Recorder, vault: Arc<dyn Vault>) -> Self {
        let record = Arc::new(Record::new(&authority.limits));
        let network = Arc::new(network);
        let client = Client::new(Arc::new(authority), record.clone(), network.clone(), vault, Arc::new(NoRates));
        Bench { client: Arc::new(client), record, network }
    }

    /// Sends a request and gives the answer as soon as it begins.
    async fn begin(&self, request: Request<WasiBody>) -> Result<Answer, Error> {
        self.begin_with(request, RequestOptions::default()).await
    }

    async fn begin_with(&self, request: Request<WasiBody>, options: RequestOptions) -> Result<Answer, Error> {
        let (parts, body) = request.into_parts();
        let checked = self.client.admit(&parts)?;
        Ok(self.client.clone().send(checked, body, options).await?)
    }

    /// Sends a request and reads the whole answer.
    async fn send(&self, request: Request<WasiBody>) -> Result<(StatusCode, HeaderMap, Bytes), Error> {
        let (answer, _worker) = self.begin(request).await?;
        let (head, body) = answer.into_parts();
        Ok((head.status, head.headers, body.collect().await?.to_bytes()))
    }

    async fn get(&self, url: &str) -> Result<(StatusCode, HeaderMap, Bytes), Error> {
        self.send(get(url)).await
    }

    fn uses(&self) -> Vec<CapabilityUse> {
        self.record.take_uses().listed
    }

    /// The code of the last refusal.
    fn refusal(&self) -> Option<&'static str> {
        self.record.last_refusal().map(|refusal| refusal.code.as_str())
    }

    fn is_limit(&self, name: LimitName) -> bool {
        self.refusal() == Some(name.code())
    }
}

fn request(method: &str, url: &str, body: &'static [u8]) -> Request<WasiBody> {
    let body = Full::new(Bytes::from_static(body)).map_err(|never| match never {}).boxed_unsync();
    Request::builder().method(method).uri(url).body(body).unwrap()
}

fn get(url: &str) -> Request<WasiBody> {
    request("GET", url, b"")
}
