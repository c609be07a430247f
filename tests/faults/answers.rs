//! ClickHouse answers what it should not, or nothing.

use std::time::Duration;

use axum::body::Body;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::client::conn::http1::handshake;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;

use crate::load::{Load, Sender};
use crate::oracle::Fate;
use crate::proxy::Mode;
use crate::rig::{Rig, Start};
use crate::support;

async fn rig() -> Rig {
    let mut rig = Rig::new(&support::servers().0, &[]).await;
    assert_eq!(rig.start().await, Start::Up);
    rig
}

/// What ClickHouse, or something in front of it, may answer, and what the collector calls it.
fn answers() -> Vec<(&'static str, Mode, &'static str)> {
    let answer = |text: &str| Mode::Answer(text.replace('\n', "\r\n"));
    vec![
        ("nobody there", Mode::Refuse, "away"),
        ("an answer that is cut", answer("HTTP/1.1 200 OK\nContent-Length: 99\n\nshort"), "away"),
        (
            "another server",
            answer("HTTP/1.1 502 Bad Gateway\nContent-Length: 13\n\n<html></html>"),
            "away",
        ),
        ("nonsense", answer("220 mail.example.com ESMTP\n\n"), "away"),
        (
            "all is well, and an exception in a header",
            answer("HTTP/1.1 200 OK\nX-ClickHouse-Exception-Code: 241\nContent-Length: 0\n\n"),
            "busy",
        ),
        (
            "all is well, and an exception in the body",
            answer(
                "HTTP/1.1 200 OK\nX-ClickHouse-Exception-Tag: abcdefghijklmnop\nTransfer-Encoding: chunked\n\n\
                 6b\n\n__exception__\nabcdefghijklmnop\nCode: 241. DB::Exception: memory. (MEMORY_LIMIT)\n47 abcdefghijklmnop\n__exception__\n\n0\n\n",
            ),
            "",
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_clickhouse_answers_events_wait_and_are_counted_when_it_is_well_again() {
    let mut rig = rig().await;
    let load = Load::start(&rig.address, &rig.oracle, 50);
    for (what, mode, class) in answers() {
        let failures = async |rig: &Rig| {
            rig.figures().await.labelled("insert_failures_total", &format!("class=\"{class}"))
        };
        let before = failures(&rig).await;
        rig.proxy.set(mode);
        rig.until(what, |it| {
            it.labelled("insert_failures_total", &format!("class=\"{class}")) > before
        })
        .await;
        rig.proxy.set(Mode::Pass);
        let stored = rig.figures().await.of("events_stored_total");
        rig.until("events are stored again", |it| it.of("events_stored_total") > stored).await;
    }
    load.stop().await;
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_are_retried_or_held_with_an_alarm_and_nothing_is_put_aside_for_them() {
    let mut rig = rig().await;
    let load = Load::start(&rig.address, &rig.oracle, 50);
    for (code, class) in [
        (252, "busy"),
        (319, "busy"),
        (242, "busy"),
        (60, "held"),
        (516, "held"),
        (497, "held"),
        (7, "held"),
    ] {
        let label = format!("class=\"{class}\"");
        let before = rig.figures().await.labelled("insert_failures_total", &label);
        rig.proxy.refuse_with_code(code);
        rig.until(&format!("code {code} is met"), |it| {
            it.labelled("insert_failures_total", &label) > before
                && it.of("inserts_held") == u64::from(class == "held")
        })
        .await;
        rig.proxy.set(Mode::Pass);
        rig.until("nothing is held", |it| {
            it.of("inserts_held") == 0 && it.of("events_waiting") < 200
        })
        .await;
    }
    load.stop().await;
    rig.judge().await;
    assert_eq!(rig.figures().await.of("events_quarantined_total"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_is_gone_holds_events_until_it_is_there_again() {
    let mut rig = rig().await;
    rig.store.writer().query("RENAME TABLE events TO elsewhere").execute().await.unwrap();
    let sender = Sender::new(&rig.address, &rig.oracle);
    assert_eq!(sender.send().await, Fate::Acknowledged);
    rig.until("it is noticed", |it| it.of("inserts_held") == 1).await;
    assert_eq!(sender.send().await, Fate::Acknowledged);
    rig.store.writer().query("RENAME TABLE elsewhere TO events").execute().await.unwrap();
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_clickhouse_hangs_beacons_are_accepted_and_reports_are_bounded() {
    let mut rig = rig().await;
    let sender = Sender::new(&rig.address, &rig.oracle);
    rig.proxy.set(Mode::Hang);
    let query = || serde_json::json!({ "site_id": "example.com", "metrics": ["visitors"], "date_range": "day" });
    let mut reports = tokio::task::JoinSet::new();
    let data_dir = rig.data_dir();
    for _ in 0..60 {
        let (data_dir, query) = (data_dir.clone(), query());
        reports.spawn(async move {
            let mut caller = passerby::http::control::Caller::connect(&data_dir).await.unwrap();
            let body = Body::from(query.to_string());
            caller.call(Method::POST, "/api/v2/query", body).await.unwrap().0
        });
    }
    // Thirty-six of them have a place and wait; the others are told at once, while nothing moves.
    for _ in 0..60 - 36 {
        let status = reports.join_next().await.unwrap().unwrap();
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    }
    assert_eq!(rig.figures().await.of("reports_refused_total"), 60 - 36);
    assert_eq!(reports.len(), 36);
    for _ in 0..20 {
        assert_eq!(sender.send().await, Fate::Acknowledged);
    }
    // It accepts beacons, so it is ready, once it has looked at its tables.
    support::eventually("it is ready", async || {
        (rig.ask(Method::GET, "/readyz", Value::Null).await.0 == StatusCode::OK).then_some(())
    })
    .await;
    rig.proxy.set(Mode::Pass);
    while reports.join_next().await.is_some() {}
    tokio::time::sleep(Duration::ZERO).await;
    rig.judge().await;
}

/// Asks for a page as somebody whom the proxy in front of the collector signed in, on a connection of one's own.
async fn page(rig: &Rig, method: Method, path: &str, form: &str) -> Response<Incoming> {
    let address = rig.address.lock().unwrap().expect("the collector runs");
    let stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let (mut sender, connection) = handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", address.to_string())
        .header("origin", format!("http://{address}"))
        .header("content-type", "application/x-www-form-urlencoded")
        .header("x-forwarded-email", "olga@staff.test");
    sender.send_request(request.body(Body::from(form.to_owned())).unwrap()).await.unwrap()
}

async fn rig_with_an_owner() -> Rig {
    let sign_in = [
        ("PASSERBY_SIGN_IN_HEADER", "x-forwarded-email"),
        ("PASSERBY_SIGN_IN_SIGN_OUT_URL", "/oauth2/sign_out"),
    ];
    let mut rig = Rig::new(&support::servers().0, &sign_in).await;
    assert_eq!(rig.start().await, Start::Up);
    rig.run(&["member", "add", "olga@staff.test", "--site", "example.com", "--role", "owner"]);
    rig
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_that_can_not_be_saved_keeps_what_was_typed_and_says_why() {
    let rig = rig_with_an_owner().await;
    rig.proxy.set(Mode::Refuse);
    let form = "action=annotation&day=2026-11-25&text=Launch+of+the+shop";
    let answer = page(&rig, Method::POST, "/example.com/settings", form).await;
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    let shown = String::from_utf8(body.to_vec()).unwrap();
    assert!(shown.contains("Nothing was changed"), "{shown}");
    assert!(shown.contains("Launch of the shop"), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn open_pages_that_watch_do_not_stand_before_reports() {
    let rig = rig_with_an_owner().await;
    rig.proxy.set(Mode::Hang);
    let mut watching = tokio::task::JoinSet::new();
    let mut streams = Vec::new();
    for _ in 0..60 {
        streams.push(page(&rig, Method::GET, "/example.com/live/now", "").await.into_body());
    }
    for mut stream in streams {
        watching.spawn(async move {
            let said = tokio::time::timeout(Duration::from_secs(4), stream.frame()).await;
            (said.is_ok_and(|frame| frame.is_some()), stream)
        });
    }
    // Those that have a turn wait for an answer; the others are told that there is nothing new.
    let told = watching.join_all().await;
    assert_eq!(told.iter().filter(|(was_told, _)| *was_told).count(), 60 - 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_page_hears_that_its_stream_goes_on_while_the_database_is_away() {
    let rig = rig_with_an_owner().await;
    let mut stream = page(&rig, Method::GET, "/example.com/live/now", "").await.into_body();
    let mut next = async || {
        let said = tokio::time::timeout(Duration::from_secs(20), stream.frame()).await;
        let said = said.expect("nothing is said").unwrap().unwrap().into_data().unwrap();
        String::from_utf8(said.to_vec()).unwrap()
    };
    let first = next().await;
    assert!(first.starts_with("data: "), "{first}");
    rig.proxy.set(Mode::Refuse);
    for _ in 0..2 {
        assert_eq!(next().await, ":\n\n");
    }
}
