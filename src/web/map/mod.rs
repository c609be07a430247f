//! The map of the world: the darker a country, the more visitors are there.
//!
//! `world.tsv` has the outlines, made by `build.mjs` of Natural Earth's. Countries that are too small to be
//! drawn are in the list beside the map.

use serde_json::{Value, json};

use super::ask::{Asker, rows};
use super::filter::Filter;
use super::format::number;
use super::words::{Lang, countries};

/// A line each: the code of a country, and its outline as an SVG path.
const WORLD: &str = include_str!("world.tsv");
/// How many shades there are.
const SHADES: f64 = 6.0;
/// What a share that is a whole number of shades may miss it by.
const ROUNDING: f64 = 1e-9;

/// The drawing.
pub(super) struct WorldMap {
    /// Where nobody is.
    pub(super) land: String,
    pub(super) countries: Vec<Country>,
    pub(super) legend: Vec<Key>,
}

/// What a shade stands for.
pub(super) struct Key {
    pub(super) shade: u32,
    /// How many visitors: `1 – 12`.
    pub(super) visitors: String,
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
        let mut map = Self {
            land: String::new(),
            countries: Vec::new(),
            legend: legend(asker.lang, highest),
        };
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

/// The shades, the palest first, each with the numbers of visitors that it stands for: of few visitors not every shade has one.
fn legend(lang: Lang, highest: f64) -> Vec<Key> {
    let last = |shade: u32| ((f64::from(shade) / SHADES).powi(2) * highest + ROUNDING).floor();
    let key = |shade: u32| {
        let (from, to) = (if shade == 1 { 1.0 } else { last(shade - 1) + 1.0 }, last(shade));
        let visitors = match from == to {
            true => lang.whole(to),
            false => format!("{} – {}", lang.whole(from), lang.whole(to)),
        };
        (from <= to).then_some(Key { shade, visitors })
    };
    (1..=SHADES as u32).filter_map(key).collect()
}

/// From 1 to 6: by the square root, so that the second country is not as pale as the last.
fn shade(share: f64) -> u32 {
    ((share.sqrt() * SHADES - ROUNDING).ceil() as u32).clamp(1, SHADES as u32)
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
    fn the_legend_says_of_every_number_of_visitors_which_shade_it_has() {
        let mut said = Vec::new();
        for highest in [1_u32, 2, 5, 7, 36, 100, 1_234] {
            let legend = legend(Lang::English, f64::from(highest));
            for visitors in 1..=highest {
                let shade = shade(f64::from(visitors) / f64::from(highest));
                let is_of = |key: &&Key| {
                    let ends = key.visitors.split(" – ").map(|end| end.replace(',', "").parse());
                    let ends: Vec<u32> = ends.map(Result::unwrap).collect();
                    (ends[0]..=ends[ends.len() - 1]).contains(&visitors)
                };
                let keys: Vec<u32> = legend.iter().filter(is_of).map(|key| key.shade).collect();
                assert_eq!(keys, [shade], "{visitors} of {highest}");
            }
            said.push(legend.iter().map(|key| key.visitors.clone()).collect::<Vec<_>>().join(", "));
        }
        assert_eq!(said[0], "1");
        assert_eq!(said[4], "1, 2 – 4, 5 – 9, 10 – 16, 17 – 25, 26 – 36");
    }

    #[test]
    fn shades_go_from_the_palest_to_the_darkest() {
        assert_eq!((shade(0.0001), shade(0.25), shade(1.0)), (1, 3, 6));
    }
}
