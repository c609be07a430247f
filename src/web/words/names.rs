//! What metrics and dimensions are called, and what the metrics mean.
//!
//! English definitions are the registry's own documentation. What has no name here goes by its name in
//! queries, so that a metric that is added is shown before it is named.

use super::Lang;
use crate::query::metric::Metric;

/// Public name, English, German, and the definition in German.
const METRICS: &[(&str, &str, &str, &str)] = &[
    (
        "visitors",
        "Visitors",
        "Besucher",
        "Menschen, soweit sie sich unterscheiden lassen: Ein Mensch zählt einmal an jedem Tag der Website.",
    ),
    (
        "visits",
        "Visits",
        "Besuche",
        "Besuche, die im Zeitraum liefen. Ein Besuch endet nach 30 Minuten ohne Regung.",
    ),
    ("pageviews", "Page views", "Seitenaufrufe", "Aufrufe von Seiten."),
    ("events", "Events", "Ereignisse", "Seitenaufrufe und eigene Ereignisse."),
    (
        "views_per_visit",
        "Views per visit",
        "Aufrufe je Besuch",
        "Seitenaufrufe der Besuche, geteilt durch die Besuche.",
    ),
    (
        "bounce_rate",
        "Bounce rate",
        "Absprungrate",
        "Anteil der Besuche, die höchstens eine Seite sahen und dort nichts taten. Mit einem Filter auf die Seite: der Besuche, die auf ihr begannen.",
    ),
    (
        "visit_duration",
        "Visit duration",
        "Besuchsdauer",
        "Mittlere Zeit vom ersten Ereignis eines Besuchs bis zum letzten.",
    ),
    (
        "percentage",
        "Share",
        "Anteil",
        "Besucher der Zeile als Anteil der Besucher der ganzen Auswertung.",
    ),
    (
        "conversion_rate",
        "Conversion rate",
        "Konversionsrate",
        "Besucher, die das Ziel erreichten, als Anteil aller Besucher: derer der Auswertung ohne Aufschlüsselung und ohne ihre Filter auf Ziele und Eigenschaften.",
    ),
    (
        "group_conversion_rate",
        "Conversion rate",
        "Konversionsrate",
        "Besucher der Zeile, die das Ziel erreichten, als Anteil der Besucher der Zeile.",
    ),
    (
        "total_revenue",
        "Revenue",
        "Umsatz",
        "Umsatz der Ereignisse, die ein Ziel mit einer Währung erreichten, soweit er in dieser Währung ist.",
    ),
    (
        "average_revenue",
        "Average revenue",
        "Mittlerer Umsatz",
        "Der mittlere Umsatz dieser Ereignisse.",
    ),
    (
        "exit_rate",
        "Exit rate",
        "Ausstiegsrate",
        "Besuche, die auf der Seite endeten, als Anteil der Aufrufe der Seite.",
    ),
    (
        "time_on_page",
        "Time on page",
        "Zeit auf der Seite",
        "Mittlere Zeit, in der ein Besuch die Seite vor sich hatte, von den Besuchen, die eine meldeten.",
    ),
    (
        "scroll_depth",
        "Scroll depth",
        "Scrolltiefe",
        "Wie weit jeder Besuch auf der Seite höchstens nach unten kam, im Mittel, in Prozent.",
    ),
];

/// Public name; in English in the plural and in the singular; in German likewise.
const DIMENSIONS: &[(&str, [&str; 2], [&str; 2])] = &[
    ("visit:source", ["Sources", "Source"], ["Quellen", "Quelle"]),
    ("visit:channel", ["Channels", "Channel"], ["Kanäle", "Kanal"]),
    ("visit:referrer", ["Referrers", "Referrer"], ["Verweise", "Verweis"]),
    ("visit:utm_campaign", ["Campaigns", "Campaign"], ["Kampagnen", "Kampagne"]),
    ("visit:utm_source", ["UTM sources", "UTM source"], ["UTM-Quellen", "UTM-Quelle"]),
    ("visit:utm_medium", ["Media", "UTM medium"], ["Medien", "UTM-Medium"]),
    ("visit:utm_content", ["Contents", "UTM content"], ["Inhalte", "UTM-Inhalt"]),
    ("visit:utm_term", ["Terms", "UTM term"], ["Begriffe", "UTM-Begriff"]),
    ("event:page", ["Pages", "Page"], ["Seiten", "Seite"]),
    ("visit:entry_page", ["Entry pages", "Entry page"], ["Einstiege", "Einstiegsseite"]),
    ("visit:exit_page", ["Exit pages", "Exit page"], ["Ausstiege", "Ausstiegsseite"]),
    ("event:hostname", ["Hosts", "Host"], ["Hosts", "Host"]),
    ("visit:country_name", ["Countries", "Country"], ["Länder", "Land"]),
    ("visit:country", ["Countries", "Country"], ["Länder", "Land"]),
    ("visit:region_name", ["Regions", "Region"], ["Regionen", "Region"]),
    ("visit:city_name", ["Cities", "City"], ["Städte", "Stadt"]),
    ("visit:language", ["Languages", "Language"], ["Sprachen", "Sprache"]),
    ("visit:browser", ["Browsers", "Browser"], ["Browser", "Browser"]),
    ("visit:browser_version", ["Versions", "Browser version"], ["Versionen", "Browserversion"]),
    ("visit:os", ["Systems", "System"], ["Systeme", "System"]),
    (
        "visit:os_version",
        ["System versions", "System version"],
        ["Systemversionen", "Systemversion"],
    ),
    ("visit:device", ["Devices", "Device"], ["Geräte", "Gerät"]),
    ("event:name", ["Events", "Event"], ["Ereignisse", "Ereignis"]),
    ("event:props", ["Properties", "Property"], ["Eigenschaften", "Eigenschaft"]),
    ("event:goal", ["Goals", "Goal"], ["Ziele", "Ziel"]),
];

