//! What the component speaks with the host, generated from the WIT files.
//!
//! Only what a plugin uses stays in its component: the linker drops the imports that nothing calls.

#![allow(
    missing_docs,
    unreachable_pub,
    unsafe_code,
    clippy::allow_attributes_without_reason,
    reason = "generated code"
)]

wit_bindgen::generate!({
    inline: r"
        package toolcrib:sdk;

        world sdk {
            include toolcrib:tool/plugin@0.1.0;
            import toolcrib:host/call@0.1.0;
            import toolcrib:host/progress@0.1.0;
            import toolcrib:host/tools@0.1.0;
            import wasi:config/store@0.2.0-rc.1;
            import wasi:keyvalue/store@0.2.0-draft;
            import wasi:keyvalue/atomics@0.2.0-draft;
        }
    ",
    path: ["../../wit/tool", "../../wit/host", "../../wit/wasi-config", "../../wit/wasi-keyvalue"],
    world: "toolcrib:sdk/sdk",
    pub_export_macro: true,
    default_bindings_module: "toolcrib_sdk::__private::bindings",
    generate_all,
});
