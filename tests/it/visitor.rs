//! The visitor's own page, and what a visitor's objection comes to.

use std::sync::Arc;

use futures_util::future::join_all;
use hyper::{Method, StatusCode};
use passerby::spool::disk::Directory;
use passerby::spool::{Limits, Spool};
use serde_json::{Value, json};

use crate::support::{Answer, CHROME, Collector, eventually};

const PROXY: (&str, &str) = ("PASSERBY_TRUSTED_PROXIES", "127.0.0.0/8");

async fn collector() -> Collector {
    let collector = Collector::start(&[PROXY]).await;
    collector.run(&["site", "add", "example.com", "--timezone", "Europe/Berlin"]);
    collector
}

/// A request of somebody at this address.
async fn ask(
    collector: &Collector,
    method: Method,
    address: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: String,
) -> Answer {
    let who = [("x-forwarded-for", address), ("user-agent", CHROME)];
    collector.request(method, path, &[&who, headers].concat(), body).await
}

async fn view(collector: &Collector, address: &str, page: &str, headers: &[(&str, &str)]) {
    let beacon =
        json!({"n": "pageview", "u": format!("https://example.com{page}"), "p": {"plan": "pro"}});
    let answer =
        ask(collector, Method::POST, address, "/api/event", headers, beacon.to_string()).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
}

async fn data(collector: &Collector, address: &str) -> Value {
    let path = "/privacy/data.json?site=example.com";
    ask(collector, Method::GET, address, path, &[], String::new()).await.json()
}

/// The paths that the page knows of somebody, once there are as many.
async fn pages(collector: &Collector, address: &str, count: usize) -> Vec<String> {
    eventually("the visitor's events are there", async || {
        let data = data(collector, address).await;
        let events = data["events"].as_array().unwrap();
        let page = |event: &Value| event["pathname"].as_str().unwrap().to_owned();
        (events.len() == count).then(|| events.iter().map(page).collect())
    })
    .await
}

const ONE: &str = "192.0.2.1";
const OTHER: &str = "198.51.100.1";

#[tokio::test]
async fn a_visitor_sees_and_erases_what_is_counted_and_nothing_of_others() {
    let mut collector = collector().await;
    for page in ["/a", "/b"] {
        view(&collector, ONE, page, &[]).await;
    }
    view(&collector, OTHER, "/c", &[]).await;
    assert_eq!(pages(&collector, ONE, 2).await, ["/a", "/b"]);
    assert_eq!(pages(&collector, OTHER, 1).await, ["/c"]);
    let all = data(&collector, ONE).await;
    assert_eq!(all["events"][0]["props"], json!({"plan": "pro"}));

    let page = |address, site| {
        let path = format!("/privacy?site={site}");
        let collector = &collector;
        async move { ask(collector, Method::GET, address, &path, &[], String::new()).await }
    };
    let shown = page(ONE, "example.com").await;
    let seen = String::from_utf8(shown.body.to_vec()).unwrap();
    assert!(
        seen.contains("example.com/a") && seen.contains("Chrome") && !seen.contains("/c<"),
        "{seen}"
    );
    assert_eq!(shown.header("cache-control"), Some("private, no-store"));
    // The host names the site when nobody does; and a site that is not there has nothing.
    let without = ask(&collector, Method::GET, ONE, "/privacy", &[], String::new()).await;
    assert!(String::from_utf8_lossy(&without.body).contains("example.com/a"));
    let (stranger, unknown) =
        (page("203.0.113.9", "example.com").await, page(ONE, "unknown.test").await);
    let text = |answer: &Answer| {
        String::from_utf8_lossy(&answer.body).replace("unknown.test", "example.com")
    };
    assert_eq!(stranger.status, unknown.status);
    assert_eq!(text(&stranger), text(&unknown), "it tells which sites there are");
    // Nor does a day: that of the site's zone is another for some hours than that of a site that is not there.
    let (dated, undated) = ("example.com · ", "<p class=\"quiet\">example.com</p>");
    assert!(seen.contains(dated) && text(&stranger).contains(undated));

    let erase = async |origin: &[(&str, &str)]| {
        let path = "/privacy/erase?site=example.com";
        ask(&collector, Method::POST, ONE, path, origin, String::new()).await.status
    };
    assert_eq!(erase(&[]).await, StatusCode::FORBIDDEN);
    assert_eq!(erase(&[("origin", "https://evil.example")]).await, StatusCode::FORBIDDEN);
    assert_eq!(pages(&collector, ONE, 2).await.len(), 2);
    assert_eq!(erase(&[("origin", "https://www.example.com")]).await, StatusCode::OK);
    assert_eq!(pages(&collector, ONE, 0).await, [""; 0]);
    assert_eq!(pages(&collector, OTHER, 1).await, ["/c"], "somebody else's went, too");
    // What comes later is counted again, as a visit of its own.
    view(&collector, ONE, "/d", &[]).await;
    assert_eq!(pages(&collector, ONE, 1).await, ["/d"]);

    // No answer has an id in it, by its name or by its value.
    let mut answers = vec![all.to_string(), text(&stranger), text(&unknown)];
    answers.push(String::from_utf8_lossy(&shown.body).into_owned());
    answers.push(crate::collecting::control_metrics(&collector).await);
    answers.push(data(&collector, ONE).await.to_string());
    let schema = collector.request(Method::GET, "/api/docs/query/schema.json", &[], "").await;
    answers.push(String::from_utf8_lossy(&schema.body).into_owned());
    collector.terminate();
    answers.push(collector.log());
    let ids = stored_ids(&collector);
    assert!(!ids.is_empty());
    for answer in &answers {
        for id in &ids {
            assert!(
                !answer.contains(&id.to_string()) && !answer.contains(&format!("{id:x}")),
                "{answer}"
            );
        }
        for name in ["visitor_id", "session_id", "event_id"] {
            assert!(!answer.contains(name), "{name}: {answer}");
        }
    }
}

