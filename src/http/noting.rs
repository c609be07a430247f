//! Notes who read what, in the log of reads (`access_log`): around the routes of reports, of the export and
//! of the dashboard's pages.
//!
//! Who asks and for which site is known where a request is let in or refused; that is put down in the
//! request's [`Noted`], and here, once there is an answer, in the log. What was asked of which value is
//! nowhere: dimensions are names of ours, or of the site's own properties.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{FromRequestParts, MatchedPath, Request, State};
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::Response;
use serde_json::Value;

use super::Services;
use crate::access_log::{DIMENSIONS_MAX, Read, Reader};
use crate::query::dimension::{Field, PropertyName};
use crate::query::interval::Interval;
use crate::site::Site;

/// What is known of a request so far.
#[derive(Clone, Default)]
pub(crate) struct Noted(Arc<Mutex<Known>>);

#[derive(Default)]
struct Known {
    reader: Reader,
    site: Option<String>,
    dimensions: Vec<String>,
}

impl Noted {
    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Who asks.
    pub(crate) fn reader(&self, reader: Reader) {
        self.known().reader = reader;
    }

    /// The site that is asked for, whether or not it may be read.
    pub(crate) fn site(&self, site: &Site) {
        self.known().site = Some(site.domain.clone());
    }

    /// A dimension that is asked for, if it is one.
    pub(crate) fn dimension(&self, name: &str) {
        let is_one = Field::named(name).is_some()
            || Interval::named(name).is_some()
            || PropertyName::of_dimension(name).is_some()
            || matches!(name, "time" | "event:goal");
        let mut known = self.known();
        let has_room = known.dimensions.len() < DIMENSIONS_MAX;
        if is_one && has_room && !known.dimensions.iter().any(|other| other == name) {
            known.dimensions.push(name.to_owned());
        }
    }

    /// The dimensions of a question, those of its filters among them.
    pub(crate) fn question(&self, question: &Value) {
        let queries = question.get("queries").and_then(Value::as_object);
        queries.into_iter().flat_map(|queries| queries.values()).for_each(|one| self.question(one));
        let named = question.get("dimensions").and_then(Value::as_array);
        named.into_iter().flatten().filter_map(Value::as_str).for_each(|name| self.dimension(name));
        for filter in question.get("filters").and_then(Value::as_array).into_iter().flatten() {
            self.filter(filter);
        }
    }

    fn filter(&self, filter: &Value) {
        match (filter.get(0).and_then(Value::as_str), filter.get(1)) {
            (_, Some(Value::String(name))) => self.dimension(name),
            (Some("and" | "or"), Some(Value::Array(all))) => {
                all.iter().for_each(|filter| self.filter(filter));
            }
            (_, Some(inner)) => self.filter(inner),
            (_, None) => {}
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Noted {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_default())
    }
}

/// Answers a request, and notes it.
pub(super) async fn note(
    State(services): State<Services>,
    path: MatchedPath,
    mut request: Request,
    next: Next,
) -> Response {
    let noted = Noted::default();
    request.extensions_mut().insert(noted.clone());
    let route = format!("{} {}", request.method(), path.as_str());
    let answer = next.run(request).await;
    let Known { reader, site, dimensions } = std::mem::take(&mut *noted.known());
    services.access_log.note(Read {
        time: services.clock.now(),
        reader,
        site,
        route,
        dimensions,
        status: answer.status().as_u16(),
        lost: 0,
    });
    answer
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_dimensions_of_a_question_are_noted_and_no_value() {
        let noted = Noted::default();
        noted.question(&json!({
            "dimensions": ["event:page", "someone@example.com", "time:day"],
            "filters": [
                ["is", "visit:source", ["secret"]],
                ["or", [["not", ["contains", "event:props:plan", ["secret"]]], ["is", "visit:os", ["x"]]]],
                ["has_done", ["is", "event:name", ["secret"]]],
            ],
            "queries": { "a": { "dimensions": ["visit:city"] } },
        }));
        let mut dimensions = noted.known().dimensions.clone();
        dimensions.sort();
        let expected = [
            "event:name",
            "event:page",
            "event:props:plan",
            "time:day",
            "visit:city",
            "visit:os",
            "visit:source",
        ];
        assert_eq!(dimensions, expected);
    }
}
