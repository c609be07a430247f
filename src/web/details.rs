//! All of a list: every value of a dimension with every metric, page by page, searched and ordered.

use askama::Template;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};

use super::ask::Asker;
use super::columns;
use super::frame::{Frame, Link, page};
use super::listing::Listing;
use super::live::visitors_now;
use super::panels::{PANELS, Tab, of_events};
use super::ranking::{self, Order, Row};
use super::shell::{Shell, owned};
use super::site::{Column, change_heading, of_event};
use super::words::{Lang, fill, names};
use crate::http::links::in_a_path;
use crate::query::metric::Metric;
use crate::report::AskError;

/// How many rows a page has.
const PAGE_ROWS: u64 = 50;

/// The list that a path names: by a dimension, or of one kind of events.
#[derive(Clone, Copy)]
pub(super) struct List<'a> {
    pub(super) dimension: &'a str,
    tab: Option<&'static Tab>,
}

impl<'a> List<'a> {
    pub(super) fn named(name: &'a str) -> Self {
        let tab = of_events(name);
        Self { dimension: tab.map_or(name, |tab| tab.dimension), tab }
    }

    /// What the page of the list is called in paths.
    fn page(&self) -> &'a str {
        self.tab.map_or(self.dimension, |tab| tab.page())
    }

    fn title(&self, lang: Lang) -> String {
        self.tab.map_or_else(|| names::dimension(lang, self.dimension), |tab| tab.label(lang))
    }

    /// What it is about, and what is searched in it.
    fn filters(&self, lang: Lang, listing: &Listing) -> Vec<Value> {
        let of_list = self.tab.map(of_event).unwrap_or_default();
        of_list.into_iter().chain(listing.filters(lang, self.dimension)).collect()
    }
}

#[derive(Template)]
#[template(path = "details.html")]
struct DetailsPage {
    frame: Frame,
    shell: Shell,
    title: String,
    /// Whether there is nothing because of the filters of the view.
    is_unmatched: bool,
    /// Other dimensions of the same panel.
    tabs: Vec<Link>,
    /// The list in the order of its names, if it has one.
    by_name: Option<String>,
    name_aria: &'static str,
    columns: Vec<Column>,
    change: Option<String>,
    rows: Vec<Row>,
    /// Which rows these are.
    place: String,
    previous: Option<String>,
    next: Option<String>,
    /// What is said where there are no rows.
    nothing: &'static str,
    search: String,
    /// Empty where the list can not be searched.
    search_label: String,
    order: Option<String>,
    hidden: Vec<(String, String)>,
    csv: String,
    query: String,
}

pub(super) async fn show(asker: Asker, Path((_, dimension)): Path<(String, String)>) -> Response {
    match model(&asker, List::named(&dimension)).await {
        Ok(model) => page(StatusCode::OK, &model),
        Err(error) => asker.refuse(&error),
    }
}

async fn model(asker: &Asker, list: List<'_>) -> Result<DetailsPage, AskError> {
    let (view, listing, dimension) = (&asker.view, &asker.listing, list.dimension);
    let metrics = columns::all(asker, dimension);
    let order = Order::read(listing.order.as_deref(), &metrics);
    let offset = (listing.page - 1) * PAGE_ROWS;
    let mut query =
        ranking::query(asker, dimension, &metrics, order, list.filters(asker.lang, listing));
    query["pagination"] = json!({ "limit": PAGE_ROWS, "offset": offset });
    query["include"] = json!({ "total_rows": true });
    let comparison = ranking::comparison(asker);
    let is_compared = comparison.is_some();
    if let Some(comparison) = comparison {
        query["include"]["comparisons"] = comparison;
    }
    let (mut answer, now) =
        tokio::try_join!(ranking::ask(asker, &query, &metrics), visitors_now(asker))?;
    columns::leave_no_bounces_of_nothing(&metrics, &mut answer);
    let total = answer["meta"]["total_rows"].as_u64().unwrap_or(0);
    let rows = ranking::shown_rows(asker, dimension, &metrics, &answer);
    let (words, last) = (asker.words(), offset + rows.len() as u64);
    let whole = |number: u64| asker.lang.whole(number as f64);
    let title = list.title(asker.lang);
    let column = |metric: &Metric| Column {
        label: names::column(asker.lang, *metric),
        url: listing.ordered(order.clicked(*metric)).url(view),
        aria: order.aria(*metric),
    };
    Ok(DetailsPage {
        frame: asker.frame(),
        tabs: tabs(asker, list.page()),
        by_name: ranking::has_order_by_name(dimension)
            .then(|| listing.ordered(Order::Name).url(view)),
        name_aria: if order == Order::Name { "ascending" } else { "none" },
        columns: metrics.iter().map(column).collect(),
        change: metrics
            .first()
            .filter(|_| is_compared)
            .map(|metric| change_heading(asker, *metric)),
        place: fill(words.rows_of, &[&whole(offset + 1), &whole(last), &whole(total)]),
        previous: (listing.page > 1).then(|| listing.at(listing.page - 1).url(view)),
        next: (last < total).then(|| listing.at(listing.page + 1).url(view)),
        search_label: match dimension {
            ranking::PROPERTIES => String::new(),
            _ => fill(words.search_in, &[&title]),
        },
        nothing: match listing.search.is_empty() {
            true => words.nothing,
            false => words.not_found_rows,
        },
        search: listing.search.clone(),
        order: listing.order.clone(),
        hidden: owned(asker.view.pairs()),
        csv: format!("{}/csv/{}{}", asker.home(), in_a_path(list.page()), listing.at(1).url(view)),
        query: serde_json::to_string_pretty(&answer["query"]).unwrap_or_default(),
        is_unmatched: rows.is_empty()
            && offset == 0
            && listing.search.is_empty()
            && !asker.view.filters.is_empty(),
        shell: Shell::of(asker, now).offering(
            asker,
            dimension,
            rows.iter().map(|row| row.label.as_str()),
        ),
        title,
        rows,
    })
}

/// The lists of the panel that has the one with this page, as links to theirs.
fn tabs(asker: &Asker, page: &str) -> Vec<Link> {
    let panel = PANELS.iter().find(|panel| panel.tabs.iter().any(|tab| tab.page() == page));
    let tabs = panel.into_iter().flat_map(|panel| panel.offered(asker));
    let link = |tab: &Tab| Link {
        label: tab.label(asker.lang),
        url: format!("{}/by/{}{}", asker.home(), tab.page(), asker.view.url()),
        is_current: tab.page() == page,
    };
    tabs.filter(|tab| !tab.has_map).map(link).collect()
}

/// The order and the filter of a list, for its CSV.
pub(super) fn whole_list(asker: &Asker, list: List<'_>, metrics: &[Metric]) -> Value {
    let listing = &asker.listing;
    let order = Order::read(listing.order.as_deref(), metrics);
    ranking::query(asker, list.dimension, metrics, order, list.filters(asker.lang, listing))
}
