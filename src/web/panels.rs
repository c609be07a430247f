//! What a site's page asks: its metrics, and its panels with their tabs.

use super::view::View;

/// A metric at the head of the page.
pub(super) struct Headline {
    pub(super) metric: &'static str,
    pub(super) label: &'static str,
    /// Whether less of it is better.
    pub(super) less_is_better: bool,
}

const fn headline(metric: &'static str, label: &'static str, less_is_better: bool) -> Headline {
    Headline { metric, label, less_is_better }
}

/// The metrics at the head, in their order.
const HEADLINES: [Headline; 6] = [
    headline("visitors", "Visitors", false),
    headline("visits", "Visits", false),
    headline("pageviews", "Page views", false),
    headline("views_per_visit", "Views per visit", false),
    headline("bounce_rate", "Bounce rate", true),
    headline("visit_duration", "Visit duration", false),
];

/// The headlines of a view. Pages have no views per visit: a visit has them.
pub(super) fn headlines(view: &View) -> Vec<&'static Headline> {
    let by_page = view.filters.iter().any(|filter| filter.dimension == "event:page");
    HEADLINES.iter().filter(|headline| !by_page || headline.metric != "views_per_visit").collect()
}

/// A ranked list, by one of several dimensions.
pub(super) struct Panel {
    /// In the URL.
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    pub(super) metric: &'static str,
    pub(super) metric_label: &'static str,
    /// The dimensions, and what they are called; the first is open by default.
    pub(super) tabs: &'static [(&'static str, &'static str)],
}

/// The panels, in their order.
pub(super) const PANELS: [Panel; 6] = [
    Panel {
        name: "sources",
        title: "Where visits come from",
        metric: "visitors",
        metric_label: "Visitors",
        tabs: &[
            ("visit:source", "Sources"),
            ("visit:channel", "Channels"),
            ("visit:referrer", "Referrers"),
        ],
    },
    Panel {
        name: "pages",
        title: "What is looked at",
        metric: "visitors",
        metric_label: "Visitors",
        tabs: &[
            ("event:page", "Pages"),
            ("visit:entry_page", "Entry pages"),
            ("visit:exit_page", "Exit pages"),
        ],
    },
    Panel {
        name: "places",
        title: "Where visitors are",
        metric: "visitors",
        metric_label: "Visitors",
        tabs: &[
            ("visit:country_name", "Countries"),
            ("visit:region_name", "Regions"),
            ("visit:city_name", "Cities"),
            ("visit:language", "Languages"),
        ],
    },
    Panel {
        name: "devices",
        title: "What they use",
        metric: "visitors",
        metric_label: "Visitors",
        tabs: &[
            ("visit:browser", "Browsers"),
            ("visit:os", "Systems"),
            ("visit:device", "Devices"),
        ],
    },
    Panel {
        name: "campaigns",
        title: "Which campaigns work",
        metric: "visitors",
        metric_label: "Visitors",
        tabs: &[
            ("visit:utm_campaign", "Campaigns"),
            ("visit:utm_source", "Sources"),
            ("visit:utm_medium", "Media"),
            ("visit:utm_content", "Contents"),
            ("visit:utm_term", "Terms"),
        ],
    },
    Panel {
        name: "events",
        title: "What they do",
        metric: "events",
        metric_label: "Events",
        tabs: &[
            ("event:name", "Events"),
            ("event:props:url", "Links and files"),
            ("event:props:query", "Searches"),
        ],
    },
];

/// Rows of a dimension that a panel leaves out: what has no value for it, and what every visit has.
pub(super) fn left_out(dimension: &str) -> Option<&'static str> {
    match dimension {
        "event:name" => Some("pageview"),
        name if name.starts_with("event:props:") => Some("(none)"),
        name if name.starts_with("visit:utm_") => Some("(not set)"),
        _ => None,
    }
}

/// What a dimension is called in a filter.
pub(super) fn dimension_label(dimension: &str) -> String {
    let known = PANELS.iter().flat_map(|panel| panel.tabs).find(|(name, _)| *name == dimension);
    let name = dimension.rsplit(':').next().unwrap_or(dimension);
    known.map_or_else(|| name.replace('_', " "), |(_, label)| singular(label))
}

fn singular(label: &str) -> String {
    let label = label.to_lowercase();
    match label.as_str() {
        "countries" => "country".to_owned(),
        "cities" => "city".to_owned(),
        "media" => "medium".to_owned(),
        "searches" => "search".to_owned(),
        other => other.strip_suffix('s').unwrap_or(other).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_names_its_dimension_as_a_person_does() {
        for (dimension, label) in [
            ("visit:country_name", "country"),
            ("visit:source", "source"),
            ("event:page", "page"),
            ("visit:entry_page_hostname", "entry page hostname"),
        ] {
            assert_eq!(dimension_label(dimension), label);
        }
    }

    #[test]
    fn views_per_visit_are_not_asked_of_a_page() {
        let has = |view: &View| {
            headlines(view).iter().any(|headline| headline.metric == "views_per_visit")
        };
        assert!(has(&View::read("")));
        assert!(!has(&View::read("").with_filter("event:page", "/")));
    }

    #[test]
    fn every_dimension_of_a_panel_can_be_asked_for() {
        for (dimension, _) in PANELS.iter().flat_map(|panel| panel.tabs) {
            let query = serde_json::json!({"site_id": "a.test", "metrics": ["visitors"], "date_range": "7d", "dimensions": [dimension]});
            assert!(crate::query::Wire::parse(&query, &[]).is_ok(), "{dimension}");
        }
    }
}
