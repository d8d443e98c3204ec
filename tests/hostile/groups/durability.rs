//! Runs that are killed.
