//! YAML 1.2 with its core schema.

mod read;
mod scalar;
mod write;

pub(super) use read::read;
pub(super) use write::write;
