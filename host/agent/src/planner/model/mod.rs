//! The model planner.
/// The model planner.
pub struct ModelPlanner;
