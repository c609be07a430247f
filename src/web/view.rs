//! The state of a page, as its URL holds it: the period, the filters, and which tab of each panel is open.
//! Every change of the view is a link to another URL.

use serde_json::{Value, json};
use url::form_urlencoded::{self, Serializer};

/// The periods that the page offers: their name in the URL and in the query, and what they are called.
pub(super) const PERIODS: [(&str, &str); 8] = [
    ("day", "Today"),
    ("24h", "24 hours"),
    ("7d", "7 days"),
    ("30d", "30 days"),
    ("month", "This month"),
    ("6mo", "6 months"),
    ("12mo", "12 months"),
    ("all", "All time"),
];
const PERIOD: &str = "30d";
/// The most filters of a view.
const FILTERS_MAX: usize = 10;

/// A filter of the view: one value that a dimension must have, or must not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Filter {
    pub(super) negated: bool,
    pub(super) dimension: String,
    pub(super) value: String,
}

/// What is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct View {
    pub(super) period: String,
    pub(super) filters: Vec<Filter>,
    /// Of each panel whose first tab is not open: its name, and the dimension of the one that is.
    pub(super) tabs: Vec<(String, String)>,
}

impl View {
    /// Reads a query string; what it does not say, or says wrongly, is as by default.
    pub(super) fn read(query: &str) -> Self {
        let mut view = Self { period: PERIOD.to_owned(), filters: Vec::new(), tabs: Vec::new() };
        for (key, value) in form_urlencoded::parse(query.as_bytes()) {
            match &*key {
                "period" => view.period = value.into_owned(),
                "filter" if view.filters.len() < FILTERS_MAX => {
                    view.filters.extend(Filter::read(&value))
                }
                panel if value.contains(':') => {
                    view.tabs.push((panel.to_owned(), value.into_owned()))
                }
                _ => {}
            }
        }
        view
    }

    /// The view's own URL, below the site's page.
    pub(super) fn url(&self) -> String {
        let mut query = Serializer::new(String::new());
        if self.period != PERIOD {
            query.append_pair("period", &self.period);
        }
        for filter in &self.filters {
            query.append_pair("filter", &filter.text());
        }
        for (panel, dimension) in &self.tabs {
            query.append_pair(panel, dimension);
        }
        format!("?{}", query.finish())
    }

    pub(super) fn with_period(&self, period: &str) -> Self {
        Self { period: period.to_owned(), ..self.clone() }
    }

    pub(super) fn with_filter(&self, dimension: &str, value: &str) -> Self {
        let mut view = self.clone();
        let filter =
            Filter { negated: false, dimension: dimension.to_owned(), value: value.to_owned() };
        view.filters.retain(|other| other.dimension != filter.dimension);
        view.filters.push(filter);
        view
    }

    pub(super) fn without_filter(&self, filter: &Filter) -> Self {
        let filters = self.filters.iter().filter(|other| *other != filter).cloned().collect();
        Self { filters, ..self.clone() }
    }

    pub(super) fn with_negated(&self, filter: &Filter) -> Self {
        let turned = |other: &Filter| {
            let negated = if other == filter { !other.negated } else { other.negated };
            Filter { negated, ..other.clone() }
        };
        Self { filters: self.filters.iter().map(turned).collect(), ..self.clone() }
    }

    pub(super) fn with_tab(&self, panel: &str, dimension: &str) -> Self {
        let mut view = self.clone();
        view.tabs.retain(|(other, _)| other != panel);
        view.tabs.push((panel.to_owned(), dimension.to_owned()));
        view
    }

    /// The open tab of a panel, if it is not its first.
    pub(super) fn tab(&self, panel: &str) -> Option<&str> {
        self.tabs.iter().find(|(name, _)| name == panel).map(|(_, dimension)| dimension.as_str())
    }

    /// The filters in the words of a query.
    pub(super) fn filters(&self) -> Value {
        let filter = |filter: &Filter| {
            let operator = if filter.negated { "is_not" } else { "is" };
            json!([operator, filter.dimension, [filter.value]])
        };
        self.filters.iter().map(filter).collect()
    }
}

impl Filter {
    /// `is,visit:source,Google` or `is_not,visit:source,Google`.
    fn read(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, ',');
        let (operator, dimension, value) = (parts.next()?, parts.next()?, parts.next()?);
        let negated = match operator {
            "is" => false,
            "is_not" => true,
            _ => return None,
        };
        Some(Self { negated, dimension: dimension.to_owned(), value: value.to_owned() })
    }

    fn text(&self) -> String {
        let operator = if self.negated { "is_not" } else { "is" };
        format!("{operator},{},{}", self.dimension, self.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_is_its_url() {
        let url = "?period=7d&filter=is%2Cvisit%3Asource%2CA%26B%2C+C&filter=is_not%2Cevent%3Apage%2C%2Fx&sources=visit%3Areferrer";
        let view = View::read(&url[1..]);
        assert_eq!(view.url(), url);
        assert_eq!(view.filters[0].value, "A&B, C");
        assert_eq!(
            view.filters(),
            json!([["is", "visit:source", ["A&B, C"]], ["is_not", "event:page", ["/x"]]])
        );
        assert_eq!(view.tab("sources"), Some("visit:referrer"));
    }

    #[test]
    fn a_url_that_says_nothing_is_the_first_view() {
        assert_eq!(View::read("").url(), "?");
        assert_eq!(View::read("filter=nonsense&x=y").url(), "?");
    }

    #[test]
    fn a_filter_can_be_turned_and_removed() {
        let view = View::read("")
            .with_filter("visit:source", "Google")
            .with_filter("visit:source", "Bing");
        assert_eq!(view.filters.len(), 1);
        let turned = view.with_negated(&view.filters[0]);
        assert_eq!(turned.filters(), json!([["is_not", "visit:source", ["Bing"]]]));
        assert_eq!(turned.without_filter(&turned.filters[0]).url(), "?");
    }
}
