//! The tools as the host calls them, on a folder of this machine.

mod support;

mod changing;
mod looking;
