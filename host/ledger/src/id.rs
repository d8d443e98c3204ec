//! Names of runs, of places in a run, and of a ledger.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::stamp::UnixMicros;

/// Crockford's base 32: no i, l, o, u, so that a name survives being read aloud.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// Characters after the `r`.
const LEN: usize = 12;
const BITS_PER_CHAR: usize = 5;
/// Low bits that are random; the 41 bits above are milliseconds since [`EPOCH_MS`], which last until 2089.
const RANDOM_BITS: u32 = 19;
const MAX: u64 = (1 << (LEN * BITS_PER_CHAR)) - 1;
/// 2020-01-01T00:00:00Z in Unix milliseconds.
const EPOCH_MS: i64 = 1_577_836_800_000;

/// The name of a run: `r` and twelve letters or digits, such as `r1vd8m2k0q7zx`.
///
/// Names sort by the time at which the runs began, as text and as values. Inside one ledger they are unique and rise with
/// every run, also when the clock is set back, since a new name is always above the newest one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(u64);

/// Why a text is not a [`RunId`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is not a run: a run is `r` and 12 letters or digits, as in `r1vd8m2k0q7zx`")]
pub struct RunIdError {
    /// The text, cut to a readable length.
    pub given: String,
}

impl RunId {
    /// The name for a run that begins `now`, with `random` in its low bits, above `newest`.
    ///
    /// `None` when `newest` is the last name that there can be.
    pub(crate) fn next(now: UnixMicros, random: u32, newest: Option<Self>) -> Option<Self> {
        let millis = (now.get().div_euclid(1000)).saturating_sub(EPOCH_MS).max(0);
        let time = millis.unsigned_abs().min(MAX >> RANDOM_BITS) << RANDOM_BITS;
        let random = u64::from(random) & ((1 << RANDOM_BITS) - 1);
        let floor = newest.map_or(0, |id| id.0 + 1);
        Self::from_bits((time | random).max(floor))
    }

    /// The number behind the name, which is what chains and tables hold; below 2^60.
    pub fn bits(self) -> u64 {
        self.0
    }

    /// A number that is known to be below 2^60.
    #[cfg(test)]
    pub(crate) const fn new(bits: u64) -> Self {
        Self(bits)
    }

    /// The name of a number, if it is below 2^60.
    pub fn from_bits(bits: u64) -> Option<Self> {
        (bits <= MAX).then_some(Self(bits))
    }

    /// The number as SQLite holds it.
    pub(crate) fn sql(self) -> i64 {
        self.0.cast_signed()
    }

    /// The name of a number read from a table.
    pub(crate) fn from_sql(number: i64) -> Option<Self> {
        u64::try_from(number).ok().and_then(Self::from_bits)
    }

    /// The range of numbers whose names begin with `text` (which includes the `r`), or `None` if none can.
    pub(crate) fn range_of_prefix(text: &str) -> Option<(i64, i64)> {
        let digits = text.strip_prefix(['r', 'R'])?;
        let (value, count) = decode(digits)?;
        let free = (LEN - count) * BITS_PER_CHAR;
        let low = value << free;
        let high = low | ((1 << free) - 1);
        Some((low.cast_signed(), high.cast_signed()))
    }

    /// `(mask, value)` of the numbers whose names end in `text`, or `None` if none can.
    pub(crate) fn mask_of_ending(text: &str) -> Option<(i64, i64)> {
        let (value, count) = decode(text)?;
        let mask: u64 = if count == 0 {
            return None;
        } else {
            (1 << (count * BITS_PER_CHAR)) - 1
        };
        Some((mask.cast_signed(), value.cast_signed()))
    }
}

/// The value of up to twelve base 32 characters, and how many there were.
fn decode(text: &str) -> Option<(u64, usize)> {
    let mut value = 0;
    let mut count = 0;
    for byte in text.bytes() {
        let byte = match byte.to_ascii_lowercase() {
            b'o' => b'0',
            b'i' | b'l' => b'1',
            other => other,
        };
        let digit = ALPHABET.iter().position(|&known| known == byte)?;
        value = (value << BITS_PER_CHAR) | digit as u64;
        count += 1;
        if count > LEN {
            return None;
        }
    }
    Some((value, count))
}

/// `text` cut to what a message can carry.
pub(crate) fn excerpt(text: &str) -> String {
    const READABLE: usize = 40;
    let mut short: String = text.chars().take(READABLE).map(|c| if c.is_control() { '?' } else { c }).collect();
    if text.chars().nth(READABLE).is_some() {
        short.push('…');
    }
    short
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [b'r'; LEN + 1];
        for (place, byte) in text.iter_mut().skip(1).enumerate() {
            let shift = (LEN - 1 - place) * BITS_PER_CHAR;
            *byte = ALPHABET[usize::try_from((self.0 >> shift) & 31).unwrap_or(0)];
        }
        f.pad(std::str::from_utf8(&text).unwrap_or_default())
    }
}

