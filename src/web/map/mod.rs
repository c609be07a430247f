//! The map of the world: the darker a country, the more visitors are there.
//!
//! `world.tsv` has the outlines, made by `build.mjs` of Natural Earth's. Countries that are too small to be
//! drawn are in the list beside the map.

use serde_json::{Value, json};

use super::ask::{Asker, rows};
use super::filter::Filter;
use super::format::number;
use super::words::countries;

/// A line each: the code of a country, and its outline as an SVG path.
const WORLD: &str = include_str!("world.tsv");
/// How many shades there are.
const SHADES: f64 = 6.0;

/// The drawing.
pub(super) struct WorldMap {
    /// Where nobody is.
    pub(super) land: String,
    pub(super) countries: Vec<Country>,
}

/// Where somebody is.
pub(super) struct Country {
    pub(super) outline: &'static str,
    pub(super) shade: u32,
    pub(super) name: String,
    pub(super) visitors: String,
    pub(super) url: String,
}

/// The question that the map answers.
/// What it is drawn of: the code of a country, and its name.
pub(super) const DIMENSIONS: [&str; 2] = ["visit:country", "visit:country_name"];

pub(super) fn query(asker: &Asker) -> Value {
    asker.query(json!({
        "metrics": ["visitors"], "dimensions": DIMENSIONS, "pagination": {"limit": 300},
    }))
}

impl WorldMap {
    /// Draws its answer.
    pub(super) fn of(asker: &Asker, answer: &Value) -> Self {
        let rows = rows(answer);
        let highest = rows.iter().map(|row| number(&row["metrics"][0])).fold(1.0, f64::max);
        let mut map = Self { land: String::new(), countries: Vec::new() };
        for line in WORLD.lines() {
            let Some((code, outline)) = line.split_once('\t') else { continue };
            match rows.iter().find(|row| row["dimensions"][0] == code) {
                None => map.land.push_str(outline),
                Some(row) => map.countries.push(country(asker, outline, row, highest)),
            }
        }
        map
    }
}

fn country(asker: &Asker, outline: &'static str, row: &Value, highest: f64) -> Country {
    let name = row["dimensions"][1].as_str().unwrap_or_default();
    let visitors = number(&row["metrics"][0]);
    Country {
        outline,
        shade: shade(visitors / highest),
        name: countries::name(asker.lang, name).to_owned(),
        visitors: asker.lang.whole(visitors),
        url: asker.view.with_filter(Filter::is("visit:country_name", name)).url(),
    }
}

/// From 1 to 6: by the square root, so that the second country is not as pale as the last.
fn shade(share: f64) -> u32 {
    ((share.sqrt() * SHADES).ceil() as u32).clamp(1, SHADES as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_outlines_are_paths_of_known_countries() {
        assert!(WORLD.lines().count() > 160);
        for line in WORLD.lines() {
            let (code, outline) = line.split_once('\t').unwrap();
            assert!(
                code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase()),
                "{code}"
            );
            let is_path = |byte: u8| byte.is_ascii_digit() || b"Mlz -.".contains(&byte);
            assert!(outline.starts_with('M') && outline.bytes().all(is_path), "{code}");
        }
        assert!(WORLD.contains("\nDE\tM") && WORLD.len() < 40_000);
    }

    #[test]
    fn shades_go_from_the_palest_to_the_darkest() {
        assert_eq!((shade(0.0001), shade(0.25), shade(1.0)), (1, 3, 6));
    }
}
