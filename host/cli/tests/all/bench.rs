//! A workbench for one test: a folder with a home of its own, and the command in it.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

/// A folder of its own.
pub(crate) struct Bench {
    folder: tempfile::TempDir,
}

/// What a command came to.
pub(crate) struct Done {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Done {
    pub(crate) fn of(output: &std::process::Output) -> Self {
        Done {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Standard output as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("{e}: {}\n{}", self.out, self.err))
    }
}

impl Bench {
    pub(crate) fn new() -> Self {
        let bench = Bench { folder: tempfile::tempdir().expect("a folder") };
        for folder in ["docs", "out"] {
            std::fs::create_dir(bench.path(folder)).expect("a folder");
        }
        bench
    }

    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.folder.path().join(relative)
    }

    pub(crate) fn write(&self, relative: &str, text: &str) {
        std::fs::write(self.path(relative), text).expect("a file");
    }

    pub(crate) fn read(&self, relative: &str) -> String {
        std::fs::read_to_string(self.path(relative)).expect("a file")
    }

    /// Grants `docs` for reading and `out` for writing, and `more` lines.
    pub(crate) fn grant(&self, more: &str) {
        let files = "files = [\"read ./docs as /docs\", \"read-write ./out as /out\"]";
        self.write("toolcrib.toml", &format!("[plugin.files]\n{files}\n\n{more}\n"));
    }

    pub(crate) fn command(&self) -> Command {
        self.in_folder(Command::new(env!("CARGO_BIN_EXE_toolcrib")))
    }

    /// A shell that finds the command by its name.
    pub(crate) fn shell(&self) -> Command {
        let binary = PathBuf::from(env!("CARGO_BIN_EXE_toolcrib"));
        let folder = binary.parent().expect("a folder").display().to_string();
        let mut shell = self.in_folder(Command::new("sh"));
        shell.env("PATH", format!("{folder}:/usr/local/bin:/usr/bin:/bin"));
        shell
    }

    fn in_folder(&self, mut command: Command) -> Command {
        // One compile cache for all tests: what is measured here is not compiling.
        let cache = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("cache");
        command
            .current_dir(self.folder.path())
            .env_clear()
            .env("HOME", self.folder.path())
            .env("XDG_CACHE_HOME", cache)
            .stdin(Stdio::null());
        command
    }

    /// Runs the command.
    pub(crate) fn toolcrib(&self, arguments: &[&str]) -> Done {
        Done::of(&self.command().args(arguments).output().expect("the command runs"))
    }

    /// Runs the command with these bytes on standard input.
    pub(crate) fn with_input(&self, arguments: &[&str], input: &[u8]) -> Done {
        let mut command = self.command();
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the command runs");
        child.stdin.take().expect("its input").write_all(input).expect("written");
        Done::of(&child.wait_with_output().expect("an end"))
    }
}

/// A command at a terminal of its own.
pub(crate) struct AtTerminal {
    child: std::process::Child,
    screen: std::fs::File,
}

impl Bench {
    /// Starts the command at a terminal.
    pub(crate) fn at_terminal(&self, arguments: &[&str]) -> AtTerminal {
        use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
        let screen = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
        grantpt(&screen).and_then(|()| unlockpt(&screen)).expect("its other end");
        let name = ptsname(&screen, Vec::new()).expect("its name");
        let name = name.to_str().expect("text");
        let end = || std::fs::File::options().read(true).write(true).open(name).expect("the other end");
        let mut command = self.command();
        command.args(arguments).stdin(end()).stdout(end()).stderr(end());
        let child = command.spawn().expect("the command runs");
        AtTerminal { child, screen: std::fs::File::from(screen) }
    }
}

impl AtTerminal {
    /// Reads until this stands on the screen, and gives all that was read.
    #[track_caller]
    pub(crate) fn until(&mut self, text: &str) -> String {
        let mut seen = Vec::new();
        let mut piece = [0; 1024];
        loop {
            let shown = String::from_utf8_lossy(&seen).into_owned();
            if shown.contains(text) {
                return shown;
            }
            let read = std::io::Read::read(&mut self.screen, &mut piece).unwrap_or(0);
            assert!(read > 0, "the terminal closed before `{text}`: {shown}");
            seen.extend_from_slice(&piece[..read]);
        }
    }

    /// Presses ctrl-C.
    pub(crate) fn interrupt(&self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::INT).expect("a signal");
    }

    /// Waits for its end: the exit code. What it still writes is read, so that it is not held up.
    pub(crate) fn ended(mut self) -> i32 {
        let mut screen = self.screen.try_clone().expect("the same terminal");
        std::thread::spawn(move || std::io::copy(&mut screen, &mut std::io::sink()));
        self.child.wait().expect("an end").code().unwrap_or(-1)
    }
}

/// Serves these pages on loopback for as long as the process lives: path, media type, body.
pub(crate) fn serve(pages: &'static [(&'static str, &'static str, &'static str)]) -> SocketAddr {
    serve_with(pages.iter().map(|(path, kind, body)| (*path, "200 OK", *kind, *body)).collect())
}

/// The same with the status of each page behind its path.
pub(crate) fn serve_with(pages: Vec<(&'static str, &'static str, &'static str, &'static str)>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut lines = BufReader::new(&stream).lines().map_while(Result::ok);
            let request = lines.next().unwrap_or_default();
            let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
            for line in lines {
                if line.is_empty() {
                    break;
                }
            }
            let page = pages.iter().find(|(known, ..)| *known == path);
            let (status, kind, body) = page
                .map_or(("404 Not Found", "text/plain", "nothing here"), |(_, status, kind, body)| {
                    (*status, *kind, *body)
                });
            let head = format!(
                "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                body.len()
            );
            let mut stream = &stream;
            let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes()));
        }
    });
    address
}
