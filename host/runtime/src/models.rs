//! Which models a run has, and what they cost.
//!
//! What counts, the first that says something: the command line, the environment, the operator's `[models]`.

use std::sync::Arc;

use serde_json::{Value, json};
use toolcrib_agent::{Budget, Chain, State};
use toolcrib_model::{Model, ModelConfig};
use toolcrib_policy::OperatorFile;

use crate::crib::Crib;
use crate::error::CribError;
use crate::run::PlannerChoice;

/// The word that stands for no fallback, where the operator's file names some.
const NONE: &str = "none";

/// Who plans, who stands in, and who reviews.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// Who plans.
    pub planner: PlannerChoice,
    /// Which models stand in for it, in this order.
    pub fallback: Vec<String>,
    /// The model that reviews; none where nobody does.
    pub judge: Option<String>,
}

impl Chosen {
    /// What counts: what is given, else what the operator's file says, and for who reviews the file alone, which has what the
    /// command line says of it. `none` as the only fallback means none.
    pub fn of(operator: &OperatorFile, planner: Option<&str>, fallback: &[String]) -> Self {
        let settings = operator.models();
        let planner = planner.or(settings.planner.as_deref()).map_or(PlannerChoice::Builtin, PlannerChoice::of_spec);
        let given = if fallback.is_empty() { &settings.fallback } else { fallback };
        let mut fallback: Vec<String> = Vec::new();
        for spec in given.iter().filter(|spec| *spec != NONE) {
            if *spec != planner.spec() && !fallback.contains(spec) {
                fallback.push(spec.clone());
            }
        }
        let critic = operator.critic();
        Self { planner, fallback, judge: critic.judge.clone().filter(|_| critic.reviews()) }
    }

    /// What is known of a run that has nothing but the name of its planner.
    pub(crate) fn unknown(planner: &str) -> Self {
        Self { planner: PlannerChoice::of_spec(planner), fallback: Vec::new(), judge: None }
    }

    /// The choice as it stands in the ledger when the run begins.
    pub(crate) fn details(&self) -> Value {
        let mut details = json!({ "planner": self.planner.spec() });
        if !self.fallback.is_empty() {
            details["fallback"] = json!(self.fallback);
        }
        if let Some(judge) = &self.judge {
            details["judge"] = json!(judge);
        }
        details
    }

    /// The choice that was written down so; none where it was not.
    pub(crate) fn of_details(details: &Value) -> Option<Self> {
        let planner = PlannerChoice::of_spec(details["planner"].as_str()?);
        let fallback = details["fallback"].as_array().into_iter().flatten();
        let fallback = fallback.filter_map(Value::as_str).map(str::to_owned).collect();
        Some(Self { planner, fallback, judge: details["judge"].as_str().map(str::to_owned) })
    }

    /// The same with what is given in the place of what it says.
    #[must_use]
    pub fn but(mut self, planner: Option<&str>, fallback: &[String]) -> Self {
        if let Some(spec) = planner {
            self.planner = PlannerChoice::of_spec(spec);
        }
        if !fallback.is_empty() {
            self.fallback = fallback.iter().filter(|spec| *spec != NONE).cloned().collect();
        }
        self
    }

    /// Every model that the run may ask, those of the operator's file for child agents and the one that reviews among them.
    pub fn models(&self, operator: &OperatorFile) -> Vec<String> {
        let mut models = self.planners(operator);
        if let Some(judge) = self.judge.as_ref().filter(|judge| !models.contains(judge)) {
            models.push(judge.clone());
        }
        models
    }

    /// Every model that may plan.
    pub(crate) fn planners(&self, operator: &OperatorFile) -> Vec<String> {
        let planner = match &self.planner {
            PlannerChoice::Model(spec) => Some(spec.clone()),
            PlannerChoice::Builtin | PlannerChoice::Call | PlannerChoice::Flow => None,
        };
        let settings = operator.models();
        let named = settings.agents.iter().cloned();
        // Where nobody plans, child agents plan with what the file says.
        let of_agents = (self.planner == PlannerChoice::Flow).then(|| settings.planner.clone()).flatten();
        let all = planner.into_iter().chain(self.fallback.iter().cloned()).chain(named).chain(of_agents);
        let mut models: Vec<String> = Vec::new();
        for spec in all.filter(|spec| spec != "builtin") {
            if !models.contains(&spec) {
                models.push(spec);
            }
        }
        models
    }
}

impl Crib {
    /// What [`Chosen::of`] says under this crib's settings.
    pub fn chosen(&self, planner: Option<&str>, fallback: &[String]) -> Chosen {
        Chosen::of(self.operator(), planner, fallback)
    }

    fn model_config(&self, spec: &str) -> Result<ModelConfig, CribError> {
        let environment = &self.0.settings.environment;
        let lookup = |name: &str| environment.iter().find(|(n, _)| n == name).map(|(_, value)| value.clone());
        ModelConfig::parse(spec, lookup).map_err(|error| CribError::Model(error.to_string()))
    }

