//! States and countries, for addresses that name a city and what it lies in.

/// The states of the USA with their codes.
const STATES: &str = "Alabama AL,Alaska AK,Arizona AZ,Arkansas AR,California CA,Colorado CO,Connecticut CT,Delaware DE,\
Florida FL,Georgia GA,Hawaii HI,Idaho ID,Illinois IL,Indiana IN,Iowa IA,Kansas KS,Kentucky KY,Louisiana LA,Maine ME,\
Maryland MD,Massachusetts MA,Michigan MI,Minnesota MN,Mississippi MS,Missouri MO,Montana MT,Nebraska NE,Nevada NV,\
New Hampshire NH,New Jersey NJ,New Mexico NM,New York NY,North Carolina NC,North Dakota ND,Ohio OH,Oklahoma OK,\
Oregon OR,Pennsylvania PA,Rhode Island RI,South Carolina SC,South Dakota SD,Tennessee TN,Texas TX,Utah UT,Vermont VT,\
Virginia VA,Washington WA,West Virginia WV,Wisconsin WI,Wyoming WY,D.C. DC";

/// Countries by the names that stand in addresses.
const COUNTRIES: &str = "Argentina,Australia,Austria,Bangladesh,Belgium,Brazil,Bulgaria,Canada,Chile,China,Colombia,\
Croatia,Cuba,Denmark,Egypt,England,Estonia,Ethiopia,Finland,France,Germany,Ghana,Greece,Hungary,Iceland,India,\
Indonesia,Iran,Iraq,Ireland,Israel,Italy,Jamaica,Japan,Kenya,Latvia,Lithuania,Malaysia,Mexico,Morocco,Nepal,\
Netherlands,New Zealand,Nigeria,Norway,Pakistan,Peru,Philippines,Poland,Portugal,Romania,Russia,Saudi Arabia,Scotland,\
Serbia,Singapore,Slovakia,Slovenia,South Africa,South Korea,Spain,Sweden,Switzerland,Taiwan,Thailand,Tunisia,Turkey,\
Ukraine,United Kingdom,United States,Uruguay,Venezuela,Vietnam,Wales,USA,UK,UAE,US";

/// The largest cities of the USA, each with the code of its state: who names one of them means that one.
const CITIES: &str = "New York NY,New York City NY,Los Angeles CA,Chicago IL,Houston TX,Phoenix AZ,Philadelphia PA,\
San Antonio TX,San Diego CA,Dallas TX,San Jose CA,Austin TX,Jacksonville FL,San Francisco CA,Columbus OH,Fort Worth TX,\
Indianapolis IN,Charlotte NC,Seattle WA,Denver CO,Boston MA,El Paso TX,Nashville TN,Detroit MI,Oklahoma City OK,\
Portland OR,Las Vegas NV,Memphis TN,Louisville KY,Baltimore MD,Milwaukee WI,Albuquerque NM,Tucson AZ,Fresno CA,\
Sacramento CA,Kansas City MO,Atlanta GA,Omaha NE,Raleigh NC,Miami FL,Oakland CA,Minneapolis MN,Tampa FL,New Orleans LA,\
Cleveland OH,Honolulu HI,Cincinnati OH,Pittsburgh PA,St. Louis MO,Orlando FL,Buffalo NY,Salt Lake City UT";

/// The code of the state that a large city lies in.
pub(super) fn state_of(city: &str) -> Option<&'static str> {
    CITIES.split(',').filter_map(|line| line.rsplit_once(' ')).find(|(name, _)| *name == city).map(|(_, code)| code)
}

fn states() -> impl Iterator<Item = (&'static str, &'static str)> {
    STATES.split(',').filter_map(|line| line.rsplit_once(' '))
}

/// Whether this is a state, its code, or a country: what stands behind a city and a comma.
pub(super) fn is_larger(text: &str) -> bool {
    is_state(text) || is_country(text)
}

/// Whether this is a state of the USA or its code.
pub(super) fn is_state(text: &str) -> bool {
    states().any(|(name, code)| name == text || code == text)
}

/// Whether this is a country.
pub(super) fn is_country(text: &str) -> bool {
    COUNTRIES.split(',').any(|name| name == text)
}

/// Whether this is a place that is known here: a state, a country, or a city that a time zone is named after.
pub(super) fn is_place(text: &str) -> bool {
    is_larger(text) || super::zones::zone(text).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_countries_and_cities_are_places() {
        for place in ["CA", "New York", "West Virginia", "France", "Tokyo", "San Francisco"] {
            assert!(is_place(place), "{place}");
        }
        assert_eq!((state_of("Boston"), state_of("Paris")), (Some("MA"), None));
        assert!(is_state("IL") && !is_state("Paris") && !is_country("Apple"));
    }
}
