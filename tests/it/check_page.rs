//! `passerby check URL`: what is wrong with a page's tag is said in a line, and a page that is right passes.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;

use axum::http::{Method, StatusCode};

use crate::nginx::Nginx;
use crate::support::{Collector, run_program};

/// Serves pages by path, each with a policy or none, for as long as the test runs.
fn serve(pages: HashMap<&'static str, (String, &'static str)>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut lines =
                BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
            let path = lines.next().unwrap_or_default().split(' ').nth(1).unwrap_or("/").to_owned();
            for _ in lines.by_ref().take_while(|line| !line.is_empty()) {}
            let (status, (html, policy)) = match pages.get(path.as_str()) {
                Some(page) => ("200 OK", page.clone()),
                None => ("404 Not Found", (String::new(), "")),
            };
            let policy = match policy {
                "" => String::new(),
                policy => format!("content-security-policy: {policy}\r\n"),
            };
            let length = html.len();
            let _ = write!(
                stream,
                "HTTP/1.1 {status}\r\n{policy}content-length: {length}\r\nconnection: close\r\n\r\n{html}"
            );
        }
    });
    origin
}

#[tokio::test]
async fn a_page_is_told_what_is_in_the_way_of_its_being_counted() {
    let collector = Collector::start(&[]).await;
    collector.run(&["site", "add", "example.com"]);
    let stats = collector.origin();
    let tag = |domain: &str| {
        format!("<script defer data-domain=\"{domain}\" src=\"{stats}/js/script.js\"></script>")
    };
    let pinned = collector.run(&["tag", "example.com", "--pinned", "--url", &stats]);
    let broken = pinned.replace("sha384-", "sha384-AAAA");
    let elsewhere =
        tag("example.com").replace("defer", "data-api=\"http://127.0.0.1:1/api/event\"");
    let origin = serve(HashMap::from([
        ("/right", (tag("example.com"), "")),
        ("/pinned", (pinned, "")),
        ("/commented", (format!("<!-- {} -->{}", tag("other.test"), tag("example.com")), "")),
        ("/missing", ("<p>no tag</p>".to_owned(), "")),
        ("/doubled", (tag("example.com").repeat(2), "")),
        ("/unknown", (tag("other.test"), "")),
        ("/policy", (tag("example.com"), "default-src 'self'")),
        ("/silenced", (tag("example.com"), "connect-src 'none'")),
        ("/other-script", (broken, "")),
        ("/no-script", (tag("example.com").replace("script.js", "script.unheard-of.js"), "")),
        ("/no-endpoint", (elsewhere, "")),
    ]));
    let check = |path: &str| {
        let url = format!("{origin}{path}");
        let output = run_program(&collector.data_dir, &[], &["check", &url]);
        (output.status.success(), String::from_utf8(output.stdout).unwrap())
    };
    for path in ["/right", "/pinned", "/commented"] {
        let (is_right, said) = check(path);
        assert!(is_right, "{path}: {said}");
    }
    for (path, part) in [
        ("/missing", "FAIL  tag            the page has no tag"),
        ("/doubled", "FAIL  tag            the page has 2 tags"),
        ("/unknown", "FAIL  site           other.test is no registered site"),
        ("/policy", "default-src does not allow"),
        ("/silenced", "connect-src does not allow"),
        ("/other-script", "FAIL  script         the tag pins another script"),
        ("/no-script", "FAIL  script"),
        ("/no-endpoint", "FAIL  endpoint       http://127.0.0.1:1/api/event can not be reached"),
        ("/nowhere", "FAIL  page"),
    ] {
        let (is_right, said) = check(path);
        assert!(!is_right && said.contains(part), "{path}: {said}");
    }
}

