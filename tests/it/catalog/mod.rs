//! What is set up, over HTTP and by the commands: sites, goals, segments and annotations, and that reports know them.

mod access;
mod annotations;
mod goals;
mod rules;
mod segments;
mod sites;

use hyper::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Answer, CHROME, Collector, eventually};

/// A collector with the site example.com, and its administrator.
struct Set {
    collector: Collector,
    bearer: String,
    token: String,
}

impl Set {
    async fn up() -> Self {
        let collector = Collector::start(&[("PASSERBY_TRUSTED_PROXIES", "127.0.0.0/8")]).await;
        let token = collector.run(&["token", "create", "--scope", "admin"]);
        let set = Self { collector, bearer: format!("Bearer {token}"), token };
        set.done(Method::PUT, "/api/v1/sites/example.com", json!({})).await;
        set
    }

    async fn call(&self, method: Method, path: &str, body: Value) -> Answer {
        let headers = [("authorization", self.bearer.as_str())];
        self.collector.request(method, path, &headers, body.to_string()).await
    }

    async fn done(&self, method: Method, path: &str, body: Value) -> Value {
        let answer = self.call(method, path, body).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {:?}", answer.body);
        answer.json()
    }

    async fn get(&self, path: &str) -> Value {
        self.done(Method::GET, path, json!({})).await
    }

    async fn goal(&self, mut goal: Value) -> Value {
        goal["site_id"] = json!("example.com");
        self.done(Method::PUT, "/api/v1/sites/goals", goal).await
    }

    /// That a change is refused with a message that says so.
    async fn refused(&self, method: Method, path: &str, body: Value, part: &str) {
        let answer = self.call(method, path, body.clone()).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}: {:?}", answer.body);
        let error = answer.json()["error"].as_str().unwrap().to_owned();
        assert!(error.contains(part), "{body}: {error}");
    }

    /// One beacon of a visitor with an address of its own.
    async fn beacon(&self, visitor: u8, beacon: Value) {
        let mut sent = json!({ "d": "example.com", "n": "pageview", "u": "https://example.com/" });
        for (key, value) in beacon.as_object().unwrap() {
            sent[key] = value.clone();
        }
        let address = format!("10.0.{visitor}.7");
        let headers = [("user-agent", CHROME), ("x-forwarded-for", address.as_str())];
        let answer =
            self.collector.request(Method::POST, "/api/event", &headers, sent.to_string()).await;
        assert_eq!(
            (answer.status, answer.header("x-plausible-dropped")),
            (StatusCode::ACCEPTED, None)
        );
    }

    async fn query(&self, parts: Value) -> Answer {
        let mut query =
            json!({ "site_id": "example.com", "metrics": ["visitors"], "date_range": "24h" });
        for (key, value) in parts.as_object().unwrap() {
            query[key] = value.clone();
        }
        self.collector.query(&self.token, &query).await
    }

    /// Waits until so many events are in reports.
    async fn has_events(&self, events: u64) {
        eventually("the events are in the report", async || {
            let answer = self.query(json!({ "metrics": ["events"] })).await;
            (answer.json()["results"][0]["metrics"][0].as_u64() == Some(events)).then_some(())
        })
        .await;
    }

    /// The rows of a report, each as one list of its dimensions and metrics.
    async fn rows(&self, parts: Value) -> Value {
        let answer = self.query(parts).await;
        assert_eq!(answer.status, StatusCode::OK, "{:?}", answer.body);
        let list = |row: &Value, key: &str| row[key].as_array().unwrap().clone();
        let row = |row: &Value| json!([list(row, "dimensions"), list(row, "metrics")].concat());
        answer.json()["results"].as_array().unwrap().iter().map(row).collect()
    }
}
