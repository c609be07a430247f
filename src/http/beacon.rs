//! The beacons' side of the door: `POST /api/event` and `GET /api/event.gif`.
//!
//! The status and the headers are the whole answer: 202 for everything that was understood, with
//! headers that say how many of its events were not counted, and why. No cookie is set or read.

use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use bytes::Bytes;
use hyper::body::Incoming;
use serde_json::json;

use super::body::{self, Broken};
use super::{Services, probe};
use crate::beacon::{BODY_BYTES_MAX, Beacon, BeaconError, Field, decode};
use crate::ingest::{Collector, Receipt, Refusal, Taken};
use crate::judge::DropReason;
use crate::privacy::Client;

/// When to come again after a refusal, in seconds.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("5");
const TEXT: &str = "text/plain; charset=utf-8";
/// A transparent picture of one pixel.
const PIXEL: &[u8] = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\x00\x00\x00!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;";

/// Answers `/api/event`.
pub(super) async fn event(
    services: &Services,
    collector: &Collector,
    parts: Parts,
    client: Client,
    body: Incoming,
) -> Response<Body> {
    if parts.method != Method::POST {
        return not_posted(&parts.method);
    }
    if client.way.is_some() {
        return probe::answer(services, collector, &parts.headers, client);
    }
    if let Some(refused) = compressed(collector, &parts) {
        return refused;
    }
    let beacon = async {
        let body = whole(body).await?;
        decode::body(text(&parts.headers, &header::CONTENT_TYPE), body).await.map(Some)
    };
    let taken = take(collector, beacon, client, &parts.headers).await;
    // While the disk is waited for, nothing that was made of the request is kept. Its bytes stay in the connection's buffer,
    // which takes the next request as soon as there is an answer.
    let mut room = parts.headers;
    room.clear();
    match outcome(taken).await {
        Outcome::Counted(receipt) => with_drops(accepted(room), &receipt.dropped),
        other => refused(other),
    }
}

/// The answer to a beacon that was understood. Its headers are written where those of the request were: hyper reads
/// the next request there, too, so that no answer takes memory of its own.
fn accepted(room: HeaderMap) -> Response<Body> {
    let mut answer = Response::new(Body::from("ok"));
    *answer.status_mut() = StatusCode::ACCEPTED;
    *answer.headers_mut() = room;
    put_headers(answer.headers_mut(), TEXT);
    answer
}

/// The refusal of a body that would have to be unpacked first: nobody's beacon is that long.
pub(super) fn compressed(collector: &Collector, parts: &Parts) -> Option<Response<Body>> {
    let is_none = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"identity");
    if parts.headers.get_all(header::CONTENT_ENCODING).iter().all(is_none) {
        return None;
    }
    collector.count_invalid();
    let mut answer = plain(StatusCode::UNSUPPORTED_MEDIA_TYPE, "A beacon must not be compressed.");
    put_drops(answer.headers_mut(), 1, INVALID);
    Some(answer)
}

/// The refusal of a method, with those that there are.
pub(super) fn not_allowed(allowed: &'static str, text: &str) -> Response<Body> {
    let mut answer = plain(StatusCode::METHOD_NOT_ALLOWED, text);
    answer.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allowed));
    answer
}

/// The answer to a beacon that was not taken: which field and which rule, or when to come again.
pub(super) fn refused(outcome: Outcome) -> Response<Body> {
    match outcome {
        Outcome::Counted(_) => plain(StatusCode::ACCEPTED, "ok"),
        Outcome::Invalid(error) => {
            let errors = json!({ "errors": { error.field.as_str(): [error.rule] } });
            let mut answer = with_headers(
                StatusCode::BAD_REQUEST,
                "application/json",
                errors.to_string().into(),
            );
            put_drops(answer.headers_mut(), 1, INVALID);
            answer
        }
        Outcome::Refused(refusal) => {
            come_again(plain(StatusCode::SERVICE_UNAVAILABLE, &refusal.to_string()))
        }
    }
}

/// Answers `/api/event.gif`: always with the picture, so that no page shows a broken one.
pub(super) async fn pixel(collector: &Collector, parts: Parts, client: Client) -> Response<Body> {
    match parts.method {
        Method::GET => {}
        // Whoever asks how the picture is, such as a checker of links, has not seen the page.
        Method::HEAD => return picture(StatusCode::OK),
        _ => return not_allowed("GET, HEAD", "Fetch the pixel with GET."),
    }
    let referer = parts.headers.get(header::REFERER).and_then(|value| value.to_str().ok());
    let beacon = async { decode::pixel(parts.uri.query().unwrap_or_default(), referer).map(Some) };
    let taken = take(collector, beacon, client, &parts.headers).await;
    drop(parts);
    as_picture(outcome(taken).await)
}

