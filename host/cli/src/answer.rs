//! What a person types, as long as anybody waits for it.

use std::io::BufRead;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// How long a look at the terminal lasts before somebody asks whether the answer is still wanted.
const LOOK: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Takes note that the person wants the command to end: no question waits any longer.
pub(crate) fn interrupted() {
    INTERRUPTED.store(true, Ordering::Relaxed);
}

/// Whether the person wants the command to end.
pub(crate) fn is_interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}

/// Says whether an answer is still wanted. Dropping the other half says that it is not.
#[derive(Clone, Default)]
pub(crate) struct Wanted(Arc<AtomicBool>);

/// Wants an answer as long as it lives.
pub(crate) struct Wants(Wanted);

impl Wanted {
    /// Both halves.
    pub(crate) fn pair() -> (Wants, Self) {
        let wanted = Self::default();
        (Wants(wanted.clone()), wanted)
    }

    fn is_over(&self) -> bool {
        self.0.load(Ordering::Relaxed) || is_interrupted()
    }
}

impl Drop for Wants {
    fn drop(&mut self) {
        self.0.0.store(true, Ordering::Relaxed);
    }
}

/// One line from standard input; none at its end, or once nobody wants it any more. Blocks.
pub(crate) fn line(wanted: &Wanted) -> Option<String> {
    let input = std::io::stdin();
    loop {
        if wanted.is_over() {
            return None;
        }
        let mut look = [PollFd::new(&input, PollFlags::IN)];
        match poll(&mut look, Some(&LOOK)) {
            Ok(0) | Err(rustix::io::Errno::INTR) => {}
            Ok(_) => {
                let mut line = String::new();
                return (input.lock().read_line(&mut line).ok()? > 0).then_some(line);
            }
            Err(_) => return None,
        }
    }
}