    /// Connects to a language model. Keys come from the environment variables of its vendor.
    ///
    /// # Errors
    ///
    /// The name cannot be read, or a key is missing.
    pub fn model(&self, spec: &str) -> Result<Arc<dyn Model>, CribError> {
        let model = toolcrib_model::connect(self.model_config(spec)?);
        model.map(Arc::from).map_err(|error| CribError::Model(error.to_string()))
    }

    /// A model with those that stand in for it.
    pub(crate) fn chain(&self, spec: &str, fallback: &[String]) -> Result<Arc<Chain>, CribError> {
        let context = |spec: &str| Some(self.view(spec).context);
        let mut chain = Chain::new(self.model(spec)?, context(spec));
        for spec in fallback {
            let model =
                self.model(spec).map_err(|error| CribError::Model(format!("the fallback `{spec}`: {error}")))?;
            chain = chain.or(model, context(spec));
        }
        Ok(Arc::new(chain))
    }

    /// Whether a budget in money can be kept: every model that may be asked has its price.
    ///
    /// # Errors
    ///
    /// One has none; the error says what to add.
    pub(crate) fn check_prices(
        &self,
        chosen: &Chosen,
        budget: Option<&Budget>,
        before: Option<&State>,
    ) -> Result<(), CribError> {
        let prices = self.operator().prices();
        if let Some(currency) = before.map(|state| &state.purse().currency)
            && ![prices.currency.as_str(), ""].contains(&currency.as_str())
            && !prices.is_empty()
        {
            return Err(CribError::Prices(format!(
                "the run's amounts are in {currency}, and `[prices]` is in {}: amounts of two currencies are not added",
                prices.currency
            )));
        }
        let counted = budget.or_else(|| before.map(State::budget)).is_some_and(|budget| budget.money.is_some())
            || before.is_some_and(|state| state.budget().money.is_some());
        if !counted {
            return Ok(());
        }
        if prices.is_empty() {
            return Err(CribError::Prices(
                "a budget in money needs prices: add `[prices]` with `currency = \"EUR\"` (or whatever you pay in) and a \
                 line for each model to the operator's file"
                    .to_owned(),
            ));
        }
        for spec in chosen.models(self.operator()) {
            let name = self.model_config(&spec)?.name();
            if prices.model(&name).is_none() {
                return Err(CribError::Prices(format!("there is a budget in money, and {}", prices.advice(&name))));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn operator(text: &str) -> OperatorFile {
        OperatorFile::parse(text, "toolcrib.toml", Path::new("/")).unwrap()
    }

    fn list(items: &[&str]) -> Vec<String> {
        items.iter().map(|item| (*item).to_owned()).collect()
    }

    #[test]
    fn what_is_given_counts_before_the_file_each_for_itself() {
        let file = operator("[models]\nplanner = \"a:one\"\nfallback = [\"b:two\", \"a:one\"]\nagents = [\"c:three\"]");
        let model = |spec: &str| PlannerChoice::Model(spec.to_owned());
        let usual = Chosen::of(&file, None, &[]);
        // A model does not stand in for itself.
        assert_eq!((&usual.planner, &usual.fallback), (&model("a:one"), &list(&["b:two"])));
        assert_eq!(usual.models(&file), ["a:one", "b:two", "c:three"]);
        let given = Chosen::of(&file, Some("x:y"), &[]);
        assert_eq!((&given.planner, &given.fallback), (&model("x:y"), &list(&["b:two", "a:one"])));
        assert_eq!(Chosen::of(&file, Some("builtin"), &[]).planner, PlannerChoice::Builtin);
        assert_eq!(Chosen::of(&file, None, &list(&["z:z", "z:z"])).fallback, ["z:z"]);
        assert!(Chosen::of(&file, None, &list(&["none"])).fallback.is_empty());
        assert_eq!(Chosen::of(&operator(""), None, &[]).planner, PlannerChoice::Builtin);
        let flow = Chosen { planner: PlannerChoice::Flow, fallback: Vec::new(), judge: None };
        assert_eq!(flow.models(&file), ["c:three", "a:one"]);
    }

    #[test]
    fn who_reviews_is_asked_and_does_not_plan() {
        let file = operator("[models]\nplanner = \"a:one\"\n[critic]\njudge = \"j:judge\"");
        let chosen = Chosen::of(&file, None, &[]);
        assert_eq!(chosen.judge.as_deref(), Some("j:judge"));
        assert_eq!(chosen.models(&file), ["a:one", "j:judge"]);
        assert_eq!(chosen.planners(&file), ["a:one"]);
        assert_eq!(Chosen::of_details(&chosen.details()), Some(chosen.clone()));
        // Whoever goes on with another planner has the same judge.
        assert_eq!(chosen.but(Some("b:two"), &[]).judge.as_deref(), Some("j:judge"));
        let same = operator("[models]\nplanner = \"a:one\"\n[critic]\njudge = \"a:one\"");
        assert_eq!(Chosen::of(&same, None, &[]).models(&same), ["a:one"]);
        let off = operator("[critic]\njudge = \"j:judge\"\nmode = \"off\"");
        assert_eq!(Chosen::of(&off, None, &[]).judge, None);
    }
}
