//! The panels of a site's page, and the tabs of each.

use serde_json::{Value, json};

use super::ask::Asker;
use super::map::DIMENSIONS as MAP;
use super::view::View;
use super::words::{Lang, Words, names};
use crate::query::dimension::Field;
use crate::site::policy::Profile;

/// A list by one of several dimensions.
pub(super) struct Panel {
    /// In the URL.
    pub(super) name: &'static str,
    pub(super) title: fn(&Words) -> &'static str,
    /// The first is open by default.
    pub(super) tabs: &'static [Tab],
}

/// One dimension of a panel.
pub(super) struct Tab {
    /// In the URL.
    pub(super) name: &'static str,
    pub(super) dimension: &'static str,
    /// English and German, where the dimension's own name does not say it.
    label: Option<[&'static str; 2]>,
    /// The events that it is about, if not all.
    pub(super) event: Option<&'static str>,
    /// Whether a map stands above the list.
    pub(super) has_map: bool,
}

const fn by(dimension: &'static str) -> Tab {
    Tab { name: dimension, dimension, label: None, event: None, has_map: false }
}

const fn map() -> Tab {
    Tab {
        name: "map",
        dimension: "visit:country_name",
        label: Some(["Map", "Karte"]),
        event: None,
        has_map: true,
    }
}

/// A property of one kind of events: the name of the event and of the property are the contract's.
const fn of(
    name: &'static str,
    event: &'static str,
    dimension: &'static str,
    label: [&'static str; 2],
) -> Tab {
    Tab { name, dimension, label: Some(label), event: Some(event), has_map: false }
}

/// The panels, in their order.
pub(super) const PANELS: [Panel; 7] = [
    Panel {
        name: "sources",
        title: |words| words.panel_sources,
        tabs: &[by("visit:source"), by("visit:channel"), by("visit:referrer")],
    },
    Panel {
        name: "pages",
        title: |words| words.panel_pages,
        tabs: &[
            by("event:page"),
            by("visit:entry_page"),
            by("visit:exit_page"),
            by("event:hostname"),
        ],
    },
    Panel {
        name: "places",
        title: |words| words.panel_places,
        tabs: &[
            map(),
            by("visit:country_name"),
            by("visit:region_name"),
            by("visit:city_name"),
            by("visit:language"),
        ],
    },
    Panel {
        name: "devices",
        title: |words| words.panel_devices,
        tabs: &[
            by("visit:browser"),
            by("visit:os"),
            by("visit:device"),
            by("visit:browser_version"),
            by("visit:os_version"),
        ],
    },
    Panel {
        name: "campaigns",
        title: |words| words.panel_campaigns,
        tabs: &[
            by("visit:utm_campaign"),
            by("visit:utm_source"),
            by("visit:utm_medium"),
            by("visit:utm_content"),
            by("visit:utm_term"),
        ],
    },
    Panel {
        name: "events",
        title: |words| words.panel_events,
        tabs: &[
            by("event:name"),
            by("event:props"),
            of("outbound", "Outbound Link: Click", "event:props:url", ["Links", "Links"]),
            of("downloads", "File Download", "event:props:url", ["Downloads", "Downloads"]),
            of("searches", "Site Search", "event:props:search_query", ["Searches", "Suchbegriffe"]),
            of("missing", "404", "event:props:path", ["404", "404"]),
        ],
    },
    Panel { name: "goals", title: |words| words.panel_goals, tabs: &[by("event:goal")] },
];

/// The list of this name that is about one kind of events: its page is `/{site}/by/downloads`, so that what it is about is no
/// filter of the view.
pub(super) fn of_events(name: &str) -> Option<&'static Tab> {
    let mut tabs = PANELS.iter().flat_map(|panel| panel.tabs);
    tabs.find(|tab| tab.event.is_some() && tab.name == name)
}

/// Whether a profile leaves a dimension.
pub(super) fn is_measured(dimension: &str, profile: Profile) -> bool {
    let is_left_out = Field::named(dimension).is_some_and(Field::is_left_out_by_strict_profiles);
    !(profile.is_strict() && is_left_out)
}

impl Panel {
    /// The tabs that the profile of a site leaves: a panel may have none.
    pub(super) fn tabs_under(&self, profile: Profile) -> impl Iterator<Item = &'static Tab> {
        self.tabs.iter().filter(move |tab| is_measured(tab.dimension, profile))
    }

