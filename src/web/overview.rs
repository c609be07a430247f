//! The overview: every site that the viewer may see, with its last thirty days, page by page and searched. Whoever owns
//! every site adds others here.

use std::ops::Range;
use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use futures_util::{StreamExt, stream};
use serde::Deserialize;
use serde_json::{Value, json};
use url::form_urlencoded::{self, Serializer};

use super::access::{Sight, Viewer, to_the_form};
use super::chart::sparkline;
use super::figure::{Change, changed};
use super::format::number;
use super::forms::{stood_here, timezones};
use super::frame::{Frame, page};
use super::refusal::{self, refuse, refuse_person};
use super::settings::to_settings;
use super::view::View;
use super::words::{Lang, counted, fill};
use crate::http::Services;
use crate::http::answer::Refused;
use crate::http::links::in_a_path;
use crate::http::noting::Noted;
use crate::query::Known;
use crate::query::metric::Metric;
use crate::report;
use crate::site::Site;
use crate::store::catalog::SiteChange;

/// How many sites a page has.
const PAGE_SITES: usize = 60;
/// The numbers of so many are asked for at the same moment: the page has one place among those who want reports.
const CARDS_AT_ONCE: usize = 2;
/// More than so many are not found at a glance, and are searched.
const GLANCE_SITES: usize = 12;
/// The size of a card's line.
const LINE: (f64, f64) = (220.0, 44.0);

#[derive(Template)]
#[template(path = "overview.html")]
struct OverviewPage {
    frame: Frame,
    /// Whether the viewer may see any site, whatever was searched for.
    has_sites: bool,
    cards: Vec<Card>,
    /// The form that searches, where there is more than a glance takes in.
    is_searched: bool,
    search: String,
    lang: Option<&'static str>,
    /// Which of the sites these are, and the ways to the others, if it is not all of them.
    place: Option<String>,
    previous: Option<String>,
    next: Option<String>,
    /// The form that adds a site, for those who may.
    adding: Option<Adding>,
    timezones: Vec<String>,
}

/// The form that adds a site: as it is at first, or as it was sent and is wrong.
#[derive(Default)]
struct Adding {
    new: NewSite,
    error: Option<String>,
}

/// What the form sends.
#[derive(Deserialize)]
#[serde(default)]
pub(super) struct NewSite {
    domain: String,
    timezone: String,
}

impl Default for NewSite {
    fn default() -> Self {
        Self { domain: String::new(), timezone: "UTC".to_owned() }
    }
}

struct Card {
    domain: String,
    url: String,
    /// Its numbers, if they are at hand.
    numbers: Option<Numbers>,
}

struct Numbers {
    visitors: String,
    /// What so many are called.
    visitors_of: &'static str,
    change: Option<Change>,
    line: String,
}

pub(super) async fn show(
    State(services): State<Services>,
    noted: Noted,
    viewer: Viewer,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let asked = Asked::of(&headers, query.as_deref());
    let sites = sites(&services, &viewer);
    noted.reader(sites.first().map_or_else(|| viewer.reader(), |(_, sight)| sight.reader.clone()));
    if sites.is_empty() && !viewer.has_signed_in() {
        return to_the_form("/");
    }
    if let Some(person) = viewer.stranger(&services).filter(|_| sites.is_empty()) {
        return refuse_person(asked.lang, viewer.account(&services), person);
    }
    let adding = viewer.owns_every_site(&services).then(Adding::default);
    overview(&services, &viewer, &asked, StatusCode::OK, sites, adding).await
}

