//! The back ends against scripted servers on loopback.
#![cfg_attr(feature = "client", expect(clippy::unwrap_used, reason = "a test that cannot go on fails"))]
#![cfg(feature = "client")]

mod answers;
mod configs;
mod failures;
mod live;
mod requests;
mod retries;
mod server;
mod streams;
mod tls;
