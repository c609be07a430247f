//! What the profile of a site leaves of its visits, and what is counted where visitors are asked.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{CHROME, Collector, eventually, run_program};

const PLACES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/places.mmdb");
/// In the places of the tests: a city.
const ADDRESS: &str = "192.0.2.1";
const STRICT: &str = "[privacy.sites.'strict.example']\nprofile = 'cnil'\n";

/// A collector with two sites, of which the configuration says what holds for each.
struct Sites {
    collector: Collector,
    configuration: std::path::PathBuf,
    _directory: tempfile::TempDir,
}

impl Sites {
    async fn start(configuration: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("passerby.toml");
        std::fs::write(&file, configuration).unwrap();
        let collector = Collector::start(&[
            ("PASSERBY_CONFIG", file.to_str().unwrap()),
            ("PASSERBY_TRUSTED_PROXIES", "127.0.0.0/8"),
            ("PASSERBY_GEO_DATABASE", PLACES),
        ])
        .await;
        for domain in ["standard.example", "strict.example"] {
            collector.run(&["site", "add", domain]);
        }
        Self { collector, configuration: file, _directory: directory }
    }

    /// Sends a beacon; returns why it was not counted.
    async fn send(&self, beacon: Value) -> Option<String> {
        let headers = [("user-agent", CHROME), ("x-forwarded-for", ADDRESS)];
        let answer =
            self.collector.request(Method::POST, "/api/event", &headers, beacon.to_string()).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED);
        answer.header("x-passerby-dropped").map(str::to_owned)
    }

    async fn restart(&mut self, configuration: &str) {
        std::fs::write(&self.configuration, configuration).unwrap();
        self.collector.terminate();
        self.collector.restart().await;
    }

    /// What is stored of a site, an object for each event, once there are as many.
    async fn stored(&self, domain: &str, count: usize) -> Vec<Value> {
        let lines = eventually("the events are stored", async || {
            let variables = [("PASSERBY_CONFIG", self.configuration.to_str().unwrap())];
            let told = run_program(&self.collector.data_dir, &variables, &["export", domain]);
            // After a restart the database needs a moment.
            let text = told.status.success().then_some(String::from_utf8(told.stdout).unwrap())?;
            let lines: Vec<Value> =
                text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            (lines.len() == count).then_some(lines)
        });
        lines.await
    }
}

fn tagged(domain: &str) -> Value {
    json!({
        "n": "Purchase", "d": domain, "r": "https://www.google.com/search", "p": {"plan": "pro"},
        "$": {"amount": 12, "currency": "EUR"},
        "u": format!("https://{domain}/a?utm_source=paper&utm_medium=cpc&utm_campaign=spring&utm_content=x&utm_term=y&gclid=1"),
    })
}

#[tokio::test]
async fn the_strict_profile_leaves_no_marketing_and_no_city_in_the_table() {
    let mut sites = Sites::start(STRICT).await;
    for domain in ["standard.example", "strict.example"] {
        sites.collector.run(&["goal", "add", domain, "--event", "Purchase", "--currency", "EUR"]);
        assert_eq!(sites.send(tagged(domain)).await, None);
    }
    // What is stored of the strict site is only told when it is not strict any more.
    sites.restart("").await;
    let standard = sites.stored("standard.example", 1).await.remove(0);
    let strict = sites.stored("strict.example", 1).await.remove(0);
    let left_out = [
        "channel",
        "utm_source",
        "utm_medium",
        "utm_campaign",
        "utm_content",
        "utm_term",
        "click_id_kind",
        "city",
        "city_name",
        "revenue",
    ];
    let is_told = |event: &Value, field: &str| {
        !matches!(&event[field], Value::Null) && event[field] != "" && event[field] != 0
    };
    for field in left_out {
        assert!(is_told(&standard, field), "{field} is not in {standard}");
        assert!(!is_told(&strict, field), "{field} is in {strict}");
    }
    for field in ["referrer", "country", "region", "browser", "props", "visitor"] {
        assert!(is_told(&strict, field), "{field} is not in {strict}");
    }
    assert_eq!((&standard["source"], &strict["source"]), (&json!("paper"), &json!("Google")));
}