/// Adds a site, and leads to its settings, where the tag for its pages is.
pub(super) async fn add(
    State(services): State<Services>,
    noted: Noted,
    viewer: Viewer,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    Form(new): Form<NewSite>,
) -> Response {
    let asked = Asked::of(&headers, query.as_deref());
    noted.reader(viewer.reader());
    if !viewer.owns_every_site(&services) {
        return refuse(asked.lang, StatusCode::NOT_FOUND, refusal::NOT_FOUND);
    }
    if !stood_here(&headers, services.public_url.as_deref()) {
        return refuse(asked.lang, StatusCode::FORBIDDEN, refusal::FOREIGN_FORM);
    }
    let timezone = Some(new.timezone.trim().to_owned()).filter(|name| !name.is_empty());
    let wanted = SiteChange { timezone, ..SiteChange::default() };
    let (catalog, now) = (&services.catalog, services.clock.now());
    match catalog.create_site(&services.store, &new.domain, wanted, now).await {
        Ok(site) => {
            noted.site(&site);
            to_settings(&site, &asked.view.kept())
        }
        Err(error) => {
            let wrong = asked.lang.trouble(&error);
            let adding = Adding { new, error: Some(wrong) };
            let status = Refused::from(error).status();
            let sites = sites(&services, &viewer);
            overview(&services, &viewer, &asked, status, sites, Some(adding)).await
        }
    }
}

/// What is asked of the page, and in which language.
struct Asked {
    view: View,
    lang: Lang,
    /// What the domains have in them that are looked for.
    search: String,
    /// From 1.
    page: usize,
}

impl Asked {
    fn of(headers: &HeaderMap, query: Option<&str>) -> Self {
        let query = query.unwrap_or_default();
        let view = View::read(query);
        let lang = view.lang.unwrap_or_else(|| Lang::accepted(headers));
        let mut asked = Self { view, lang, search: String::new(), page: 1 };
        for (key, value) in form_urlencoded::parse(query.as_bytes()) {
            match &*key {
                "search" => value.trim().clone_into(&mut asked.search),
                "page" => asked.page = value.parse().unwrap_or(1),
                _ => {}
            }
        }
        asked
    }

    /// Of so many sites, those of the page that is asked for, or of the last one that there is.
    fn places(&self, sites: usize) -> Range<usize> {
        let page = self.page.clamp(1, sites.div_ceil(PAGE_SITES).max(1));
        let last = (page * PAGE_SITES).min(sites);
        (page - 1) * PAGE_SITES..last
    }

    /// The URL of another page of the same sites.
    fn url(&self, page: usize) -> String {
        self.url_in(self.view.lang, page)
    }

    /// The same in this language, if one is asked for.
    fn url_in(&self, lang: Option<Lang>, page: usize) -> String {
        let mut query = Serializer::for_suffix(String::from("/?"), "/?".len());
        if let Some(lang) = lang {
            query.append_pair("lang", lang.tag());
        }
        if !self.search.is_empty() {
            query.append_pair("search", &self.search);
        }
        if page > 1 {
            query.append_pair("page", &page.to_string());
        }
        query.finish().trim_end_matches('?').to_owned()
    }
}

/// The sites that a viewer may see.
fn sites(services: &Services, viewer: &Viewer) -> Vec<(Arc<Site>, Sight)> {
    let seen = |site: Arc<Site>| viewer.sees(services, &site).map(|sight| (site, sight));
    services.catalog.sites().into_iter().filter_map(seen).collect()
}

async fn overview(
    services: &Services,
    viewer: &Viewer,
    asked: &Asked,
    status: StatusCode,
    sites: Vec<(Arc<Site>, Sight)>,
    adding: Option<Adding>,
) -> Response {
    let lang = asked.lang;
    let seen = sites.len();
    // Domains are in lower case.
    let wanted = asked.search.to_lowercase();
    let found: Vec<_> =
        sites.into_iter().filter(|(site, _)| site.domain.contains(&wanted)).collect();
    let (total, places) = (found.len(), asked.places(found.len()));
    let shown = found.into_iter().skip(places.start).take(places.len());
    let cards = shown.map(|(site, sight)| {
        let url = format!("/{}{}", in_a_path(&site.domain), asked.view.kept());
        async move {
            let numbers = numbers(services, &site, &sight, lang).await;
            Card { domain: site.domain.clone(), url, numbers }
        }
    });
    let cards = stream::iter(cards).buffered(CARDS_AT_ONCE).collect().await;
    let whole = |number: usize| lang.whole(number as f64);
    let place = [places.start + 1, places.end, total].map(whole);
    let place = place.each_ref().map(String::as_str);
    let current = places.start / PAGE_SITES + 1;
    page(
        status,
        &OverviewPage {
            frame: Frame::around(lang, viewer.account(services), |lang| {
                asked.url_in(Some(lang), current)
            }),
            has_sites: seen > 0,
            cards,
            is_searched: seen > GLANCE_SITES || !asked.search.is_empty(),
            search: asked.search.clone(),
            lang: asked.view.lang.map(Lang::tag),
            place: (places.len() < total).then(|| fill(lang.words().rows_of, &place)),
            previous: (places.start > 0).then(|| asked.url(current - 1)),
            next: (places.end < total).then(|| asked.url(current + 1)),
            timezones: if adding.is_some() { timezones() } else { Vec::new() },
            adding,
        },
    )
}

