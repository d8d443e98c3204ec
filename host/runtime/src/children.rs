//! The planners that child agents can have.
//!
//! A model that plans may name another one for an agent. Which, is the operator's to say: what stands in `[models]`, and the
//! models of the run itself. An address that a model made up is none of them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use toolcrib_agent::{Agents, BuiltinPlanner, ModelPlanner, Planner};

use crate::crib::Crib;
use crate::models::Chosen;
use crate::run::PlannerChoice;

const BUILTIN: &str = "builtin";

/// The planners for the child agents of one run.
pub(crate) struct Children {
    crib: Crib,
    chosen: Chosen,
    /// The run's own planner; none where nobody plans, as in a flow.
    own: Option<Arc<dyn Planner>>,
    made: Mutex<BTreeMap<String, Arc<dyn Planner>>>,
}

impl Children {
    pub(crate) fn new(crib: Crib, chosen: Chosen, planner: &Arc<dyn Planner>) -> Self {
        let plans = matches!(chosen.planner, PlannerChoice::Builtin | PlannerChoice::Model(_));
        let own = plans.then(|| Arc::clone(planner));
        Self { crib, chosen, own, made: Mutex::default() }
    }

    fn make(&self, spec: &str) -> Result<Arc<dyn Planner>, String> {
        if spec == BUILTIN {
            return Ok(Arc::new(BuiltinPlanner));
        }
        if !self.chosen.planners(self.crib.operator()).iter().any(|known| known == spec) {
            let spec: String = spec.chars().take(80).flat_map(char::escape_debug).collect();
            return Err(format!(
                "no agent may have the model `{spec}`: the operator has not named it in `[models]` (`agents = [\"{spec}\"]`)"
            ));
        }
        let chain = self.crib.chain(spec, &self.chosen.fallback).map_err(|error| error.to_string())?;
        Ok(Arc::new(ModelPlanner::over(chain, self.crib.view(spec))))
    }
}

impl Agents for Children {
    fn planner(&self, model: Option<&str>) -> Result<Arc<dyn Planner>, String> {
        let spec = match (model, &self.own) {
            (Some(spec), _) => spec,
            (None, Some(own)) => return Ok(Arc::clone(own)),
            (None, None) => self.crib.operator().models().planner.as_deref().unwrap_or(BUILTIN),
        };
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(planner) = made.get(spec) {
            return Ok(Arc::clone(planner));
        }
        let planner = self.make(spec)?;
        made.insert(spec.to_owned(), Arc::clone(&planner));
        Ok(planner)
    }
}
