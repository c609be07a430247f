//! Shared links, public sites, what nobody may read, and the log of who read what.

use hyper::{Method, StatusCode};
use passerby::clock::{Clock, SystemClock};
use serde_json::{Value, json};

use crate::support::{Answer, CHROME, Collector, eventually};

const LINKS: &str = "/api/v1/sites/shared-links";

/// A collector with a site, and a token that administers it.
async fn with_site() -> (Collector, String) {
    let collector = Collector::start(&[]).await;
    collector.run(&["site", "add", "shared.test"]);
    let admin = collector.run(&["token", "create", "--scope", "admin", "--note", "the boss"]);
    (collector, admin)
}

async fn call(
    collector: &Collector,
    token: &str,
    method: Method,
    path: &str,
    body: Value,
) -> Answer {
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    collector.request(method, path, &headers, body.to_string()).await
}

/// Makes or changes a link of the site; the path that it leads to.
async fn put_link(collector: &Collector, admin: &str, wanted: Value) -> String {
    let mut fields = json!({ "site_id": "shared.test", "name": "press" });
    fields.as_object_mut().unwrap().extend(wanted.as_object().unwrap().clone());
    let answer = call(collector, admin, Method::PUT, LINKS, fields).await;
    assert_eq!(answer.status, StatusCode::OK, "{:?}", answer.body);
    let url = answer.json()["url"].as_str().unwrap().to_owned();
    url[url.find("/share/").unwrap()..].to_owned()
}

/// The cookie that an answer sets.
fn cookie(answer: &Answer) -> Option<String> {
    Some(answer.header("set-cookie")?.split(';').next()?.to_owned())
}

async fn page(collector: &Collector, path: &str, cookie: &str) -> Answer {
    eventually("the database answers", async || {
        let answer = collector.request(Method::GET, path, &[("cookie", cookie)], "").await;
        (answer.status != StatusCode::SERVICE_UNAVAILABLE).then_some(answer)
    })
    .await
}

async fn guess(collector: &Collector, path: &str, password: &str) -> Answer {
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let body = format!("password={password}");
    collector.request(Method::POST, path, &headers, body).await
}

#[tokio::test]
async fn a_link_with_a_password_opens_nothing_without_it_and_guesses_end() {
    let (collector, admin) = with_site().await;
    let path = put_link(&collector, &admin, json!({ "password": "correct horse" })).await;
    let slug = path.rsplit('=').next().unwrap();
    let form = collector.request(Method::GET, &path, &[], "").await;
    assert_eq!((form.status, cookie(&form)), (StatusCode::OK, None));
    assert!(String::from_utf8_lossy(&form.body).contains("type=\"password\""));
    // The slug is no proof of the password.
    let bare = format!("passerby-link={slug}");
    assert_eq!(page(&collector, "/shared.test", &bare).await.status, StatusCode::SEE_OTHER);

    let opened = guess(&collector, &path, "correct+horse").await;
    assert_eq!(opened.status, StatusCode::SEE_OTHER);
    let proof = cookie(&opened).unwrap();
    assert!(!proof.contains("correct"));
    assert_eq!(page(&collector, "/shared.test", &proof).await.status, StatusCode::OK);

    let mut refused = Vec::new();
    for _ in 0..11 {
        refused.push(guess(&collector, &path, "wrong+horse").await.status);
    }
    assert_eq!(refused[0], StatusCode::UNAUTHORIZED);
    assert_eq!(refused[10], StatusCode::TOO_MANY_REQUESTS, "{refused:?}");
    let right = guess(&collector, &path, "correct+horse").await;
    assert_eq!(right.status, StatusCode::TOO_MANY_REQUESTS, "a right one is not looked at either");

    // Another password ends what the old one opened; none lets everybody in who has the link.
    put_link(&collector, &admin, json!({ "password": "another horse" })).await;
    assert_eq!(page(&collector, "/shared.test", &proof).await.status, StatusCode::SEE_OTHER);
    put_link(&collector, &admin, json!({ "password": "" })).await;
    assert_eq!(page(&collector, "/shared.test", &bare).await.status, StatusCode::OK);
    let short = json!({ "site_id": "shared.test", "name": "press", "password": "short" });
    let short = call(&collector, &admin, Method::PUT, LINKS, short).await;
    assert_eq!(short.status, StatusCode::BAD_REQUEST);
    assert!(short.json()["error"].as_str().unwrap().contains("8 characters"));
}