#[tokio::test]
async fn sites_are_found_however_many_there_are_and_by_the_domain_that_they_had_before() {
    let collector = Collector::start(&[]).await;
    let token = collector.run(&["token", "create", "--scope", "admin"]);
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str())];
    let put = async |domain: &str, change: &'static str| {
        let path = format!("/api/v1/sites/{domain}");
        let answer = collector.request(Method::PUT, &path, &headers, change).await;
        assert_eq!(answer.status, StatusCode::OK, "{:?}", answer.body);
    };
    for number in 0..100 {
        put(&format!("a{number}.test"), "{}").await;
    }
    put("old.test", "{}").await;
    put("old.test", r#"{"domain":"zz.test"}"#).await;
    let tag = |domain: &str| {
        let stats = collector.origin();
        format!("<script defer data-domain=\"{domain}\" src=\"{stats}/js/script.js\"></script>")
    };
    let pages = HashMap::from([("/now", (tag("zz.test"), "")), ("/before", (tag("old.test"), ""))]);
    let origin = serve(pages);
    for (page, told) in [
        ("/now", "ok    site           zz.test"),
        ("/before", "ok    site           old.test (by now zz.test)"),
    ] {
        let said = collector.run(&["check", &format!("{origin}{page}")]);
        assert!(said.contains(told), "{said}");
    }
    let check = collector.run(&["check"]);
    assert!(check.contains("101 sites are registered"), "{check}");
    let record = collector.run(&["privacy", "record"]);
    assert!(record.contains("zz.test"), "{record}");
}

/// How nginx passes a page's script and its beacons on, and what the check says of it.
struct Proxied {
    name: &'static str,
    script: &'static str,
    beacon: &'static str,
    expected: &'static str,
}

/// What a case leaves as it should be.
const RIGHT: Proxied = Proxied {
    name: "",
    script: "",
    beacon: "proxy_set_header X-Forwarded-For $remote_addr;",
    expected: "ok    addresses",
};

/// From here nginx is not believed.
const UNTRUSTED: &str = "proxy_bind 127.0.0.9;";

