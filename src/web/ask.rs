//! A request for a page of a site: who asks, about which view, and the way to the numbers.
//!
//! Every number of the dashboard comes through [`Asker::ask`], in the words of the query language; what
//! that refuses for a view is not offered there.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{FromRequestParts, Path};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Redirect, Response};
use jiff::Timestamp;
use jiff::civil::DateTime;
use serde_json::{Value, json};

use super::access::{Sight, Viewer, to_the_form};
use super::details::List;
use super::filter::{GOAL, Relation, VALUES_MAX};
use super::frame::{Account, Frame};
use super::listing::Listing;
use super::refusal::{self, refuse, refuse_person, refuse_towards};
use super::view::{FILTERS_MAX, TooMany, Typed, View};
use super::words::{Lang, Words, fill};
use crate::http::Services;
use crate::http::links::in_a_path;
use crate::http::noting::Noted;
use crate::query::metric::Metric;
use crate::query::{Dialect, Known, Query};
use crate::report::{self, AskError, Gathering};
use crate::site::Site;
use crate::site::domain::bare_domain;
use crate::site::floor::Floor;
use crate::site::member::Role;
use crate::store::StoreError;

/// Whoever asks for a page of a site, and may see it.
pub(super) struct Asker {
    pub(super) services: Services,
    pub(super) site: Arc<Site>,
    pub(super) view: View,
    /// What of a list is looked at; of every other page nothing.
    pub(super) listing: Listing,
    pub(super) lang: Lang,
    account: Account,
    /// What it asked for.
    path: String,
    /// What it may do with the site; nothing beyond seeing this, where it came by a link or as anybody.
    role: Option<Role>,
    /// Whether it owns every site, and so what is not of this one alone.
    pub(super) owns_every_site: bool,
    /// The least number of visitors that it is told, where there is one.
    pub(super) floor: Option<Floor>,
    /// The filters of the part of the site that it sees.
    within: Vec<Value>,
    /// The filter that a form asked for, and why it is not in the view; nothing, if all went well.
    pub(super) untaken: Option<(Typed, String)>,
    /// Where the questions of the page meet.
    pub(super) gathering: Gathering,
    /// The moment of asking, the same for the whole page.
    pub(super) now: Timestamp,
    /// The address of this collector, for what is to be copied elsewhere.
    pub(super) origin: String,
}

impl FromRequestParts<Services> for Asker {
    type Rejection = Response;

    /// Somebody who may not see a page learns nothing of it: not even whether there is such a site.
    async fn from_request_parts(parts: &mut Parts, services: &Services) -> Result<Self, Response> {
        let viewer = Viewer::of(services, parts);
        let asker = Self::of(&viewer, parts, services).await?;
        asker.ok_or_else(|| match (viewer.stranger(services), viewer.has_signed_in()) {
            (Some(person), _) => refuse_person(lang_of(parts), viewer.account(services), person),
            (None, true) => refuse(lang_of(parts), StatusCode::NOT_FOUND, refusal::NOT_FOUND),
            (None, false) => to_the_form(path_of(parts)),
        })
    }
}

/// What was asked for, without a host, which HTTP/2 names there as well.
fn path_of(parts: &Parts) -> &str {
    parts.uri.path_and_query().map_or("/", |path| path.as_str())
}

/// The language that the view chooses, or else the browser.
pub(super) fn lang_of(parts: &Parts) -> Lang {
    let view = View::read(parts.uri.query().unwrap_or_default());
    view.lang.unwrap_or_else(|| Lang::accepted(&parts.headers))
}