/// What a metric is called.
pub(in crate::web) fn metric(lang: Lang, metric: Metric) -> &'static str {
    let name = metric.spec().name;
    let known = METRICS.iter().find(|(known, ..)| *known == name);
    known.map_or(name, |(_, english, german, _)| match lang {
        Lang::English => english,
        Lang::German => german,
    })
}

/// The same over a narrow column: long German words are told where they break, for browsers seldom know.
pub(in crate::web) fn column(lang: Lang, wanted: Metric) -> String {
    let name = metric(lang, wanted);
    let is_inner =
        |(place, _): &(usize, &str)| name[..*place].ends_with(|letter: char| letter.is_lowercase());
    let parts = COMPOUND_ENDS.iter().flat_map(|end| name.match_indices(end));
    match parts.filter(is_inner).min() {
        Some((place, _)) => format!("{}\u{ad}{}", &name[..place], &name[place..]),
        None => name.to_owned(),
    }
}

/// What long words end in.
const COMPOUND_ENDS: [&str; 4] = ["rate", "dauer", "aufrufe", "tiefe"];

/// What a metric is, in a sentence or two.
pub(in crate::web) fn definition(lang: Lang, metric: Metric) -> &'static str {
    let spec = metric.spec();
    let german = METRICS.iter().find(|(known, ..)| *known == spec.name).map(|known| known.3);
    match (lang, german) {
        (Lang::German, Some(german)) => german,
        _ => spec.doc.trim(),
    }
}

/// What a dimension is called as the heading of a list; a property goes by its own name.
pub(in crate::web) fn dimension(lang: Lang, name: &str) -> String {
    named(lang, name, 0)
}

/// What a dimension is called in a filter.
pub(in crate::web) fn one_of(lang: Lang, name: &str) -> String {
    named(lang, name, 1)
}

fn named(lang: Lang, name: &str, number: usize) -> String {
    let known = DIMENSIONS.iter().find(|(known, ..)| *known == name);
    let known = known.map(|(_, english, german)| match lang {
        Lang::English => english[number],
        Lang::German => german[number],
    });
    match (known, name.strip_prefix("event:props:")) {
        (Some(known), _) => known.to_owned(),
        (None, Some(property)) => property.to_owned(),
        (None, None) => name.rsplit(':').next().unwrap_or(name).replace('_', " "),
    }
}

/// The dimensions that have a name, in the order of the menu of filters.
pub(in crate::web) fn filterable() -> impl Iterator<Item = &'static str> {
    // A country is filtered by its name, and a property by its value.
    let can_be = |name: &&str| !["visit:country", "event:props"].contains(name);
    DIMENSIONS.iter().map(|(name, ..)| *name).filter(can_be)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::dimension::Field;

    #[test]
    fn what_is_named_here_can_be_asked_for() {
        for (name, ..) in METRICS {
            assert!(Metric::named(name).is_some(), "{name}");
        }
        for (name, ..) in DIMENSIONS {
            let is_known = ["event:goal", "event:props"].contains(name);
            assert!(is_known || Field::named(name).is_some(), "{name}");
        }
    }

    #[test]
    fn a_long_word_over_a_column_says_where_it_breaks() {
        for (lang, metric, expected) in [
            (Lang::German, Metric::ConversionRate, "Konversions\u{ad}rate"),
            (Lang::German, Metric::Pageviews, "Seiten\u{ad}aufrufe"),
            (Lang::German, Metric::ViewsPerVisit, "Aufrufe je Besuch"),
            (Lang::English, Metric::ConversionRate, "Conversion rate"),
        ] {
            assert_eq!(column(lang, metric), expected);
        }
    }

    #[test]
    fn a_definition_is_told_in_both_languages() {
        assert_eq!(definition(Lang::English, Metric::Pageviews), "Page views.");
        assert_eq!(definition(Lang::German, Metric::Pageviews), "Aufrufe von Seiten.");
    }

    #[test]
    fn a_filter_names_its_dimension_as_a_person_does() {
        for (name, english, german) in [
            ("visit:country_name", "Country", "Land"),
            ("visit:utm_medium", "UTM medium", "UTM-Medium"),
            ("event:props:url", "url", "url"),
            ("visit:entry_page_hostname", "entry page hostname", "entry page hostname"),
        ] {
            assert_eq!(one_of(Lang::English, name), english);
            assert_eq!(one_of(Lang::German, name), german);
        }
    }
}