/// The one picture, with a status.
pub(super) fn picture(status: StatusCode) -> Response<Body> {
    let mut answer = with_headers(status, "image/gif", Bytes::from_static(PIXEL));
    answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

/// What became of a beacon, told by the status and the headers of a picture.
pub(super) fn as_picture(outcome: Outcome) -> Response<Body> {
    match outcome {
        Outcome::Counted(receipt) => with_drops(picture(StatusCode::ACCEPTED), &receipt.dropped),
        Outcome::Invalid(error) => {
            let mut answer = picture(StatusCode::BAD_REQUEST);
            if let Ok(what) = HeaderValue::try_from(error.to_string()) {
                answer.headers_mut().insert("x-passerby-error", what);
            }
            answer
        }
        Outcome::Refused(_) => come_again(picture(StatusCode::SERVICE_UNAVAILABLE)),
    }
}

const DROPPED_COUNT: &str = "x-plausible-dropped";
const DROPPED_REASONS: &str = "x-passerby-dropped";
/// The reason of what is no beacon.
const INVALID: &str = "invalid";

pub(super) enum Outcome {
    Counted(Receipt),
    Invalid(BeaconError),
    Refused(Refusal),
}

/// Reads a beacon and takes it in, unless too many come from where it comes from. One that is read as `None`
/// has nothing to count.
///
/// # Errors
/// [`Outcome`], when it is known already.
pub(super) async fn take<'collector>(
    collector: &'collector Collector,
    beacon: impl Future<Output = Result<Option<Beacon>, BeaconError>>,
    client: Client,
    headers: &HeaderMap,
) -> Result<Taken<'collector>, Outcome> {
    if !collector.admits(&client) {
        let dropped = vec![DropReason::ThrottleNetwork];
        return Ok(collector.nothing(Receipt { dropped }));
    }
    let beacon = match beacon.await {
        Ok(Some(beacon)) => beacon,
        Ok(None) => return Ok(collector.nothing(Receipt::default())),
        Err(error) => {
            collector.count_invalid();
            return Err(Outcome::Invalid(error));
        }
    };
    collector
        .take(&beacon, client, text(headers, &header::ACCEPT_LANGUAGE))
        .map_err(Outcome::Refused)
}

/// What became of a beacon: as soon as it is on disk, if it was taken in.
pub(super) async fn outcome(taken: Result<Taken<'_>, Outcome>) -> Outcome {
    match taken {
        Err(outcome) => outcome,
        Ok(taken) => taken.kept().await.map_or_else(Outcome::Refused, Outcome::Counted),
    }
}

pub(super) async fn whole(body: Incoming) -> Result<Bytes, BeaconError> {
    body::whole(body, BODY_BYTES_MAX).await.map_err(|broken| {
        let rule = match broken {
            Broken::TooLong => "the body must not exceed 1000000 bytes",
            Broken::Slow => "the body took longer than 5 seconds",
            Broken::Ended => "the body ended early",
        };
        BeaconError { field: Field::Request, rule }
    })
}

pub(super) fn text<'headers>(
    headers: &'headers HeaderMap,
    name: &header::HeaderName,
) -> &'headers str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// Pages of every origin may send beacons, and read what became of them; nobody sends credentials.
pub(super) fn with_headers(
    status: StatusCode,
    content_type: &'static str,
    body: Bytes,
) -> Response<Body> {
    let mut answer = Response::new(Body::from(body));
    *answer.status_mut() = status;
    put_headers(answer.headers_mut(), content_type);
    answer
}

fn put_headers(headers: &mut HeaderMap, content_type: &'static str) {
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
}

/// How many events were not counted, and why; pages may read it.
fn put_drops(headers: &mut HeaderMap, count: usize, reasons: &str) {
    headers.insert(DROPPED_COUNT, HeaderValue::from(count));
    if let Ok(reasons) = HeaderValue::try_from(reasons) {
        headers.insert(DROPPED_REASONS, reasons);
    }
    let exposed = HeaderValue::from_static("x-plausible-dropped, x-passerby-dropped");
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
}

pub(super) fn plain(status: StatusCode, text: &str) -> Response<Body> {
    with_headers(status, TEXT, Bytes::copy_from_slice(text.as_bytes()))
}

/// The answer to what brings no beacon, for it has another method than POST.
pub(super) fn not_posted(method: &Method) -> Response<Body> {
    match *method {
        Method::OPTIONS => preflight(),
        _ => not_allowed("POST, OPTIONS", "Send a beacon with POST."),
    }
}

/// Any header may come with a beacon: what instruments the requests of a page adds its own to them. As nobody sends
/// credentials, the star stands for all of them; for browsers that do not know it, those that trackers send are named.
fn preflight() -> Response<Body> {
    let mut answer = with_headers(StatusCode::NO_CONTENT, TEXT, Bytes::new());
    let headers = answer.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("POST"));
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_HEADERS,
        HeaderValue::from_static("*, content-type, x-umami-cache"),
    );
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
    answer
}

fn come_again(mut answer: Response<Body>) -> Response<Body> {
    answer.headers_mut().insert(header::RETRY_AFTER, RETRY_AFTER);
    answer
}

/// How many events were not counted, and the reasons, each once.
pub(super) fn with_drops(mut answer: Response<Body>, dropped: &[DropReason]) -> Response<Body> {
    if dropped.is_empty() {
        return answer;
    }
    let mut reasons: Vec<&str> = Vec::new();
    for reason in dropped.iter().map(|reason| reason.as_str()) {
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    put_drops(answer.headers_mut(), dropped.len(), &reasons.join(", "));
    answer
}