#[tokio::test]
async fn a_link_that_expired_or_was_removed_opens_nothing() {
    let (collector, admin) = with_site().await;
    let path = put_link(&collector, &admin, json!({ "expires_at": "2126-01-01T00:00:00Z" })).await;
    let opened = collector.request(Method::GET, &path, &[], "").await;
    let shown = cookie(&opened).unwrap();
    assert_eq!(page(&collector, "/shared.test", &shown).await.status, StatusCode::OK);
    // What ended with 1970, or before, has ended as well.
    for end in ["2026-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "1027-01-31T00:00:00Z"] {
        put_link(&collector, &admin, json!({ "expires_at": end })).await;
        let seen = page(&collector, "/shared.test", &shown).await;
        assert_eq!(seen.status, StatusCode::SEE_OTHER, "{end}");
        let opened = collector.request(Method::GET, &path, &[], "").await;
        assert_eq!(opened.status, StatusCode::NOT_FOUND, "{end}");
    }
    put_link(&collector, &admin, json!({ "expires_at": "" })).await;
    assert_eq!(page(&collector, "/shared.test", &shown).await.status, StatusCode::OK);
    collector.run(&["link", "remove", "shared.test", "press"]);
    assert_eq!(page(&collector, "/shared.test", &shown).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_is_open_is_told_nothing_more_once_its_link_is_removed() {
    let (collector, admin) = with_site().await;
    let path = put_link(&collector, &admin, json!({ "least_visitors": 1 })).await;
    let shown = cookie(&collector.request(Method::GET, &path, &[], "").await).unwrap();
    // The answer is whole when the stream has ended, which it does by itself after ten minutes alone.
    let told = page(&collector, "/shared.test/live/now", &shown);
    let removed = async {
        tokio::time::sleep(std::time::Duration::from_secs(2)).await;
        tokio::task::block_in_place(|| collector.run(&["link", "remove", "shared.test", "press"]))
    };
    let both = async { tokio::join!(told, removed) };
    let ended = tokio::time::timeout(std::time::Duration::from_secs(60), both).await;
    let (told, _) = ended.expect("the stream goes on");
    let text = String::from_utf8(told.body.to_vec()).unwrap();
    assert!(text.contains("\"visitors\":0"), "{text}");
}

/// So many visitors of a day long over, half of them from each of two sources.
async fn with_visitors(collector: &Collector, count: usize) {
    let lines: Vec<String> = (0..count)
        .map(|number| {
            let (source, path) = if number % 2 == 0 { ("Google", "/a") } else { ("News", "/b") };
            let line = json!({
                "site": "shared.test", "timestamp": format!("2026-03-10T10:{:02}:00Z", number % 60),
                "visitor": number.to_string(), "name": "pageview", "pathname": path, "source": source,
                "hostname": "shared.test",
            });
            line.to_string()
        })
        .collect();
    let file = collector.data_dir.join("events.jsonl");
    std::fs::write(&file, lines.join("\n")).unwrap();
    collector.run(&["import", file.to_str().unwrap()]);
}

#[tokio::test]
async fn a_link_to_a_segment_shows_the_segment_alone() {
    let (collector, admin) = with_site().await;
    with_visitors(&collector, 60).await;
    let segment = call(
        &collector,
        &admin,
        Method::POST,
        "/api/v1/sites/shared.test/segments",
        json!({ "name": "google", "filters": [["is", "visit:source", ["Google"]]] }),
    )
    .await;
    let id = segment.json()["id"].as_u64().unwrap();
    for (least, day) in [
        (1, "csv/visit:source?period=2026-03-10,2026-03-10"),
        (5, "csv/time?period=2026-03-10,2026-03-10"),
    ] {
        let wanted = json!({ "segment": id, "least_visitors": least });
        let path = put_link(&collector, &admin, wanted).await;
        let shown = cookie(&collector.request(Method::GET, &path, &[], "").await).unwrap();
        let csv = page(&collector, &format!("/shared.test/{day}"), &shown).await;
        let text = String::from_utf8(csv.body.to_vec()).unwrap();
        assert_eq!(csv.status, StatusCode::OK, "{text}");
        assert!(!text.contains("News") && text.contains(",30"), "{text}");
    }
    let path = format!("/api/v1/sites/shared.test/segments/{id}");
    call(&collector, &admin, Method::DELETE, &path, Value::Null).await;
    let path = put_link(&collector, &admin, json!({})).await;
    let shown = cookie(&collector.request(Method::GET, &path, &[], "").await).unwrap();
    let gone = page(&collector, "/shared.test", &shown).await;
    assert_eq!(gone.status, StatusCode::SEE_OTHER, "without its segment it opens nothing, not all");
}

#[tokio::test]
async fn a_journey_by_a_link_to_a_segment_of_pages_leads_to_no_others() {
    let (collector, admin) = with_site().await;
    let lines = (0..12).map(|number| {
        let path = ["/shop/a", "/careers", "/shop/b"][number % 3];
        let line = json!({
            "site": "shared.test", "timestamp": format!("2026-03-10T10:00:{number:02}Z"),
            "visitor": (number / 3).to_string(), "pathname": path, "hostname": "shared.test",
        });
        line.to_string()
    });
    let file = collector.data_dir.join("events.jsonl");
    std::fs::write(&file, lines.collect::<Vec<_>>().join("\n")).unwrap();
    collector.run(&["import", file.to_str().unwrap()]);
    let segments = "/api/v1/sites/shared.test/segments";
    let segment = json!({ "name": "shop", "filters": [["contains", "event:page", ["/shop"]]] });
    let segment = call(&collector, &admin, Method::POST, segments, segment).await;
    let wanted = json!({ "segment": segment.json()["id"], "least_visitors": 1 });
    let path = put_link(&collector, &admin, wanted).await;
    let shown = cookie(&collector.request(Method::GET, &path, &[], "").await).unwrap();
    let journey = "/shared.test/journey?period=2026-03-10,2026-03-10";
    let answer = page(&collector, journey, &shown).await;
    let text = String::from_utf8(answer.body.to_vec()).unwrap();
    assert_eq!(answer.status, StatusCode::OK, "{text}");
    assert!(text.contains("/shop/b") && !text.contains("/careers"), "{text}");
}

#[tokio::test]
async fn a_link_to_a_segment_tells_no_share_of_anything_else() {
    let (collector, admin) = with_site().await;
    // Of eight visitors two have the plan of the segment, of whom one converts.
    let line = |visitor: u32, name: &str, plan: &str| {
        json!({
            "site": "shared.test", "timestamp": "2026-03-10T10:00:00Z", "visitor": visitor.to_string(), "name": name,
            "pathname": "/", "hostname": "shared.test", "source": "Google", "props": { "plan": plan },
        })
    };
    let views =
        (0..8).map(|visitor| line(visitor, "pageview", if visitor < 2 { "pro" } else { "free" }));
    let signups = [(0, "pro"), (5, "free")].map(|(visitor, plan)| line(visitor, "Signup", plan));
    let lines: Vec<String> = views.chain(signups).map(|line| line.to_string()).collect();
    let file = collector.data_dir.join("events.jsonl");
    std::fs::write(&file, lines.join("\n")).unwrap();
    collector.run(&["import", file.to_str().unwrap()]);
    let goal = json!({ "site_id": "shared.test", "goal_type": "event", "event_name": "Signup", "currency": "EUR" });
    call(&collector, &admin, Method::PUT, "/api/v1/sites/goals", goal).await;
    let segment = json!({ "name": "pro", "filters": [["is", "event:props:plan", ["pro"]]] });
    let segments = "/api/v1/sites/shared.test/segments";
    let segment = call(&collector, &admin, Method::POST, segments, segment).await;
    let id = segment.json()["id"].as_u64().unwrap();
    let path = put_link(&collector, &admin, json!({ "segment": id, "least_visitors": 1 })).await;
    let shown = cookie(&collector.request(Method::GET, &path, &[], "").await).unwrap();
    let day = "period=2026-03-10,2026-03-10";
    for (list, share) in [
        (format!("event:goal?{day}"), "Signup,1"),
        (format!("visit:source?{day}&filter=is,event:goal,Signup"), "Google,1"),
    ] {
        let csv = page(&collector, &format!("/shared.test/csv/{list}"), &shown).await;
        let text = String::from_utf8(csv.body.to_vec()).unwrap();
        let row =
            text.lines().find(|line| line.starts_with(share)).unwrap_or_else(|| panic!("{text}"));
        assert!(
            row.contains(",50"),
            "it is told how many there are outside of the segment: {text}"
        );
    }
}

#[tokio::test]
async fn everybody_is_told_no_small_numbers_of_a_public_site_unless_the_owner_says_so() {
    let (collector, _) = with_site().await;
    with_visitors(&collector, 14).await;
    collector.run(&["site", "add", "shared.test", "--public"]);
    let day = "period=2026-03-10,2026-03-10";
    let text = async |path: &str| {
        let answer = page(&collector, &format!("/shared.test{path}"), "").await;
        (answer.status, String::from_utf8(answer.body.to_vec()).unwrap())
    };
    let (status, csv) = text(&format!("/csv/visit:source?{day}")).await;
    assert_eq!(status, StatusCode::OK);
    assert!(!csv.contains("Google") && csv.contains("(other),10"), "{csv}");
    for path in ["/live", "/live/now", "/funnel", "/journey"] {
        assert_eq!(text(path).await.0, StatusCode::NOT_FOUND, "{path}");
    }
    let (status, html) = text(&format!("?{day}")).await;
    assert_eq!(status, StatusCode::OK);
    assert!(html.contains("Small numbers together") && !html.contains("Google"), "{html}");
    // A filter in the address changes nothing.
    let filtered = text(&format!("/csv/time?{day}&filter=is,visit:source,Google")).await.1;
    assert_eq!(filtered, text(&format!("/csv/time?{day}")).await.1);
    for lang in ["en", "de"] {
        for path in ["/by/visit:source", "/by/event:page", "/why", "", "/by/visit:country"] {
            let (status, html) = text(&format!("{path}?{day}&lang={lang}")).await;
            assert_eq!(status, StatusCode::OK, "{path}: {html}");
        }
    }
    collector.run(&["site", "add", "shared.test", "--least-visitors", "1"]);
    let (_, csv) = text(&format!("/csv/visit:source?{day}")).await;
    assert!(csv.contains("Google,7"), "{csv}");
}

/// The lines of the log once one of this route is among them.
async fn reads(collector: &Collector, last: &str) -> Vec<Value> {
    eventually(&format!("{last} is in the log"), async || {
        let text = collector.run(&["access-log", "--json"]);
        let reads: Vec<Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        reads.iter().any(|read| read["route"] == last).then_some(reads)
    })
    .await
}

#[tokio::test]
async fn who_read_what_is_in_the_log_also_who_was_refused_and_no_address_and_no_value() {
    let (collector, admin) = with_site().await;
    let query = json!({
        "site_id": "shared.test", "metrics": ["visitors"], "date_range": "7d", "dimensions": ["event:page"],
        "filters": [["is", "visit:source", ["someone@example.com"]]],
    });
    collector.results(&admin, &query).await;
    let log = collector.data_dir.join("reads");
    reads(&collector, "POST /api/v2/query").await;
    let headers = [("x-forwarded-for", "203.0.113.77"), ("user-agent", CHROME)];
    let refused =
        collector.request(Method::POST, "/api/v2/query", &headers, query.to_string()).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    let path = put_link(&collector, &admin, json!({})).await;
    let shown = cookie(&collector.request(Method::GET, &path, &headers, "").await).unwrap();
    page(&collector, "/shared.test/by/visit:source?lang=en", &shown).await;
    page(&collector, "/shared.test", "").await;
    collector.request(Method::GET, "/api/v1/export?site_id=shared.test", &[], "").await;
    let reads = reads(&collector, "GET /api/v1/export").await;
    let find = |kind: &str, route: &str, status: u16| {
        let is = |read: &&Value| {
            read["reader"]["kind"] == kind && read["route"] == route && read["status"] == status
        };
        reads.iter().find(is).unwrap_or_else(|| panic!("{kind} {route} {status}: {reads:#?}"))
    };
    let read = find("token", "POST /api/v2/query", 200);
    assert_eq!(read["reader"]["name"], "the boss");
    assert_eq!(read["site"], "shared.test");
    assert_eq!(read["dimensions"], json!(["event:page", "visit:source"]));
    find("nobody", "POST /api/v2/query", 401);
    find("nobody", "GET /api/v1/export", 401);
    let refused = find("nobody", "GET /{site}", 303);
    assert_eq!(refused["site"], "shared.test");
    let read = find("link", "GET /{site}/by/{dimension}", 200);
    assert_eq!(
        (&read["reader"]["name"], &read["dimensions"]),
        (&json!("press"), &json!(["visit:source"]))
    );

    // Nothing of whoever asked, and no value that was asked for, is in any file of the log.
    let files = std::fs::read_dir(&log).unwrap().map(|entry| entry.unwrap().path());
    let text: String = files.map(|file| std::fs::read_to_string(file).unwrap()).collect();
    assert!(text.contains("the boss"), "the search finds what is there");
    for absent in ["203.0.113.77", "127.0.0.1", "Mozilla", "example.com", "psb_", &shown] {
        assert!(!text.contains(absent), "{absent}");
    }

    // Links and tokens tell when they were used last, and administrators alone read the log.
    let path = format!("{LINKS}?site_id=shared.test");
    let links = call(&collector, &admin, Method::GET, &path, Value::Null).await;
    assert!(links.json()["shared_links"][0]["last_used"].is_string());
    let tokens = call(&collector, &admin, Method::GET, "/api/v1/tokens", Value::Null).await;
    assert!(tokens.json()["tokens"][0]["last_used"].is_string());
    let reader = collector.run(&["token", "create", "--scope", "stats"]);
    let read = call(&collector, &reader, Method::GET, "/api/v1/access-log", Value::Null).await;
    assert_eq!(read.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn when_a_token_or_link_was_used_is_forgotten_when_it_ends() {
    let (collector, admin) = with_site().await;
    let last = collector.data_dir.join("reads/last.json");
    let remembered = || -> Vec<String> {
        let text = std::fs::read(&last).unwrap_or_default();
        let last: serde_json::Map<_, _> = serde_json::from_slice(&text).unwrap_or_default();
        last.keys().filter_map(|key| key.split(' ').next().map(str::to_owned)).collect()
    };
    let become_as = async |kinds: &[&str]| {
        eventually("the file is as wanted", async || {
            let mut remembered = remembered();
            remembered.sort();
            (remembered == kinds).then_some(())
        })
        .await;
    };
    let query = json!({"site_id": "shared.test", "metrics": ["visitors"], "date_range": "7d"});
    for _ in 0..2 {
        let token = collector.run(&["token", "create", "--scope", "stats"]);
        collector.results(&token, &query).await;
    }
    let path = put_link(&collector, &admin, json!({})).await;
    let shown = cookie(&collector.request(Method::GET, &path, &[], "").await).unwrap();
    page(&collector, "/shared.test", &shown).await;
    become_as(&["link", "token", "token"]).await;
    let tokens = collector.run(&["token", "list"]);
    let ids: Vec<_> = tokens.lines().filter(|line| !line.contains("the boss")).collect();
    let id = |line: &str| line.split('\t').next().unwrap().to_owned();
    collector.run(&["token", "revoke", &id(ids[0])]);
    become_as(&["link", "token"]).await;
    let text = std::fs::read_to_string(&last).unwrap();
    assert!(!text.contains(&id(ids[0])) && text.contains(&id(ids[1])), "{text}");
    collector.run(&["token", "revoke", &id(ids[1])]);
    become_as(&["link"]).await;
    collector.run(&["site", "remove", "shared.test"]);
    become_as(&[]).await;
}

#[tokio::test]
async fn nothing_is_logged_where_reads_are_kept_for_no_day() {
    let collector = Collector::start(&[("PASSERBY_ACCESS_LOG_DAYS", "0")]).await;
    collector.run(&["site", "add", "shared.test"]);
    page(&collector, "/shared.test", "").await;
    assert_eq!(collector.run(&["access-log"]), "");
    assert!(!collector.data_dir.join("reads").exists());
}

/// What needs no token: beacons and what pages load, health, and documents.
const OPEN: [&str; 4] = ["/api/event", "/js/", "/api/docs/", "/openapi.json"];

#[tokio::test]
async fn every_route_of_the_api_refuses_whoever_shows_nothing() {
    let (collector, _) = with_site().await;
    collector.run(&["site", "add", "shared.test", "--public"]);
    let document = passerby::http::openapi::document();
    let (mut closed, mut open) = (0, Vec::new());
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let method = method.to_uppercase();
            if operation["security"].is_null() {
                open.push(format!("{method} {path}"));
                continue;
            }
            closed += 1;
            let filled = path
                .replace("{domain}", "shared.test")
                .replace("{id}", "1")
                .replace("{email}", "a@b.test");
            assert!(!filled.contains('{'), "{path}: say what stands there");
            let method: Method = method.parse().unwrap();
            let body =
                json!({ "site_id": "shared.test", "metrics": ["visitors"], "date_range": "7d" });
            let query = "?site_id=shared.test&period=7d&property=visit:source";
            for headers in [
                &[][..],
                &[("authorization", "Bearer psb_wrong")],
                &[("cookie", "passerby-token=x")],
            ] {
                let answer = collector
                    .request(method.clone(), &format!("{filled}{query}"), headers, body.to_string())
                    .await;
                assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{method} {path} {headers:?}");
            }
        }
    }
    assert!(closed >= 30, "{closed} routes");
    let is_known = |route: &&String| {
        let path = route.split(' ').nth(1).unwrap();
        let health = ["/healthz", "/livez", "/readyz", "/api/health", "/api/system", "/api/error"];
        OPEN.iter().chain(&health).any(|known| path.starts_with(known))
    };
    let unknown: Vec<_> = open.iter().filter(|route| !is_known(route)).collect();
    assert!(unknown.is_empty(), "these answer everybody: {unknown:?}");
}

/// The text of a page, as whoever came by a link of the site sees it.
async fn text(collector: &Collector, path: &str, cookie: &str) -> String {
    let page = page(collector, path, cookie).await;
    let text = String::from_utf8(page.body.to_vec()).unwrap();
    assert_eq!(page.status, StatusCode::OK, "{path}: {text}");
    text
}

async fn import(collector: &Collector, lines: impl Iterator<Item = Value>) {
    let lines: Vec<String> = lines.map(|line| line.to_string()).collect();
    let file = collector.data_dir.join("lines.jsonl");
    std::fs::write(&file, lines.join("\n")).unwrap();
    collector.run(&["import", file.to_str().unwrap()]);
}

#[tokio::test]
async fn a_period_that_goes_on_falls_for_no_reader_who_is_told_whole_days_alone() {
    let (collector, admin) = with_site().await;
    let today = jiff::tz::TimeZone::UTC.to_datetime(SystemClock.now()).date();
    // Every day is like the other, for longer than two months.
    let lines = (1..=70).flat_map(|days: i64| {
        let day = today.saturating_sub(jiff::Span::new().days(days));
        (0..10).map(move |visitor| {
            json!({
                "site": "shared.test", "timestamp": format!("{day}T10:00:00Z"), "name": "pageview", "pathname": "/",
                "visitor": format!("{day} {visitor}"), "hostname": "shared.test",
            })
        })
    });
    import(&collector, lines).await;
    let path = put_link(&collector, &admin, json!({ "least_visitors": 5 })).await;
    let shown = cookie(&collector.request(Method::GET, &path, &[], "").await).unwrap();
    for period in ["month", "day", "30d"] {
        let text = text(&collector, &format!("/shared.test?period={period}&lang=en"), &shown).await;
        assert!(!text.contains("class=\"change worse\""), "{period}: {text}");
        let is_compared = period != "day" && (period != "month" || today.day() > 1);
        assert_eq!(text.contains("no change"), is_compared, "{period}");
    }
}

#[tokio::test]
async fn where_events_are_filtered_no_figure_is_of_what_else_happened() {
    let (collector, admin) = with_site().await;
    collector.run(&["goal", "add", "shared.test", "--event", "Signup"]);
    let event = |visitor: u32, minute: u32, name: &str| {
        json!({
            "site": "shared.test", "timestamp": format!("2026-03-10T10:{minute:02}:00Z"), "name": name,
            "visitor": visitor.to_string(), "pathname": "/", "hostname": "shared.test",
        })
    };
    let lines = (0..4).flat_map(|visitor| {
        let signs_up = (visitor == 0).then(|| event(visitor, 2, "Signup"));
        [event(visitor, 0, "pageview"), event(visitor, 1, "pageview")].into_iter().chain(signs_up)
    });
    import(&collector, lines).await;
    let segments = "/api/v1/sites/shared.test/segments";
    let goal = json!({ "name": "signed up", "filters": [["is", "event:goal", ["Signup"]]] });
    let segment = call(&collector, &admin, Method::POST, segments, goal).await.json()["id"].clone();
    let path = put_link(&collector, &admin, json!({ "least_visitors": 1 })).await;
    let shown = cookie(&collector.request(Method::GET, &path, &[], "").await).unwrap();
    let figures = async |filter: &str| {
        let view = format!("/shared.test?period=2026-03-10,2026-03-10&lang=en{filter}");
        let text = text(&collector, &view, &shown).await;
        let between = |part: &str, before: &str| {
            part.split(before).nth(1).and_then(|rest| rest.split('<').next()).map(str::to_owned)
        };
        let figure = |part: &str| {
            let name = between(part, "<span class=\"name\">")?;
            Some((
                name,
                part.split("<span class=\"value\"")
                    .nth(1)?
                    .split('>')
                    .nth(1)?
                    .split('<')
                    .next()?
                    .to_owned(),
            ))
        };
        text.split("<a class=\"figure\"").skip(1).filter_map(figure).collect::<Vec<_>>()
    };
    let told = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    let of_goal =
        told(&[("Visitors", "1"), ("Visits", "1"), ("Events", "1"), ("Conversion rate", "25.00%")]);
    assert_eq!(figures("&filter=is,event:goal,Signup").await, of_goal);
    assert_eq!(figures(&format!("&filter=is,segment,{segment}")).await, of_goal);
    let of_name = told(&[("Visitors", "1"), ("Visits", "1"), ("Events", "1")]);
    assert_eq!(figures("&filter=is,event:name,Signup").await, of_name);
    let names: Vec<_> = figures("").await.into_iter().map(|(name, _)| name).collect();
    assert!(names.iter().any(|name| name == "Bounce rate"), "{names:?}");
}

#[tokio::test]
async fn a_share_is_of_all_visitors_of_the_view_whatever_is_searched_or_left_out() {
    let (collector, admin) = with_site().await;
    let lines = (0..40).map(|visitor| {
        let (path, campaign) = if visitor < 10 { ("/blog", "spring") } else { ("/", "") };
        json!({
            "site": "shared.test", "timestamp": "2026-03-10T10:00:00Z", "name": "pageview", "pathname": path,
            "visitor": visitor.to_string(), "hostname": "shared.test", "utm_campaign": campaign,
        })
    });
    import(&collector, lines).await;
    for least in [1, 5] {
        let path = put_link(&collector, &admin, json!({ "least_visitors": least })).await;
        let shown = cookie(&collector.request(Method::GET, &path, &[], "").await).unwrap();
        for (list, row) in [
            ("by/event:page", ">/blog<"),
            ("by/event:page?search=blog", ">/blog<"),
            ("by/event:page?order=-percentage&search=blog", ">/blog<"),
            ("by/visit:utm_campaign", ">spring<"),
            ("?tab.campaigns=visit:utm_campaign", ">spring<"),
        ] {
            let and = if list.contains('?') { '&' } else { '?' };
            let path = format!("/shared.test/{list}{and}period=2026-03-01,2026-03-31&lang=en");
            let text = text(&collector, &path.replace("/?", "?"), &shown).await;
            let row = text.split(row).nth(1).and_then(|rest| rest.split("</tr>").next());
            // A day of few floors is in no block, and its values are in no row.
            let Some(row) = row.filter(|_| least == 1) else { continue };
            assert!(row.contains("25%") || row.contains("25.0%"), "{list}: {row}");
        }
        let csv = "/shared.test/csv/visit:utm_campaign?period=2026-03-01,2026-03-31";
        let csv = text(&collector, csv, &shown).await;
        assert!(least > 1 || csv.contains("spring,10,25.0,"), "{csv}");
        assert!(csv.starts_with("visit:utm_campaign,visitors,percentage,"), "{csv}");
    }
}
