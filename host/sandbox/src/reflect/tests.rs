//! Reflection against real components: text in, the engine's own types and values in between.

mod docs;
mod hostile;
mod mapping;
mod names;
mod roundtrip;
mod schemas;
mod world;
