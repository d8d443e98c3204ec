//! `wasi:sockets`: inert. Toolchains for Python and others import it whether a program uses it or not, so the imports
//! bind, and what would make a socket or look up a name is refused. There is no code here that could open one.

use toolcrib_policy::{Refusal, RefusalCode};
use wasmtime::component::{Linker, LinkerInstance, Resource, ResourceType, Val};
use wasmtime::{Result, StoreContextMut};

use super::{Capability, Setup};
use crate::call::CallState;

pub(crate) struct Sockets;

/// The versions of WASI 0.2 differ in nothing that matters here; the linker matches them all.
const VERSION: &str = "0.2.0";

/// What a refused function answers: the `access-denied` of `wasi:sockets/network.error-code`.
const DENIED: &str = "access-denied";

/// What stands behind a handle: nothing. Only `network` has handles, which lead to refusals.
struct Inert;

/// An interface: its name, its own resources, and its functions.
type Interface = (&'static str, &'static [&'static str], &'static [&'static str]);

const INTERFACES: &[Interface] = &[
    ("network", &["network"], &[]),
    (
        "ip-name-lookup",
        &["resolve-address-stream"],
        &[
            "resolve-addresses",
            "[method]resolve-address-stream.resolve-next-address",
            "[method]resolve-address-stream.subscribe",
        ],
    ),
    ("tcp-create-socket", &[], &["create-tcp-socket"]),
    ("udp-create-socket", &[], &["create-udp-socket"]),
    (
        "tcp",
        &["tcp-socket"],
        &[
            "[method]tcp-socket.start-bind",
            "[method]tcp-socket.finish-bind",
            "[method]tcp-socket.start-connect",
            "[method]tcp-socket.finish-connect",
            "[method]tcp-socket.start-listen",
            "[method]tcp-socket.finish-listen",
            "[method]tcp-socket.accept",
            "[method]tcp-socket.local-address",
            "[method]tcp-socket.remote-address",
            "[method]tcp-socket.is-listening",
            "[method]tcp-socket.address-family",
            "[method]tcp-socket.set-listen-backlog-size",
            "[method]tcp-socket.keep-alive-enabled",
            "[method]tcp-socket.set-keep-alive-enabled",
            "[method]tcp-socket.keep-alive-idle-time",
            "[method]tcp-socket.set-keep-alive-idle-time",
            "[method]tcp-socket.keep-alive-interval",
            "[method]tcp-socket.set-keep-alive-interval",
            "[method]tcp-socket.keep-alive-count",
            "[method]tcp-socket.set-keep-alive-count",
            "[method]tcp-socket.hop-limit",
            "[method]tcp-socket.set-hop-limit",
            "[method]tcp-socket.receive-buffer-size",
            "[method]tcp-socket.set-receive-buffer-size",
            "[method]tcp-socket.send-buffer-size",
            "[method]tcp-socket.set-send-buffer-size",
            "[method]tcp-socket.subscribe",
            "[method]tcp-socket.shutdown",
        ],
    ),
    (
        "udp",
        &["udp-socket", "incoming-datagram-stream", "outgoing-datagram-stream"],
        &[
            "[method]udp-socket.start-bind",
            "[method]udp-socket.finish-bind",
            "[method]udp-socket.stream",
            "[method]udp-socket.local-address",
            "[method]udp-socket.remote-address",
            "[method]udp-socket.address-family",
            "[method]udp-socket.unicast-hop-limit",
            "[method]udp-socket.set-unicast-hop-limit",
            "[method]udp-socket.receive-buffer-size",
            "[method]udp-socket.set-receive-buffer-size",
            "[method]udp-socket.send-buffer-size",
            "[method]udp-socket.set-send-buffer-size",
            "[method]udp-socket.subscribe",
            "[method]incoming-datagram-stream.receive",
            "[method]incoming-datagram-stream.subscribe",
            "[method]outgoing-datagram-stream.check-send",
            "[method]outgoing-datagram-stream.send",
            "[method]outgoing-datagram-stream.subscribe",
        ],
    ),
];

impl Capability for Sockets {
    const NAME: &'static str = "sockets";
    const INTERFACES: &'static [&'static str] = &[
        "wasi:sockets/network",
        "wasi:sockets/instance-network",
        "wasi:sockets/ip-name-lookup",
        "wasi:sockets/tcp-create-socket",
        "wasi:sockets/udp-create-socket",
        "wasi:sockets/tcp",
        "wasi:sockets/udp",
    ];
    const REACH: Option<&'static str> =
        Some("inert: it imports sockets, which this host does not have; each use is refused");
    type State = ();

    fn link(linker: &mut Linker<CallState>) -> Result<()> {
        for (name, resources, functions) in INTERFACES {
            let mut interface = linker.instance(&format!("wasi:sockets/{name}@{VERSION}"))?;
            for resource in *resources {
                interface.resource(resource, ResourceType::host::<Inert>(), |_, _| Ok(()))?;
            }
            for function in *functions {
                refuse(&mut interface, function)?;
            }
        }
        // It has no error to give, and libraries ask for it before the operation that can be refused.
        linker
            .instance(&format!("wasi:sockets/instance-network@{VERSION}"))?
            .func_wrap("instance-network", |_, (): ()| Ok((Resource::<Inert>::new_own(0),)))
    }

    fn prepare(_setup: &Setup<'_>) {}
}

/// Binds a function that answers `access-denied`, or traps where its type has no place for an error.
fn refuse(interface: &mut LinkerInstance<'_, CallState>, function: &'static str) -> Result<()> {
    interface.func_new(function, move |mut store: StoreContextMut<'_, CallState>, _, params, results: &mut [Val]| {
        // A borrowed handle that is not given back traps at the end of the call.
        for param in params {
            if let Val::Resource(handle) = param {
                handle.try_into_resource::<Inert>(&mut store)?;
            }
        }
        let refusal = refusal(function);
        let record = &store.data().record;
        record.refused(Sockets::NAME, "use", function, &refusal);
        match results {
            [result] => {
                *result = Val::Result(Err(Some(Box::new(Val::Enum(DENIED.to_owned())))));
                Ok(())
            }
            _ => Err(wasmtime::Error::new(refusal)),
        }
    })
}

fn refusal(function: &str) -> Refusal {
    Refusal::new(
        RefusalCode::NetDenied,
        format!("`wasi:sockets` is never available (`{function}`); a tool reaches the network through `wasi:http`"),
    )
}