impl Asker {
    /// A viewer who asks for a page of a site; nobody, if that may not be seen.
    pub(super) async fn of(
        viewer: &Viewer,
        parts: &mut Parts,
        services: &Services,
    ) -> Result<Option<Self>, Response> {
        let Path(names) = Path::<HashMap<String, String>>::from_request_parts(parts, services)
            .await
            .map_err(IntoResponse::into_response)?;
        let query = parts.uri.query().unwrap_or_default();
        let (mut view, typed) = View::read_apart(query);
        let domain = names.get("site").map(String::as_str).unwrap_or_default();
        let site = services.catalog.site(&bare_domain(domain));
        let noted = parts.extensions.get::<Noted>().cloned().unwrap_or_default();
        if let Some(site) = &site {
            noted.site(site);
        }
        let seen = site.and_then(|site| viewer.sees(services, &site).map(|sight| (site, sight)));
        let Some((site, Sight { role, floor, within, reader })) = seen else {
            noted.reader(viewer.reader());
            return Ok(None);
        };
        let is_list = names.contains_key("dimension");
        let listing = Listing::read(if is_list { query } else { "" });
        let (lang, now) = (lang_of(parts), services.clock.now());
        let untaken = match typed.map(|typed| taken(&site, now, lang, &view, typed)) {
            None => None,
            Some(Ok(filtered)) => {
                view = filtered;
                None
            }
            Some(Err(untaken)) => Some(untaken),
        };
        if View::is_of_form(query) && untaken.is_none() {
            let url = listing.at(1).url(&view);
            return Err(Redirect::to(&(parts.uri.path().to_owned() + &url)).into_response());
        }
        noted.reader(reader);
        let listed = names.get("dimension").map(|name| List::named(name).dimension);
        listed.into_iter().for_each(|name| noted.dimension(name));
        view.filters.iter().for_each(|filter| noted.dimension(&filter.dimension));
        // Whoever is told no small numbers sees the site as a whole.
        let view = match floor {
            Some(_) => view.losing_filters(),
            None => view,
        };
        Ok(Some(Self {
            site,
            lang,
            untaken,
            floor,
            within,
            gathering: Gathering::default(),
            account: viewer.account(services),
            path: path_of(parts).to_owned(),
            role,
            owns_every_site: viewer.owns_every_site(services),
            now,
            origin: services.origin(&parts.headers),
            view,
            listing,
            services: services.clone(),
        }))
    }

    /// Whether it has any role: it did not come by a link, or as anybody.
    pub(super) fn has_role(&self) -> bool {
        self.role.is_some()
    }

    /// Whether it may do with the site what this role may.
    pub(super) fn may(&self, role: Role) -> bool {
        self.role >= Some(role)
    }

    /// What the operator, who sees every number of a site, asks by the collector itself.
    pub(super) fn of_operator(
        services: &Services,
        site: &Arc<Site>,
        view: View,
        lang: Lang,
        now: Timestamp,
    ) -> Self {
        Self {
            services: services.clone(),
            site: Arc::clone(site),
            view,
            listing: Listing::read(""),
            lang,
            account: Account::default(),
            path: String::new(),
            role: None,
            owns_every_site: false,
            floor: None,
            within: Vec::new(),
            untaken: None,
            gathering: Gathering::default(),
            now,
            origin: String::new(),
        }
    }

