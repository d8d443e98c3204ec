//! What people see: results on standard output, everything else on standard error.

mod advice;
mod bills;
mod inner;
mod live;
mod output;
mod plan;
mod preparing;
mod receipt;
mod text;
mod tree;

pub(crate) use advice::{advise, hint_approval};
pub(crate) use bills::{bills, bills_json};
pub(crate) use live::Live;
pub(crate) use output::{finish, print_line, print_raw};
pub(crate) use plan::{hint_held, show_preview};
pub(crate) use preparing::Notices;
pub(crate) use receipt::show_receipt;
pub(crate) use text::{bytes, count, counted, duration, plain, plain_lines};
pub(crate) use tree::{Costs, tree};

/// Prints a line to standard output.
macro_rules! outln {
    ($($arg:tt)*) => { $crate::render::print_line(format_args!($($arg)*)) };
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
