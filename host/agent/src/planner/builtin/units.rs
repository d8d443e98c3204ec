//! Units of measure as people write them: which kind of quantity they measure, and how they convert inside one kind.

/// What a unit measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Measure {
    Length,
    Area,
    Volume,
    Mass,
    Time,
    Speed,
    Acceleration,
    Temperature,
    Current,
    Voltage,
    Charge,
    Resistance,
    Capacitance,
    Inductance,
    Field,
    Energy,
    Power,
    Force,
    Pressure,
    Frequency,
    Angle,
    Amount,
    Bytes,
    Money,
    Share,
}

/// A unit: what it measures, and its size in the base unit of that measure; none where sizes do not simply scale.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Unit {
    pub(crate) measure: Measure,
    size: Option<f64>,
}

/// A unit's names, what it measures, and its size. The first names are symbols, matched with their case.
type Row = (&'static [&'static str], &'static [&'static str], Measure, f64);

const ROWS: &[Row] = &[
    (&["m"], &["meter", "metre"], Measure::Length, 1.0),
    (&["km"], &["kilometer", "kilometre"], Measure::Length, 1000.0),
    (&["cm"], &["centimeter", "centimetre"], Measure::Length, 0.01),
    (&["mm"], &["millimeter", "millimetre"], Measure::Length, 0.001),
    (&["nm"], &["nanometer", "nanometre"], Measure::Length, 1e-9),
    (&["mi"], &["mile"], Measure::Length, 1609.344),
    (&["ft"], &["foot", "feet"], Measure::Length, 0.3048),
    (&["in"], &["inch"], Measure::Length, 0.0254),
    (&["yd"], &["yard"], Measure::Length, 0.9144),
    (&["m2", "m²", "m^2", "sqm"], &["square meter", "square metre"], Measure::Area, 1.0),
    (&["km2", "km²", "km^2"], &["square kilometer", "square kilometre"], Measure::Area, 1e6),
    (&["cm2", "cm²", "cm^2"], &["square centimeter", "square centimetre"], Measure::Area, 1e-4),
    (&["sqft", "ft2", "ft²", "ft^2"], &["square foot", "square feet", "sq ft"], Measure::Area, 0.092_903_04),
    (&["ha"], &["hectare"], Measure::Area, 10_000.0),
    (&[], &["acre"], Measure::Area, 4046.856),
    (&["m3", "m³", "m^3"], &["cubic meter", "cubic metre"], Measure::Volume, 1000.0),
    (&["L", "l"], &["liter", "litre"], Measure::Volume, 1.0),
    (&["mL", "ml"], &["milliliter", "millilitre"], Measure::Volume, 0.001),
    (&[], &["gallon"], Measure::Volume, 3.785_411_784),
    (&["kg"], &["kilogram", "kilo"], Measure::Mass, 1000.0),
    (&["g"], &["gram"], Measure::Mass, 1.0),
    (&["mg"], &["milligram"], Measure::Mass, 0.001),
    (&["lb", "lbs"], &["pound"], Measure::Mass, 453.592_37),
    (&["oz"], &["ounce"], Measure::Mass, 28.349_523_125),
    (&["t"], &["ton", "tonne"], Measure::Mass, 1e6),
    (&["s", "sec", "secs"], &["second"], Measure::Time, 1.0),
    (&["ms"], &["millisecond"], Measure::Time, 0.001),
    (&["min", "mins"], &["minute"], Measure::Time, 60.0),
    (&["h", "hr", "hrs"], &["hour"], Measure::Time, 3600.0),
    (&["d"], &["day"], Measure::Time, 86_400.0),
    (&[], &["week"], Measure::Time, 604_800.0),
    (&[], &["month"], Measure::Time, 2_629_800.0),
    (&["yr", "yrs"], &["year"], Measure::Time, 31_557_600.0),
    (&[], &["decade"], Measure::Time, 315_576_000.0),
    (&["mph"], &[], Measure::Speed, 0.447_04),
    (&["kmh", "kph"], &[], Measure::Speed, 1000.0 / 3600.0),
    (&["°C", "C"], &["celsius", "degree celsius", "degree c"], Measure::Temperature, 0.0),
    (&["°F", "F"], &["fahrenheit", "degree fahrenheit", "degree f"], Measure::Temperature, 0.0),
    (&["K"], &["kelvin"], Measure::Temperature, 0.0),
    (&["°"], &["degree"], Measure::Angle, 1.0),
    (&["rad"], &["radian"], Measure::Angle, 57.295_779_513_082_32),
    (&["A"], &["ampere", "amp"], Measure::Current, 1.0),
    (&["mA"], &["milliampere", "milliamp"], Measure::Current, 0.001),
    (&["V"], &["volt"], Measure::Voltage, 1.0),
    (&["kV"], &["kilovolt"], Measure::Voltage, 1000.0),
    (&["C"], &["coulomb"], Measure::Charge, 1.0),
    (&["Ω"], &["ohm"], Measure::Resistance, 1.0),
    (&["F"], &["farad"], Measure::Capacitance, 1.0),
    (&["µF", "μF", "uF"], &["microfarad"], Measure::Capacitance, 1e-6),
    (&["nF"], &["nanofarad"], Measure::Capacitance, 1e-9),
    (&["H"], &["henry", "henrie"], Measure::Inductance, 1.0),
    (&["mH"], &["millihenry", "millihenrie"], Measure::Inductance, 0.001),
    (&["T"], &["tesla"], Measure::Field, 1.0),
    (&["J"], &["joule"], Measure::Energy, 1.0),
    (&["kJ"], &["kilojoule"], Measure::Energy, 1000.0),
    (&["kWh"], &["kilowatt hour"], Measure::Energy, 3.6e6),
    (&["W"], &["watt"], Measure::Power, 1.0),
    (&["kW"], &["kilowatt"], Measure::Power, 1000.0),
    (&["MW"], &["megawatt"], Measure::Power, 1e6),
    (&["N"], &["newton"], Measure::Force, 1.0),
    (&["Pa"], &["pascal"], Measure::Pressure, 1.0),
    (&["kPa"], &["kilopascal"], Measure::Pressure, 1000.0),
    (&["atm"], &["atmosphere"], Measure::Pressure, 101_325.0),
    (&["Hz"], &["hertz"], Measure::Frequency, 1.0),
    (&["kHz"], &["kilohertz"], Measure::Frequency, 1000.0),
    (&["bpm", "rpm"], &[], Measure::Frequency, 0.0),
    (&["mol"], &["mole"], Measure::Amount, 1.0),
    (&["KB", "kB"], &["kilobyte"], Measure::Bytes, 1e3),
    (&["MB"], &["megabyte"], Measure::Bytes, 1e6),
    (&["GB"], &["gigabyte"], Measure::Bytes, 1e9),
    (&["USD", "EUR", "GBP", "JPY"], &["dollar", "euro", "cent", "yen"], Measure::Money, 0.0),
    (&["%"], &["percent"], Measure::Share, 0.0),
];

