//! Sizes, times and counts as people write them: `64 MiB`, `5 s`, `200 M`.

/// What a number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Bytes: `KiB`, `MiB`, `GiB`, and `kB`, `MB`, `GB` for powers of ten.
    Bytes,
    /// Milliseconds: `ms`, `s`, `min`, `h`, `d`.
    Time,
    /// Things: `k`, `M`, `G`.
    Count,
}

impl Unit {
    /// The suffixes, largest first, so that printing takes the first that divides the value.
    const fn suffixes(self) -> &'static [(&'static str, u64)] {
        match self {
            Unit::Bytes => &[
                ("GiB", 1 << 30),
                ("GB", 1_000_000_000),
                ("MiB", 1 << 20),
                ("MB", 1_000_000),
                ("KiB", 1 << 10),
                ("kB", 1_000),
                ("B", 1),
            ],
            Unit::Time => &[("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1_000), ("ms", 1)],
            Unit::Count => &[("G", 1_000_000_000), ("M", 1_000_000), ("k", 1_000), ("", 1)],
        }
    }

    const fn expected(self) -> &'static str {
        match self {
            Unit::Bytes => "a size such as `64 MiB`, `512 KiB` or `1000 B`",
            Unit::Time => "a time such as `5 s`, `250 ms` or `2 min`",
            Unit::Count => "a count such as `100`, `20 k` or `200 M`",
        }
    }
}

/// Why a text is no quantity.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnitError {
    /// The text is not a number with a unit.
    #[error("write {expected}")]
    Malformed {
        /// What would have been right.
        expected: &'static str,
    },
    /// A time without a unit could be seconds or milliseconds.
    #[error("a time needs its unit: write {expected}")]
    NoUnit {
        /// What would have been right.
        expected: &'static str,
    },
    /// The value does not fit 64 bits.
    #[error("the value is too large")]
    TooLarge,
    /// Nothing at all would be left.
    #[error("zero would leave nothing: write {expected}")]
    Zero {
        /// What would have been right.
        expected: &'static str,
    },
}

/// Reads a quantity. A number without a suffix counts bytes or things; a time has one. Fractions are read exactly where
/// they come out whole (`1.5 s`).
pub(crate) fn parse(text: &str, unit: Unit) -> Result<u64, UnitError> {
    let malformed = UnitError::Malformed { expected: unit.expected() };
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.' && c != '_').unwrap_or(text.len());
    let (number, suffix) = text.split_at(end);
    let suffix = suffix.trim_start();
    if suffix.is_empty() && unit == Unit::Time && digits(number).is_some() {
        return Err(UnitError::NoUnit { expected: unit.expected() });
    }
    let factor = match suffix {
        "" => Some(1),
        _ => unit.suffixes().iter().find(|(name, _)| *name == suffix).map(|(_, factor)| *factor),
    };
    let factor = factor.ok_or_else(|| malformed.clone())?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let whole = digits(whole).ok_or_else(|| malformed.clone())??;
    let mut value = whole.checked_mul(factor).ok_or(UnitError::TooLarge)?;
    if fraction.len() > 9 {
        return Err(malformed);
    }
    let numerator = digits(fraction).ok_or_else(|| malformed.clone())??;
    let denominator = 10u64.pow(fraction.bytes().filter(u8::is_ascii_digit).count() as u32);
    let scaled = u128::from(numerator) * u128::from(factor);
    if scaled % u128::from(denominator) != 0 {
        return Err(malformed);
    }
    let part = u64::try_from(scaled / u128::from(denominator)).map_err(|_| UnitError::TooLarge)?;
    value = value.checked_add(part).ok_or(UnitError::TooLarge)?;
    if value == 0 { Err(UnitError::Zero { expected: unit.expected() }) } else { Ok(value) }
}

/// Reads a time such as `5 s`, `8 h` or `7 d`, in milliseconds.
///
/// # Errors
///
/// It is none, or has no unit.
pub fn parse_duration(text: &str) -> Result<u64, UnitError> {
    parse(text, Unit::Time)
}

/// Reads decimal digits with `_` between them. `None` where the text has something else.
fn digits(text: &str) -> Option<Result<u64, UnitError>> {
    let clean: String = text.chars().filter(|c| *c != '_').collect();
    if clean.is_empty() || !clean.bytes().all(|byte| byte.is_ascii_digit()) || text.starts_with('_') {
        return None;
    }
    Some(clean.parse().map_err(|_| UnitError::TooLarge))
}

/// Writes a quantity with the largest suffix that leaves a whole number.
pub(crate) fn print(value: u64, unit: Unit) -> String {
    let suffix = unit.suffixes().iter().find(|(_, factor)| value != 0 && value.is_multiple_of(*factor));
    match suffix {
        Some(("", _)) | None => value.to_string(),
        Some((name, factor)) => format!("{} {name}", value / factor),
    }
}