#[tokio::test]
async fn what_is_erased_before_clickhouse_has_it_does_not_come_later() {
    let collector = collector().await;
    for address in [ONE, OTHER] {
        view(&collector, address, "/a", &[]).await;
    }
    // Not a moment later: the loader still gathers.
    let path = "/privacy/erase?site=example.com";
    let origin = [("origin", "https://example.com")];
    // The page may not show it yet, and can erase it all the same.
    let page = "/privacy?site=example.com";
    let shown = ask(&collector, Method::GET, ONE, page, &[], String::new()).await;
    let shown = String::from_utf8(shown.body.to_vec()).unwrap();
    let form = shown.split("action=\"/privacy/erase?site=example.com\"").nth(1).unwrap();
    let button = form.split("</form>").next().unwrap();
    assert!(button.contains("<button") && !button.contains("disabled"), "{button}");
    let erased = ask(&collector, Method::POST, ONE, path, &origin, String::new()).await;
    assert_eq!(erased.status, StatusCode::OK);
    assert!(String::from_utf8_lossy(&erased.body).contains(ERASED));
    // What came before and after it is there, so that everything is.
    view(&collector, OTHER, "/b", &[]).await;
    assert_eq!(pages(&collector, OTHER, 2).await, ["/a", "/b"]);
    assert_eq!(pages(&collector, ONE, 0).await, [""; 0]);
}

/// What says that everything is erased.
const ERASED: &str = "role=\"status\">It is erased.";

#[tokio::test]
async fn no_link_makes_the_page_say_that_anything_is_erased() {
    let collector = collector().await;
    view(&collector, ONE, "/a", &[]).await;
    pages(&collector, ONE, 1).await;
    for path in [
        "/privacy?site=example.com&erased=1",
        "/privacy/erase?site=example.com&erased=1",
        "/privacy/erase?site=example.com",
    ] {
        let answer = ask(&collector, Method::GET, ONE, path, &[], String::new()).await;
        assert!(!String::from_utf8_lossy(&answer.body).contains("role=\"status\""), "{path}");
    }
    assert_eq!(pages(&collector, ONE, 1).await, ["/a"], "a link has erased");
    // Whoever loads the answer to the form again comes to the page.
    let path = "/privacy/erase?site=example.com&lang=de";
    let again = ask(&collector, Method::GET, ONE, path, &[], String::new()).await;
    assert_eq!(again.header("location"), Some("/privacy?site=example.com&lang=de"));
}

