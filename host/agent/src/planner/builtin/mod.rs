//! The embedded planner.
use async_trait::async_trait;
use super::*;
/// The embedded planner.
pub struct BuiltinPlanner;
#[async_trait]
impl Planner for BuiltinPlanner {
    fn name(&self) -> &str { "builtin" }
    async fn plan(&self, _: &PlanContext) -> Result<Planned, PlannerError> { Ok(Proposal::Fail("x".into()).into()) }
}
