//! Segments over HTTP and by command.

use hyper::{Method, StatusCode};
use serde_json::{Value, json};

use super::Set;

#[tokio::test]
async fn segments_saved_over_http_and_by_command_are_in_reports() {
    let set = Set::up().await;
    let path = "/api/v1/sites/example.com/segments";
    let blog = json!({ "name": "Blog", "filters": [["contains", "event:page", ["/blog"]]] });
    let saved = set.done(Method::POST, path, blog.clone()).await;
    assert_eq!((&saved["name"], &saved["filters"]), (&blog["name"], &blog["filters"]));
    assert_eq!(set.done(Method::PUT, path, blog.clone()).await, saved);
    set.refused(Method::POST, path, blog, "name `Blog` is the name of another segment").await;
    let id = saved["id"].as_u64().unwrap();
    let of_id = format!("{path}/{id}");
    let renamed = set.done(Method::PUT, &of_id, json!({ "name": "Reading" })).await;
    assert_eq!((&renamed["filters"], &set.get(&of_id).await), (&saved["filters"], &renamed));
    let run = |arguments: &[&str]| set.collector.run(&[&["segment"], arguments].concat());
    let home = run(&["add", "example.com", "Home", "--filter", "is,event:page,/|/home"]);
    let list = format!(
        "{home}\tHome\t[[\"is\",\"event:page\",[\"/\",\"/home\"]]]\n\
         {id}\tReading\t[[\"contains\",\"event:page\",[\"/blog\"]]]"
    );
    assert_eq!(run(&["list", "example.com"]), list);

    set.beacon(1, json!({ "u": "https://example.com/blog/a" })).await;
    set.beacon(2, json!({})).await;
    set.beacon(3, json!({ "u": "https://example.com/contact" })).await;
    set.has_events(3).await;
    let filter = format!("is,segment,{id}|{home}");
    let query =
        ["query", "example.com", "visitors", "--period", "24h", "--json", "--filter", &filter];
    let answer: Value = serde_json::from_str(&set.collector.run(&query)).unwrap();
    assert_eq!(answer["results"][0]["metrics"], json!([2]));
    assert_eq!(answer["query"]["filters"][0][0], "or");
    run(&["remove", "example.com", "Home"]);
    let answer =
        set.query(json!({ "filters": [["is", "segment", [id, home.parse::<u32>().unwrap()]]] }));
    let answer = answer.await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(
        answer.json()["error"].as_str().unwrap().starts_with("#/filters/0/2/1: Invalid segment")
    );
    set.done(Method::DELETE, &of_id, json!({})).await;
    assert_eq!(set.call(Method::GET, &of_id, json!({})).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_segment_that_breaks_a_rule_is_refused_with_the_field_and_the_rule() {
    let set = Set::up().await;
    let path = "/api/v1/sites/example.com/segments";
    let source = json!([["is", "visit:source", ["Google"]]]);
    let saved = set.done(Method::POST, path, json!({ "name": "Search", "filters": source })).await;
    for (segment, part) in [
        (json!({ "name": "a" }), "a new segment needs a name and filters"),
        (json!({ "filters": source }), "a new segment needs a name and filters"),
        (json!({ "name": " ", "filters": source }), "name must have 1 to 120 characters"),
        (json!({ "name": "a", "filters": [] }), "filters must be a list of at least one"),
        (json!({ "name": "a", "filters": "x" }), "filters must be a list of at least one"),
        (
            json!({ "name": "a", "filters": [["is", "visit:shoe_size", ["7"]]] }),
            "#/filters/0/1: Invalid dimension",
        ),
        (
            json!({ "name": "a", "filters": [["is", "event:goal", ["Nope"]]] }),
            "#/filters/0/2/0: Invalid goal",
        ),
        (
            json!({ "name": "a", "filters": [["not", ["matches", "event:page", ["/a", "/b("]]]] }),
            "#/filters/0/1/2/1: Invalid pattern",
        ),
        (
            json!({ "name": "a", "filters": [["is", "segment", [saved["id"]]]] }),
            "#/filters/0/2/0: Invalid segment",
        ),
    ] {
        set.refused(Method::POST, path, segment, part).await;
    }
    let answer = set.call(Method::PUT, &format!("{path}/1"), json!({ "name": "a" })).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
}
