//! Who may set up, and who may see: tokens and shared links.

use hyper::{Method, StatusCode};
use serde_json::json;

use super::Set;

#[tokio::test]
async fn nothing_is_set_up_without_a_token_that_may() {
    let set = Set::up().await;
    set.goal(json!({ "goal_type": "event", "event_name": "Signup" })).await;
    let stats =
        set.collector.run(&["token", "create", "--scope", "stats", "--site", "example.com"]);
    let stats = format!("Bearer {stats}");
    let limited =
        set.collector.run(&["token", "create", "--scope", "admin", "--site", "example.com"]);
    let limited = format!("Bearer {limited}");
    let goal = json!({ "site_id": "example.com", "goal_type": "event", "event_name": "a" });
    let annotation = json!({ "text": "a" });
    let segment = json!({ "name": "a", "filters": [["is", "visit:source", ["a"]]] });
    for (method, path, body) in [
        (Method::PUT, "/api/v1/sites/goals", &goal),
        (Method::DELETE, "/api/v1/sites/goals/1", &json!({})),
        (Method::POST, "/api/v1/sites", &json!({ "domain": "a.test" })),
        (Method::PUT, "/api/v1/sites/example.com", &json!({})),
        (Method::DELETE, "/api/v1/sites/example.com", &json!({})),
        (Method::POST, "/api/v1/sites/example.com/segments", &segment),
        (Method::PUT, "/api/v1/sites/example.com/segments", &segment),
        (Method::PUT, "/api/v1/sites/example.com/segments/1", &segment),
        (Method::DELETE, "/api/v1/sites/example.com/segments/1", &json!({})),
        (Method::POST, "/api/v1/sites/example.com/annotations", &annotation),
        (Method::PUT, "/api/v1/sites/example.com/annotations/1", &annotation),
        (Method::DELETE, "/api/v1/sites/example.com/annotations/1", &json!({})),
    ] {
        let call = async |headers: &[(&str, &str)]| {
            set.collector.request(method.clone(), path, headers, body.to_string()).await.status
        };
        assert_eq!(call(&[]).await, StatusCode::UNAUTHORIZED, "{method} {path}");
        assert_eq!(
            call(&[("authorization", &stats)]).await,
            StatusCode::FORBIDDEN,
            "{method} {path}"
        );
        assert_eq!(
            call(&[("authorization", &limited)]).await,
            StatusCode::FORBIDDEN,
            "{method} {path}"
        );
    }
    // Whoever reads the reports of a site may know its goals; those of another site are not there.
    let list = async |site: &str| {
        let path = format!("/api/v1/sites/goals?site_id={site}");
        set.collector.request(Method::GET, &path, &[("authorization", &stats)], "").await
    };
    assert_eq!(list("example.com").await.json()["goals"][0]["display_name"], "Signup");
    set.done(Method::PUT, "/api/v1/sites/other.test", json!({})).await;
    assert_eq!(list("other.test").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(list("unknown.test").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_shared_link_opens_the_page_of_its_site_until_it_is_removed() {
    let set = Set::up().await;
    set.done(Method::PUT, "/api/v1/sites/other.test", json!({})).await;
    let (path, wanted) =
        ("/api/v1/sites/shared-links", json!({ "site_id": "example.com", "name": "Press" }));
    let link = set.done(Method::PUT, path, wanted.clone()).await;
    assert_eq!(set.done(Method::PUT, path, wanted.clone()).await, link);
    let url = link["url"].as_str().unwrap();
    let (_, place) = url.split_once("/share/example.com?auth=").unwrap();
    let slug = place.to_owned();
    let made = set.collector.run(&["link", "add", "example.com", "Press"]);
    assert!(made.ends_with(&format!("/share/example.com?auth={slug}")), "{made}");

    let get = async |path: &str, cookie: &str| {
        set.collector.request(Method::GET, path, &[("cookie", cookie)], "").await
    };
    let opened = get(&format!("/share/example.com?auth={slug}"), "").await;
    assert_eq!(
        (opened.status, opened.header("location")),
        (StatusCode::SEE_OTHER, Some("/example.com"))
    );
    let cookie = opened.header("set-cookie").unwrap();
    assert!(cookie.contains("HttpOnly; SameSite=Lax"), "{cookie}");
    let cookie = cookie.split(';').next().unwrap();
    assert_eq!(get("/example.com", cookie).await.status, StatusCode::OK);
    // Neither another site, nor the reporting API, nor anything without the right slug.
    assert_eq!(get("/other.test", cookie).await.status, StatusCode::SEE_OTHER);
    for wrong in ["/share/other.test?auth=", "/share/no.test?auth="] {
        let answer = get(&format!("{wrong}{slug}"), "").await;
        assert_eq!(
            (answer.status, answer.header("set-cookie")),
            (StatusCode::NOT_FOUND, None),
            "{wrong}"
        );
    }
    assert_eq!(get("/share/example.com?auth=x", "").await.status, StatusCode::NOT_FOUND);
    let query = json!({ "site_id": "example.com", "metrics": ["visitors"], "date_range": "7d" });
    assert_eq!(set.collector.query(&slug, &query).await.status, StatusCode::UNAUTHORIZED);

    let mut listed = set.get(&format!("{path}?site_id=example.com")).await;
    // It has been used since it was made.
    assert!(listed["shared_links"][0]["last_used"].take().is_string());
    assert_eq!(listed["shared_links"], json!([link]));
    let stats = set.collector.run(&["token", "create", "--scope", "stats"]);
    let headers = [("authorization", format!("Bearer {stats}"))];
    let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
    let list = format!("{path}?site_id=example.com");
    let answer = set.collector.request(Method::GET, &list, &headers, "").await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    set.refused(Method::PUT, path, json!({ "site_id": "example.com" }), "name is missing").await;

    set.done(Method::DELETE, path, wanted.clone()).await;
    assert_eq!(get("/example.com", cookie).await.status, StatusCode::SEE_OTHER);
    assert_eq!(set.call(Method::DELETE, path, wanted).await.status, StatusCode::NOT_FOUND);
}
