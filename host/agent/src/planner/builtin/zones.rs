//! Time zones by the names that people use: the last part of the IANA name, and a few more.

/// One IANA name per line, from the public-domain time zone database.
const ZONES: &str = include_str!("zones.txt");

/// Places that no zone is named after.
const PLACES: &[(&str, &str)] = &[
    ("san francisco", "America/Los_Angeles"),
    ("seattle", "America/Los_Angeles"),
    ("boston", "America/New_York"),
    ("washington", "America/New_York"),
    ("new york city", "America/New_York"),
    ("munich", "Europe/Berlin"),
    ("hamburg", "Europe/Berlin"),
    ("frankfurt", "Europe/Berlin"),
    ("barcelona", "Europe/Madrid"),
    ("milan", "Europe/Rome"),
    ("geneva", "Europe/Zurich"),
    ("kyiv", "Europe/Kyiv"),
    ("beijing", "Asia/Shanghai"),
    ("delhi", "Asia/Kolkata"),
    ("mumbai", "Asia/Kolkata"),
    ("bangalore", "Asia/Kolkata"),
    ("osaka", "Asia/Tokyo"),
    ("japan", "Asia/Tokyo"),
    ("india", "Asia/Kolkata"),
    ("germany", "Europe/Berlin"),
    ("france", "Europe/Paris"),
    ("gmt", "UTC"),
];

/// The zone that `text` names: an IANA name, or a place.
pub(super) fn zone(text: &str) -> Option<String> {
    let text = text.trim().to_lowercase();
    if text.is_empty() {
        return None;
    }
    let place = text.replace(' ', "_");
    let full = ZONES.lines().find(|zone| zone.to_lowercase() == place);
    let last = || ZONES.lines().find(|zone| zone.rsplit('/').next().is_some_and(|last| last.to_lowercase() == place));
    let known = || PLACES.iter().find(|(name, _)| *name == text).map(|(_, zone)| *zone);
    full.or_else(last).or_else(known).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::zone;

    #[test]
    fn a_city_gives_its_zone() {
        for (place, expected) in [
            ("Tokyo", "Asia/Tokyo"),
            ("new york", "America/New_York"),
            ("UTC", "UTC"),
            ("Europe/Paris", "Europe/Paris"),
        ] {
            assert_eq!(zone(place).as_deref(), Some(expected));
        }
        assert_eq!(zone("the moon"), None);
        assert_eq!(zone(""), None);
    }
}
