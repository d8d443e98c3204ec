//! The interfaces that components import from this host, for complaints about lines that match none of them.

/// Without versions.
pub const KNOWN_INTERFACES: &[&str] = &[
    "toolcrib:host/ask",
    "toolcrib:host/model",
    "toolcrib:host/progress",
    "toolcrib:host/tools",
    "toolcrib:tool/types",
    "wasi:cli/environment",
    "wasi:cli/exit",
    "wasi:cli/stderr",
    "wasi:cli/stdin",
    "wasi:cli/stdout",
    "wasi:cli/terminal-input",
    "wasi:cli/terminal-output",
    "wasi:cli/terminal-stderr",
    "wasi:cli/terminal-stdin",
    "wasi:cli/terminal-stdout",
    "wasi:clocks/monotonic-clock",
    "wasi:clocks/wall-clock",
    "wasi:config/store",
    "wasi:filesystem/preopens",
    "wasi:filesystem/types",
    "wasi:http/outgoing-handler",
    "wasi:http/types",
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
    "wasi:logging/logging",
    "wasi:random/insecure",
    "wasi:random/insecure-seed",
    "wasi:random/random",
    "wasi:sockets/instance-network",
    "wasi:sockets/ip-name-lookup",
    "wasi:sockets/network",
    "wasi:sockets/tcp",
    "wasi:sockets/tcp-create-socket",
    "wasi:sockets/udp",
    "wasi:sockets/udp-create-socket",
];

/// Whether `line` of `reject-imports` names one of them, or a package of them, in whatever version.
pub fn is_known_interface(line: &str) -> bool {
    let name = line.split('@').next().unwrap_or(line);
    KNOWN_INTERFACES.iter().any(|known| *known == name || known.split('/').next() == Some(name))
}