#[tokio::test]
async fn the_strict_profile_refuses_what_it_excludes() {
    let sites = Sites::start(STRICT).await;
    let both =
        json!({"n": "pageview", "u": "https://a.test/", "d": "standard.example,strict.example"});
    assert_eq!(sites.send(both).await.as_deref(), Some("several_sites"));

    let collector = &sites.collector;
    let export = |domain: &str| {
        let variables = [("PASSERBY_CONFIG", sites.configuration.to_str().unwrap())];
        run_program(&collector.data_dir, &variables, &["export", domain])
    };
    assert!(export("standard.example").status.success());
    let refused = export("strict.example");
    assert!(!refused.status.success());
    assert!(
        String::from_utf8_lossy(&refused.stderr).contains("The profile cnil allows statistics")
    );

    for domain in ["standard.example", "strict.example"] {
        let token = collector.run(&["token", "create", "--scope", "stats", "--site", domain]);
        let queries = [
            json!({"metrics": ["visitors"], "dimensions": ["visit:utm_campaign"]}),
            json!({"metrics": ["visitors"], "dimensions": ["visit:channel"]}),
            json!({"metrics": ["visitors"], "filters": [["is", "visit:city_name", ["Berlin"]]]}),
            json!({"metrics": ["total_revenue"]}),
        ];
        for mut query in queries {
            query["site_id"] = json!(domain);
            query["date_range"] = json!("7d");
            let answer = eventually("the database answers", async || {
                let answer = collector.query(&token, &query).await;
                (answer.status != StatusCode::SERVICE_UNAVAILABLE).then_some(answer)
            })
            .await;
            let told = String::from_utf8_lossy(&answer.body).into_owned();
            match domain {
                "strict.example" => {
                    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{told}");
                    assert!(told.contains("it is not measured under the profile cnil"), "{told}");
                }
                _ => assert_eq!(answer.status, StatusCode::OK, "{told}"),
            }
        }
    }
}

#[tokio::test]
async fn the_dashboard_offers_nothing_that_the_profile_leaves_out() {
    let sites = Sites::start(STRICT).await;
    let collector = &sites.collector;
    for domain in ["standard.example", "strict.example"] {
        // Told of everything, so that what is left out is left out by the profile.
        collector.run(&["site", "add", domain, "--public", "--least-visitors", "1"]);
        let page = async |path: String| {
            eventually("the database answers", async || {
                let answer = collector.request(Method::GET, &path, &[], "").await;
                (answer.status != StatusCode::SERVICE_UNAVAILABLE).then_some(answer)
            })
            .await
        };
        let shown = page(format!("/{domain}?lang=en")).await;
        assert_eq!(shown.status, StatusCode::OK, "{domain}");
        let shown = String::from_utf8(shown.body.to_vec()).unwrap();
        let is_strict = domain == "strict.example";
        for left_out in ["visit:utm_campaign", "visit:channel", "visit:city_name"] {
            assert_eq!(!shown.contains(left_out), is_strict, "{left_out} of {domain}");
        }
        assert!(shown.contains("visit:referrer") && shown.contains("visit:region_name"));
        let funnel = page(format!("/{domain}/funnel?lang=en")).await;
        assert_eq!(funnel.status == StatusCode::NOT_FOUND, is_strict, "{domain}");
    }
}

#[tokio::test]
async fn the_strict_profile_keeps_events_for_25_months_at_most() {
    let sites = Sites::start(STRICT).await;
    let add = |domain: &str, days: &str| {
        let variables = [("PASSERBY_CONFIG", sites.configuration.to_str().unwrap())];
        let arguments = ["site", "add", domain, "--retention-days", days];
        run_program(&sites.collector.data_dir, &variables, &arguments)
    };
    for (domain, days, is_taken) in [
        ("standard.example", "0", true),
        ("strict.example", "0", false),
        ("strict.example", "761", false),
        ("strict.example", "760", true),
    ] {
        let output = add(domain, days);
        assert_eq!(output.status.success(), is_taken, "{domain} {days}");
        if !is_taken {
            let told = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(told.contains("must be from 1 to 760 (25 months)"), "{told}");
        }
    }
}