/// The ids of visitors and visits that are in the spool.
fn stored_ids(collector: &Collector) -> Vec<u64> {
    let disk = Directory::open(collector.data_dir.join("spool")).unwrap();
    let (spool, _) = Spool::open(Arc::new(disk), Limits::default()).unwrap();
    let mut ids = Vec::new();
    spool
        .replay(0, |event| ids.extend([event.happening.visitor_id.0, event.happening.session_id.0]))
        .unwrap();
    ids
}

#[tokio::test]
async fn of_many_who_erase_at_once_some_wait_for_others_and_one_is_told_to_come_again() {
    let collector = collector().await;
    let addresses: Vec<String> = (1..=5).map(|network| format!("198.51.{network}.1")).collect();
    for address in &addresses {
        view(&collector, address, "/a", &[]).await;
        pages(&collector, address, 1).await;
    }
    let origin = [("origin", "https://example.com")];
    let erase = |address| {
        let path = "/privacy/erase?site=example.com&lang=de";
        ask(&collector, Method::POST, address, path, &origin, String::new())
    };
    let answers = join_all(addresses.iter().map(|address| erase(address))).await;
    let refused = answers.iter().position(|answer| answer.status != StatusCode::OK);
    let refused = refused.expect("five do not wait for one another");
    for (number, (answer, address)) in answers.iter().zip(&addresses).enumerate() {
        let left = pages(&collector, address, usize::from(number == refused)).await;
        let told = String::from_utf8(answer.body.to_vec()).unwrap();
        if left.is_empty() {
            assert_eq!(answer.status, StatusCode::OK);
            assert!(told.contains("role=\"status\">Es wurde gelöscht."), "{told}");
            continue;
        }
        assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(answer.header("retry-after"), Some("5"));
        assert_eq!(answer.header("access-control-allow-origin"), Some("https://example.com"));
        assert!(told.contains("role=\"status\">Gerade werden die Daten"), "{told}");
    }
}

#[tokio::test]
async fn who_looks_too_often_is_told_to_come_again_and_nobody_elses_network_is() {
    let limit = ("PASSERBY_LIMITS_EVENTS_PER_NETWORK", "5");
    let collector = Collector::start(&[PROXY, limit]).await;
    collector.run(&["site", "add", "example.com"]);
    let look = async |address| {
        let path = "/privacy/data.json?site=example.com";
        let headers = [("accept-language", "de-AT,de;q=0.9")];
        ask(&collector, Method::GET, address, path, &headers, String::new()).await
    };
    for _ in 0..5 {
        assert_eq!(look(ONE).await.status, StatusCode::OK);
    }
    let refused = look(ONE).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(refused.header("retry-after"), Some("60"));
    let told = String::from_utf8(refused.body.to_vec()).unwrap();
    assert!(told.starts_with("Aus Ihrem Netz kommen zu viele Anfragen"), "{told}");
    assert_eq!(look(OTHER).await.status, StatusCode::OK);
}

#[tokio::test]
async fn only_pages_under_a_sites_present_domain_may_read_what_is_counted() {
    let collector = collector().await;
    let bearer = format!("Bearer {}", collector.run(&["token", "create", "--scope", "admin"]));
    let headers = [("authorization", bearer.as_str())];
    let renamed = json!({ "domain": "example.org" }).to_string();
    let path = "/api/v1/sites/example.com";
    let answer = collector.request(Method::PUT, path, &headers, renamed).await;
    assert_eq!(answer.status, StatusCode::OK);
    for (origin, allowed) in [("https://example.com", false), ("https://example.org", true)] {
        for asked in ["example.com", "example.org"] {
            let path = format!("/privacy/data.json?site={asked}");
            let headers = [("origin", origin)];
            let answer = ask(&collector, Method::GET, ONE, &path, &headers, String::new()).await;
            let told = answer.header("access-control-allow-origin");
            assert_eq!(told, allowed.then_some(origin), "{origin} asks about {asked}");
        }
    }
}

