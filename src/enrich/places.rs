//! The names of regions and cities by their codes, for events that come with codes alone.
//!
//! A place database knows the names of the places that it finds; a file of events has only codes. The
//! lists are sorted by code and are looked up where they stand, without an index in memory.

use std::cmp::Ordering;

/// `DE-BE`, a tab, and a name on each line, sorted by code.
const REGIONS: &str = include_str!("data/regions.tsv");
/// GeoNames id, a tab, and a name on each line, sorted by id.
const CITIES: &str = include_str!("data/cities.tsv");

/// The name of a region by its ISO 3166-2 code, in the language of ISO 3166.
pub fn region_name(code: &str) -> Option<&'static str> {
    find(REGIONS, |line_code| line_code.cmp(code))
}

/// The name of a city of 1,000 inhabitants or more, by its GeoNames id.
pub fn city_name(id: u32) -> Option<&'static str> {
    find(CITIES, |line_id| line_id.parse::<u32>().unwrap_or(0).cmp(&id))
}

/// Bisects the lines of a table. `order` says where the key of a line lies, seen from the one sought.
fn find(table: &'static str, order: impl Fn(&str) -> Ordering) -> Option<&'static str> {
    let (mut from, mut to) = (0, table.len());
    while from < to {
        let middle = from + (to - from) / 2;
        // A newline is one byte of its own in UTF-8, so that these cuts never split a character.
        let start = table.as_bytes()[from..middle].iter().rposition(|&byte| byte == b'\n');
        let start = start.map_or(from, |newline| from + newline + 1);
        let line = table[start..].lines().next()?;
        let (key, name) = line.split_once('\t')?;
        match order(key) {
            Ordering::Equal => return Some(name),
            Ordering::Less => from = start + line.len() + 1,
            Ordering::Greater => to = start,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_its_name_and_a_code_that_is_none_has_none() {
        assert_eq!(region_name("DE-BE"), Some("Berlin"));
        assert_eq!(region_name("EE-37"), Some("Harjumaa"));
        assert_eq!(city_name(2_950_159), Some("Berlin"));
        assert_eq!(city_name(588_409), Some("Tallinn"));
        for code in ["", "DE", "DE-ZZ", "ZZZZ"] {
            assert_eq!(region_name(code), None, "{code}");
        }
        assert_eq!((city_name(0), city_name(1), city_name(u32::MAX)), (None, None, None));
    }

    #[test]
    fn every_line_of_the_tables_is_found() {
        for (line, step) in REGIONS.lines().zip(0usize..) {
            let (code, name) = line.split_once('\t').unwrap();
            assert_eq!(region_name(code), Some(name), "line {step}");
        }
        for line in CITIES.lines().step_by(97) {
            let (id, name) = line.split_once('\t').unwrap();
            assert_eq!(city_name(id.parse().unwrap()), Some(name), "{id}");
        }
    }

    #[test]
    fn the_tables_are_sorted_and_have_each_code_once() {
        let regions: Vec<_> =
            REGIONS.lines().map(|line| line.split_once('\t').unwrap().0).collect();
        assert!(regions.is_sorted_by(|one, other| one < other));
        let ids =
            CITIES.lines().map(|line| line.split_once('\t').unwrap().0.parse::<u32>().unwrap());
        assert!(ids.collect::<Vec<_>>().is_sorted_by(|one, other| one < other));
    }
}
