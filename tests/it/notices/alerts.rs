//! Alerts reach whom they are to reach, once, and are not given without cause.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::http::StatusCode;
use axum::routing::post;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;

use super::*;

/// A webhook that keeps what it is told; the first call of all it refuses.
#[expect(clippy::disallowed_methods, reason = "the webhook is no collector: it knows no visitor")]
async fn webhook() -> (String, Arc<Mutex<Vec<Value>>>) {
    let told = Arc::new(Mutex::new(Vec::new()));
    let (kept, mut calls) = (Arc::clone(&told), 0);
    let is_first = Arc::new(Mutex::new(move || {
        calls += 1;
        calls == 1
    }));
    let take = move |body: Bytes| {
        let (kept, is_first) = (Arc::clone(&kept), Arc::clone(&is_first));
        async move {
            if is_first.lock().unwrap()() {
                return StatusCode::SERVICE_UNAVAILABLE;
            }
            kept.lock().unwrap().push(serde_json::from_slice(&body).unwrap());
            StatusCode::NO_CONTENT
        }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/a-secret-path", listener.local_addr().unwrap());
    let routes = TowerToHyperService::new(Router::new().route("/a-secret-path", post(take)));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let serving =
                http1::Builder::new().serve_connection(TokioIo::new(stream), routes.clone());
            tokio::spawn(serving);
        }
    });
    (url, told)
}

fn watched(url: &str, server: &str) -> String {
    let mut config = format!("[mail]\nserver = '{server}'\nfrom = 'stats@mail.test'\n");
    for (site, when) in [
        ("spike.test", "spike"),
        ("drop.test", "drop"),
        ("silence.test", "silence"),
        ("usual.test", "spike"),
        ("usual.test", "drop"),
        ("usual.test", "silence"),
        ("young.test", "spike"),
        ("young.test", "silence"),
    ] {
        config += &format!("[[alerts]]\nsite = '{site}'\nwhen = '{when}'\nwebhook = '{url}'\n");
        config += "to = ['anna@mail.test']\nlanguage = 'de'\n";
    }
    config
}

/// The alerts that the webhook got, as site and kind, in the order of the sites.
fn alerts(told: &Mutex<Vec<Value>>) -> Vec<String> {
    let told = told.lock().unwrap();
    let text = |alert: &Value, key: &str| alert[key].as_str().unwrap().to_owned();
    let mut alerts: Vec<_> =
        told.iter().map(|alert| text(alert, "site") + " " + &text(alert, "alert")).collect();
    alerts.sort();
    alerts
}

#[tokio::test]
async fn a_spike_a_drop_and_silence_are_told_once_and_what_is_usual_is_not() {
    let (office, time) = (Office::open().await, Time::new());
    let (url, told) = webhook().await;
    let wishes = [("PASSERBY_FAULTS", &*time.wishes())];
    let config = watched(&url, &office.plain());
    let mut collector = Collector::start_configured(&config, &wishes).await;
    let hours = SignedDuration::from_hours;
    let minutes = SignedDuration::from_mins;
    // Later than the hours that are looked at, before which the collector was not there.
    let later = hours(5);
    let moment = time.begun + later - minutes(25);
    let weeks = |weeks: i64| hours(24 * 7 * weeks);
    let mut lines = Vec::new();
    for (site, before, now) in [
        ("spike.test", 20, 70),
        ("drop.test", 60, 10),
        ("silence.test", 30, 0),
        ("usual.test", 60, 65),
        ("young.test", 0, 70),
    ] {
        collector.run(&["site", "add", site]);
        lines.extend(visitors(site, moment, now));
        if before > 0 {
            lines.extend(visitors(site, moment - weeks(3) - hours(9), 1));
            for week in 1..=2 {
                lines.extend(visitors(site, moment - weeks(week), before));
                lines.extend(visitors(site, moment + hours(13) - weeks(week), before));
            }
        }
    }
    import(&collector, &lines);
    time.advance(later);
    let expected = ["drop.test drop", "silence.test silence", "spike.test spike"];
    patiently("the mails arrive", &collector, async || (office.mails().len() >= 3).then_some(()))
        .await;
    // The call that was refused is made again.
    time.advance(later + minutes(2));
    patiently("the webhook is told", &collector, async || (alerts(&told).len() >= 3).then_some(()))
        .await;
    assert_eq!(alerts(&told), expected);

    let spike =
        told.lock().unwrap().iter().find(|alert| alert["alert"] == "spike").unwrap().clone();
    assert_eq!(
        (&spike["visitors"], &spike["usual"], &spike["hours"]),
        (&json!(70), &json!(20.0), &json!(1))
    );
    assert_eq!(
        spike["text"],
        "spike.test: viel mehr Besucher als sonst. Besucher in den letzten 1 h: 70. Um diese Zeit der Woche sonst: 20."
    );
    let mails = office.mails();
    let mail = mails.iter().find(|mail| mail.subject.starts_with("silence.test")).unwrap();
    assert_eq!(mail.subject, "silence.test: es kommen keine Besucher mehr an");
    assert!(
        mail.text.contains("sonst: 30.")
            && mail.html.contains("passerby check https://silence.test/"),
        "{}",
        mail.text
    );
    let log = collector.log();
    assert!(
        log.contains("an alert could not be sent, and is tried again")
            && !log.contains("a-secret-path"),
        "{log}"
    );

    // It is looked again, also after a start, and nothing is told again.
    time.advance(later + minutes(10));
    tokio::time::sleep(TWO_LOOKS).await;
    collector.terminate();
    collector.restart().await;
    tokio::time::sleep(TWO_LOOKS).await;
    assert_eq!((alerts(&told).len(), office.mails().len()), (3, 3), "{}", collector.log());
    // By the file: without it the spike would have been told again.
    collector.terminate();
    std::fs::remove_file(collector.data_dir.join("notices.json")).unwrap();
    collector.restart().await;
    patiently("it is told again", &collector, async || (alerts(&told).len() == 4).then_some(()))
        .await;
    // Of that what the collector missed itself is not told.
    assert_eq!(alerts(&told)[2..], ["spike.test spike", "spike.test spike"]);
    // Later there may be a new one.
    time.advance(later + hours(13));
    patiently("the next is told", &collector, async || (alerts(&told).len() >= 8).then_some(()))
        .await;
    assert_eq!(alerts(&told).iter().filter(|alert| *alert == "silence.test silence").count(), 2);
    assert!(
        !alerts(&told).iter().any(|alert| alert.starts_with("young.test")),
        "{:?}",
        alerts(&told)
    );
    let metrics = collector.run_on_socket(Method::GET, "/metrics").await;
    assert!(metrics.contains("passerby_notices_sent_total{kind=\"alert\"}"), "{metrics}");
}
