//! A server on loopback that counts what was done. It is the truth about effects.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long an effect takes to begin, and its answer to leave: a random kill is to meet each part.
const WORK: Duration = Duration::from_millis(4);
/// Nothing that is waited for here takes longer on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// A request that does nothing.
const NOTHING: &str = "/nothing";

/// Where a request is held, until its sender was killed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Hold {
    /// Before it takes effect. It never does.
    Before(String),
    /// After it took effect, and before it is answered.
    After(String),
}

/// What the server knows.
#[derive(Default)]
struct Facts {
    arrived: BTreeSet<String>,
    /// The idempotency key of each time that something was done.
    done: BTreeMap<String, Vec<Option<String>>>,
    hold: Option<Hold>,
    held: bool,
    busy: usize,
}

/// The server.
#[derive(Clone)]
pub(super) struct Server {
    pub(super) address: SocketAddr,
    shared: Arc<(Mutex<Facts>, Condvar)>,
}

impl Server {
    pub(super) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let server = Server { address, shared: Arc::default() };
        let serving = server.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let serving = serving.clone();
                serving.facts().busy += 1;
                std::thread::spawn(move || {
                    // A sender that is gone is what this is about.
                    let _ = serving.answer(&stream);
                    serving.facts().busy -= 1;
                    serving.shared.1.notify_all();
                });
            }
        });
        server
    }

    fn facts(&self) -> MutexGuard<'_, Facts> {
        self.shared.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait(&self, what: &str, until: impl Fn(&Facts) -> bool) {
        let (guard, late) =
            self.shared.1.wait_timeout_while(self.facts(), PATIENCE, |facts| !until(facts)).expect("a lock");
        drop(guard);
        assert!(!late.timed_out(), "{what}");
    }

    fn answer(&self, stream: &TcpStream) -> std::io::Result<()> {
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
        let (mut length, mut key) = (0, None);
        loop {
            let mut header = String::new();
            if reader.read_line(&mut header)? == 0 {
                // Its sender died before all of it was sent: nothing is done.
                return Ok(());
            }
            let Some((name, value)) = header.trim_end().split_once(": ") else { break };
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.parse().unwrap_or(0),
                "idempotency-key" => key = Some(value.to_owned()),
                _ => {}
            }
        }
        if path == NOTHING {
            return Ok(());
        }
        if reader.take(length).read_to_end(&mut Vec::new())? as u64 != length {
            return Ok(());
        }
        self.facts().arrived.insert(path.clone());
        std::thread::sleep(WORK);
        if self.is_held(Hold::Before(path.clone())) {
            return Ok(());
        }
        self.facts().done.entry(path.clone()).or_default().push(key);
        if self.is_held(Hold::After(path.clone())) {
            return Ok(());
        }
        std::thread::sleep(WORK);
        let body = format!("{{\"path\":\"{path}\"}}");
        let length = body.len();
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
        );
        let mut stream = stream;
        stream.write_all(format!("{head}{body}").as_bytes())
    }

    /// Holds the request that is to be held until it is let go.
    fn is_held(&self, here: Hold) -> bool {
        if self.facts().hold.as_ref() != Some(&here) {
            return false;
        }
        self.facts().held = true;
        self.shared.1.notify_all();
        self.wait("the sender of a request that is held was not killed", |facts| facts.hold.is_none());
        true
    }

    /// Holds the next request of this kind.
    pub(super) fn hold(&self, hold: Hold) {
        let mut facts = self.facts();
        (facts.hold, facts.held) = (Some(hold), false);
    }

    pub(super) fn is_holding(&self) -> bool {
        self.facts().held
    }

    pub(super) fn let_go(&self) {
        self.facts().hold = None;
        self.shared.1.notify_all();
    }

    /// Waits until nothing is being done, so that what is counted is the whole truth. What a sender that was killed had sent
    /// may still be in the queue: whoever comes now is behind it.
    pub(super) fn settle(&self) {
        let mut last = TcpStream::connect(self.address).expect("a connection");
        last.write_all(format!("GET {NOTHING} HTTP/1.1\r\n\r\n").as_bytes()).expect("a request");
        last.read_to_end(&mut Vec::new()).expect("the server has come to it");
        self.wait("the server does not come to rest", |facts| facts.busy == 0);
    }

    pub(super) fn has_arrived(&self, path: &str) -> bool {
        self.facts().arrived.contains(path)
    }

    /// How often this was done.
    pub(super) fn times(&self, path: &str) -> usize {
        self.facts().done.get(path).map_or(0, Vec::len)
    }

    /// With which idempotency keys this was done.
    pub(super) fn keys(&self, path: &str) -> Vec<Option<String>> {
        self.facts().done.get(path).cloned().unwrap_or_default()
    }

    /// How many effects there were, which of them were done too often, and how many requests were known by their key as
    /// one that was done. No two paths share a key. `keyed` are parts of paths that have one.
    pub(super) fn counts(&self, keyed: &[&str]) -> (usize, Vec<String>, usize) {
        let facts = self.facts();
        let (mut effects, mut doubled, mut repeated) = (0, Vec::new(), 0);
        let mut all = BTreeSet::new();
        for (path, keys) in &facts.done {
            if path.ends_with("/price") || path.ends_with("/stock") {
                continue;
            }
            let own: BTreeSet<&String> = keys.iter().flatten().collect();
            assert_eq!(own.is_empty(), !path.split('/').any(|part| keyed.contains(&part)), "{path}");
            assert!(own.iter().all(|key| all.insert((*key).clone())), "{path}: another call had its key");
            let once = own.len().max(1);
            let extra = if own.is_empty() { keys.len() - 1 } else { own.len() - 1 };
            effects += once;
            if extra > 0 {
                doubled.push(format!("{path} {keys:?}"));
            }
            repeated += if own.is_empty() { 0 } else { keys.len() - own.len() };
        }
        (effects, doubled, repeated)
    }
}
