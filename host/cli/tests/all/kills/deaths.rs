//! Ways to die, all of them `SIGKILL` from outside.

use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rustix::fs::{OFlags, fcntl_setfl};

use super::Case;
use super::server::Hold;

/// How the process dies.
pub(super) enum Death {
    /// It lives until it ends by itself.
    None,
    /// Once the run has so many events, before anything follows from the last of them.
    After(usize),
    /// While the server holds its request.
    Held(Hold),
    /// After this time.
    Later(Duration),
}

/// A bound for what cannot take long.
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_millis(2);

/// Runs the command until it dies so: the kinds of the events that it said it had recorded. None where it ended by itself.
pub(super) fn live(case: &mut Case<'_>, arguments: &[String], death: &Death) -> Option<Vec<String>> {
    let mut command = case.bench.command();
    command.args(arguments).env("TOOLCRIB_LOG", "toolcrib_agent=debug").stdout(Stdio::null());
    match death {
        Death::None => {
            let ended = command.stderr(Stdio::piped()).output().expect("the command runs");
            let words = String::from_utf8_lossy(&ended.stderr);
            assert!(ended.status.code().is_some_and(|code| [0, 4].contains(&code)), "{:?}: {words}", ended.status);
            None
        }
        Death::After(events) => {
            let (mut log, full) = full_pipe();
            let mut child = command.stderr(full).spawn().expect("the command runs");
            drop(command);
            // The line about the first event finds no room. Each packet that is read makes room for one line more.
            let mut packet = [0; 4096];
            let mut said = Vec::new();
            let mut read = || {
                let length = log.read(&mut packet).expect("a packet");
                said.extend(recorded(&packet[..length]));
                length
            };
            for _ in 1..*events {
                read();
            }
            let begun = Instant::now();
            while case.events().len() < *events {
                case.find();
                assert!(begun.elapsed() < PATIENCE, "{}: it did not come so far: {}", case.tag, case.events().len());
                assert!(child.try_wait().expect("a state").is_none(), "{}: it ended before", case.tag);
                std::thread::sleep(LOOK);
            }
            kill(&mut child);
            while read() > 0 {}
            Some(said)
        }
        Death::Held(hold) => {
            case.server.hold(hold.clone());
            let mut child = command.stderr(Stdio::null()).spawn().expect("the command runs");
            let begun = Instant::now();
            while !case.server.is_holding() {
                assert!(begun.elapsed() < PATIENCE, "{}: nothing was held", case.tag);
                std::thread::sleep(LOOK);
            }
            kill(&mut child);
            case.server.let_go();
            Some(Vec::new())
        }
        Death::Later(time) => {
            let mut child = command.stderr(Stdio::piped()).spawn().expect("the command runs");
            std::thread::sleep(*time);
            let alive = child.try_wait().expect("a state").is_none();
            kill(&mut child);
            let mut words = Vec::new();
            child.stderr.take().expect("its log").read_to_end(&mut words).expect("its log");
            let said: Vec<String> =
                String::from_utf8_lossy(&words).lines().flat_map(|line| recorded(line.as_bytes())).collect();
            alive.then_some(said)
        }
    }
}

fn kill(child: &mut Child) {
    child.kill().expect("SIGKILL");
    child.wait().expect("an end");
}

/// The kind of the event that a line of the log is about.
fn recorded(line: &[u8]) -> Option<String> {
    let line = String::from_utf8_lossy(line);
    let kind = line.split("recorded event=\"").nth(1)?.split('"').next()?;
    Some(kind.to_owned())
}

/// A pipe in which every write takes a place of its own, and no place is free.
fn full_pipe() -> (File, Stdio) {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    let (reader, writer) = (OwnedFd::from(reader), OwnedFd::from(writer));
    fcntl_setfl(&writer, OFlags::DIRECT | OFlags::NONBLOCK).expect("a pipe of packets");
    while rustix::io::write(&writer, b"-").is_ok() {}
    fcntl_setfl(&writer, OFlags::DIRECT).expect("a pipe that waits");
    (File::from(reader), Stdio::from(writer))
}

/// Numbers by chance, the same for the same seed (SplitMix64).
pub(super) struct Chance(u64);

impl Chance {
    pub(super) fn new(seed: u64) -> Self {
        Chance(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(super) fn percent(&mut self) -> u64 {
        self.next() % 100
    }

    /// A time up to this one.
    pub(super) fn within(&mut self, most: Duration) -> Duration {
        let micros = u64::try_from(most.as_micros()).expect("a short time").max(1);
        Duration::from_micros(self.next() % micros)
    }
}

/// A seed of the moment.
pub(super) fn seed() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    u64::try_from(now.as_micros()).unwrap_or_default()
}