async fn numbers(services: &Services, site: &Site, sight: &Sight, lang: Lang) -> Option<Numbers> {
    let known = Known {
        floor: sight.floor,
        within: &sight.within,
        ..Known::new(site, services.clock.now())
    };
    let ask = async |with: Value| {
        let mut query =
            json!({"site_id": site.domain, "metrics": ["visitors"], "date_range": "30d"});
        if let (Some(query), Value::Object(with)) = (query.as_object_mut(), with) {
            query.extend(with);
        }
        report::ask_knowing(&services.store, known, &query).await
    };
    let answers = tokio::try_join!(
        ask(json!({"include": {"comparisons": {"mode": "previous_period"}}})),
        ask(json!({"dimensions": ["time:day"], "include": {"time_labels": true}})),
    );
    // A site whose numbers are not at hand is shown without them.
    let (whole_period, days) = answers.ok()?;
    let result = &whole_period["results"][0];
    let (visitors, words) = (number(&result["metrics"][0]), lang.words());
    Some(Numbers {
        visitors: lang.whole(visitors),
        visitors_of: counted(visitors as u64, words.visitor, words.visitors),
        change: changed(lang, Metric::Visitors, 0, result),
        line: sparkline(&by_day(&days), LINE.0, LINE.1),
    })
}

fn by_day(days: &Value) -> Vec<f64> {
    let rows = days["results"].as_array().map(Vec::as_slice).unwrap_or_default();
    let value = |label: &Value| {
        let row = rows.iter().find(|row| row["dimensions"][0] == *label);
        row.map_or(0.0, |row| number(&row["metrics"][0]))
    };
    days["meta"]["time_labels"].as_array().into_iter().flatten().map(value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(query: &str) -> Asked {
        Asked::of(&HeaderMap::new(), Some(query))
    }

    #[test]
    fn every_site_is_on_one_page_and_a_page_that_is_not_there_is_the_nearest() {
        for sites in [0, 1, PAGE_SITES, PAGE_SITES + 1, 3 * PAGE_SITES - 1] {
            let mut shown = Vec::new();
            for page in 1..=sites.div_ceil(PAGE_SITES).max(1) {
                shown.extend(asked(&format!("page={page}")).places(sites));
            }
            assert_eq!(shown, (0..sites).collect::<Vec<_>>());
        }
        for (query, first) in
            [("", 0), ("page=0", 0), ("page=x", 0), ("page=2", 60), ("page=99", 120)]
        {
            assert_eq!(asked(query).places(130).start, first, "{query}");
        }
    }

    #[test]
    fn another_page_is_of_the_same_search_in_the_same_language() {
        assert_eq!(asked("lang=de&search=a%26b&page=2").url(3), "/?lang=de&search=a%26b&page=3");
        assert_eq!([1, 2].map(|page| asked("").url(page)), ["/", "/?page=2"]);
        let english = asked("lang=de&search=a").url_in(Some(Lang::English), 2);
        assert_eq!(english, "/?lang=en&search=a&page=2");
    }
}
