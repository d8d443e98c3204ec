//! Host-side bindings, generated from `wit/`.

/// The contract of describing components.
pub(crate) mod tool {
    wasmtime::component::bindgen!({
        path: "../../wit/tool",
        world: "toolcrib:tool/plugin",
        exports: { default: async },
    });
}

/// What a tool may import beyond WASI.
pub(crate) mod host {
    wasmtime::component::bindgen!({
        path: ["../../wit/tool", "../../wit/host"],
        world: "toolcrib:host/imports",
        imports: {
            "toolcrib:host/tools.call": async | trappable,
            "toolcrib:host/ask.text": async | trappable,
            "toolcrib:host/model.complete": async | trappable,
            default: trappable,
        },
        with: { "toolcrib:tool/types": crate::bindings::tool::toolcrib::tool::types },
    });
}

/// `wasi:config`, a published draft.
pub(crate) mod config {
    wasmtime::component::bindgen!({
        path: "../../wit/wasi-config",
        world: "wasi:config/imports",
        imports: { default: trappable },
    });
}

/// `wasi:keyvalue`, a published draft.
pub(crate) mod keyvalue {
    wasmtime::component::bindgen!({
        path: "../../wit/wasi-keyvalue",
        world: "wasi:keyvalue/imports",
        imports: { default: async | trappable },
        with: { "wasi:keyvalue/store.bucket": crate::capability::keyvalue::OpenBucket },
    });
}

/// `wasi:logging`, a published draft.
pub(crate) mod logging {
    wasmtime::component::bindgen!({
        path: "../../wit/wasi-logging",
        world: "wasi:logging/imports",
        imports: { default: trappable },
    });
}

/// `wasi:filesystem`, over descriptors of our own.
pub(crate) mod filesystem {
    wasmtime::component::bindgen!({
        path: "../../wit/wasi-filesystem",
        world: "wasi:filesystem/imports",
        imports: {
            "wasi:filesystem/preopens.get-directories": async | trappable,
            "wasi:filesystem/types.[method]descriptor.read-via-stream": trappable,
            "wasi:filesystem/types.[method]descriptor.write-via-stream": trappable,
            "wasi:filesystem/types.[method]descriptor.append-via-stream": trappable,
            "wasi:filesystem/types.[method]directory-entry-stream.read-directory-entry": trappable,
            "wasi:filesystem/types.[drop]descriptor": trappable,
            "wasi:filesystem/types.[drop]directory-entry-stream": trappable,
            "wasi:filesystem/types.filesystem-error-code": trappable,
            default: async | trappable,
        },
        trappable_error_type: {
            "wasi:filesystem/types.error-code" => crate::capability::files::FsError,
        },
        with: {
            "wasi:io": wasmtime_wasi_io::bindings::wasi::io,
            "wasi:clocks": wasmtime_wasi::p2::bindings::clocks,
            "wasi:filesystem/types.descriptor": crate::capability::files::Descriptor,
            "wasi:filesystem/types.directory-entry-stream": crate::capability::files::Entries,
        },
    });
}
