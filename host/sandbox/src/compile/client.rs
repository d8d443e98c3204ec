//! The parent's side: starts the worker, feeds it, bounds it, and reads its answer.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};
use tokio::sync::Semaphore;

use super::protocol::{Answer, Compiled, decode};
use crate::engine::Profile;
use crate::error::LoadError;

/// How long one component may take to compile, by the clock. The worker's own limit on processor time is what says
/// that a component is too much; this one ends a worker that gets no processor, or hangs.
const COMPILE_TIME: Duration = Duration::from_secs(600);
/// The most bytes that compiled code may have.
const MAX_CODE_BYTES: u64 = 512 << 20;
/// What is kept of the worker's last words.
const MAX_STDERR_BYTES: u64 = 4096;
/// Workers at once: compiling uses every core on its own.
const WORKERS: usize = 2;

/// The program that compiles untrusted components, such as `toolcrib compile-worker`.
///
/// It is started with the profile's name as its last argument, an empty environment and `/` as its folder, and must
/// call [`compile_worker`](super::compile_worker).
#[derive(Clone, Debug)]
pub struct WorkerCommand {
    /// The program.
    pub program: PathBuf,
    /// Arguments before the profile's name.
    pub arguments: Vec<String>,
}

#[derive(Debug)]
pub(crate) struct Compiler {
    command: WorkerCommand,
    slots: Semaphore,
    time: Duration,
}

impl Compiler {
    pub(crate) fn new(command: WorkerCommand) -> Self {
        Compiler { command, slots: Semaphore::new(WORKERS), time: COMPILE_TIME }
    }

    pub(crate) async fn compile(&self, profile: Profile, component: &[u8]) -> Result<Compiled, LoadError> {
        let _slot = self.slots.acquire().await.map_err(|e| LoadError::Worker(e.to_string()))?;
        let mut child = self.spawn(profile)?;
        let exchange = tokio::time::timeout(self.time, exchange(&mut child, component)).await;
        let (answer, last_words) = match exchange {
            Ok(result) => result.map_err(|e| LoadError::Worker(e.to_string()))?,
            Err(_) => {
                let _ = child.kill().await;
                // Said of the worker and not of the component: a busy machine passes.
                let why =
                    format!("it did not end within {} s; the machine may be busy, try again", self.time.as_secs());
                return Err(LoadError::Worker(why));
            }
        };
        let status = child.wait().await.map_err(|e| LoadError::Worker(e.to_string()))?;
        if !status.success() {
            return Err(ended_badly(status, &last_words));
        }
        match decode(answer)? {
            (Answer::Compiled(facts), code) => Ok(Compiled { facts, code }),
            (Answer::Invalid(why), _) => Err(LoadError::Invalid(one_line(&why))),
            (Answer::Rejected(why), _) => Err(LoadError::Rejected(one_line(&why))),
        }
    }

    fn spawn(&self, profile: Profile) -> Result<Child, LoadError> {
        Command::new(&self.command.program)
            .args(&self.command.arguments)
            .arg(profile.as_str())
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|e| LoadError::Worker(format!("`{}` did not start: {e}", self.command.program.display())))
    }
}

/// Writes the component while reading the answer, so that neither side waits for a full pipe.
async fn exchange(child: &mut Child, component: &[u8]) -> std::io::Result<(Bytes, String)> {
    let (Some(mut stdin), Some(stdout), Some(stderr)) = (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        return Err(std::io::Error::other("the worker has no pipes"));
    };
    let feed = async {
        // A worker that refuses early closes its end; what it said is what counts.
        let _ = stdin.write_all(component).await;
        drop(stdin);
    };
    let mut answer = Vec::new();
    let mut last_words = Vec::new();
    let mut limited_answer = stdout.take(MAX_CODE_BYTES);
    let mut limited_words = stderr.take(MAX_STDERR_BYTES);
    let ((), read, words) =
        tokio::join!(feed, limited_answer.read_to_end(&mut answer), limited_words.read_to_end(&mut last_words));
    read?;
    words?;
    Ok((Bytes::from(answer), String::from_utf8_lossy(&last_words).trim().to_owned()))
}

/// The compiler's words quote names from the component: they end no line and steer no terminal.
fn one_line(words: &str) -> String {
    words.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// A worker that died of its limits says nothing about the component but that it asks for too much.
fn ended_badly(status: std::process::ExitStatus, last_words: &str) -> LoadError {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return LoadError::CompileLimit(match signal {
            libc::SIGXCPU | libc::SIGKILL => "it used up the processor time of the compile worker".to_owned(),
            libc::SIGABRT | libc::SIGSEGV | libc::SIGBUS => {
                "it used up the memory or stack of the compile worker".to_owned()
            }
            other => format!("the compile worker ended with signal {other}"),
        });
    }
    LoadError::Worker(format!("{status}: {last_words}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_worker_that_takes_too_long_by_the_clock_says_nothing_about_the_component() {
        let arguments = ["-c", "exec sleep 60"].map(str::to_owned).into();
        let mut compiler = Compiler::new(WorkerCommand { program: "/bin/sh".into(), arguments });
        compiler.time = Duration::from_millis(50);
        let error = compiler.compile(Profile::Small, b"").await.unwrap_err();
        assert_eq!(error.code(), "compile-worker", "{error}");
        assert!(error.to_string().contains("the machine may be busy"), "{error}");
    }
}