    pub(super) fn words(&self) -> &'static Words {
        self.lang.words()
    }

    /// What is around the page.
    pub(super) fn frame(&self) -> Frame {
        let url = |lang| self.listing.url(&self.view.with_lang(lang));
        Frame::around(self.lang, self.account.clone(), url)
    }

    /// The URL of this page with another view; of a list from its beginning.
    pub(super) fn here(&self, view: &View) -> String {
        self.listing.at(1).url(view)
    }

    /// The path of the site's page.
    pub(super) fn home(&self) -> String {
        format!("/{}", in_a_path(&self.site.domain))
    }

    /// The tag that brings the site's visits.
    pub(super) fn tag(&self) -> String {
        let (domain, origin) = (&self.site.domain, &self.origin);
        format!("<script defer data-domain=\"{domain}\" src=\"{origin}/js/script.js\"></script>")
    }

    /// The moment of asking, as the site's clock shows it.
    pub(super) fn local_now(&self) -> DateTime {
        self.site.timezone.to_datetime(self.now)
    }

    /// A question about the view: what it says, and `with`.
    pub(super) fn query(&self, with: Value) -> Value {
        let mut query = json!({
            "site_id": self.site.domain,
            "metrics": ["visitors"],
            "date_range": self.view.period.to_query(),
            "filters": self.view.filters(self.lang),
        });
        if let (Some(query), Value::Object(with)) = (query.as_object_mut(), with) {
            query.extend(with);
        }
        query
    }

    /// What the view's figures are compared with, in the words of a query: what there is of a period that goes on, with
    /// as much of the other one. Nothing, if there is nothing yet that may be told.
    pub(super) fn comparison(&self) -> Option<Value> {
        let whole = self.view.compared()?;
        let Some(query) = self.compared(&whole) else { return Some(whole) };
        let is_told = self.floor.is_none() || query.days_over().is_some();
        is_told.then(|| query.compared_so_far(self.now).unwrap_or(whole))
    }

    /// The comparison of a period that goes on.
    pub(super) fn compared_so_far(&self) -> Option<Value> {
        self.compared(&self.view.compared()?)?.compared_so_far(self.now)
    }

    fn compared(&self, comparison: &Value) -> Option<Query> {
        self.parse(&self.query(json!({ "include": { "comparisons": comparison } })))
    }

    pub(super) fn known(&self, dialect: Dialect) -> Known<'_> {
        Known {
            dialect,
            floor: self.floor,
            within: &self.within,
            ..Known::new(&self.site, self.now)
        }
    }

    /// What the query comes to, if it can be asked.
    pub(super) fn parse(&self, query: &Value) -> Option<Query> {
        Query::parse(query, &self.known(Dialect::V1)).ok()
    }

    /// What the metric comes to in a bucket of the query in which nothing has happened. That nobody bounced is no result there.
    pub(super) fn of_nothing(&self, metric: Metric, query: &Value) -> Value {
        if metric == Metric::BounceRate {
            return Value::Null;
        }
        let query = self.parse(query);
        query.map_or_else(|| metric.of_nothing(), |query| query.of_nothing(&metric.into(), &[]))
    }

    /// Whether there is a list by these dimensions: not every one is told to everybody.
    pub(super) fn lists(&self, dimensions: &[&str]) -> bool {
        self.floor.is_none()
            || self.parse(&self.query(json!({ "dimensions": dimensions }))).is_some()
    }

    /// Of these metrics those that have a meaning in the query; the first one in any case, so that the
    /// query says itself what is wrong with it.
    pub(super) fn askable(&self, metrics: &[Metric], query: &Value) -> Vec<Metric> {
        let can = |metric: &Metric| {
            let mut query = query.clone();
            query["metrics"] = json!([metric.spec().name]);
            Query::parse(&query, &self.known(Dialect::V2)).is_ok()
        };
        let mut askable: Vec<Metric> = metrics.iter().copied().filter(can).collect();
        if askable.is_empty() {
            askable.extend(metrics.first());
        }
        askable
    }

    pub(super) async fn ask(&self, query: &Value) -> Result<Value, AskError> {
        self.ask_in(Dialect::V2, query).await
    }

    pub(super) async fn ask_in(&self, dialect: Dialect, query: &Value) -> Result<Value, AskError> {
        let store = &self.services.store;
        report::ask_beside(store, &self.gathering, self.known(dialect), query).await
    }

    pub(super) async fn ask_funnel(&self, question: &Value) -> Result<Value, AskError> {
        report::ask_funnel(&self.services.store, self.known(Dialect::V2), question).await
    }

    pub(super) async fn ask_journey(&self, question: &Value) -> Result<Value, AskError> {
        report::ask_journey(&self.services.store, self.known(Dialect::V2), question).await
    }

    /// For whoever sees the site and asks for what changes it. Who has not signed in may do so, and is told no more of a site than of
    /// one that is not there.
    pub(super) fn refuse_reader(&self) -> Response {
        if !self.account.is_signed_in {
            return to_the_form(&self.path);
        }
        let onward = (self.home() + &self.view.url(), self.site.domain.clone());
        refuse_towards(self.lang, StatusCode::FORBIDDEN, refusal::READS_ONLY, onward)
    }

    /// For whoever is told no small numbers, where a page would tell them: it is not there.
    pub(super) fn refused_small_numbers(&self) -> Option<Response> {
        self.floor.map(|_| refuse(self.lang, StatusCode::NOT_FOUND, refusal::NOT_FOUND))
    }

    /// The page that says why there is no other.
    pub(super) fn refuse(&self, error: &AskError) -> Response {
        let (status, message) = match error {
            AskError::Invalid(_) => (StatusCode::BAD_REQUEST, refusal::WRONG_VIEW),
            AskError::Store(StoreError::Limit { .. }) => {
                (StatusCode::UNPROCESSABLE_ENTITY, refusal::TOO_EXPENSIVE)
            }
            AskError::Store(error @ StoreError::Unreadable(_)) => {
                tracing::warn!(%error, "a page could not be shown");
                (StatusCode::INTERNAL_SERVER_ERROR, refusal::ANSWER_UNREADABLE)
            }
            AskError::Store(error) => {
                tracing::warn!(%error, "a page could not be shown");
                (StatusCode::SERVICE_UNAVAILABLE, refusal::DATABASE_AWAY)
            }
        };
        // Whoever may see one site alone finds nothing among all.
        let onward = (self.home(), self.site.domain.clone());
        refuse_towards(self.lang, status, message, onward)
    }
}

