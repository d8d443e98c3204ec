//! What a parameter is about, read from its name, type and description: the words that speak of it, the unit that it wants,
//! the values that it names, its default, and what kind of thing belongs into it.

use serde_json::Value;

use super::described::{default_in, options, without_default};
use super::shape::Param;
use super::units::{self, Measure, Unit};
use super::words::{means, stem, words};

/// Words of parameter names, and what such parameters measure.
const MEASURES: &[(&[&str], Measure)] = &[
    (&["duration", "time", "period", "term", "timeframe", "age"], Measure::Time),
    (
        &[
            "price",
            "cost",
            "amount",
            "budget",
            "salary",
            "income",
            "investment",
            "principal",
            "payment",
            "loan",
            "fee",
            "deposit",
            "revenue",
            "expense",
            "dividend",
            "cash",
            "payout",
            "wage",
            "balance",
            "equity",
            "money",
        ],
        Measure::Money,
    ),
    (&["rate", "percentage", "percent", "probability", "yield", "interest", "fraction", "confidence"], Measure::Share),
    (&["height", "length", "distance", "radius", "width", "depth", "perimeter", "diameter"], Measure::Length),
    (&["mass", "weight"], Measure::Mass),
    (&["temperature", "temp"], Measure::Temperature),
    (&["velocity", "speed"], Measure::Speed),
    (&["acceleration", "gravity"], Measure::Acceleration),
    (&["current"], Measure::Current),
    (&["voltage"], Measure::Voltage),
    (&["charge"], Measure::Charge),
    (&["resistance"], Measure::Resistance),
    (&["capacitance"], Measure::Capacitance),
    (&["inductance"], Measure::Inductance),
    (&["energy"], Measure::Energy),
    (&["power"], Measure::Power),
    (&["force"], Measure::Force),
    (&["pressure"], Measure::Pressure),
    (&["frequency"], Measure::Frequency),
    (&["angle"], Measure::Angle),
    (&["volume"], Measure::Volume),
    (&["area"], Measure::Area),
];

/// What kind of thing belongs into a text parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    /// Where something begins.
    Source,
    /// Where something ends.
    Target,
    /// A place.
    Place,
    /// A day or time.
    Moment,
    /// Somebody's or something's name.
    Called,
    /// A number or code that identifies.
    Identifier,
    /// A unit of measure.
    Unit,
    /// A formula.
    Formula,
    /// A currency.
    Currency,
    /// Anything else.
    Other,
}

const FAMILIES: &[(Family, &[&str])] = &[
    (Family::Moment, &["date", "day", "birthday", "dob", "when", "datetime"]),
    (Family::Unit, &["unit", "measure"]),
    (Family::Currency, &["currency"]),
    (Family::Formula, &["function", "equation", "formula", "expression", "polynomial"]),
    (Family::Source, &["from", "source", "origin", "start", "departure", "sender"]),
    (Family::Target, &["to", "target", "destination", "end", "arrival", "recipient", "receiver"]),
    (
        Family::Place,
        &[
            "location",
            "city",
            "place",
            "country",
            "town",
            "region",
            "area",
            "state",
            "county",
            "venue",
            "jurisdiction",
            "district",
            "province",
            "address",
            "continent",
            "neighborhood",
            "habitat",
            "court",
        ],
    ),
    (Family::Identifier, &["id", "number", "code", "docket", "symbol", "ticker", "zip", "identifier", "isbn", "sku"]),
    (
        Family::Called,
        &[
            "name",
            "title",
            "actor",
            "artist",
            "author",
            "player",
            "president",
            "scientist",
            "leader",
            "director",
            "person",
            "team",
            "company",
            "brand",
            "book",
            "movie",
            "song",
            "album",
            "hotel",
            "restaurant",
            "museum",
            "event",
            "league",
            "band",
            "composer",
            "painting",
            "landmark",
            "mountain",
            "river",
            "university",
            "stock",
        ],
    ),
];

/// A parameter with what its name and description tell.
pub(super) struct Profile<'p> {
    pub(super) param: &'p Param,
    /// The meaning words of its description, stemmed, without the sentence about its default.
    pub(super) about: Vec<String>,
    pub(super) unit: Option<Unit>,
    pub(super) measure: Option<Measure>,
    /// Whether it is a year of the calendar.
    pub(super) year: bool,
    pub(super) family: Family,
    /// Values that the description names.
    pub(super) options: Vec<String>,
    pub(super) default: Option<Value>,
    /// Whether another parameter of the tool takes a place.
    pub(super) beside_place: bool,
}

