//! Annotations over HTTP and by command, and those that the collector writes where a rule changes.

use hyper::{Method, StatusCode};
use serde_json::{Value, json};

use super::Set;

const PATH: &str = "/api/v1/sites/example.com/annotations";

impl Set {
    /// The annotations of the site, each as its kind and text.
    async fn annotations(&self) -> Vec<[String; 2]> {
        let listed = self.get(PATH).await;
        let text = |one: &Value, key: &str| one[key].as_str().unwrap().to_owned();
        let listed = listed["annotations"].as_array().unwrap();
        listed.iter().map(|one| [text(one, "kind"), text(one, "text")]).collect()
    }

    /// A page of the site, as whoever has this cookie sees it.
    async fn page(&self, path: &str, cookie: &str) -> String {
        let answer = self.collector.request(Method::GET, path, &[("cookie", cookie)], "").await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        String::from_utf8(answer.body.to_vec()).unwrap()
    }
}

#[tokio::test]
async fn annotations_written_over_http_and_by_command_are_listed_by_day() {
    let set = Set::up().await;
    let wanted = json!({ "date": "2027-01-31", "text": " Campaign “Spring” started " });
    let saved = set.done(Method::POST, PATH, wanted).await;
    assert_eq!((&saved["date"], &saved["kind"]), (&json!("2027-01-31"), &json!("note")));
    assert_eq!(
        (&saved["text"], &saved["automatic"]),
        (&json!("Campaign “Spring” started"), &json!(false))
    );
    let of_id = format!("{PATH}/{}", saved["id"]);
    assert_eq!(set.get(&of_id).await, saved);
    let run = |arguments: &[&str]| set.collector.run(&[&["annotation"], arguments].concat());
    let earlier = run(&["add", "example.com", "Relaunch", "--date", "2026-12-24"]);
    let list = format!(
        "{earlier}\t2026-12-24\tnote\tRelaunch\n{}\t2027-01-31\tnote\tCampaign “Spring” started",
        saved["id"]
    );
    assert_eq!(run(&["list", "example.com"]), list);

    // What is not said stays; the place in the list goes with the date.
    let moved = set.done(Method::PUT, &of_id, json!({ "date": "2026-12-01" })).await;
    assert_eq!((&moved["text"], &moved["made_at"]), (&saved["text"], &saved["made_at"]));
    let reworded = set.done(Method::PUT, &of_id, json!({ "text": "Campaign ended" })).await;
    assert_eq!((&reworded["id"], &reworded["date"]), (&saved["id"], &json!("2026-12-01")));
    assert_eq!(
        set.annotations().await,
        [["note", "Campaign ended"], ["note", "Relaunch"]].map(|one| one.map(str::to_owned))
    );
    let today = set.done(Method::POST, PATH, json!({ "text": "Now" })).await;
    assert!(today["made_at"].as_str().unwrap().starts_with(today["date"].as_str().unwrap()));

    run(&["remove", "example.com", &earlier]);
    set.done(Method::DELETE, &of_id, json!({})).await;
    assert_eq!(set.call(Method::GET, &of_id, json!({})).await.status, StatusCode::NOT_FOUND);
    assert_eq!(set.annotations().await.len(), 1);
}

#[tokio::test]
async fn an_annotation_that_breaks_a_rule_is_refused_with_the_field_and_the_rule() {
    let set = Set::up().await;
    set.done(Method::POST, PATH, json!({ "text": "ü".repeat(200) })).await;
    for (annotation, part) in [
        (json!({}), "text is missing"),
        (json!({ "text": " " }), "text must have 1 to 200 characters, and no line breaks"),
        (json!({ "text": "ü".repeat(201) }), "text must have 1 to 200 characters"),
        (json!({ "text": "a\nb" }), "text must have 1 to 200 characters"),
        (json!({ "text": "a\u{7}b" }), "text must have 1 to 200 characters"),
        (json!({ "text": 7 }), "text 7 must be a string"),
        (json!({ "text": "a", "date": "31.1.2027" }), "date `31.1.2027` is not a date"),
        (json!({ "text": "a", "date": "2027-02-29" }), "date `2027-02-29` is not a date"),
        (json!({ "text": "a", "date": "1969-12-31" }), "from 1970-01-01 to 2149-06-06"),
        (json!({ "text": "a", "until": "2027-01-31" }), "Unknown field `until`"),
    ] {
        set.refused(Method::POST, PATH, annotation, part).await;
    }
    let answer = set.call(Method::PUT, &format!("{PATH}/1"), json!({ "text": "a" })).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    set.refused(Method::PUT, &format!("{PATH}/x"), json!({}), "id `x` must be a whole number")
        .await;
    // Of another site it is not.
    set.done(Method::PUT, "/api/v1/sites/other.test", json!({})).await;
    let listed = set.get(PATH).await;
    let elsewhere =
        format!("/api/v1/sites/other.test/annotations/{}", listed["annotations"][0]["id"]);
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        let answer = set.call(method, &elsewhere, json!({ "text": "a" })).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
    }
    assert_eq!(set.annotations().await.len(), 1);
}

