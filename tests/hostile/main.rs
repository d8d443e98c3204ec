//! Hostile guests, inputs and crashes, each with what must come out of it.
//!
//! A folder beside this file is a case: its guest or what it is about. Its test has the folder's name; a folder without
//! its test does not compile. `README.md` says which number of the list of attacks a case answers, and with which code.

mod groups;
mod host;

/// Names the test of a case.
macro_rules! has_a_test {
    ($case:ident) => {
        const _: fn() = groups::$case;
    };
}

toolcrib_tests::each_case!(has_a_test);
