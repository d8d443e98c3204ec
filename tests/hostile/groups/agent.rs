//! Planners that are wrong.
