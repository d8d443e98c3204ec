//! A host that is killed in the middle of its work loses nothing that it has acknowledged.

mod common;

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::{lines, verify};
use serde_json::json;
use toolcrib_ledger::{Durability, Ledger, LedgerError, NewEvent, RunId, RunMeta, Seq};

/// Names the folder to the child, which is this test file once more.
const FOLDER: &str = "TOOLCRIB_LEDGER_CRASH_FOLDER";
const ROUNDS: u64 = 25;

/// Not a test by itself: appends until it is killed, and prints each acknowledgement.
#[test]
#[ignore = "the child process of the other tests in this file"]
fn child_that_appends_until_it_is_killed() {
    let Some(dir) = std::env::var_os(FOLDER).map(PathBuf::from) else {
        return;
    };
    let ledger = Ledger::open(dir).unwrap();
    let mut out = std::io::stdout().lock();
    loop {
        let run = ledger.begin_run(&RunMeta::new("until killed", "running")).unwrap();
        for number in 0..40 {
            let durability = if number % 10 == 9 { Durability::Power } else { Durability::Process };
            let mut event = NewEvent::new("step", json!({ "number": number, "text": "x".repeat(number * 100) }));
            if number == 39 {
                event = event.status("done").ends_run();
            }
            let written = ledger.append(run, event, durability).unwrap();
            writeln!(out, "ack {run} {}", written.seq).unwrap();
        }
    }
}

struct Host {
    child: Child,
    out: BufReader<std::process::ChildStdout>,
}

impl Host {
    fn start(dir: &std::path::Path) -> Self {
        let mut child = Command::new(std::env::current_exe().expect("this test"))
            .args(["--exact", "child_that_appends_until_it_is_killed", "--ignored", "--nocapture"])
            .env(FOLDER, dir)
            .stdout(Stdio::piped())
            .spawn()
            .expect("a child");
        let out = BufReader::new(child.stdout.take().expect("its output"));
        Self { child, out }
    }

    /// Reads up to the next acknowledgement; the test harness prints lines of its own.
    fn ack(&mut self) -> Option<(RunId, Seq)> {
        let mut line = String::new();
        while self.out.read_line(&mut line).expect("text") > 0 {
            if let Some(at) = line.find("ack ")
                && line.ends_with('\n')
            {
                let mut words = line[at + 4..].split_whitespace();
                let run = words.next()?.parse().ok()?;
                return Some((run, Seq::new(words.next()?.parse().ok()?)));
            }
            line.clear();
        }
        None
    }

    /// Kills it, and gives all acknowledgements that it had still sent.
    fn kill(mut self) -> Vec<(RunId, Seq)> {
        self.child.kill().expect("SIGKILL");
        self.child.wait().expect("its end");
        std::iter::from_fn(|| self.ack()).collect()
    }
}

#[test]
fn no_acknowledged_event_is_lost_when_the_host_is_killed() {
    let dir = tempfile::tempdir().unwrap();
    let mut checkpoint = None;
    let mut acknowledged = 0;
    for round in 0..ROUNDS {
        let mut host = Host::start(dir.path());
        let mut acks = vec![host.ack().expect("a first acknowledgement")];
        let until = Instant::now() + Duration::from_micros(700 * (round * round % 37));
        while Instant::now() < until {
            acks.extend(host.ack());
        }
        acks.extend(host.kill());
        acknowledged += acks.len();

        // The lock died with the host, and what it wrote is there.
        let ledger = Ledger::open(dir.path()).unwrap();
        for (run, seq) in acks {
            let event = ledger.event(run, seq).unwrap();
            assert_eq!(event.payload.unwrap()["number"], seq.get() - 1);
        }
        let report = match checkpoint {
            None => verify(&ledger),
            Some(checkpoint) => ledger.verify_against(&checkpoint, |_| ()).unwrap(),
        };
        assert!(report.is_sound(), "{:?} {:?}", report.checkpoint, lines(&report));
        checkpoint = Some(ledger.checkpoint().unwrap());
    }
    assert!(acknowledged > 2 * usize::try_from(ROUNDS).unwrap(), "{acknowledged}");
}

#[test]
fn another_process_may_read_but_not_write_while_a_host_writes() {
    let dir = tempfile::tempdir().unwrap();
    let mut host = Host::start(dir.path());
    let (run, seq) = host.ack().expect("an acknowledgement");
    let pid = host.child.id();
    let refused = Ledger::open(dir.path()).unwrap_err();
    assert!(matches!(refused, LedgerError::Locked { pid: Some(holder), .. } if holder == pid), "{refused}");
    let reader = Ledger::open_read_only(dir.path()).unwrap();
    for _ in 0..20 {
        assert!(reader.event(run, seq).is_ok());
        let report = verify(&reader);
        assert!(report.is_sound(), "{:?}", lines(&report));
        host.ack().expect("it goes on");
    }
    host.kill();
    // Nobody has closed the ledger, and it can still be read without writing to it.
    assert!(verify(&reader).is_sound());
    assert!(verify(&Ledger::open_read_only(dir.path()).unwrap()).is_sound());
}
