//! YAML 1.2 in and out.

mod read;
mod scalar;
mod write;

pub(crate) use read::read;
pub(crate) use write::write;
