//! The world of the tasks: a folder, and a server on this machine that counts.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use toolcrib_policy::OperatorFile;
use toolcrib_runtime::{Crib, Folders, Settings};

use crate::tasks::Task;

/// What the server has and what it got.
#[derive(Default)]
struct Shop {
    pages: BTreeMap<String, String>,
    posts: Vec<(String, String)>,
}

pub(crate) struct World {
    home: tempfile::TempDir,
    pub(crate) crib: Crib,
    pub(crate) server: String,
    shop: Arc<Mutex<Shop>>,
}

impl World {
    /// One crib for all runs, so that each plugin is compiled once.
    pub(crate) async fn new() -> Self {
        let home = tempfile::tempdir().expect("a folder");
        for folder in ["in", "out"] {
            std::fs::create_dir(home.path().join(folder)).expect("a folder");
        }
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let server = format!("http://{}", listener.local_addr().expect("an address"));
        let shop = Arc::new(Mutex::new(Shop::default()));
        let serving = shop.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                serve(&stream, &serving);
            }
        });
        let policy = format!(
            "[plugin.files]\nfiles = [\"read ./in as /in\", \"read-write ./out as /out\"]\n\n[plugin.http]\nhttp = [\"GET,POST {server}/**\"]\n"
        );
        let operator = OperatorFile::parse(&policy, "toolcrib.toml", home.path()).expect("the policy is right");
        let place = home.path().display().to_string();
        let folders = Folders::usual(home.path(), |name| (name == "TOOLCRIB_HOME").then(|| place.clone()));
        let settings = Settings::new(folders.expect("folders"), operator, toolcrib_tests::worker());
        let crib = Crib::open(settings).await.expect("the crib opens");
        Self { home, crib, server, shop }
    }

    /// The world as the task finds it.
    pub(crate) fn set(&self, task: &Task) {
        for folder in ["in", "out"] {
            let folder = self.home.path().join(folder);
            for entry in std::fs::read_dir(&folder).expect("a folder").flatten() {
                std::fs::remove_file(entry.path()).expect("a file");
            }
        }
        for (path, text) in &task.files {
            std::fs::write(self.place(path), text).expect("a file");
        }
        let mut shop = self.shop.lock().unwrap_or_else(PoisonError::into_inner);
        shop.pages = task.pages.iter().map(|(path, body)| ((*path).to_owned(), (*body).to_owned())).collect();
        shop.posts.clear();
    }

    fn place(&self, path: &str) -> PathBuf {
        self.home.path().join(Path::new(path).strip_prefix("/").unwrap_or(Path::new(path)))
    }

    /// The bytes of a file as text; nothing where there is none.
    pub(crate) fn file(&self, path: &str) -> String {
        std::fs::read_to_string(self.place(path)).unwrap_or_default()
    }

    /// How many files a run left.
    pub(crate) fn left(&self) -> usize {
        std::fs::read_dir(self.home.path().join("out")).map_or(0, Iterator::count)
    }

    /// What the server got, in order.
    pub(crate) fn posts(&self) -> Vec<(String, String)> {
        self.shop.lock().unwrap_or_else(PoisonError::into_inner).posts.clone()
    }
}

/// One request, one answer.
fn serve(stream: &TcpStream, shop: &Mutex<Shop>) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace();
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut length = 0;
    loop {
        let mut header = String::new();
        if reader.read_line(&mut header).ok()? == 0 || header == "\r\n" {
            break;
        }
        if let Some(value) = header.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let mut shop = shop.lock().unwrap_or_else(PoisonError::into_inner);
    let (status, said) = if method == "POST" {
        shop.posts.push((path, String::from_utf8(body).ok()?));
        ("201 Created", "{\"accepted\":true}".to_owned())
    } else {
        shop.pages.get(&path).map_or(("404 Not Found", "{}".to_owned()), |page| ("200 OK", page.clone()))
    };
    let head = format!("HTTP/1.1 {status}\r\ncontent-type: application/json\r\nconnection: close");
    write!(&mut &*stream, "{head}\r\ncontent-length: {}\r\n\r\n{said}", said.len()).ok()
}
