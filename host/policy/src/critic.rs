//! How results are judged: what the critic looks at, and what follows from its scores. Settings as values; who judges is
//! elsewhere.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::line::LineError;

/// The most conditions of one line of the table: a person has to see at once what it says.
const CONDITIONS_MAX: usize = 4;

/// How much the critic does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CriticMode {
    /// A result counts as it is, and a failure closes its way.
    Off,
    /// What programs can check: schemas, expectations, failures, grounding, and the checks that a plan carries.
    #[default]
    Checks,
    /// The same, and a model reviews what was accepted, where one is named.
    All,
}

/// What happens to a call that cannot be taken back and has something in its arguments that comes from nowhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ungrounded {
    /// The planner hears of it and plans anew.
    #[default]
    Replan,
    /// A person is asked.
    Ask,
}

/// How well a step stands, each from 0 to 100.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scores {
    /// How well the result fits what is known of it: schema, expectations, checks.
    pub coherence: u8,
    /// How much of the arguments comes from the goal, from a person or from earlier results.
    pub grounding: u8,
    /// How much nearer the goal it came.
    pub progress: u8,
    /// How much harm it could do where it is wrong.
    pub risk: u8,
}

/// One of the scores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Score {
    /// See [`Scores::coherence`].
    Coherence,
    /// See [`Scores::grounding`].
    Grounding,
    /// See [`Scores::progress`].
    Progress,
    /// See [`Scores::risk`].
    Risk,
}

/// What follows from scores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// The result counts.
    Accept,
    /// The call, or the check of it, is made again.
    Retry,
    /// An alternative is tried.
    Alternative,
    /// The planner plans anew.
    Replan,
    /// A person is asked.
    Ask,
}

/// One condition of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Condition {
    score: Score,
    below: bool,
    than: u8,
}

/// One line of the table, such as `coherence < 40 and risk < 50: retry`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ScoreRule {
    conditions: Vec<Condition>,
    then: Action,
}

/// How results are judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CriticSettings {
    /// How much is done.
    pub mode: CriticMode,
    /// The model that reviews; none for no review.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub judge: Option<String>,
    /// Whether what cannot be taken back waits for the reviews of what it depends on, and the end for all of them.
    pub wait: bool,
    /// What happens to an ungrounded call that cannot be taken back.
    pub ungrounded: Ungrounded,
    /// What follows from scores: the first line that holds counts, and none accepts.
    pub table: Vec<ScoreRule>,
}

impl Default for CriticSettings {
    /// All that programs can check. A result that is doubted is looked at again, and nothing else follows from a score.
    fn default() -> Self {
        let doubted = Condition { score: Score::Coherence, below: true, than: 40 };
        let table = vec![ScoreRule { conditions: vec![doubted], then: Action::Retry }];
        let (mode, ungrounded) = (CriticMode::default(), Ungrounded::default());
        Self { mode, judge: None, wait: true, ungrounded, table }
    }
}

impl CriticSettings {
    /// What follows from these scores, and the line that says so.
    pub fn action(&self, scores: &Scores) -> (Action, Option<&ScoreRule>) {
        let rule = self.table.iter().find(|rule| rule.holds(scores));
        (rule.map_or(Action::Accept, |rule| rule.then), rule)
    }

    /// Whether there is anything to grade by.
    pub fn is_off(&self) -> bool {
        self.mode == CriticMode::Off
    }

    /// Whether a model reviews.
    pub fn reviews(&self) -> bool {
        self.mode == CriticMode::All && self.judge.is_some()
    }

    /// Whether these are the usual settings.
    pub fn is_usual(&self) -> bool {
        *self == Self::default()
    }
}

impl ScoreRule {
    /// Reads a line.
    ///
    /// # Errors
    ///
    /// It is none.
    pub fn parse(line: &str) -> Result<Self, LineError> {
        line.parse()
    }

    fn holds(&self, scores: &Scores) -> bool {
        self.conditions.iter().all(|condition| {
            let score = match condition.score {
                Score::Coherence => scores.coherence,
                Score::Grounding => scores.grounding,
                Score::Progress => scores.progress,
                Score::Risk => scores.risk,
            };
            if condition.below { score < condition.than } else { score > condition.than }
        })
    }
}

const SCORES: [(&str, Score); 4] = [
    ("coherence", Score::Coherence),
    ("grounding", Score::Grounding),
    ("progress", Score::Progress),
    ("risk", Score::Risk),
];