impl fmt::Debug for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for RunId {
    type Err = RunIdError;

    fn from_str(text: &str) -> Result<Self, RunIdError> {
        text.strip_prefix(['r', 'R'])
            .and_then(decode)
            .filter(|&(_, count)| count == LEN)
            .and_then(|(value, _)| Self::from_bits(value))
            .ok_or_else(|| RunIdError { given: excerpt(text) })
    }
}

impl Serialize for RunId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for RunId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// The place of an event in its run: 0 for the event that began it, then 1, 2, 3 without gaps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seq(u64);

impl Seq {
    /// The event that began the run.
    pub const FIRST: Self = Self(0);

    /// The place with this number. Numbers above `i64::MAX` name no event of any ledger.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The place after this one.
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    pub(crate) fn sql(self) -> i64 {
        i64::try_from(self.0).unwrap_or(i64::MAX)
    }

    pub(crate) fn from_sql(number: i64) -> Option<Self> {
        u64::try_from(number).ok().map(Self)
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The random name of one ledger, given when it is made: tells two ledgers apart that were swapped.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct LedgerId(pub(crate) [u8; 16]);

impl LedgerId {
    /// The sixteen bytes.
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for LedgerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for LedgerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for LedgerId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DAY: i64 = 86_400_000_000;
    const NOW: UnixMicros = UnixMicros::new(1_790_000_000_000_000);

    #[test]
    fn a_later_run_has_a_higher_name_also_when_the_clock_goes_back() {
        let first = RunId::next(NOW, 7, None).unwrap();
        let later = RunId::next(UnixMicros::new(NOW.get() + 1000), 0, Some(first)).unwrap();
        let back = RunId::next(UnixMicros::new(NOW.get() - DAY), 99, Some(later)).unwrap();
        assert!(first < later && later < back);
        assert!(first.to_string() < later.to_string() && later.to_string() < back.to_string());
    }

    #[test]
    fn names_end_with_the_number_space_and_never_wrap() {
        let last = RunId::from_bits(MAX).unwrap();
        assert_eq!(last.to_string(), "rzzzzzzzzzzzz");
        assert_eq!(RunId::next(NOW, 0, Some(last)), None);
        assert_eq!(RunId::from_bits(MAX + 1), None);
        assert_eq!(RunId::from_sql(-1), None);
    }

    #[test]
    fn letters_that_look_alike_are_read_alike() {
        let id: RunId = "r1vd8m2k0q7zx".parse().unwrap();
        assert_eq!("RLVD8M2KOQ7ZX".parse::<RunId>().unwrap(), id);
    }

    #[test]
    fn what_is_no_name_is_refused_by_name() {
        for bad in ["", "r", "r1", "x1vd8m2k0q7zx", "r1vd8m2k0q7zxx", "r1vd8m2k0q7u!", "ré"] {
            assert!(bad.parse::<RunId>().is_err(), "{bad}");
        }
        let message = "run-17".parse::<RunId>().unwrap_err().to_string();
        assert!(message.starts_with("`run-17` is not a run"), "{message}");
    }

    proptest! {
        #[test]
        fn a_name_and_its_number_are_the_same_thing(bits in 0..=MAX, other in 0..=MAX) {
            let id = RunId::from_bits(bits).unwrap();
            let text = id.to_string();
            prop_assert_eq!(text.parse::<RunId>().unwrap(), id);
            prop_assert_eq!(text.len(), LEN + 1);
            prop_assert_eq!(bits.cmp(&other), text.cmp(&RunId::from_bits(other).unwrap().to_string()));
        }

        #[test]
        fn a_prefix_and_an_ending_find_their_own_name(bits in 0..=MAX, cut in 1..=LEN) {
            let id = RunId::from_bits(bits).unwrap();
            let text = id.to_string();
            let (low, high) = RunId::range_of_prefix(&text[..=cut]).unwrap();
            prop_assert!((low..=high).contains(&id.sql()));
            let (mask, value) = RunId::mask_of_ending(&text[1 + LEN - cut..]).unwrap();
            prop_assert_eq!(id.sql() & mask, value);
        }

        #[test]
        fn no_text_makes_the_parsers_panic(text in ".{0,40}") {
            let _ = text.parse::<RunId>();
            let _ = RunId::range_of_prefix(&text);
            let _ = RunId::mask_of_ending(&text);
        }
    }
}
