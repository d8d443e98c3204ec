//! Servers on this machine that say what a test tells them to, to whoever connects.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// What a server says once it has read the head of a request.
#[derive(Clone, Debug)]
pub(super) enum Say {
    /// These bytes.
    Text(&'static str),
    /// Nothing, for so many milliseconds.
    Wait(u64),
    /// These bytes again and again, with so many milliseconds between.
    Forever(&'static str, u64),
    /// Reads on until the client is done or gone, then goes on.
    Drain,
}

pub(super) const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

/// A server that ends with the test.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    state: Arc<State>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct State {
    requests: Mutex<Vec<String>>,
    open: AtomicUsize,
    most_open: AtomicUsize,
}

impl Server {
    /// Says the same to each connection, and closes it.
    pub(super) async fn saying(script: &[Say]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (script, state) = (script.to_vec(), Arc::new(State::default()));
        let shared = state.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, script.clone(), shared.clone()));
            }
        });
        Server { address, state, task }
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// A grant for everything on this server.
    pub(super) fn grant(&self) -> String {
        format!("* http://{}/**", self.address)
    }

    /// What each connection sent so far.
    pub(super) fn requests(&self) -> Vec<String> {
        self.state.requests.lock().unwrap().clone()
    }

    pub(super) fn open(&self) -> usize {
        self.state.open.load(Ordering::SeqCst)
    }

    pub(super) fn most_open(&self) -> usize {
        self.state.most_open.load(Ordering::SeqCst)
    }

    /// Waits until no connection is open any more.
    pub(super) async fn all_closed(&self) {
        for _ in 0..500 {
            if self.open() == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{} connections are still open", self.open());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Serves one connection.
async fn serve<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, script: Vec<Say>, state: Arc<State>) {
    let nth = {
        let mut requests = state.requests.lock().unwrap();
        requests.push(String::new());
        requests.len() - 1
    };
    let now = state.open.fetch_add(1, Ordering::SeqCst) + 1;
    state.most_open.fetch_max(now, Ordering::SeqCst);
    if read_until(&mut stream, &state, nth, Some("\r\n\r\n")).await {
        for say in script {
            if perform(&mut stream, say, &state, nth).await.is_err() {
                break;
            }
        }
    }
    state.open.fetch_sub(1, Ordering::SeqCst);
}

async fn perform<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    say: Say,
    state: &State,
    nth: usize,
) -> std::io::Result<()> {
    match say {
        Say::Text(text) => stream.write_all(text.as_bytes()).await,
        Say::Wait(time) => {
            // A client that hangs up meanwhile ends the wait.
            let gone = read_until(stream, state, nth, None);
            match tokio::time::timeout(Duration::from_millis(time), gone).await {
                Ok(_) => Err(std::io::ErrorKind::ConnectionReset.into()),
                Err(_) => Ok(()),
            }
        }
        Say::Forever(text, pause) => loop {
            stream.write_all(text.as_bytes()).await?;
            tokio::time::sleep(Duration::from_millis(pause)).await;
        },
        Say::Drain => {
            read_until(stream, state, nth, Some("0\r\n\r\n")).await;
            Ok(())
        }
    }
}

/// Reads until the request ends with `end`, or the client is gone, which gives `false`.
async fn read_until<S: AsyncRead + Unpin>(stream: &mut S, state: &State, nth: usize, end: Option<&str>) -> bool {
    let mut buffer = [0; 4096];
    loop {
        let whole = end.is_some_and(|end| state.requests.lock().unwrap()[nth].contains(end));
        if whole {
            return true;
        }
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return false,
            Ok(read) => {
                let text = String::from_utf8_lossy(&buffer[..read]).into_owned();
                state.requests.lock().unwrap()[nth].push_str(&text);
            }
        }
    }
}

/// Serves one TLS connection, and gives the name that the client asked for.
pub(super) async fn serve_tls(listener: TcpListener, config: Arc<rustls::ServerConfig>) -> Option<String> {
    let (stream, _) = listener.accept().await.ok()?;
    let stream = tokio_rustls::TlsAcceptor::from(config).accept(stream).await.ok()?;
    let name = stream.get_ref().1.server_name().map(str::to_owned);
    serve(stream, vec![Say::Text(OK)], Arc::new(State::default())).await;
    name
}