/// The unit of this name or symbol, also `m/s`, `meters/second^2`, `square meters`.
pub(crate) fn unit(text: &str) -> Option<Unit> {
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    let symbol = ROWS.iter().find(|(symbols, ..)| symbols.contains(&text));
    let name = || {
        let lower = text.to_lowercase().replace("degrees", "degree");
        let single = lower.strip_suffix("es").filter(|_| lower.ends_with("ches")).or(lower.strip_suffix('s'));
        let is = |known: &&str| *known == lower || Some(*known) == single;
        ROWS.iter().find(|(_, names, ..)| names.iter().any(is))
    };
    if let Some((.., measure, size)) = symbol.or_else(name) {
        return Some(Unit { measure: *measure, size: Some(*size).filter(|size| *size > 0.0) });
    }
    let (above, below) = text.split_once('/').or_else(|| text.split_once(" per "))?;
    let (below, squared) = match below.trim_end_matches(['²', '2']).strip_suffix('^') {
        Some(plain) => (plain, true),
        None if below.ends_with(['²', '2']) => (below.trim_end_matches(['²', '2']), true),
        None => match below.strip_suffix(" squared") {
            Some(plain) => (plain, true),
            None => (below, false),
        },
    };
    let (above, below) = (unit(above)?, unit(below)?);
    let size = Some(above.size? / below.size?.powi(if squared { 2 } else { 1 }));
    match (above.measure, below.measure, squared) {
        (Measure::Length, Measure::Time, false) => Some(Unit { measure: Measure::Speed, size }),
        (Measure::Length, Measure::Time, true) => Some(Unit { measure: Measure::Acceleration, size }),
        _ => None,
    }
}

/// Whether a word that stands right behind the digits of a number can be its unit: `5kg`, `100µF`, `$2M`.
pub(super) fn is_suffix(text: &str) -> bool {
    matches!(text, "M" | "K" | "B" | "k" | "bn") || unit(text).is_some_and(|unit| unit.measure != Measure::Money)
}

impl Unit {
    /// How much of `other` one of this is. Nothing where they measure different things, or need more than a factor.
    pub(crate) fn in_terms_of(&self, other: &Unit) -> Option<f64> {
        if self.measure != other.measure {
            return None;
        }
        Some(self.size? / other.size?)
    }
}

