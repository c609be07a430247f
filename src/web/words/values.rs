//! What the values of dimensions are called in the viewer's language, where Passerby and not the site has named them.
//! Reports, filters, links and downloads know their English names alone, so that a link means the same to everybody.

use super::Lang;
use crate::query::dimension::{DIRECT_OR_NONE, Field, NO_PROPERTY, NOT_SET};

/// A value as queries have it, and its German name.
type Named = (&'static str, &'static str);

const CHANNELS: &[Named] = &[
    ("AI Assistant", "KI-Assistent"),
    ("Affiliates", "Affiliates"),
    ("Audio", "Audio"),
    ("Cross-network", "Netzwerkübergreifend"),
    ("Direct", "Direkt"),
    ("Display", "Display"),
    ("Email", "E-Mail"),
    ("Mobile Push Notifications", "Push-Mitteilungen"),
    ("Organic Search", "Organische Suche"),
    ("Organic Shopping", "Organisches Shopping"),
    ("Organic Social", "Organische soziale Medien"),
    ("Organic Video", "Organische Videos"),
    ("Paid Other", "Sonstiges Bezahltes"),
    ("Paid Search", "Bezahlte Suche"),
    ("Paid Shopping", "Bezahltes Shopping"),
    ("Paid Social", "Bezahlte soziale Medien"),
    ("Paid Video", "Bezahlte Videos"),
    ("Referral", "Verweis"),
    ("SMS", "SMS"),
];
const DEVICES: &[Named] =
    &[("Desktop", "Desktop"), ("Mobile", "Mobiltelefon"), ("Tablet", "Tablet")];
/// What there is instead of a value.
const BLANKS: &[Named] = &[
    (DIRECT_OR_NONE, "Direkt / ohne Verweis"),
    (NOT_SET, "(nicht gesetzt)"),
    (NO_PROPERTY, "(ohne)"),
];

/// What a value of a dimension is called; the value itself, where it has no other name.
pub(in crate::web) fn name<'a>(lang: Lang, dimension: &str, value: &'a str) -> &'a str {
    let german = || named(dimension).find(|(known, _)| *known == value).map(|(_, german)| german);
    match lang {
        Lang::English => value,
        Lang::German => german().unwrap_or(value),
    }
}

/// What queries call the value that is called so in one of the languages.
pub(in crate::web) fn canonical<'a>(dimension: &str, called: &'a str) -> &'a str {
    let is = |name: &str| name.to_lowercase() == called.to_lowercase();
    let known = named(dimension).find(|(_, german)| is(german));
    known.map_or(called, |(canonical, _)| canonical)
}

/// The values, as queries call them, in whose name in that language this is a part, whatever its capitals; none, where
/// queries can be asked for a part of what is read.
pub(in crate::web) fn containing(lang: Lang, dimension: &str, part: &str) -> Vec<&'static str> {
    let part = part.to_lowercase();
    match lang {
        Lang::English => Vec::new(),
        Lang::German => every(dimension)
            .iter()
            .filter(|(_, german)| german.to_lowercase().contains(&part))
            .map(|(canonical, _)| *canonical)
            .collect(),
    }
}

/// The values of a dimension that has no others than these.
fn every(dimension: &str) -> &'static [Named] {
    match dimension {
        "visit:channel" => CHANNELS,
        "visit:device" | "visit:screen" => DEVICES,
        _ => &[],
    }
}

/// The values of a dimension that have a name here. What a site sends itself is its own, even if it reads like one of these.
fn named(dimension: &str) -> impl Iterator<Item = Named> {
    let blanks = match Field::named(dimension) {
        Some(Field::Hostname) => &[NO_PROPERTY],
        Some(field) => field.blank_names(),
        None if dimension.starts_with("event:props:") => &[NO_PROPERTY],
        None => &[],
    };
    let blanks = BLANKS.iter().filter(|(blank, _)| blanks.contains(blank));
    every(dimension).iter().chain(blanks).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The texts that stand alone on a line of a source, or after an arrow.
    fn texts(source: &str) -> impl Iterator<Item = &str> {
        source.lines().filter_map(|line| {
            let line = line.trim().trim_end_matches(',');
            let line = line.rsplit("=> ").next().unwrap_or(line);
            line.strip_prefix('"')?.strip_suffix('"')
        })
    }

    #[test]
    fn every_channel_and_every_device_has_a_name() {
        let channels = texts(include_str!("../../enrich/acquisition/channel.rs"));
        let channels: Vec<_> =
            channels.filter(|text| text.starts_with(char::is_uppercase)).collect();
        assert!(channels.len() >= CHANNELS.len(), "{channels:?}");
        for channel in channels {
            assert!(CHANNELS.iter().any(|(known, _)| *known == channel), "{channel}");
        }
        let (_, device) = include_str!("../../enrich/agent.rs").split_once("fn device(").unwrap();
        let devices: Vec<_> = texts(device).filter(|text| !text.is_empty()).collect();
        for (device, _) in DEVICES {
            assert!(devices.contains(device), "{device}");
        }
    }

    #[test]
    fn a_name_leads_back_to_the_value_that_queries_know() {
        for dimension in ["visit:channel", "visit:device", "visit:source", "event:props:plan"] {
            for (value, german) in named(dimension) {
                assert_eq!(name(Lang::German, dimension, value), german);
                assert_eq!(name(Lang::English, dimension, value), value);
                assert_eq!(canonical(dimension, &german.to_uppercase()), value);
                // Nothing is called in German as another is in English.
                assert_eq!(canonical(dimension, value), value);
            }
        }
    }

    #[test]
    fn what_a_site_sends_is_shown_as_it_is() {
        for (dimension, value, german) in [
            ("visit:source", "Direct / None", "Direkt / ohne Verweis"),
            ("visit:source", "Email", "Email"),
            ("visit:browser", "(not set)", "(nicht gesetzt)"),
            ("visit:utm_medium", "Display", "Display"),
            ("event:hostname", "(none)", "(ohne)"),
            ("event:props:device", "Mobile", "Mobile"),
            ("event:props:device", "(not set)", "(not set)"),
            ("event:page", "(not set)", "(not set)"),
            ("segment", "7", "7"),
        ] {
            assert_eq!(name(Lang::German, dimension, value), german, "{dimension}");
        }
    }

    #[test]
    fn channels_are_found_by_a_part_of_their_name() {
        let found = |part| containing(Lang::German, "visit:channel", part);
        assert_eq!(found("SUCHE"), ["Organic Search", "Paid Search"]);
        assert_eq!(found("Search"), [""; 0]);
        assert_eq!(containing(Lang::English, "visit:channel", "suche"), [""; 0]);
        assert_eq!(containing(Lang::German, "visit:source", "direkt"), [""; 0]);
    }
}
