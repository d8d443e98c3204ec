//! What people see: results on standard output, everything else on standard error.

mod live;
mod preparing;
mod text;
mod tree;

pub(crate) use live::Live;
pub(crate) use preparing::Notices;
pub(crate) use text::{bytes, count, duration, plain, plain_lines};
pub(crate) use tree::{Costs, tree};

/// Prints a line to standard output. A closed pipe is no error: the reader has seen enough.
macro_rules! outln {
    ($($arg:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stdout().lock(), $($arg)*);
    }};
}

/// Prints a line to standard error.
macro_rules! errln {
    ($($arg:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stderr().lock(), $($arg)*);
    }};
}

pub(crate) use errln;
pub(crate) use outln;
