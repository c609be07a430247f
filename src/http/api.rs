//! The reporting API: `POST /api/v2/{query,funnel,journey}`, and `GET /api/v1/stats/…` in its older dialect.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequest, Query, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Map, Value, json};

use super::Services;
use super::access::Access;
use super::answer::Refused;
use super::form::Form;
use super::noting::Noted;
use crate::query::v1::Kind;
use crate::query::{self, are_several};
use crate::report::format::Table;
use crate::report::{self, AskError};
use crate::site::Site;
use crate::site::domain::bare_domain;

/// What questions look like.
pub(super) fn schema_routes() -> Router<Services> {
    Router::new()
        .route("/api/docs/query/schema.json", get(async || Json(query::schema())))
        .route("/api/docs/queries/schema.json", get(async || Json(query::several_schema())))
        .route("/api/docs/funnel/schema.json", get(async || Json(query::funnel_schema())))
        .route("/api/docs/journey/schema.json", get(async || Json(query::journey_schema())))
}

pub(super) fn routes() -> Router<Services> {
    Router::new()
        .route("/api/v2/query", post(report))
        .route("/api/v2/funnel", post(funnel))
        .route("/api/v2/journey", post(journey))
        .route("/api/v1/stats/realtime/visitors", get(visitors_now))
        .route(
            "/api/v1/stats/aggregate",
            get(async |access, noted, form, services, query| {
                v1(Kind::Aggregate, access, noted, form, services, query).await
            }),
        )
        .route(
            "/api/v1/stats/timeseries",
            get(async |access, noted, form, services, query| {
                v1(Kind::Timeseries, access, noted, form, services, query).await
            }),
        )
        .route(
            "/api/v1/stats/breakdown",
            get(async |access, noted, form, services, query| {
                v1(Kind::Breakdown, access, noted, form, services, query).await
            }),
        )
}

async fn report(
    access: Access,
    noted: Noted,
    form: Form,
    State(services): State<Services>,
    Question(body): Question,
) -> Result<Response, Refused> {
    let (query, site) = question(&access, &noted, &services, &body)?;
    let known = access.known(&site, &services);
    if are_several(&query) {
        let answers = several(report::ask_several(&services.store, known, &query).await?)?;
        return form.answer(&answers, || None);
    }
    let answer = report::ask_knowing(&services.store, known, &query).await?;
    form.answer(&answer, || Table::of_answer(&answer))
}

async fn funnel(
    access: Access,
    noted: Noted,
    form: Form,
    State(services): State<Services>,
    Question(body): Question,
) -> Result<Response, Refused> {
    let (funnel, site) = question(&access, &noted, &services, &body)?;
    let known = access.known(&site, &services);
    form.answer(&report::ask_funnel(&services.store, known, &funnel).await?, || None)
}

async fn journey(
    access: Access,
    noted: Noted,
    form: Form,
    State(services): State<Services>,
    Question(body): Question,
) -> Result<Response, Refused> {
    let (journey, site) = question(&access, &noted, &services, &body)?;
    let known = access.known(&site, &services);
    form.answer(&report::ask_journey(&services.store, known, &journey).await?, || None)
}

/// The body of a question. One that would have to be unpacked first is refused: no question is that long.
struct Question(Bytes);

impl FromRequest<Services> for Question {
    type Rejection = Response;

    async fn from_request(request: Request, services: &Services) -> Result<Self, Response> {
        let encoding = request.headers().get(header::CONTENT_ENCODING);
        if encoding.is_some_and(|encoding| encoding != "identity") {
            let message = "A question must not be compressed.";
            return Err(Refused::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message).into_response());
        }
        let body = Bytes::from_request(request, services).await;
        body.map(Self).map_err(IntoResponse::into_response)
    }
}

/// What is asked, and the site that it is about, which may be read.
fn question(
    access: &Access,
    noted: &Noted,
    services: &Services,
    body: &[u8],
) -> Result<(Value, Arc<Site>), Refused> {
    let question: Value = serde_json::from_slice(body)
        .map_err(|error| Refused::bad_request(format!("#: The body is not JSON: {error}")))?;
    let domain = match question.get("site_id") {
        None | Some(Value::Null) => {
            return Err(Refused::bad_request(
                "#/site_id: Missing: the domain of the site whose report is wanted.",
            ));
        }
        Some(Value::String(domain)) => domain,
        Some(other) => {
            return Err(Refused::bad_request(format!(
                "#/site_id: Invalid site_id {other}: it must be a string."
            )));
        }
    };
    noted.question(&question);
    let site = asked_for(access, noted, services, domain)?;
    Ok((question, site))
}

/// Answers by name. What is wrong with one question is its answer; what is wrong with the database is
/// wrong with all of them.
fn several(answers: report::Answers) -> Result<Value, Refused> {
    let mut results = Map::new();
    for (name, answer) in answers {
        let told = match answer {
            Ok(answer) => answer,
            Err(error) => Refused::from(error).told_beside_answers()?,
        };
        results.insert(name, told);
    }
    Ok(json!({ "results": results }))
}

/// The parameters of a request in the older dialect, in their order.
type Parameters = Query<Vec<(String, String)>>;

async fn v1(
    kind: Kind,
    access: Access,
    noted: Noted,
    form: Form,
    State(services): State<Services>,
    Query(parameters): Parameters,
) -> Result<Response, Refused> {
    let site = site_of(&access, &noted, &services, &parameters)?;
    let known = access.known(&site, &services);
    let (answer, table) = report::ask_v1(&services.store, known, kind, &parameters).await?;
    form.answer(&answer, || Some(table))
}

async fn visitors_now(
    access: Access,
    noted: Noted,
    State(services): State<Services>,
    Query(parameters): Parameters,
) -> Result<Response, Refused> {
    let site = site_of(&access, &noted, &services, &parameters)?;
    let known = access.known(&site, &services);
    Ok(Json(report::visitors_now(&services.store, known, &[]).await?).into_response())
}

/// The site of this domain, which may be read; that it was asked for is noted in any case.
fn asked_for(
    access: &Access,
    noted: &Noted,
    services: &Services,
    domain: &str,
) -> Result<Arc<Site>, Refused> {
    if let Some(site) = services.catalog.site(&bare_domain(domain)) {
        noted.site(&site);
    }
    access.site(services, domain)
}

fn site_of(
    access: &Access,
    noted: &Noted,
    services: &Services,
    parameters: &[(String, String)],
) -> Result<Arc<Site>, Refused> {
    let given = |wanted: &str| parameters.iter().find(|(name, _)| name == wanted);
    if let Some((_, property)) = given("property") {
        noted.dimension(property);
    }
    match given("site_id") {
        Some((_, domain)) => asked_for(access, noted, services, domain),
        None => Err(Refused::bad_request(
            "#/site_id: Missing: the domain of the site whose report is wanted.",
        )),
    }
}

impl From<AskError> for Refused {
    fn from(error: AskError) -> Self {
        match error {
            AskError::Invalid(message) => Self::bad_request(message),
            AskError::Store(error) => error.into(),
        }
    }
}
