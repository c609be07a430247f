//! Two shards, two collectors, a balancer: nothing is lost, nothing counts twice, and reports are those of one machine.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hyper::Method;
use passerby::site::{Site, SiteId};
use passerby::store::Store;
use serde_json::{Value, json};

use crate::load::{Load, Sent};
use crate::nginx::Nginx;
use crate::oracle::Oracle;
use crate::shards::{Shards, free_port};
use crate::support::{Collector, eventually};

const METRICS: [&str; 7] = [
    "visitors",
    "visits",
    "pageviews",
    "events",
    "bounce_rate",
    "visit_duration",
    "engagement_rate",
];

/// How long it may take until what waited is delivered: a collector whose ClickHouse was away tries again now and then.
const DELIVERY: Duration = Duration::from_secs(90);

/// Starts a collector with these variables.
async fn collector(variables: &[(&str, String)]) -> Collector {
    let variables: Vec<_> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    Collector::start(&variables).await
}

/// The site, with goals; returns a token for its reports.
async fn register(collector: &Collector) -> String {
    // Once its tables are there: the site is asked for by others, too.
    eventually("the site is there", async || {
        let add = ["site", "add", "example.com", "--timezone", "Europe/Berlin"];
        crate::support::run_program(&collector.data_dir, &[], &add).status.success().then_some(())
    })
    .await;
    collector.run(&["goal", "add", "example.com", "--event", "Signup", "--currency", "EUR"]);
    collector.run(&["goal", "add", "example.com", "--page", "/2", "--name", "Second"]);
    collector.run(&["token", "create", "--scope", "stats", "--site", "example.com"])
}

/// Questions that together go every way that there is to an answer.
fn questions(metrics: &[&str], range: &Value) -> Vec<(&'static str, Value)> {
    let parts = [
        json!({}),
        json!({ "metrics": ["visits", "views_per_visit"] }),
        json!({ "dimensions": ["time:day"] }),
        json!({ "dimensions": ["time:hour"], "metrics": ["visitors", "visits", "pageviews"] }),
        json!({ "dimensions": ["visit:source", "visit:country"] }),
        json!({ "dimensions": ["event:page"], "metrics": ["visitors", "pageviews", "bounce_rate", "scroll_depth"] }),
        json!({ "dimensions": ["visit:entry_page"], "metrics": ["visitors", "visits", "bounce_rate"] }),
        json!({ "dimensions": ["visit:exit_page"], "metrics": ["visitors", "visits"] }),
        json!({ "dimensions": ["event:page", "visit:exit_page"], "metrics": ["visitors"] }),
        json!({ "dimensions": ["event:goal"], "metrics": ["visitors", "events", "conversion_rate", "total_revenue"] }),
        json!({ "dimensions": ["event:props:plan"], "metrics": ["visitors", "events"],
                "filters": [["is", "event:name", ["Signup"]]] }),
        json!({ "filters": [["has_done", ["is", "event:page", ["/2"]]]] }),
        json!({ "filters": [["has_not_done", ["is", "event:goal", ["Signup"]]]], "dimensions": ["visit:source"] }),
        json!({ "filters": [["is", "event:page", ["/3"]]], "metrics": ["visitors", "visits", "pageviews"] }),
        json!({ "filters": [["is", "visit:exit_page", ["/1"]]], "metrics": ["visitors", "visits"] }),
    ];
    let mut questions: Vec<_> = parts
        .into_iter()
        .map(|part| {
            let mut query =
                json!({ "site_id": "example.com", "date_range": range, "metrics": metrics });
            query.as_object_mut().unwrap().extend(part.as_object().unwrap().clone());
            ("/api/v2/query", query)
        })
        .collect();
    let steps = json!([{ "page": "/1" }, { "page": "/2" }, { "goal": "Signup" }]);
    questions.push((
        "/api/v2/funnel",
        json!({ "site_id": "example.com", "date_range": range, "steps": steps }),
    ));
    questions.push((
        "/api/v2/journey",
        json!({ "site_id": "example.com", "date_range": range, "from": { "page": "/1" } }),
    ));
    questions
}