impl<'p> Profile<'p> {
    pub(super) fn of(param: &'p Param) -> Self {
        let description = &param.description;
        let main = without_default(description);
        let about: Vec<String> = words(&main).into_iter().filter(|word| means(word)).collect();
        let in_name = param.name.rsplit('_').next().filter(|_| param.name.contains('_')).and_then(units::unit);
        let unit = in_name.or_else(|| units::named_in(&main));
        let plural = param.name.to_lowercase();
        let counts_time = ["years", "months", "weeks", "days", "hours", "minutes", "seconds"]
            .iter()
            .any(|name| plural.ends_with(name));
        let number_of = main.to_lowercase().contains("number of");
        let by_name = MEASURES.iter().find(|(names, _)| param.is(names)).map(|(_, measure)| *measure);
        let measure = if counts_time { Some(Measure::Time) } else { by_name };
        let unit = unit.or_else(|| if counts_time { units::unit(plural.rsplit('_').next()?) } else { None });
        let a_year = ["_per_year", "per year"].iter().any(|text| plural.ends_with(text));
        let year = param.is(&["year", "year1", "year2"]) && !counts_time && !number_of && !a_year && by_name.is_none();
        let measure = match unit {
            // A factor per year is no time.
            Some(unit) if measure.is_none() || measure == Some(unit.measure) => Some(unit.measure),
            _ => measure,
        };
        let default = param.default.clone().or_else(|| default_in(description, param)).filter(|value| !value.is_null());
        Self {
            about,
            unit: unit.filter(|unit| Some(unit.measure) == measure && !year),
            measure: measure.filter(|_| !year),
            year,
            family: family(param),
            options: match param.choices.as_slice() {
                [] => options(&main),
                choices => choices.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            },
            default,
            beside_place: true,
            param,
        }
    }

    /// Whether a share is to be given as it was said, and not as a fraction of one.
    pub(super) fn is_in_percent(&self) -> bool {
        let description = self.param.description.to_lowercase();
        let decimal = description.contains("decimal") || description.contains("between 0 and 1");
        !decimal
            && (description.contains("percent")
                || description.contains('%')
                || self.param.is(&["percentage", "percent"]))
    }
}

fn family(param: &Param) -> Family {
    let by_name = FAMILIES.iter().find(|(_, names)| param.is(names)).map(|(family, _)| *family);
    let dated = words(&param.description).iter().any(|word| word == "date");
    match by_name {
        None | Some(Family::Source | Family::Target) if dated && !param.is(&["city", "location"]) => Family::Moment,
        // `start_date`, `from_unit`: what it is says more than which of two.
        Some(family) => family,
        None if param.description.to_lowercase().contains("name of") => Family::Called,
        None if param.description.to_lowercase().contains("city") => Family::Place,
        None => Family::Other,
    }
}

/// Whether a stemmed word of a clause speaks of a stemmed word of a parameter: the same, the same but for an ending, or a
/// word for having much of it.
pub(super) fn speaks_of(word: &str, own: &str) -> bool {
    const HAVING: &[(&str, &str)] = &[
        ("tall", "height"),
        ("high", "height"),
        ("wide", "width"),
        ("long", "length"),
        ("long", "duration"),
        ("deep", "depth"),
        ("old", "age"),
        ("fast", "speed"),
        ("weigh", "weight"),
        ("bed", "bedroom"),
        ("cost", "price"),
        ("people", "guest"),
        ("people", "person"),
    ];
    let start = |a: &str, b: &str| a.len() >= 4 && b.starts_with(a);
    word == own || start(word, own) || start(own, word) || HAVING.contains(&(word, own))
}

/// The words of a flag's name that say what it is for.
pub(super) fn flag_words(param: &Param) -> Vec<String> {
    const LEADS: &[&str] =
        &["include", "is", "has", "show", "get", "allow", "use", "with", "enable", "return", "only", "set", "by", "to"];
    let leads: Vec<String> = LEADS.iter().map(|lead| stem(lead)).collect();
    param.words.iter().filter(|word| !leads.contains(word)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::super::shape::params;
    use super::*;
    use serde_json::json;

    fn param(name: &str, schema: Value) -> Param {
        let card = crate::ToolCard {
            name: "p.t".parse().unwrap(),
            title: String::new(),
            description: String::new(),
            input_schema: json!({ "properties": { name: schema } }),
            output_schema: None,
            effect: toolcrib_policy::Effect::Read,
            open_world: false,
        };
        params(&card).remove(0)
    }

    #[test]
    fn a_default_is_read_from_the_description() {
        for (kind, text, expected) in [
            ("integer", "How many. Default is 5.", Some(json!(5))),
            ("string", "The unit, defaults to 'cm'", Some(json!("cm"))),
            ("boolean", "Whether to. Default: true", Some(json!(true))),
            ("number", "Gravity. Default value is 9.81 m/s^2.", Some(json!(9.81))),
            ("string", "Some text. Default is 5", None),
            ("string", "Nothing said.", None),
        ] {
            let param = param("p", json!({ "type": kind, "description": text }));
            assert_eq!(Profile::of(&param).default, expected, "{text}");
        }
    }

    #[test]
    fn a_name_tells_what_is_measured_and_in_which_unit() {
        let of = |name: &str, text: &str| {
            let param = param(name, json!({ "type": "number", "description": text }));
            let profile = Profile::of(&param);
            (profile.measure, profile.unit.is_some(), profile.year)
        };
        assert_eq!(of("height_m", ""), (Some(Measure::Length), true, false));
        assert_eq!(of("radius", "The radius in inches"), (Some(Measure::Length), true, false));
        assert_eq!(of("years", "The number of years"), (Some(Measure::Time), true, false));
        assert_eq!(of("start_year", "The first year"), (None, false, true));
    }
}