/// The unit that begins `rest`, the text right behind a number, and how long it is.
pub(crate) fn after(rest: &str) -> Option<(Unit, &str)> {
    let gap = rest.len() - rest.trim_start_matches([' ', '-']).len();
    let body = &rest[gap..];
    let part = |c: char| c.is_alphanumeric() || matches!(c, '/' | '^' | '°' | '%' | 'Ω');
    let word = |from: usize| {
        let tail = &body[from..];
        from + tail.find(|c: char| !part(c)).unwrap_or(tail.len())
    };
    let one = word(0);
    let next = |end: usize| body[end..].strip_prefix(' ').map(|_| word(end + 1)).filter(|two| *two > end + 1);
    let two = next(one);
    let three = two.and_then(next);
    let four = three.and_then(next);
    let longest = [four, three, two, Some(one)].into_iter().flatten();
    let found = longest.filter_map(|end| Some((unit(&body[..end])?, &body[..end]))).next()?;
    // "3 in Paris": a preposition, not an inch, unless it stands right behind the digits.
    (found.1 != "in" || gap == 0).then_some(found)
}

/// The units that a description names: by their names anywhere, by their symbols in parentheses or behind "in".
pub(crate) fn named_in(description: &str) -> Option<Unit> {
    let plain = description.replace(['(', ')', ',', '.', ';'], " ");
    let words: Vec<&str> = plain.split_whitespace().collect();
    let behind_in = (0..words.len()).filter(|at| words[*at] == "in" || words[*at] == "as");
    for at in behind_in {
        for length in [3, 2, 1] {
            if let Some(unit) = words.get(at + 1..at + 1 + length).and_then(|words| unit(&words.join(" "))) {
                return Some(unit);
            }
        }
    }
    let counted = words.windows(3).filter(|three| three[0].eq_ignore_ascii_case("number") && three[1] == "of");
    if let Some(unit) = counted.filter_map(|three| unit(three[2])).next() {
        return Some(unit);
    }
    let inside = description.split('(').skip(1).filter_map(|rest| rest.split(')').next());
    inside.filter_map(unit).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_known_by_symbol_and_by_name() {
        for (text, measure) in [
            ("kg", Measure::Mass),
            ("kilograms", Measure::Mass),
            ("square meters", Measure::Area),
            ("m/s", Measure::Speed),
            ("meters/second^2", Measure::Acceleration),
            ("m/s²", Measure::Acceleration),
            ("degrees Celsius", Measure::Temperature),
            ("inches", Measure::Length),
        ] {
            assert_eq!(unit(text).map(|unit| unit.measure), Some(measure), "{text}");
        }
        assert!(unit("banana").is_none() && unit("").is_none());
    }

    #[test]
    fn one_unit_becomes_another_of_its_kind_only() {
        let factor = |from: &str, to: &str| unit(from)?.in_terms_of(&unit(to)?);
        assert_eq!(factor("km", "m"), Some(1000.0));
        assert_eq!(factor("week", "days"), Some(7.0));
        assert_eq!(factor("kg", "m"), None);
        assert_eq!(factor("celsius", "kelvin"), None, "more than a factor lies between them");
        assert_eq!(factor("year", "months"), Some(12.0));
        assert!(factor("month", "days").is_some_and(|days| days.fract() > 0.0), "months are not equally long");
    }

    #[test]
    fn a_unit_behind_a_number_is_read_and_a_preposition_is_not() {
        let behind = |rest: &str| after(rest).map(|(_, text)| text.to_owned());
        assert_eq!(behind(" square meters and").as_deref(), Some("square meters"));
        assert_eq!(behind("cm wide").as_deref(), Some("cm"));
        assert_eq!(behind("-day trip").as_deref(), Some("day"));
        assert_eq!(behind(" m/s^2 for").as_deref(), Some("m/s^2"));
        assert_eq!(behind(" in Paris"), None);
        assert_eq!(behind("in tall").as_deref(), Some("in"));
    }

    #[test]
    fn a_description_names_its_unit() {
        let named = |text: &str| named_in(text).map(|unit| unit.measure);
        assert_eq!(named("The height of the person in centimeters."), Some(Measure::Length));
        assert_eq!(named("Mass of the first body (kg)."), Some(Measure::Mass));
        assert_eq!(named("The initial velocity, in m/s."), Some(Measure::Speed));
        assert_eq!(named("The number of days to come."), Some(Measure::Time));
        assert_eq!(named("The name of a city in France"), None);
    }
}