#[tokio::test]
async fn only_pages_of_the_site_may_read_what_is_counted() {
    let collector = collector().await;
    for (origin, allowed) in [
        ("https://example.com", true),
        ("https://www.example.com", true),
        ("https://example.com:8443", true),
        ("https://evil.example", false),
        ("https://example.com.evil.example", false),
        ("null", false),
    ] {
        let path = "/privacy/data.json?site=example.com";
        let answer =
            ask(&collector, Method::GET, ONE, path, &[("origin", origin)], String::new()).await;
        assert_eq!(answer.header("access-control-allow-origin"), allowed.then_some(origin));
        assert_eq!(answer.header("vary"), Some("origin, accept-language"));
    }
}

/// What is sent, and whether it is an objection. Headers of HTTP have no case; here they are sent in lower case.
const SIGNALS: [(&[(&str, &str)], bool); 20] = [
    (&[], false),
    (&[("sec-gpc", "1")], true),
    (&[("Sec-GPC", "1")], true),
    (&[("SEC-GPC", "1")], true),
    (&[("sec-gpc", "0")], false),
    (&[("sec-gpc", "")], false),
    (&[("sec-gpc", "true")], false),
    (&[("sec-gpc", "?1")], false),
    (&[("sec-gpc", "11")], false),
    (&[("sec-gpc", "1;a")], false),
    (&[("sec-gpc", "\"1\"")], false),
    (&[("sec-gpc", "1, 1")], false),
    (&[("sec-gpc", "1"), ("sec-gpc", "1")], true),
    (&[("sec-gpc", "1"), ("sec-gpc", "0")], true),
    (&[("sec-gpc", "0"), ("sec-gpc", "1")], true),
    (&[("dnt", "1")], true),
    (&[("DNT", "1")], true),
    (&[("dnt", "0")], false),
    (&[("dnt", "unspecified")], false),
    (&[("dnt", "0"), ("sec-gpc", "1")], true),
];

#[tokio::test]
async fn an_objection_is_heeded_exactly_as_its_specification_says() {
    let collector = collector().await;
    let token = collector.run(&["token", "create", "--scope", "stats", "--site", "example.com"]);
    for (number, (headers, _)) in SIGNALS.iter().enumerate() {
        view(&collector, ONE, &format!("/case-{number:02}"), headers).await;
    }
    let query = json!({
        "site_id": "example.com", "metrics": ["pageviews", "visitors"], "date_range": "24h",
        "dimensions": ["event:page"], "order_by": [["event:page", "asc"]],
    });
    let results = eventually("all views are counted", async || {
        let results = collector.results(&token, &query).await;
        (results.as_array().unwrap().len() == SIGNALS.len()).then_some(results)
    })
    .await;
    for (row, (headers, objects)) in results.as_array().unwrap().iter().zip(SIGNALS) {
        let visitors = u64::from(!objects);
        assert_eq!(row["metrics"], json!([1, visitors]), "{headers:?}");
    }
    // Of the events, exactly those with an objection have neither visitor nor visit.
    let objections = SIGNALS.iter().filter(|(_, objects)| *objects).count();
    let nobody = stored_ids(&collector).iter().filter(|id| **id == 0).count();
    assert_eq!(nobody, 2 * objections);
    let gpc = collector.request(Method::GET, "/.well-known/gpc.json", &[], "").await;
    assert_eq!(gpc.json()["gpc"], json!(true));
    assert!(
        gpc.json()["lastUpdate"]
            .as_str()
            .is_some_and(|day| day.parse::<jiff::civil::Date>().is_ok())
    );
    assert!(gpc.header("content-type").is_some_and(|kind| kind.starts_with("application/json")));
}
