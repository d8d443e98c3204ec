//! Steps side by side, through the whole runtime: rules, sandbox, a request to a server on this machine, the ledger on disk.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use toolcrib_agent::{Budget, Caps, Draft, Order, StepName};
use toolcrib_policy::OperatorFile;
use toolcrib_runtime::{Crib, Folders, Settings, measure};

use crate::measure::{Table, shown};

const STEPS: usize = 100;

/// How long the server thinks: longer than anything that the host does for one step.
const THINKS: Duration = Duration::from_millis(500);

/// A server that thinks about each request, and knows how many it had at once.
struct Server {
    address: String,
    most: Arc<AtomicUsize>,
}

impl Server {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let seen = Arc::clone(&most);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (now, seen) = (Arc::clone(&now), Arc::clone(&seen));
                std::thread::spawn(move || {
                    let lines = BufReader::new(&stream).lines().map_while(Result::ok);
                    lines.take_while(|line| !line.is_empty()).for_each(drop);
                    seen.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    std::thread::sleep(THINKS);
                    now.fetch_sub(1, Ordering::SeqCst);
                    let head = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close";
                    let _ = write!(&stream, "{head}\r\n\r\nok");
                });
            }
        });
        Self { address, most }
    }
}

pub(crate) async fn rows(table: &mut Table) {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start();
    let policy = format!("[plugin.http]\nhttp = [\"GET http://{}/**\"]\n", server.address);
    let operator = OperatorFile::parse(&policy, "toolcrib.toml", folder.path()).expect("the policy is right");
    let home = folder.path().display().to_string();
    let folders = Folders::usual(folder.path(), |name| (name == "TOOLCRIB_HOME").then(|| home.clone()));
    let settings = Settings::new(folders.expect("folders"), operator, toolcrib_tests::worker());
    let crib = Crib::open(settings).await.expect("the crib opens");
    let fetch = |n: usize| {
        let url = format!("http://{}/{n}", server.address);
        let tool = "http.fetch".parse().expect("a name");
        Draft::step(&StepName::nearest(&format!("fetch_{n}")), tool, json!({ "url": url }))
    };
    let run = async |steps: std::ops::Range<usize>| {
        let budget = Budget { steps: 1_000, ..Budget::default() };
        let caps = Caps { parallel: STEPS, ..Caps::default() };
        let goal = Draft::goal("all of them", Order::Parallel, steps.map(fetch).collect());
        let start = Instant::now();
        let ended = measure::run(&crib, vec![goal], budget, caps).await.expect("the run ends");
        assert_eq!(ended.outcome.name(), "reached", "{:?}", ended.outcome);
        start.elapsed()
    };
    // The first one compiles.
    run(0..1).await;
    let one = run(1..2).await;
    server.most.store(0, Ordering::SeqCst);
    let all = run(100..100 + STEPS).await;
    table.row("one step that waits 500 ms for a server", shown(one), "1.00".to_owned(), "");
    table.ratio("100 parallel steps of that", all, one, "near 1");
    table.row("the same, at once at the server", server.most.load(Ordering::SeqCst).to_string(), String::new(), "100");
}