/// The view with a filter that somebody typed, if that can be asked; else the filter, and what is wrong with it.
fn taken(
    site: &Site,
    now: Timestamp,
    lang: Lang,
    view: &View,
    typed: Typed,
) -> Result<View, (Typed, String)> {
    let words = lang.words();
    let mut wanted = typed.clone();
    if wanted.filter.dimension == GOAL {
        let relation = wanted.filter.relation;
        for value in &mut wanted.filter.values {
            let name = value.to_lowercase();
            let goal = site.goals.iter().find(|goal| goal.name.to_lowercase() == name);
            match (goal, relation) {
                (Some(goal), Relation::Is) => value.clone_from(&goal.name),
                (None, Relation::Is) => {
                    let wrong = fill(words.no_such_goal, &[value]);
                    return Err((typed, wrong));
                }
                (_, Relation::Contains) => {}
                (_, Relation::IsNot | Relation::ContainsNot) => {
                    return Err((typed, words.goals_are_met.to_owned()));
                }
            }
        }
    }
    let filtered = match view.with_typed(&wanted) {
        Ok(filtered) => filtered,
        Err(too_many) => {
            let (sentence, most) = match too_many {
                TooMany::Filters => (words.too_many_filters, FILTERS_MAX),
                TooMany::Values => (words.too_many_values, VALUES_MAX),
            };
            return Err((typed, fill(sentence, &[&most.to_string()])));
        }
    };
    let can_be_asked = |view: &View| {
        let query = json!({
            "site_id": site.domain, "metrics": ["visitors"], "date_range": view.period.to_query(),
            "filters": view.filters(lang),
        });
        Query::parse(&query, &Known { dialect: Dialect::V1, ..Known::new(site, now) }).is_ok()
    };
    // A view that can not be asked without it says so itself.
    match can_be_asked(&filtered) || !can_be_asked(view) {
        true => Ok(filtered),
        false => Err((typed, words.wrong_filter.to_owned())),
    }
}

/// The names of metrics, for a query.
pub(super) fn names(metrics: &[Metric]) -> Vec<&'static str> {
    metrics.iter().map(|metric| metric.spec().name).collect()
}

/// The rows of an answer.
pub(super) fn rows(answer: &Value) -> &[Value] {
    answer["results"].as_array().map(Vec::as_slice).unwrap_or_default()
}