const ACTIONS: [(&str, Action); 5] = [
    ("accept", Action::Accept),
    ("retry", Action::Retry),
    ("alternative", Action::Alternative),
    ("re-plan", Action::Replan),
    ("ask", Action::Ask),
];

fn named<T: Copy>(words: &[(&'static str, T)], word: &str) -> Option<T> {
    words.iter().find(|(known, _)| *known == word).map(|(_, value)| *value)
}

fn word_of<T: Copy + PartialEq>(words: &[(&'static str, T)], value: T) -> &'static str {
    words.iter().find(|(_, known)| *known == value).map_or("", |(word, _)| word)
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(word_of(&ACTIONS, *self))
    }
}

impl FromStr for ScoreRule {
    type Err = LineError;

    fn from_str(line: &str) -> Result<Self, LineError> {
        let wrong = |part: &str| LineError::ScoreRule(crate::names::shortened(part.trim()));
        let (conditions, then) = line.rsplit_once(':').ok_or_else(|| wrong(line))?;
        let then = named(&ACTIONS, then.trim()).ok_or_else(|| wrong(then))?;
        let condition = |text: &str| {
            let mut words = text.split_whitespace();
            let score = named(&SCORES, words.next()?)?;
            let below = match words.next()? {
                "<" => true,
                ">" => false,
                _ => return None,
            };
            let than = words.next()?.parse().ok().filter(|than| *than <= 100)?;
            words.next().is_none().then_some(Condition { score, below, than })
        };
        let conditions: Vec<Condition> = conditions
            .split(" and ")
            .map(|text| condition(text).ok_or_else(|| wrong(text)))
            .collect::<Result<_, _>>()?;
        if conditions.len() > CONDITIONS_MAX { Err(wrong(line)) } else { Ok(Self { conditions, then }) }
    }
}

impl fmt::Display for ScoreRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, condition) in self.conditions.iter().enumerate() {
            let and = if place > 0 { " and " } else { "" };
            let sign = if condition.below { '<' } else { '>' };
            write!(f, "{and}{} {sign} {}", word_of(&SCORES, condition.score), condition.than)?;
        }
        write!(f, ": {}", self.then)
    }
}

impl From<ScoreRule> for String {
    fn from(rule: ScoreRule) -> Self {
        rule.to_string()
    }
}

impl TryFrom<String> for ScoreRule {
    type Error = LineError;

    fn try_from(line: String) -> Result<Self, LineError> {
        line.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scores(coherence: u8, grounding: u8, progress: u8, risk: u8) -> Scores {
        Scores { coherence, grounding, progress, risk }
    }

    #[test]
    fn a_line_is_what_it_prints() {
        for line in ["coherence < 40: retry", "grounding < 50 and risk > 60: ask", "progress < 1: re-plan"] {
            assert_eq!(ScoreRule::parse(line).unwrap().to_string(), line);
        }
        for line in
            ["", "retry", "coherence < 40", "coherence = 4: ask", "luck < 4: ask", "risk > 101: ask", "risk > 1: drop"]
        {
            assert!(ScoreRule::parse(line).is_err(), "{line}");
        }
    }

    #[test]
    fn the_first_line_that_holds_counts_and_none_accepts() {
        let lines = ["grounding < 50 and risk > 60: ask", "grounding < 50: re-plan", "progress < 1: alternative"];
        let table = lines.map(|line| ScoreRule::parse(line).unwrap()).to_vec();
        let settings = CriticSettings { table, ..CriticSettings::default() };
        let action = |scores| settings.action(&scores).0;
        assert_eq!(action(scores(100, 40, 100, 70)), Action::Ask);
        assert_eq!(action(scores(100, 40, 0, 10)), Action::Replan);
        assert_eq!(action(scores(100, 100, 0, 10)), Action::Alternative);
        assert_eq!(action(scores(0, 100, 100, 100)), Action::Accept);
    }

    #[test]
    fn settings_that_were_written_down_read_the_same() {
        let written = serde_json::to_value(CriticSettings::default()).unwrap();
        assert_eq!(written["table"][0], "coherence < 40: retry");
        assert_eq!(serde_json::from_value::<CriticSettings>(written).unwrap(), CriticSettings::default());
        assert_eq!(serde_json::from_str::<CriticSettings>("{}").unwrap(), CriticSettings::default());
    }
}