async fn ask(collector: &Collector, token: &str, path: &str, query: &Value) -> Value {
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str())];
    let answer = eventually("the database answers", async || {
        let answer = collector.request(Method::POST, path, &headers, query.to_string()).await;
        (answer.status.as_u16() != 503).then_some(answer)
    })
    .await;
    assert_eq!(answer.status.as_u16(), 200, "{path} {query}: {:?}", answer.body);
    let mut answer = answer.json();
    // When it was asked is no part of the answer.
    answer.as_object_mut().unwrap().remove("meta");
    answer
}

/// Finds that two collectors answer alike, and that the answers say something.
async fn compare(
    (one, ones_token): (&Collector, &str),
    (other, others_token): (&Collector, &str),
    questions: &[(&'static str, Value)],
) {
    for (path, query) in questions {
        let (ones, others) =
            (ask(one, ones_token, path, query).await, ask(other, others_token, path, query).await);
        assert_eq!(ones, others, "{path} {query}");
        assert!(ones.to_string().len() > 60, "{path} {query} has an empty answer: {ones}");
    }
}

async fn rows(store: &Store, sql: &str) -> String {
    let mut cursor = store.writer().query_raw(sql).fetch_bytes("TSV").unwrap();
    String::from_utf8(cursor.collect().await.unwrap().to_vec()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tables_of_a_cluster_are_made_by_the_documented_users_with_replicas_or_without() {
    let shards = Shards::start().await;
    let replicated =
        Store::connect_to_cluster(&shards.writer(0), &shards.reader(0), shards.cluster(true));
    let planned = replicated.plan().await.unwrap();
    let told: Vec<_> = planned.iter().map(ToString::to_string).collect();
    assert!(told[0].starts_with("create the table events_local, on http://127.0.0.1:"), "{told:?}");
    let store = shards.store();
    store.apply_schema().await.unwrap_or_else(|error| panic!("{error}\n{}", shards.log(0)));
    // Again and again: the views are made anew at each start.
    store.apply_schema().await.unwrap();
    assert_eq!(store.plan().await.unwrap(), []);

    // Replicas need a keeper, which is not here; what would be sent is at least understood.
    let understood = async |sql: &str| rows(&store, &format!("EXPLAIN AST {sql}")).await;
    let replicas = planned.iter().filter_map(|planned| planned.step.sql());
    let replicas: Vec<_> = replicas.filter(|sql| sql.contains("ReplicatedReplacing")).collect();
    let local = |told: &&String| told.starts_with("create the table") && told.contains("_local,");
    let local = told.iter().filter(local).count();
    assert!(local >= 2 * 7 && replicas.len() == local, "{told:?}");
    for sql in replicas {
        assert!(understood(sql).await.contains("ReplicatedReplacingMergeTree"), "{sql}");
    }

    // A column that is missing anywhere is added there, and in the tables that ask for it.
    rows(&shards.alone(1), "ALTER TABLE events_local DROP COLUMN language").await;
    rows(&shards.alone(0), "ALTER TABLE events DROP COLUMN language").await;
    assert_eq!(store.plan().await.unwrap().len(), 2);
    store.apply_schema().await.unwrap();
    assert_eq!(store.plan().await.unwrap(), []);

    // A server that is not listed would have no tables.
    let mut cluster = shards.cluster(false);
    cluster.nodes.pop();
    let wrong = Store::connect_to_cluster(&shards.writer(0), &shards.reader(0), cluster);
    let refused = wrong.apply_schema().await.unwrap_err().to_string();
    assert!(
        refused.contains("has 2 servers") && refused.contains("clickhouse.nodes has 1"),
        "{refused}"
    );
}

/// Events of three days: visits of several pages, one of them over midnight, attention, goals, revenue.
fn lines() -> String {
    let mut lines = String::new();
    for visit in 0..400_u32 {
        let (day, hour, minute) = (1 + visit % 3, visit * 7 % 24, visit * 11 % 55);
        let visitor = visit % 150;
        let country = ["DE", "FR", ""][visit as usize % 3];
        let plan = ["free", "pro"][visit as usize % 2];
        for step in 0..=visit % 4 {
            let page = (visit + step) % 6;
            let event = json!({
                "site": "example.com", "visitor": format!("v{visitor}"), "hostname": "example.com",
                "pathname": format!("/{page}"), "source": format!("s{}", visitor % 5), "country": country,
                "timestamp": format!("2026-03-0{day}T{hour:02}:{:02}:{:02}Z", minute + step, visit % 60),
            });
            writeln!(lines, "{event}").unwrap();
            if (visit + step).is_multiple_of(3) {
                let mut attention = event.clone();
                attention["name"] = "engagement".into();
                attention["engagement_ms"] = (visit * 100).into();
                attention["scroll_depth"] = (visit % 101).into();
                writeln!(lines, "{attention}").unwrap();
            }
            if (visit + step).is_multiple_of(7) {
                let mut signup = event;
                signup["name"] = "Signup".into();
                signup["props"] = json!({ "plan": plan });
                signup["revenue"] = json!({ "amount": "9.50", "currency": "EUR" });
                writeln!(lines, "{signup}").unwrap();
            }
        }
    }
    lines
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_answers_forgets_and_restores_as_one_machine_does() {
    let mut shards = Shards::start().await;
    let cluster = collector(&shards.variables(0)).await;
    let alone = Collector::start(&[]).await;
    let (token, alones_token) = (register(&cluster).await, register(&alone).await);
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), lines()).unwrap();
    for collector in [&cluster, &alone] {
        // Twice: what comes again goes to the same shard, and counts once.
        collector.run(&["import", file.path().to_str().unwrap()]);
        collector.run(&["import", file.path().to_str().unwrap()]);
    }
    let (first, second) = (shards.alone(0), shards.alone(1));
    for (shard, name) in [(&first, "first"), (&second, "second")] {
        let count: u64 =
            rows(shard, "SELECT count() FROM events_local FINAL").await.trim().parse().unwrap();
        assert!(count > 300, "the {name} shard has {count} rows");
    }
    let apart = "SELECT count() FROM (SELECT session_id FROM events GROUP BY site_id, session_id HAVING uniqExact(_shard_num) > 1)";
    assert_eq!(rows(&first, apart).await, "0\n", "visits are on two shards");
    let questions = questions(&METRICS, &json!(["2026-03-01", "2026-03-03"]));
    compare((&cluster, &token), (&alone, &alones_token), &questions).await;
    // Whichever server is asked, and whoever asks.
    let through_the_other = collector(&shards.variables(1)).await;
    eventually("the other knows the token", async || {
        let answer = through_the_other.query(&token, &questions[0].1).await;
        (answer.status.as_u16() == 200).then_some(())
    })
    .await;
    compare((&through_the_other, &token), (&alone, &alones_token), &questions).await;
    let days = "SELECT site, day, visitors, visits, pageviews, events, visits_bounced, visits_seconds FROM report_days ORDER BY day";
    for shard in 0..2 {
        let analyst = Store::connect(&shards.analyst(shard), &shards.analyst(shard));
        let seen = rows(&analyst, days).await;
        let views = seen.lines().map(|line| line.split('\t').nth(4).unwrap());
        // 400 visits of one to four pages, on four days of the site's calendar.
        assert_eq!(views.map(|count| count.parse::<u32>().unwrap()).sum::<u32>(), 1000, "{seen}");
        assert_eq!(seen.lines().count(), 4, "{seen}");
        assert!(
            analyst.writer().query("SELECT count() FROM events_local").execute().await.is_err()
        );
        assert!(analyst.writer().query("SELECT count() FROM events").execute().await.is_err());
    }
    assert_eq!(cluster.run(&["export", "example.com"]), alone.run(&["export", "example.com"]));

    // A backup, and events that are erased after it: by page, which is by keys, and by time.
    cluster.run(&["backup", "before"]);
    for arguments in [
        vec!["erase", "example.com", "--path", "/3"],
        vec!["erase", "example.com", "--from", "2026-03-02", "--to", "2026-03-02"],
    ] {
        assert_eq!(cluster.run(&arguments), alone.run(&arguments), "{arguments:?}");
    }
    for shard in [&first, &second] {
        assert_eq!(
            rows(shard, "SELECT count() FROM events_local WHERE pathname = '/3'").await,
            "0\n"
        );
        assert_eq!(rows(shard, "SELECT count() FROM doomed").await, "0\n");
    }
    // Nothing is left to ask about the page or of the day.
    let asks_of_it = |query: &Value| query.to_string().contains("\"/3\"");
    let left: Vec<_> = questions.iter().filter(|(_, query)| !asks_of_it(query)).cloned().collect();
    compare((&cluster, &token), (&alone, &alones_token), &left).await;

    // What a site keeps no longer goes from every shard: days that are dropped, and a part of one.
    let stored = shards.store();
    let id: u32 = rows(&stored, "SELECT site_id FROM sites FINAL").await.trim().parse().unwrap();
    let berlin = jiff::tz::TimeZone::get("Europe/Berlin").unwrap();
    let site = Site { retention_days: Some(1), ..Site::new(SiteId(id), "example.com", berlin) };
    let now = "2026-03-04T12:00:00Z".parse().unwrap();
    stored.expire(&[Arc::new(site)], now).await.unwrap();
    let (old, kept) = ("timestamp < '2026-03-03 23:00:00'", "timestamp >= '2026-03-03 23:00:00'");
    for shard in [&first, &second] {
        let count = async |which| {
            rows(shard, &format!("SELECT count() FROM events_local WHERE {which}")).await
        };
        assert_eq!(count(old).await, "0\n");
        assert_ne!(count(kept).await, "0\n");
    }
    // Of every shard it is told what is left of it until the server cleans up.
    assert!(stored.leftovers().await.unwrap().old_parts >= 2);
    assert_eq!(stored.columns_with_addresses(&[]).await.unwrap(), []);

    // From the backup comes what was there.
    drop((cluster, through_the_other));
    for table in [
        "events",
        "sites",
        "tokens",
        "goals",
        "segments",
        "funnels",
        "annotations",
        "rules",
        "shared_links",
    ] {
        for shard in [&first, &second] {
            rows(shard, &format!("TRUNCATE TABLE {table}_local")).await;
        }
    }
    assert_eq!(rows(&stored, "SELECT count() FROM events").await, "0\n");
    let name = passerby::store::backup::BackupName::new("before").unwrap();
    stored.restore(&name).await.unwrap();
    let again = collector(&shards.variables(1)).await;
    let other = Collector::start(&[]).await;
    let others_token = register(&other).await;
    other.run(&["import", file.path().to_str().unwrap()]);
    eventually("the token is back", async || {
        let answer = again.query(&token, &questions[0].1).await;
        (answer.status.as_u16() == 200).then_some(())
    })
    .await;
    compare((&again, &token), (&other, &others_token), &questions).await;
    // A report of one shard would be a wrong one.
    shards.kill_shard(0);
    let answer = again.query(&token, &questions[0].1).await;
    assert_ne!(answer.status.as_u16(), 200, "{:?}", answer.body);
}

/// Two collectors behind nginx as documented, on one cluster.
struct Balanced {
    shards: Shards,
    collectors: Vec<Collector>,
    nginx: Nginx,
    token: String,
}

impl Balanced {
    async fn start() -> Self {
        let shards = Shards::start().await;
        let mut collectors = Vec::new();
        let mut token = String::new();
        let ports = [free_port(), free_port()];
        for (index, port) in ports.iter().enumerate() {
            let mut variables = shards.variables(index);
            variables.push(("PASSERBY_LISTEN", format!("127.0.0.1:{port}")));
            variables.push(("PASSERBY_LIMITS_EVENTS_PER_NETWORK", "0".to_owned()));
            let collector = collector(&variables).await;
            if index == 0 {
                token = register(&collector).await;
            }
            collectors.push(collector);
        }
        // It learns of the site from the database.
        eventually("the second knows the site", async || {
            collectors[1].run(&["site", "list"]).contains("example.com").then_some(())
        })
        .await;
        let nginx = Nginx::start(|port| balancer(ports, port)).await;
        Self { shards, collectors, nginx, token }
    }

    /// How many events a collector has accepted since its start.
    async fn accepted(&self, collector: usize) -> f64 {
        let metrics = self.collectors[collector].run_on_socket(Method::GET, "/metrics").await;
        let line =
            metrics.lines().find_map(|line| line.strip_prefix("passerby_events_accepted_total "));
        line.unwrap_or_else(|| panic!("{metrics}")).trim().parse().unwrap()
    }

    /// Waits until ClickHouse has everything.
    async fn deliver(&self) {
        let begun = std::time::Instant::now();
        while self.waiting().await > 0.0 {
            let log = || self.collectors.iter().map(Collector::log).collect::<String>();
            assert!(begun.elapsed() < DELIVERY, "{} events wait: {}", self.waiting().await, log());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    async fn waiting(&self) -> f64 {
        let mut sum = 0.0;
        for collector in &self.collectors {
            let metrics = collector.run_on_socket(Method::GET, "/metrics").await;
            let line =
                metrics.lines().find_map(|line| line.strip_prefix("passerby_events_waiting "));
            sum += line.unwrap_or_else(|| panic!("{metrics}")).trim().parse::<f64>().unwrap();
        }
        sum
    }
}

/// The documented balancer, of collectors on these ports, for visitors who are on this machine and say who they are.
fn balancer(collectors: [u16; 2], port: u16) -> String {
    let documented = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/proxies/balancer.conf");
    let here = [
        ("collector-1:8000", format!("127.0.0.1:{}", collectors[0])),
        ("collector-2:8000", format!("127.0.0.1:{}", collectors[1])),
        ("listen 80;", format!("listen 127.0.0.1:{port};")),
        ("/var/log/nginx/passerby.log", "/dev/null".to_owned()),
    ];
    let mut text = std::fs::read_to_string(documented).unwrap();
    for (documented, here) in &here {
        assert!(text.contains(documented), "{documented}");
        text = text.replace(documented, here);
    }
    format!("set_real_ip_from 127.0.0.1; real_ip_header X-Forwarded-For; {text}")
}

#[tokio::test]
async fn the_balancer_goes_by_the_network_that_collectors_go_by() {
    let nginx = Nginx::start(|port| {
        let tells = "location / { return 200 $passerby_network; }";
        let balancer = balancer([free_port(), free_port()], free_port());
        format!("{balancer} server {{ listen 127.0.0.1:{port}; {tells} }}")
    })
    .await;
    let host = nginx.origin();
    let host = host.strip_prefix("http://").unwrap();
    for (address, network) in [
        ("192.0.2.7", "192.0.2"),
        ("::ffff:192.0.2.7", "192.0.2"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1"),
        ("2001:db8:1::6", "2001:db8:1"),
        ("2001:db8:0:2::6", "2001:db8:0"),
        ("2001:db8::6", "2001:db8:0"),
        ("2001::6", "2001:0:0"),
    ] {
        let sent =
            crate::load::send_once(host, &[("x-forwarded-for", address)], String::new()).await;
        assert_eq!(sent.unwrap().body, network, "{address}");
    }
}

#[tokio::test]
async fn a_beacon_that_a_collector_refuses_goes_to_the_next_and_who_refuses_is_not_taken_out() {
    let [refusing, accepting] = [free_port(), free_port()];
    let answering = |port: u16, status: u16| {
        let server = format!("server {{ listen 127.0.0.1:{port}; ");
        format!("{server} location / {{ add_header Retry-After 5 always; return {status}; }} }}")
    };
    let balancing = async |other: u16| {
        Nginx::start(|port| {
            let (one, other) = (answering(refusing, 503), answering(accepting, other));
            format!("{one} {other} {}", balancer([refusing, accepting], port))
        })
        .await
    };
    let answers = async |nginx: &Nginx| {
        let origin = nginx.origin();
        let host = origin.strip_prefix("http://").unwrap();
        let mut answers = HashSet::new();
        for visitor in 0..40 {
            let address = format!("198.51.{visitor}.1");
            let headers = [("x-forwarded-for", address.as_str())];
            answers.insert(
                crate::load::send_once(host, &headers, "{}".to_owned()).await.unwrap().status,
            );
        }
        answers
    };
    assert_eq!(answers(&balancing(202).await).await, HashSet::from([202]));
    // Where all refuse, it is a collector who says so, and not nginx.
    assert_eq!(answers(&balancing(503).await).await, HashSet::from([503]));
}

/// One visitor's beacon, as a proxy passes it on.
async fn visit(origin: &str, client: usize, step: usize) {
    let page = (client + step) % 5;
    let mut beacon = json!({
        "n": "pageview", "u": format!("https://example.com/{page}"), "d": "example.com",
        "r": if client.is_multiple_of(3) { "https://news.example/" } else { "" },
    });
    if step == 4 && client.is_multiple_of(2) {
        beacon["n"] = "Signup".into();
        beacon["p"] = json!({ "plan": "pro" });
        beacon["$"] = json!({ "amount": "1.25", "currency": "EUR" });
    }
    if step == 5 {
        beacon["n"] = "engagement".into();
        beacon["sd"] = (client % 100).into();
        beacon["e"] = 12_000.into();
    }
    let address = format!("198.51.{client}.{}", 1 + step);
    let objects = if client.is_multiple_of(10) { "1" } else { "0" };
    if step == 5 && objects == "1" {
        // Attention belongs to a visit, and they have none.
        return;
    }
    let headers = [
        ("user-agent", crate::support::CHROME),
        ("content-type", "text/plain"),
        ("x-forwarded-for", address.as_str()),
        ("sec-gpc", objects),
    ];
    let host = origin.strip_prefix("http://").unwrap();
    let sent = crate::load::send_once(host, &headers, beacon.to_string()).await.unwrap();
    assert_eq!((sent.status, sent.dropped), (202, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_collectors_two_shards_and_a_balancer_count_as_one_of_each() {
    const CLIENTS: usize = 60;
    const STEPS: usize = 6;
    let mut balanced = Balanced::start().await;
    let origin = balanced.nginx.origin();
    let alone = Collector::start(&[
        ("PASSERBY_TRUSTED_PROXIES", "127.0.0.1/32"),
        ("PASSERBY_LIMITS_EVENTS_PER_NETWORK", "0"),
    ])
    .await;
    let alones_token = register(&alone).await;
    for step in 0..STEPS {
        for client in 0..CLIENTS {
            visit(&origin, client, step).await;
            visit(&alone.origin(), client, step).await;
        }
        match step {
            1 => balanced.collectors[1].crash_and_restart().await,
            2 => balanced.shards.kill_shard(1),
            3 => {
                // A shard is away: everything is accepted, and what it should have waits.
                assert!(balanced.waiting().await > 0.0);
                balanced.shards.start_shard(1).await;
            }
            _ => {}
        }
    }
    for collector in 0..2 {
        assert!(balanced.accepted(collector).await >= 10.0, "one collector has everything");
    }
    balanced.deliver().await;
    let metrics = ["visitors", "visits", "pageviews", "events", "bounce_rate"];
    // `alone` may still have something under way.
    let all = json!({ "site_id": "example.com", "metrics": metrics, "date_range": "all" });
    let expected = ask(&balanced.collectors[0], &balanced.token, "/api/v2/query", &all).await;
    eventually("the other has counted them, too", async || {
        let counted = ask(&alone, &alones_token, "/api/v2/query", &all).await;
        (counted["results"] == expected["results"]).then_some(())
    })
    .await;
    let counted = expected["results"][0]["metrics"].clone();
    assert_eq!(counted[0], json!(CLIENTS - CLIENTS / 10), "visitors who do not object");
    let questions = questions(&metrics, &json!("all"));
    let asked: Vec<_> =
        questions.into_iter().filter(|(_, query)| !query.to_string().contains("time:")).collect();
    let whole = (&balanced.collectors[1], balanced.token.as_str());
    compare(whole, (&alone, &alones_token), &asked).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_that_are_refused_while_clickhouse_is_away_keep_no_beacon_from_being_accepted() {
    let mut balanced = Balanced::start().await;
    let origin = balanced.nginx.origin();
    let host = origin.strip_prefix("http://").unwrap();
    for shard in 0..2 {
        balanced.shards.kill_shard(shard);
    }
    let bearer = format!("Bearer {}", balanced.token);
    for round in 0..5 {
        for client in 0..20 {
            let report = report_through(host, &format!("198.51.{client}.1"), &bearer).await;
            assert_eq!(report.status, 503, "{}", report.body);
            // Fails unless it is accepted.
            visit(&origin, client, round).await;
        }
    }
    for collector in 0..2 {
        assert!(balanced.accepted(collector).await >= 10.0, "one collector has everything");
    }
}

/// Asks for a report through the balancer, as somebody at an address.
async fn report_through(host: &str, address: &str, bearer: &str) -> Sent {
    let query = json!({ "site_id": "example.com", "metrics": ["visitors"], "date_range": "all" });
    let headers = [("x-forwarded-for", address), ("authorization", bearer)];
    crate::load::post_once(host, "/api/v2/query", &headers, query.to_string()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_dies_behind_the_balancer_nothing_that_was_acknowledged_is_lost_and_only_what_was_under_way_counts_twice()
 {
    let mut balanced = Balanced::start().await;
    let address = balanced.nginx.origin().strip_prefix("http://").unwrap().parse().unwrap();
    let address = Arc::new(Mutex::new(Some(address)));
    let oracle = Arc::<Oracle>::default();
    let load = Load::start(&address, &oracle, 100);
    let pause = || tokio::time::sleep(Duration::from_millis(1_500));
    pause().await;
    // What a collector had on its disk, and had not answered when it died, the balancer gives to the other one as well.
    let mut may_be_twice = HashSet::new();
    for round in 0..crate::rounds(2) {
        let victim = usize::from(round % 2 == 0);
        let (under_way, next) = oracle.under_way();
        balanced.collectors[victim].crash();
        may_be_twice.extend(under_way.into_iter().chain(next..oracle.under_way().1));
        balanced.collectors[victim].restart().await;
        pause().await;
        balanced.shards.kill_shard(victim);
        pause().await;
        balanced.shards.start_shard(victim).await;
        pause().await;
    }
    load.stop().await;
    balanced.deliver().await;
    let store = connect_through(&balanced.shards).await;
    let query = "SELECT pathname, count() FROM events FINAL GROUP BY pathname";
    let counted = store.writer().query(query).fetch_all::<(String, u64)>().await.unwrap();
    let counted: HashMap<String, u64> = counted.into_iter().collect();
    oracle.compare_but("the table", &counted, "", &may_be_twice);
    let counted_in_all: u64 = counted.values().sum();
    let twice = counted_in_all - u64::try_from(counted.len()).unwrap();
    assert!(twice < 10, "{twice} events count twice");
    let pages = json!({ "site_id": "example.com", "metrics": ["pageviews"], "date_range": "all" });
    let report = ask(&balanced.collectors[0], &balanced.token, "/api/v2/query", &pages).await;
    assert_eq!(report["results"][0]["metrics"][0].as_u64(), Some(counted_in_all));
    println!("{}", oracle.summary());
    assert!(oracle.acknowledged().len() > 100);
}

/// The cluster, once both of its shards answer.
async fn connect_through(shards: &Shards) -> Store {
    let store = shards.store();
    eventually("both shards answer", async || store.apply_schema().await.ok()).await;
    store
}
