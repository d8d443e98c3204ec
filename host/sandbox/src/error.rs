//! Why a sandbox could not be made, or a component not be loaded.

use std::path::PathBuf;

use crate::engine::Profile;

/// The sandbox itself could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The engine refused its configuration or could not reserve its pools.
    #[error(
        "the `{}` engine could not start: {detail}; on machines with a low limit on address space, raise `ulimit -v`",
        profile.as_str()
    )]
    Engine {
        /// Which engine.
        profile: Profile,
        /// The engine's own words.
        detail: String,
    },
    /// An interface could not be linked. A defect of this build.
    #[error("the interface `{interface}` could not be linked: {detail}")]
    Link {
        /// The interface.
        interface: &'static str,
        /// The engine's own words.
        detail: String,
    },
    /// The cache of compiled code could not be opened.
    #[error("the compile cache `{}` could not be opened: {source}; give another folder with `--home`", path.display())]
    Cache {
        /// Its folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

/// A component could not become a plugin.
#[derive(Clone, Debug, thiserror::Error)]
pub enum LoadError {
    /// The bytes are no component.
    #[error("not a component: {0}")]
    Invalid(String),
    /// A core module, where a component is needed.
    #[error(
        "this is a core WebAssembly module, not a component; build it for `wasm32-wasip2`, or wrap it with `wasm-tools component new`"
    )]
    CoreModule,
    /// Compiled code, which is never accepted from outside.
    #[error(
        "this is compiled code (`.cwasm`); give the component that it was compiled from, Toolcrib compiles it itself"
    )]
    Precompiled,
    /// More bytes than a component may have.
    #[error("the component has {bytes} bytes; the most that is accepted is {limit}")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// Compiling took too long or too much memory.
    #[error("compiling was stopped: {0}")]
    CompileLimit(String),
    /// The compile worker could not be run.
    #[error("the compile worker failed: {0}")]
    Worker(String),
    /// An import that no supported interface has.
    #[error("imports that this host does not have: {}; a component may import WASI 0.2 and `toolcrib:host`", .0.join(", "))]
    Imports(Vec<String>),
    /// More exports, or larger names or types, than a plugin may have.
    #[error("refused: {0}")]
    Rejected(String),
    /// The plugin did not say what its tools are.
    #[error("the plugin did not list its tools: {0}")]
    ListTools(String),
    /// The engine could not use its own compiled code.
    #[error("the compiled component could not be loaded: {0}")]
    Engine(String),
}

impl LoadError {
    /// A stable code for programs.
    pub fn code(&self) -> &'static str {
        match self {
            LoadError::Invalid(_) | LoadError::CoreModule | LoadError::Precompiled => "component-invalid",
            LoadError::TooLarge { .. } => "component-too-large",
            LoadError::CompileLimit(_) => "compile-limit",
            LoadError::Worker(_) => "compile-worker",
            LoadError::Imports(_) => "import-denied",
            LoadError::Rejected(_) => "component-rejected",
            LoadError::ListTools(_) => "list-tools",
            LoadError::Engine(_) => "engine",
        }
    }
}
