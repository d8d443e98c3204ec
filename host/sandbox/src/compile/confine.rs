//! What the worker gives up before it parses a single untrusted byte: files, network, other processes, and memory and
//! time beyond its share. It keeps standard input and output, memory, and threads.

/// Address space of the worker. The compiler needs a few hundred mebibytes for the largest language runtimes.
#[cfg(target_os = "linux")]
const ADDRESS_SPACE_BYTES: u64 = 6 << 30;
/// Processor time of the worker, over all its threads, in seconds. CPython takes 16 s.
#[cfg(target_os = "linux")]
const CPU_SECONDS: u64 = 120;

/// Ends this process when its parent ends: nobody would read what it compiles. The system takes the thread that started
/// this process for its parent; a runtime's threads outlive what they wait for.
#[cfg(target_os = "linux")]
pub(super) fn end_with_parent() -> Result<(), String> {
    use rustix::process::{Signal, getppid, set_parent_process_death_signal};
    let parent = getppid();
    set_parent_process_death_signal(Some(Signal::KILL)).map_err(|e| format!("parent-death signal: {e}"))?;
    // A parent that ended before the signal was asked for sends none. One that was gone before the first look has
    // closed the pipe that the component comes through.
    if getppid() == parent { Ok(()) } else { Err("the parent is gone".to_owned()) }
}

/// Other systems have no such signal; there the limit on time remains.
#[cfg(not(target_os = "linux"))]
pub(super) fn end_with_parent() -> Result<(), String> {
    Ok(())
}

#[cfg(target_os = "linux")]
pub(super) fn give_up_everything() -> Result<(), String> {
    limits().map_err(|e| format!("resource limits: {e}"))?;
    filter().map_err(|e| format!("system-call filter: {e}"))
}

/// Other systems have no filter here; the parent's time-out remains. `docs/limits.md` says so.
#[cfg(not(target_os = "linux"))]
pub(super) fn give_up_everything() -> Result<(), String> {
    Ok(())
}

#[cfg(target_os = "linux")]
fn limits() -> rustix::io::Result<()> {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let to = |bound: u64| Rlimit { current: Some(bound), maximum: Some(bound) };
    setrlimit(Resource::As, to(ADDRESS_SPACE_BYTES))?;
    setrlimit(Resource::Cpu, to(CPU_SECONDS))?;
    setrlimit(Resource::Core, to(0))?;
    setrlimit(Resource::Fsize, to(0))?;
    // No new descriptor of any kind: no file, no socket, no pipe.
    setrlimit(Resource::Nofile, to(0))
}

/// Everything that is not listed answers `EPERM`.
#[cfg(target_os = "linux")]
fn filter() -> Result<(), seccompiler::Error> {
    use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};
    let rules = KEPT.iter().map(|call| (*call, Vec::new())).collect();
    let arch = std::env::consts::ARCH.try_into()?;
    let refuse = SeccompAction::Errno(libc::EPERM as u32);
    let filter = SeccompFilter::new(rules, refuse, SeccompAction::Allow, arch)?;
    let program: BpfProgram = filter.try_into()?;
    seccompiler::apply_filter_all_threads(&program)
}

/// Memory, threads, waiting, randomness, and the two pipes.
#[cfg(target_os = "linux")]
const KEPT: &[libc::c_long] = &[
    libc::SYS_read,
    libc::SYS_write,
    libc::SYS_writev,
    libc::SYS_close,
    libc::SYS_mmap,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_mprotect,
    libc::SYS_madvise,
    libc::SYS_brk,
    libc::SYS_futex,
    libc::SYS_clone,
    libc::SYS_clone3,
    libc::SYS_set_robust_list,
    libc::SYS_rseq,
    libc::SYS_prctl,
    libc::SYS_sched_yield,
    libc::SYS_sched_getaffinity,
    libc::SYS_sigaltstack,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_gettid,
    libc::SYS_getpid,
    libc::SYS_tgkill,
    libc::SYS_getrandom,
    libc::SYS_clock_gettime,
    libc::SYS_clock_nanosleep,
    libc::SYS_membarrier,
    libc::SYS_exit,
    libc::SYS_exit_group,
];
