//! Sites over HTTP: pages of lists, other domains, changes at once, and crashes.

use hyper::{Method, StatusCode};
use serde_json::{Value, json};

use super::Set;
use crate::support::eventually;

#[tokio::test]
async fn sites_are_listed_a_page_at_a_time_and_can_be_renamed() {
    let set = Set::up().await;
    let path = "/api/v1/sites";
    let form = "--b\r\nContent-Disposition: form-data; name=\"domain\"\r\n\r\nb.test\r\n--b\r\n\
        Content-Disposition: form-data; name=\"timezone\"\r\n\r\nEurope/London\r\n--b--\r\n";
    let headers = [
        ("authorization", set.bearer.as_str()),
        ("content-type", "multipart/form-data; boundary=b"),
    ];
    let made = set.collector.request(Method::POST, path, &headers, form).await.json();
    assert_eq!((&made["domain"], &made["timezone"]), (&json!("b.test"), &json!("Europe/London")));
    set.refused(
        Method::POST,
        path,
        json!({ "domain": "www.B.test" }),
        "domain `b.test` is registered",
    )
    .await;
    set.refused(Method::POST, path, json!({}), "domain is missing").await;
    set.refused(
        Method::POST,
        path,
        json!({ "domain": "c.test", "colour": 1 }),
        "Unknown field `colour`",
    )
    .await;
    let bad = json!({ "domain": "c.test", "retention_days": "long" });
    set.refused(Method::POST, path, bad, "retention_days \"long\" must be a whole number").await;

    set.done(Method::POST, path, json!({ "domain": "c.test" })).await;
    let domains = |list: &Value| -> Vec<String> {
        let sites = list["sites"].as_array().unwrap().iter();
        sites.map(|site| site["domain"].as_str().unwrap().to_owned()).collect()
    };
    let first = set.get("/api/v1/sites?limit=2").await;
    assert_eq!(domains(&first), ["b.test", "c.test"]);
    assert_eq!(first["meta"], json!({ "after": "c.test", "before": null, "limit": 2 }));
    let second = set.get("/api/v1/sites?limit=2&after=c.test").await;
    assert_eq!(domains(&second), ["example.com"]);
    assert_eq!(second["meta"], json!({ "after": null, "before": "example.com", "limit": 2 }));

    set.beacon(1, json!({})).await;
    set.has_events(1).await;
    let renamed = json!({ "domain": "new.test", "timezone": "Asia/Kathmandu" });
    for _ in 0..2 {
        let site = set.done(Method::PUT, "/api/v1/sites/example.com", renamed.clone()).await;
        assert_eq!(
            (&site["domain"], &site["timezone"]),
            (&json!("new.test"), &json!("Asia/Kathmandu"))
        );
    }
    let events = |domain: &str| json!({ "site_id": domain, "metrics": ["events"] });
    assert_eq!(set.rows(events("new.test")).await, json!([[1]]));
    // Tags and clients that know the former name go on, until another site has it.
    assert_eq!(set.rows(events("example.com")).await, json!([[1]]));
    let tagged = json!({ "n": "pageview", "u": "https://example.com/", "d": "example.com" });
    assert_eq!(set.collector.beacon(&tagged).await.header("x-passerby-dropped"), None);
    let erase = json!({ "site_id": "example.com" });
    let is_called = "the site is called `new.test` now";
    set.refused(Method::POST, "/api/v1/erase", erase.clone(), is_called).await;
    set.done(Method::POST, path, json!({ "domain": "example.com" })).await;
    assert_eq!(set.rows(events("example.com")).await, json!([[0]]));
    // Nor is it the renamed one's again when that is removed.
    set.collector.run(&["site", "remove", "example.com"]);
    let dropped = set.collector.beacon(&tagged).await;
    assert_eq!(dropped.header("x-passerby-dropped"), Some("unknown_site"));
    set.done(Method::POST, "/api/v1/erase", erase).await;
    eventually("the renamed site has its events", async || {
        (set.rows(events("new.test")).await == json!([[2]])).then_some(())
    })
    .await;
    set.refused(
        Method::PUT,
        "/api/v1/sites/new.test",
        json!({ "domain": "b.test" }),
        "registered already",
    )
    .await;
}

#[tokio::test]
async fn a_site_that_is_registered_twice_at_once_is_one_site() {
    let set = Set::up().await;
    let put = || set.done(Method::PUT, "/api/v1/sites/twice.test", json!({}));
    tokio::join!(put(), put(), put(), put());
    let goal = || set.goal(json!({ "goal_type": "event", "event_name": "Signup" }));
    let (one, other) = tokio::join!(goal(), goal());
    assert_eq!(one, other);
    let sites = set.collector.run(&["site", "list"]);
    assert_eq!(sites.lines().filter(|line| line.starts_with("twice.test")).count(), 1);
    set.collector.run(&["site", "remove", "twice.test"]);
    assert!(!set.collector.run(&["site", "list"]).contains("twice.test"));
}

#[tokio::test]
async fn goals_and_segments_are_known_again_after_a_crash() {
    let mut set = Set::up().await;
    set.goal(json!({ "goal_type": "event", "event_name": "Purchase", "currency": "EUR" })).await;
    let blog = json!({ "name": "Blog", "filters": [["contains", "event:page", ["/blog"]]] });
    set.done(Method::POST, "/api/v1/sites/example.com/segments", blog).await;
    set.collector.crash_and_restart().await;
    // From the snapshot: the beacon is taken whether or not the database answers already.
    set.beacon(1, json!({ "n": "Purchase", "$": { "amount": 5, "currency": "EUR" } })).await;
    let goals = set.get("/api/v1/sites/goals?site_id=example.com").await;
    assert_eq!(goals["goals"][0]["display_name"], "Purchase");
    let segments = set.get("/api/v1/sites/example.com/segments").await;
    assert_eq!(segments["segments"][0]["name"], "Blog");
    let paid = eventually("the purchase is in the report", async || {
        let answer = set.query(json!({ "metrics": ["total_revenue"] })).await;
        let value = (answer.status == StatusCode::OK).then(|| answer.json())?;
        value["results"][0]["metrics"][0]["value"].as_f64()
    });
    assert_eq!(paid.await, 5.0);
}
