//! Landlock, a system-call filter, and resource limits.

use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, NetPort, PathBeneath, PathFd, Ruleset,
    RulesetAttr, RulesetCreated, RulesetCreatedAttr, RulesetError, RulesetStatus, Scope,
};

use super::{Needs, Strength, WallReport};

/// What files and network are held by: each right that a kernel may know, up to Linux 6.15.
const FILES: ABI = ABI::V5;
const NETWORK: ABI = ABI::V4;
const SCOPES: ABI = ABI::V6;

/// What every process reads: libraries, the resolver's and the time's files, devices. None of it is private.
const SYSTEM_READ: &[&str] = &[
    "/lib",
    "/lib32",
    "/lib64",
    "/usr/lib",
    "/usr/lib32",
    "/usr/lib64",
    "/usr/local/lib",
    "/usr/share/zoneinfo",
    "/etc/ld.so.cache",
    "/etc/ld.so.preload",
    "/etc/resolv.conf",
    "/etc/hosts",
    "/etc/host.conf",
    "/etc/nsswitch.conf",
    "/etc/gai.conf",
    "/etc/services",
    "/etc/localtime",
    "/etc/timezone",
    "/etc/ssl",
    "/etc/pki",
    "/run/systemd/resolve",
    "/run/resolvconf",
    "/proc/self",
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/proc/stat",
    "/proc/sys/vm",
    "/proc/sys/kernel",
    "/sys/devices/system/cpu",
    "/sys/devices/system/node",
    "/sys/fs/cgroup",
    "/sys/kernel/mm",
    "/dev/urandom",
    "/dev/random",
];

/// Devices that are written to.
const SYSTEM_WRITE: &[&str] = &["/dev/null", "/dev/tty", "/dev/pts"];

/// Where the loader lies that the kernel starts before this program when it compiles in a child.
const LOADERS: &[&str] = &["/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1", "/lib/ld-musl-x86_64.so.1"];

/// Port of DNS over TCP, for answers that do not fit a datagram.
const DNS: u16 = 53;

pub(super) fn raise(needs: &Needs) -> WallReport {
    let dumps = match no_dumps() {
        Ok(()) => Strength::Full,
        Err(error) => Strength::None(error.to_string()),
    };
    let (files, network) = match restrict(needs) {
        Ok(both) => both,
        Err(error) => (Strength::None(error.to_string()), Strength::None(error.to_string())),
    };
    let calls = match filter(needs) {
        Ok(()) => Strength::Full,
        Err(error) => Strength::None(error.to_string()),
    };
    WallReport { files, network, calls, dumps }
}

fn no_dumps() -> rustix::io::Result<()> {
    use rustix::process::{Resource, Rlimit, setrlimit};
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })
}

/// Files first, then the network, each on its own: an older kernel has the one and not the other.
fn restrict(needs: &Needs) -> Result<(Strength, Strength), RulesetError> {
    let all = AccessFs::from_all(FILES);
    let files = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(all)?
        .scope(Scope::from_all(SCOPES))?
        .create()?;
    let files = allow_files(files, needs)?;
    let files = strength(files.restrict_self()?.ruleset, "this kernel knows only some of the rights");
    let ports = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessNet::from_all(NETWORK))?
        .create()?;
    let mut ports = ports;
    for port in needs.ports.iter().copied().chain([DNS]) {
        ports = ports.add_rule(NetPort::new(port, AccessNet::ConnectTcp))?;
    }
    let network = strength(ports.restrict_self()?.ruleset, "this kernel knows only some of the rights");
    Ok((files, network))
}

fn strength(status: RulesetStatus, partly: &str) -> Strength {
    match status {
        RulesetStatus::FullyEnforced => Strength::Full,
        RulesetStatus::PartiallyEnforced => Strength::Partial(partly.to_owned()),
        RulesetStatus::NotEnforced => Strength::None("this kernel does not have it".to_owned()),
    }
}

fn allow_files(mut rules: RulesetCreated, needs: &Needs) -> Result<RulesetCreated, RulesetError> {
    let read = AccessFs::ReadFile | AccessFs::ReadDir;
    let write = AccessFs::from_all(FILES) & !(AccessFs::Execute | AccessFs::MakeBlock | AccessFs::MakeChar);
    let system = SYSTEM_READ.iter().map(PathBuf::from);
    for path in system.chain(needs.read.iter().cloned()) {
        rules = allow(rules, &path, read)?;
    }
    for path in SYSTEM_WRITE.iter().map(PathBuf::from).chain(needs.write.iter().cloned()) {
        rules = allow(rules, &path, write)?;
    }
    let program = std::env::current_exe().ok();
    for path in LOADERS.iter().map(PathBuf::from).chain(program) {
        rules = allow(rules, &path, AccessFs::ReadFile | AccessFs::Execute)?;
    }
    Ok(rules)
}

/// Allows what is there. A path that is not there cannot be reached, and one that appears later stays closed.
fn allow(rules: RulesetCreated, path: &Path, access: BitFlags<AccessFs>) -> Result<RulesetCreated, RulesetError> {
    let Ok(opened) = PathFd::new(path) else { return Ok(rules) };
    // Rights over folders cannot be given on a file.
    let access = if path.is_dir() { access } else { access & AccessFs::from_file(FILES) };
    rules.add_rule(PathBeneath::new(opened, access))
}

/// What neither the host nor a plugin ever needs, and what attackers of hosts like. Everything else stays: the host is a
/// large program, and its guests make no system calls of their own.
fn filter(needs: &Needs) -> Result<(), seccompiler::Error> {
    use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};
    let keyring = if needs.keyring { &[][..] } else { KEYRING };
    let rules = REFUSED.iter().chain(keyring).map(|call| (*call, Vec::new())).collect();
    let arch = std::env::consts::ARCH.try_into()?;
    let refuse = SeccompAction::Errno(libc::EPERM as u32);
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, refuse, arch)?;
    let program: BpfProgram = filter.try_into()?;
    seccompiler::apply_filter_all_threads(&program)
}

/// Refused as well, unless secrets are kept there.
const KEYRING: &[libc::c_long] = &[libc::SYS_keyctl, libc::SYS_add_key, libc::SYS_request_key];

const REFUSED: &[libc::c_long] = &[
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_pidfd_getfd,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
    libc::SYS_kexec_file_load,
    libc::SYS_userfaultfd,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_open_by_handle_at,
    libc::SYS_name_to_handle_at,
    libc::SYS_reboot,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_clock_adjtime,
    libc::SYS_adjtimex,
    libc::SYS_acct,
    libc::SYS_quotactl,
    libc::SYS_personality,
    libc::SYS_setuid,
    libc::SYS_setgid,
    libc::SYS_setreuid,
    libc::SYS_setregid,
    libc::SYS_setresuid,
    libc::SYS_setresgid,
    libc::SYS_setgroups,
    libc::SYS_capset,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_lookup_dcookie,
    libc::SYS_syslog,
    libc::SYS_vhangup,
    libc::SYS_nfsservctl,
];