#[tokio::test]
async fn a_proxy_that_spoils_beacons_addresses_or_the_script_is_found_out() {
    let collector = Collector::start(&[("PASSERBY_TRUSTED_PROXIES", "127.0.0.1/32")]).await;
    collector.run(&["site", "add", "example.com"]);
    let as_utf16 = "proxy_hide_header Content-Type; add_header Content-Type 'text/javascript; charset=utf-16';";
    let cases = [
        Proxied {
            name: "right",
            expected: "ok    addresses      a trusted proxy forwards them (x-forwarded-for)",
            ..RIGHT
        },
        Proxied { name: "packs", script: "gzip on; gzip_types *; gzip_proxied any;", ..RIGHT },
        Proxied {
            name: "silent",
            beacon: "",
            expected: "FAIL  addresses      a trusted proxy forwards no address",
            ..RIGHT
        },
        Proxied {
            name: "other-header",
            beacon: "proxy_set_header X-Real-IP $remote_addr;",
            expected: "FAIL  addresses      a trusted proxy sends x-real-ip, which is not read",
            ..RIGHT
        },
        Proxied {
            name: "nonsense",
            beacon: "proxy_set_header X-Forwarded-For unknown;",
            expected: "FAIL  addresses      a trusted proxy sends x-forwarded-for, which is not read, or holds no address",
            ..RIGHT
        },
        Proxied {
            name: "untrusted",
            beacon: "proxy_bind 127.0.0.9; proxy_set_header X-Forwarded-For $remote_addr;",
            expected: "FAIL  addresses      a proxy sends x-forwarded-for and is not in trusted_proxies",
            ..RIGHT
        },
        Proxied {
            name: "hidden",
            beacon: UNTRUSTED,
            expected: "FAIL  addresses      something in between connects",
            ..RIGHT
        },
        Proxied {
            name: "another-proxy",
            beacon: "proxy_set_header X-Forwarded-For '203.0.113.9, 192.0.2.1';",
            expected: "FAIL  addresses      x-forwarded-for has more than one address",
            ..RIGHT
        },
        Proxied {
            name: "loses-authorization",
            beacon: "proxy_set_header Authorization '';",
            expected: "FAIL  addresses      another collector answers",
            ..RIGHT
        },
        Proxied {
            name: "says-compressed",
            beacon: "proxy_set_header Content-Encoding gzip;",
            expected: "FAIL  endpoint       ",
            ..RIGHT
        },
        Proxied {
            name: "script-says-compressed",
            script: "proxy_set_header Accept-Encoding ''; add_header Content-Encoding gzip;",
            expected: "says that it is compressed with gzip, and is not",
            ..RIGHT
        },
        Proxied {
            name: "script-hides-encoding",
            script: "proxy_hide_header Content-Encoding;",
            expected: "is compressed and does not say so",
            ..RIGHT
        },
        Proxied {
            name: "script-packed-twice",
            script: "proxy_hide_header Content-Encoding; gzip on; gzip_types *; gzip_proxied any;",
            expected: "is compressed twice",
            ..RIGHT
        },
        Proxied {
            name: "script-charset",
            script: as_utf16,
            expected: "is served as utf-16",
            ..RIGHT
        },
        Proxied {
            name: "script-type",
            script: "proxy_hide_header Content-Type; add_header Content-Type text/plain; \
                     proxy_hide_header X-Content-Type-Options; add_header X-Content-Type-Options nosniff;",
            expected: "has the content type \"text/plain\"",
            ..RIGHT
        },
    ];
    let upstream = collector.origin();
    let locations = cases.iter().map(|Proxied { name, script, beacon, .. }| {
        format!(
            "location = /{name} {{ default_type text/html; return 200 '<script defer data-domain=\"example.com\" \
             data-api=\"/{name}/api/event\" src=\"/{name}/js/script.js\"></script>'; }}
             location = /{name}/js/script.js {{ {script} proxy_pass {upstream}/js/script.js; }}
             location = /{name}/api/event {{ {beacon} proxy_pass {upstream}/api/event; }}"
        )
    });
    let locations: String = locations.collect();
    let nginx =
        Nginx::start(|port| format!("server {{ listen 127.0.0.1:{port}; {locations} }}")).await;
    for Proxied { name, expected, .. } in cases {
        let url = format!("{}/{name}", nginx.origin());
        let output = run_program(&collector.data_dir, &[], &["check", &url]);
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(said.contains(expected), "{name}: {said}");
        assert_eq!(output.status.success(), expected.starts_with("ok"), "{name}: {said}");
    }
}

#[tokio::test]
async fn whoever_has_no_right_to_ask_learns_nothing_of_the_proxies() {
    let collector = Collector::start(&[]).await;
    let stats = collector.run(&["token", "create", "--scope", "stats"]);
    let admin = collector.run(&["token", "create", "--scope", "admin"]);
    let secret = collector.run_on_socket(Method::GET, "/api/v1/probe").await;
    let secret: serde_json::Value = serde_json::from_str(&secret).unwrap();
    let secret = secret["secret"].as_str().unwrap();
    assert_eq!(secret.len(), 44, "256 bits");
    let ask = async |what: &str, bearer: &str| {
        let bearer = format!("Bearer {bearer}");
        let headers = [("x-debug-request", what), ("authorization", bearer.as_str())];
        collector.request(Method::POST, "/api/event", &headers, "").await
    };
    for asker in [admin.as_str(), secret] {
        let answer = ask("forwarding", asker).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.json()["peer"], "private");
        assert!(!String::from_utf8_lossy(&answer.body).contains("127."), "{:?}", answer.body);
    }
    for (what, asker) in [
        ("forwarding", stats.as_str()),
        ("forwarding", ""),
        ("forwarding", "0"),
        ("true", secret),
        ("", secret),
    ] {
        assert_eq!(ask(what, asker).await.status, StatusCode::UNAUTHORIZED, "{what} {asker}");
    }
    let outside = collector.request(Method::GET, "/api/v1/probe", &[], "").await;
    assert_eq!(outside.status, StatusCode::NOT_FOUND);
}
