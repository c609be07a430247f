//! What is set up, over HTTP and by the commands: sites, goals and segments, and that reports know them.

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

#[tokio::test]
async fn goals_set_up_over_http_and_by_command_are_in_reports() {
    let set = Set::up().await;
    let signup = set.goal(json!({ "goal_type": "event", "event_name": "Signup" })).await;
    assert!(signup["id"].as_str().unwrap().parse::<u32>().is_ok());
    let expected = json!({
        "id": signup["id"], "goal_type": "event", "event_name": "Signup", "page_path": null,
        "scroll_threshold": null, "display_name": "Signup", "currency": null, "domain": "example.com",
    });
    assert_eq!(signup, expected);
    let run = |arguments: &[&str]| set.collector.run(&[&["goal"], arguments].concat());
    assert_eq!(run(&["add", "example.com", "--page", "/blog/**"]), "Visit /blog/**");
    let scroll = ["add", "example.com", "--page", "/blog/*", "--scroll", "50"];
    assert_eq!(run(&scroll), "Scroll 50% on /blog/*");

    set.beacon(1, json!({ "u": "https://example.com/blog/a/b" })).await;
    set.beacon(1, json!({ "n": "Signup" })).await;
    set.beacon(2, json!({ "u": "https://example.com/blog/a" })).await;
    set.beacon(
        2,
        json!({ "n": "engagement", "u": "https://example.com/blog/a", "sd": 50, "e": 9000 }),
    )
    .await;
    set.beacon(3, json!({ "u": "https://example.com/blog" })).await;
    set.beacon(
        3,
        json!({ "n": "engagement", "u": "https://example.com/blog", "sd": 90, "e": 9000 }),
    )
    .await;
    set.beacon(4, json!({})).await;
    set.has_events(5).await;
    let by_goal =
        json!({ "metrics": ["visitors", "conversion_rate"], "dimensions": ["event:goal"] });
    let scrolled = eventually("scrolling is in the report", async || {
        let rows = set.rows(by_goal.clone()).await;
        (rows.as_array().unwrap().len() == 3).then_some(rows)
    });
    let expected = json!([
        ["Visit /blog/**", 2, 50.0],
        ["Scroll 50% on /blog/*", 1, 25.0],
        ["Signup", 1, 25.0],
    ]);
    assert_eq!(scrolled.await, expected);
    let filters = json!([["is", "event:goal", ["Signup"]]]);
    let rates = set.rows(json!({ "metrics": ["conversion_rate"], "filters": filters })).await;
    assert_eq!(rates, json!([[25.0]]));
    let v1 = "/api/v1/stats/aggregate?site_id=example.com&period=6mo&metrics=visitors&filters=event:goal==Signup";
    assert_eq!(set.get(v1).await, json!({ "results": { "visitors": { "value": 1 } } }));

    let path = format!("/api/v1/sites/goals/{}", signup["id"].as_str().unwrap());
    assert_eq!(set.done(Method::DELETE, &path, json!({})).await, json!({ "deleted": true }));
    assert_eq!(set.call(Method::DELETE, &path, json!({})).await.status, StatusCode::NOT_FOUND);
    run(&["remove", "example.com", "Scroll 50% on /blog/*"]);
    assert_eq!(run(&["list", "example.com"]).lines().count(), 1);
}

#[tokio::test]
async fn a_goal_that_is_sent_again_is_the_same_and_keeps_what_is_not_said() {
    let set = Set::up().await;
    let purchase = json!({ "goal_type": "event", "event_name": "Purchase", "currency": "eur" });
    let first = set.goal(purchase.clone()).await;
    assert_eq!(first["currency"], "EUR");
    assert_eq!(set.goal(purchase).await, first);
    let plain = json!({ "goal_type": "event", "event_name": "Purchase" });
    assert_eq!(set.goal(plain).await, first);
    let named = json!({ "goal_type": "event", "event_name": "Purchase", "display_name": "Bought" });
    let named = set.goal(named).await;
    assert_eq!((&named["id"], &named["currency"]), (&first["id"], &first["currency"]));
    assert_eq!(named["display_name"], "Bought");
    // As forms, as the field's documentation has them.
    let headers = [
        ("authorization", set.bearer.as_str()),
        ("content-type", "application/x-www-form-urlencoded"),
    ];
    let form = "site_id=example.com&goal_type=page&page_path=%2Fthanks&scroll_threshold=60";
    let put = set.collector.request(Method::PUT, "/api/v1/sites/goals", &headers, form).await;
    assert_eq!(put.json()["display_name"], "Scroll 60% on /thanks");
    let goals = set.get("/api/v1/sites/goals?site_id=example.com").await;
    assert_eq!(goals["goals"].as_array().unwrap().len(), 2);
    assert_eq!(goals["meta"], json!({ "after": null, "before": null, "limit": 100 }));
}