#[tokio::test]
async fn a_start_with_sites_that_keep_more_than_their_profile_allows_is_refused() {
    let mut collector = Collector::start(&[]).await;
    collector.run(&["site", "add", "example.com", "--retention-days", "800"]);
    collector.terminate();
    let strict = [("PASSERBY_PRIVACY_PROFILE", "cnil")];
    let output = run_program(&collector.data_dir, &strict, &["serve"]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(
        told.contains("example.com keeps its events for 800 days, but privacy.profile"),
        "{told}"
    );
    assert!(told.contains("passerby site add example.com --retention-days 760"), "{told}");
}

#[tokio::test]
async fn an_audit_finds_what_a_profile_excludes_and_an_assessment_says_who_has_it() {
    let mut sites = Sites::start("").await;
    assert_eq!(sites.send(tagged("strict.example")).await, None);
    sites.stored("strict.example", 1).await;
    sites.collector.run(&["site", "add", "strict.example", "--retention-days", "700"]);
    let audit = |sites: &Sites| {
        let listen = sites.collector.listens_on();
        let variables = [
            ("PASSERBY_LISTEN", listen.as_str()),
            ("PASSERBY_CONFIG", sites.configuration.to_str().unwrap()),
        ];
        let output = run_program(&sites.collector.data_dir, &variables, &["audit"]);
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let told = audit(&sites);
    assert!(told.contains("pass  profile     no site has the profile cnil"), "{told}");
    sites.restart(STRICT).await;
    let told = eventually("the database answers", async || {
        let told = audit(&sites);
        (!told.is_empty()).then_some(told)
    })
    .await;
    assert!(told.contains("FAIL  profile") && told.contains("utm_campaign (1 rows)"), "{told}");
    sites.collector.run(&["erase", "strict.example"]);
    let told = audit(&sites);
    assert!(told.contains("pass  profile     1 sites have the profile cnil"), "{told}");
    let assessment = sites.collector.run(&["privacy", "assessment"]);
    assert!(assessment.contains("| not standard.example | No campaign"), "{assessment}");
}

#[tokio::test]
async fn imported_visitors_last_a_day_under_the_strict_profile() {
    let mut sites = Sites::start(STRICT).await;
    let file = sites.configuration.with_file_name("events.jsonl");
    for domain in ["standard.example", "strict.example"] {
        let line = |moment: &str| json!({"site": domain, "timestamp": moment, "url": format!("https://{domain}/?utm_source=x"), "visitor": "a"});
        let lines = [line("2026-01-05T10:00:00Z"), line("2026-01-06T10:00:00Z")];
        std::fs::write(&file, lines.map(|line| line.to_string()).join("\n")).unwrap();
        sites.collector.run(&["import", file.to_str().unwrap()]);
    }
    sites.restart("").await;
    for (domain, visitors) in [("standard.example", 1), ("strict.example", 2)] {
        let stored = sites.stored(domain, 2).await;
        let token = sites.collector.run(&["token", "create", "--scope", "stats", "--site", domain]);
        let query = json!({"site_id": domain, "metrics": ["visitors"], "date_range": ["2026-01-01", "2026-01-31"]});
        let results = sites.collector.results(&token, &query).await;
        assert_eq!(results[0]["metrics"][0], visitors, "{domain}");
        let is_tagged = stored.iter().any(|event| event["utm_source"] == "x");
        assert_eq!(is_tagged, domain == "standard.example");
    }
}

#[tokio::test]
async fn without_consent_a_view_is_nobodys_or_not_counted_as_the_site_says() {
    let sites = Sites::start(
        "[privacy]\nconsent = 'anonymous'\n[privacy.sites.'strict.example']\nconsent = 'required'\n",
    )
    .await;
    let view = |domain: &str, path: &str, consent: Value| json!({"n": "pageview", "d": domain, "u": format!("https://{domain}{path}"), "c": consent});
    for (domain, consent, dropped) in [
        ("standard.example", Value::Null, None),
        ("standard.example", json!("perhaps"), None),
        ("standard.example", json!(true), None),
        ("standard.example", json!(false), Some("objection")),
        ("strict.example", Value::Null, Some("no_consent")),
        ("strict.example", json!(2), Some("no_consent")),
        ("strict.example", json!(1), None),
        ("strict.example", json!(0), Some("objection")),
    ] {
        let path = format!("/{consent}");
        let why = sites.send(view(domain, &path, consent)).await;
        assert_eq!(why.as_deref(), dropped, "{domain}{path}");
    }
    let visitors = async |domain: &str, count| {
        let stored = sites.stored(domain, count).await;
        stored.iter().filter(|event| !event["visitor"].is_null()).count()
    };
    assert_eq!(visitors("standard.example", 3).await, 1, "only who consented is a visitor");
    assert_eq!(visitors("strict.example", 1).await, 1);
    let stored = sites.stored("standard.example", 3).await;
    assert!(
        stored.iter().all(|event| event.get("consent").is_none() && event.get("c").is_none()),
        "consent is not stored"
    );
}

#[tokio::test]
async fn what_is_chosen_for_a_site_holds_however_its_domain_is_written_and_for_no_site_is_told() {
    let configuration = "[privacy.sites.'www.Strict.example']\nconsent = 'required'\n\
                         [script.sites.'shop.example']\nexclude = ['/x']\n";
    let sites = Sites::start(configuration).await;
    let view = json!({"n": "pageview", "d": "strict.example", "u": "https://strict.example/"});
    assert_eq!(sites.send(view).await.as_deref(), Some("no_consent"));
    let check = || {
        let variables = [("PASSERBY_CONFIG", sites.configuration.to_str().unwrap())];
        let told = run_program(&sites.collector.data_dir, &variables, &["check"]);
        (told.status.success(), String::from_utf8(told.stdout).unwrap())
    };
    let (is_well, told) = check();
    let nobodys = "FAIL  sites          script.sites.\"shop.example\": no site has such a domain";
    assert!(!is_well && told.contains(nobodys) && !told.contains("strict"), "{told}");
    eventually("the start tells of it", async || {
        let log = sites.collector.log();
        log.contains("table=\"script.sites\" domain=\"shop.example\"").then_some(())
    })
    .await;
    sites.collector.run(&["site", "add", "www.shop.example"]);
    let (_, told) = check();
    assert!(
        told.contains("3 sites are registered") && !told.contains("holds for nobody"),
        "{told}"
    );
}

#[tokio::test]
async fn who_refuses_in_so_many_words_is_never_counted() {
    let sites = Sites::start("[privacy]\non_objection = 'ignore'\n").await;
    let view = |with: Value| {
        let mut view =
            json!({"n": "pageview", "d": "standard.example", "u": "https://standard.example/"});
        view.as_object_mut().unwrap().extend(with.as_object().unwrap().clone());
        view
    };
    assert_eq!(sites.send(view(json!({"c": false}))).await.as_deref(), Some("objection"));
    assert_eq!(sites.send(view(json!({"consent": 0}))).await.as_deref(), Some("objection"));
    assert_eq!(sites.send(view(json!({}))).await, None);
    let pixel = "/api/event.gif?url=https%3A%2F%2Fstandard.example%2F&consent=false";
    let headers = [("user-agent", CHROME), ("x-forwarded-for", ADDRESS)];
    let answer = sites.collector.request(Method::GET, pixel, &headers, "").await;
    assert_eq!(answer.header("x-passerby-dropped"), Some("objection"));
    sites.stored("standard.example", 1).await;
}