    /// The tab that is open: the one in the URL, if the panel has it.
    pub(super) fn open(&self, asker: &Asker) -> Option<&'static Tab> {
        self.chosen(self.offered(asker), &asker.view)
    }

    fn chosen(
        &self,
        tabs: impl Iterator<Item = &'static Tab>,
        view: &View,
    ) -> Option<&'static Tab> {
        let wanted = view.tab(self.name);
        let tabs: Vec<_> = tabs.collect();
        let known = tabs.iter().find(|tab| Some(tab.name) == wanted);
        known.or(tabs.first()).copied()
    }

    /// The tabs that the viewer is told.
    pub(super) fn offered(&self, asker: &Asker) -> impl Iterator<Item = &'static Tab> {
        let is_told = |tab: &&Tab| {
            let is_all = asker.floor.is_none() || tab.event.is_none();
            is_all && if tab.has_map { asker.lists(&MAP) } else { asker.lists(&[tab.dimension]) }
        };
        self.tabs_under(asker.site.policy.profile).filter(is_told)
    }
}

impl Tab {
    /// What the page of its list is called in paths.
    pub(super) fn page(&self) -> &'static str {
        if self.event.is_some() { self.name } else { self.dimension }
    }

    pub(super) fn label(&self, lang: Lang) -> String {
        match (self.label, lang) {
            (Some([english, _]), Lang::English) => english.to_owned(),
            (Some([_, german]), Lang::German) => german.to_owned(),
            (None, _) => names::dimension(lang, self.dimension),
        }
    }
}

/// Rows that a list leaves out: what has no value for it, and what every visit has.
pub(super) fn left_out(dimension: &str) -> Option<Value> {
    let value = match dimension {
        "event:name" => "pageview",
        name if name.starts_with("event:props:") => "(none)",
        name if name.starts_with("visit:utm_") => "(not set)",
        _ => return None,
    };
    Some(json!(["is_not", dimension, [value]]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_dimension_of_a_panel_can_be_asked_for() {
        for tab in PANELS.iter().flat_map(|panel| panel.tabs) {
            let query = json!({
                "site_id": "a.test", "metrics": ["visitors"], "date_range": "7d", "dimensions": [tab.dimension],
                "filters": left_out(tab.dimension).into_iter().collect::<Vec<_>>(),
            });
            assert!(crate::query::Wire::parse(&query, &[]).is_ok(), "{}", tab.name);
        }
    }

    #[test]
    fn events_and_properties_of_tabs_are_those_that_the_scripts_send() {
        let script = include_str!("../../beacon/dist/whole.js");
        for tab in PANELS.iter().flat_map(|panel| panel.tabs) {
            let Some(event) = tab.event else { continue };
            let property = tab.dimension.trim_start_matches("event:props:");
            assert!(script.contains(event), "{event}");
            assert!(script.contains(property), "{property}");
        }
    }

    #[test]
    fn a_list_of_one_kind_of_events_is_found_by_its_name_and_no_dimension_is() {
        for tab in PANELS.iter().flat_map(|panel| panel.tabs) {
            let found = of_events(tab.page()).map(|found| (found.name, found.event));
            assert_eq!(found, tab.event.is_some().then_some((tab.name, tab.event)));
        }
    }

    #[test]
    fn a_tab_that_there_is_not_leaves_the_first_one_open() {
        let [sources, ..] = &PANELS;
        for (url, profile, expected) in [
            ("tab.sources=visit:channel", Profile::Standard, "visit:channel"),
            ("tab.sources=event:page", Profile::Standard, "visit:source"),
            ("", Profile::Standard, "visit:source"),
            ("tab.sources=visit:channel", Profile::Cnil, "visit:source"),
            ("tab.sources=visit:referrer", Profile::Cnil, "visit:referrer"),
        ] {
            let open = sources.chosen(sources.tabs_under(profile), &View::read(url));
            assert_eq!(open.map(|tab| tab.name), Some(expected), "{url}");
        }
    }

    #[test]
    fn the_strict_profile_leaves_no_campaigns_and_no_cities() {
        let left = |name: &str| {
            let panel = PANELS.iter().find(|panel| panel.name == name).unwrap();
            panel.tabs_under(Profile::Cnil).map(|tab| tab.name).collect::<Vec<_>>()
        };
        assert_eq!(left("campaigns"), [""; 0]);
        assert_eq!(
            left("places"),
            ["map", "visit:country_name", "visit:region_name", "visit:language"]
        );
    }
}
