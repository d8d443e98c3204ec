//! The tools as the host calls them, with a server of the test's own.

mod exchanging;
mod rendering;
