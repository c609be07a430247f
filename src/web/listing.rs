//! What of a whole list is looked at, beside the view: its order, what is searched in it, and which of its pages.
//!
//! Links and forms that show the same list in another view keep the first two; those to other pages keep nothing of it.

use serde_json::Value;
use url::form_urlencoded::{self, Serializer};

use super::ranking::{self, Order};
use super::view::View;
use super::words::Lang;

/// What of a list is looked at, as its URL says.
#[derive(Clone, Debug)]
pub(super) struct Listing {
    pub(super) order: Option<String>,
    pub(super) search: String,
    /// From 1.
    pub(super) page: u64,
}

impl Listing {
    pub(super) fn read(query: &str) -> Self {
        let mut listing = Self { order: None, search: String::new(), page: 1 };
        for (key, value) in form_urlencoded::parse(query.as_bytes()) {
            match &*key {
                "order" => listing.order = Some(value.into_owned()),
                "search" => listing.search = value.into_owned(),
                // So many pages that the offset overflows there can not be.
                "page" => listing.page = value.parse().unwrap_or(1).clamp(1, 1_000_000),
                _ => {}
            }
        }
        listing
    }

    /// The URL of this state of a list in a view.
    pub(super) fn url(&self, view: &View) -> String {
        let mut query = Serializer::for_suffix(view.url(), 1);
        for (key, value) in self.pairs() {
            query.append_pair(key, &value);
        }
        query.finish()
    }

    /// What the URL says, beside the view; also the hidden fields of forms.
    pub(super) fn pairs(&self) -> Vec<(&'static str, String)> {
        let mut pairs = Vec::new();
        pairs.extend(self.order.clone().map(|order| ("order", order)));
        if !self.search.is_empty() {
            pairs.push(("search", self.search.clone()));
        }
        if self.page > 1 {
            pairs.push(("page", self.page.to_string()));
        }
        pairs
    }

    pub(super) fn ordered(&self, order: Order) -> Self {
        Self { order: Some(order.text()), ..self.at(1) }
    }

    pub(super) fn at(&self, page: u64) -> Self {
        Self { page, ..self.clone() }
    }

    /// What is searched, as a filter.
    pub(super) fn filters(&self, lang: Lang, dimension: &str) -> Vec<Value> {
        if self.search.is_empty() {
            return Vec::new();
        }
        vec![ranking::searched(lang, dimension, &self.search)]
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::query::metric::Metric;

    #[test]
    fn countries_and_languages_are_searched_by_the_names_that_are_read() {
        let listing = Listing::read("search=deutsch");
        let dimension = "visit:country_name";
        assert_eq!(
            listing.filters(Lang::German, dimension),
            [json!(["is", dimension, ["Germany"]])]
        );
        let as_it_is = json!(["contains", dimension, ["deutsch"], {"case_sensitive": false}]);
        assert_eq!(listing.filters(Lang::English, dimension), [as_it_is]);
        let dimension = "visit:language";
        assert_eq!(listing.filters(Lang::German, dimension), [json!(["is", dimension, ["de"]])]);
    }

    #[test]
    fn a_page_of_a_list_is_a_number_from_1() {
        for (query, page) in [("", 1), ("page=3", 3), ("page=0", 1), ("page=-2", 1), ("page=x", 1)]
        {
            assert_eq!(Listing::read(query).page, page, "{query}");
        }
    }

    #[test]
    fn another_view_of_a_list_has_its_order_and_search_from_its_first_page() {
        let listing = Listing::read("order=-visits&search=a%26b&page=3&period=7d");
        let view = View::read("period=year");
        let url = listing.at(1).url(&view);
        assert_eq!(url, "?period=year&order=-visits&search=a%26b");
        assert_eq!(listing.url(&view), url + "&page=3");
        let ordered = listing.ordered(Order::Most(Metric::Visitors)).url(&view);
        assert_eq!(ordered, "?period=year&order=visitors&search=a%26b");
        assert_eq!(Listing::read("").url(&view), "?period=year");
    }
}
