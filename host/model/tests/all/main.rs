//! The back ends against scripted servers on loopback, and those that are files.
#![cfg_attr(feature = "client", expect(clippy::unwrap_used, reason = "a test that cannot go on fails"))]
#![cfg(feature = "client")]

mod answers;
mod bad_files;
mod configs;
mod failures;
mod live;
mod recordings;
mod requests;
mod retries;
mod scripts;
mod server;
mod streams;
mod tls;