#[tokio::test]
async fn a_goal_that_breaks_a_rule_is_refused_with_the_field_and_the_rule() {
    let set = Set::up().await;
    set.goal(json!({ "goal_type": "event", "event_name": "Signup" })).await;
    for (goal, part) in [
        (json!({}), "goal_type is missing"),
        (json!({ "goal_type": "visit" }), "goal_type `visit` must be event or page"),
        (json!({ "goal_type": "event" }), "event_name is missing"),
        (json!({ "goal_type": "event", "event_name": "engagement" }), "event_name must not be"),
        (
            json!({ "goal_type": "event", "event_name": "x".repeat(121) }),
            "event_name must have 1 to 120",
        ),
        (json!({ "goal_type": "event", "event_name": "a", "page_path": "/" }), "page_path"),
        (json!({ "goal_type": "event", "event_name": "a", "currency": "XYZ" }), "currency `XYZ`"),
        (
            json!({ "goal_type": "event", "event_name": "a", "display_name": "Signup" }),
            "display_name `Signup`",
        ),
        (json!({ "goal_type": "event", "event_name": 7 }), "event_name 7 must be a string"),
        (json!({ "goal_type": "page" }), "page_path is missing"),
        (
            json!({ "goal_type": "page", "page_path": "thanks" }),
            "page_path `thanks` must begin with /",
        ),
        (
            json!({ "goal_type": "page", "page_path": "/", "currency": "EUR" }),
            "currency is for goals of events",
        ),
        (
            json!({ "goal_type": "page", "page_path": "/", "scroll_threshold": 101 }),
            "scroll_threshold 101",
        ),
        (
            json!({ "goal_type": "page", "page_path": "/", "scroll_threshold": 900 }),
            "scroll_threshold 900",
        ),
        (
            json!({ "goal_type": "page", "page_path": "/", "scroll_threshold": -1 }),
            "scroll_threshold -1",
        ),
        (
            json!({ "goal_type": "page", "page_path": "/", "colour": "red" }),
            "Unknown field `colour`",
        ),
    ] {
        let mut goal = goal;
        goal["site_id"] = json!("example.com");
        set.refused(Method::PUT, "/api/v1/sites/goals", goal, part).await;
    }
    set.refused(Method::PUT, "/api/v1/sites/goals", json!({}), "site_id is missing").await;
    set.refused(Method::DELETE, "/api/v1/sites/goals/x", json!({}), "id `x`").await;
    let unknown = json!({ "site_id": "no.test", "goal_type": "event", "event_name": "a" });
    let answer = set.call(Method::PUT, "/api/v1/sites/goals", unknown).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    let filters = json!([["is", "event:goal", ["Signup", "Nope"]]]);
    let answer = set.query(json!({ "filters": filters })).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    let error = answer.json()["error"].clone();
    assert_eq!(error, "#/filters/0/2/1: Invalid goal \"Nope\": the site has no goal of this name.");
}

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
async fn revenue_is_kept_where_a_goal_of_the_event_has_a_currency() {
    let set = Set::up().await;
    set.goal(json!({ "goal_type": "event", "event_name": "Purchase", "currency": "EUR" })).await;
    set.goal(json!({ "goal_type": "event", "event_name": "Signup" })).await;
    let paid = |amount: Value, currency: &str| json!({ "amount": amount, "currency": currency });
    set.beacon(1, json!({ "n": "Purchase", "$": paid(json!("100.10"), "EUR") })).await;
    set.beacon(1, json!({ "n": "Purchase", "revenue": paid(json!(50), "eur") })).await;
    set.beacon(2, json!({ "n": "Purchase", "$": paid(json!(7), "USD") })).await;
    set.beacon(2, json!({ "n": "Signup", "$": paid(json!(7), "EUR") })).await;
    set.has_events(4).await;
    let query = json!({ "metrics": ["total_revenue", "average_revenue"] });
    let total = json!({ "value": 150.1, "currency": "EUR", "short": "€150.1", "long": "€150.10" });
    let average = json!({ "value": 75.05, "currency": "EUR", "short": "€75.0", "long": "€75.05" });
    assert_eq!(set.rows(query).await, json!([[total, average]]));
    // What no goal said was worth anything has not been kept for one that comes later.
    set.goal(json!({ "goal_type": "event", "event_name": "Signup", "currency": "EUR" })).await;
    let query =
        json!({ "metrics": ["total_revenue"], "filters": [["is", "event:goal", ["Signup"]]] });
    assert_eq!(set.rows(query).await, json!([[null]]));
    let table = set.collector.run(&["query", "example.com", "total_revenue", "--period", "24h"]);
    assert!(table.contains("€150.10"), "{table}");
}

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
            json!({ "name": "a", "filters": [["is", "segment", [saved["id"]]]] }),
            "#/filters/0/2/0: Invalid segment",
        ),
    ] {
        set.refused(Method::POST, path, segment, part).await;
    }
    let answer = set.call(Method::PUT, &format!("{path}/1"), json!({ "name": "a" })).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
}

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
    let query = json!({ "site_id": "new.test", "metrics": ["events"] });
    assert_eq!(set.rows(query).await, json!([[1]]));
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