#[tokio::test]
async fn a_change_of_a_rule_is_written_beside_its_day_and_a_change_of_nothing_is_not() {
    let set = Set::up().await;
    let site = "/api/v1/sites/example.com";
    assert_eq!(set.annotations().await, [] as [[String; 2]; 0], "a new site has none");
    for wanted in [
        json!({ "timezone": "Europe/Berlin", "retention_days": 90 }),
        json!({ "timezone": "Europe/Berlin", "retention_days": 90 }),
        json!({ "public": true, "least_visitors": 7 }),
        json!({ "retention_days": 0 }),
    ] {
        set.done(Method::PUT, site, wanted).await;
    }
    let goal = json!({ "goal_type": "event", "event_name": "Purchase" });
    let id = set.goal(goal.clone()).await["id"].clone();
    set.goal(goal.clone()).await;
    set.goal(json!({ "goal_type": "event", "event_name": "Purchase", "display_name": "Sale" }))
        .await;
    set.goal(json!({ "goal_type": "event", "event_name": "Purchase", "currency": "EUR" })).await;
    set.done(
        Method::DELETE,
        &format!("/api/v1/sites/goals/{}", id.as_str().unwrap()),
        json!({ "site_id": "example.com" }),
    )
    .await;
    let mut noted = set.annotations().await;
    noted.sort();
    let expected = [
        ["goal_added", "Purchase"],
        ["goal_currency", "Sale"],
        ["goal_removed", "Sale"],
        ["retention", "0"],
        ["retention", "90"],
        ["timezone", "Europe/Berlin"],
    ];
    assert_eq!(noted, expected.map(|one| one.map(str::to_owned)));

    // They can be removed, and not made to say something else.
    let listed = set.get(PATH).await;
    let one = &listed["annotations"][0];
    assert_eq!(one["automatic"], true);
    let of_id = format!("{PATH}/{}", one["id"]);
    let rule = "tells what the collector did, and can not be changed";
    set.refused(Method::PUT, &of_id, json!({ "text": "a" }), rule).await;
    set.done(Method::DELETE, &of_id, json!({})).await;
    assert_eq!(set.annotations().await.len(), expected.len() - 1);
}

#[tokio::test]
async fn annotations_end_with_their_site_and_are_known_again_after_a_crash() {
    let mut set = Set::up().await;
    set.done(Method::POST, PATH, json!({ "text": "Relaunch" })).await;
    let site = "/api/v1/sites/example.com";
    set.done(Method::DELETE, site, json!({})).await;
    assert_eq!(set.call(Method::GET, PATH, json!({})).await.status, StatusCode::UNAUTHORIZED);
    // A site of the same name is another one.
    set.done(Method::PUT, site, json!({})).await;
    assert_eq!(set.annotations().await, [] as [[String; 2]; 0]);

    set.done(Method::POST, PATH, json!({ "text": "Relaunch again" })).await;
    let before = set.get(PATH).await;
    set.collector.crash_and_restart().await;
    assert_eq!(set.get(PATH).await, before);
}

#[tokio::test]
async fn annotations_are_read_by_whoever_reads_every_number_and_signed_in() {
    let set = Set::up().await;
    let text = "Words among ourselves";
    set.done(Method::POST, PATH, json!({ "text": text })).await;
    set.done(
        Method::PUT,
        "/api/v1/sites/example.com",
        json!({ "public": true, "least_visitors": 1 }),
    )
    .await;
    set.beacon(1, json!({})).await;
    set.has_events(1).await;

    let list = async |token: &str| {
        let bearer = format!("Bearer {token}");
        set.collector.request(Method::GET, PATH, &[("authorization", &bearer)], "").await
    };
    let stats = set.collector.run(&["token", "create", "--scope", "stats"]);
    let floored =
        set.collector.run(&["token", "create", "--scope", "stats", "--least-visitors", "5"]);
    assert_eq!(list(&stats).await.json()["annotations"][0]["text"], text);
    assert_eq!(list(&floored).await.status, StatusCode::FORBIDDEN);
    assert_eq!(list("nobody").await.status, StatusCode::UNAUTHORIZED);

    // On the page: who signed in, but neither the public, nor a frame, nor who has a link, though these see every
    // number, nor who is told no small numbers.
    let link = json!({ "site_id": "example.com", "name": "Press", "least_visitors": 1 });
    let link = set.done(Method::PUT, "/api/v1/sites/shared-links", link).await;
    let (_, slug) = link["url"].as_str().unwrap().split_once("auth=").unwrap();
    let opened = set
        .collector
        .request(Method::GET, &format!("/share/example.com?auth={slug}"), &[], "")
        .await;
    let by_link = opened.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    let site = "/example.com?period=month";
    assert!(set.page(site, &format!("passerby-token={stats}")).await.contains(text));
    for (path, cookie) in [
        (site, String::new()),
        ("/example.com/embed?period=month", String::new()),
        (site, by_link),
        (site, format!("passerby-token={floored}")),
    ] {
        let page = set.page(path, &cookie).await;
        assert!(page.contains("class=\"plot\"") && !page.contains(text), "{path} {cookie}");
    }
}
