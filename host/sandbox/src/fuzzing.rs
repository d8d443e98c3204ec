//! Seams for fuzz targets. Not for products.

use serde_json::Value;
use toolcrib_secrets::Secret;
use wasmtime::component::Component;
use wasmtime::{Config, Engine};

use crate::capability::http::masked_pieces;
use crate::reflect::{Docs, Entry, Reflection, Returned, Signature};

/// The functions of a trusted component, as reflection sees them.
pub struct Functions {
    /// Types live in the engine that compiled them.
    _component: Component,
    signatures: Vec<Signature>,
}

/// What came of arguments.
#[derive(Clone, Debug, PartialEq)]
pub enum Read {
    /// They do not fit, and where.
    Refused(String),
    /// The same, as the host writes it: each argument, in order.
    Canonical(Vec<Value>),
}

impl Functions {
    /// Compiles a component in this process and reflects its functions, each from one argument `x` of a type to a tuple of
    /// that type.
    ///
    /// # Errors
    ///
    /// It is no component, or none of its functions is a tool.
    pub fn of(component: &[u8]) -> Result<Self, String> {
        let mut config = Config::new();
        config.wasm_component_model_map(true).wasm_component_model_fixed_length_lists(true);
        let engine = Engine::new(&config).map_err(|error| error.to_string())?;
        let component = Component::new(&engine, component).map_err(|error| error.to_string())?;
        let reflection = Reflection::of(&engine, &component.component_type()).map_err(|error| error.to_string())?;
        let signature = |entry: Entry| match entry {
            Entry::Function(signature) => Some(signature),
            Entry::Command(_) => None,
        };
        let signatures = reflection.tools.into_iter().filter_map(|tool| signature(tool.entry)).collect();
        Ok(Self { _component: component, signatures })
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.signatures.len()
    }

    /// Reads the arguments of a function, and writes down what was read.
    pub fn read(&self, function: usize, arguments: &Value) -> Option<Read> {
        let signature = self.signatures.get(function)?;
        let values = match signature.arguments(arguments) {
            Ok(values) => values,
            Err(error) => return Some(Read::Refused(format!("{}: {error}", error.path()))),
        };
        let result = wasmtime::component::Val::Tuple(values);
        match signature.returned(vec![result], u64::MAX) {
            Ok(Returned::Ok(Some(Value::Array(written)))) => Some(Read::Canonical(written)),
            other => Some(Read::Refused(format!("what was read cannot be written: {other:?}"))),
        }
    }
}

/// Reads the documentation inside any bytes, and says how long what was found is in words.
pub fn docs(component: &[u8]) -> usize {
    format!("{:?}", Docs::read(component)).len()
}

/// Masks `secrets` in a text that comes in pieces.
pub fn masked(secrets: &[&str], pieces: &[&[u8]]) -> Option<Vec<u8>> {
    let secrets: Vec<Secret> = secrets.iter().map(|secret| Secret::new((*secret).to_owned())).collect();
    masked_pieces(&secrets, pieces)
}
