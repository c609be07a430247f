//! What answers allow other pages to do, whoever asks.

use hyper::{Method, StatusCode};
use serde_json::json;

use crate::support::{Answer, CHROME, Collector};

const ORIGINS: [Option<&str>; 4] =
    [None, Some("null"), Some("https://evil.test"), Some("https://example.com")];

#[tokio::test]
async fn beacons_are_answered_to_every_origin_and_never_with_a_cookie_or_for_credentials() {
    let collector = Collector::start(&[]).await;
    collector.run(&["site", "add", "example.com"]);
    let good = json!({ "n": "pageview", "u": "https://example.com/", "d": "example.com" });
    let umami = json!({ "type": "event", "payload": { "website": "example.com", "url": "/" } });
    let paths = [
        ("/api/event", good.to_string()),
        ("/api/event.gif?site=example.com", String::new()),
        ("/api/send", umami.to_string()),
        ("/count/example.com?p=/", String::new()),
    ];
    let mut answers = 0;
    for origin in ORIGINS {
        for (path, body) in &paths {
            for method in [Method::POST, Method::GET, Method::OPTIONS, Method::PUT, Method::DELETE]
            {
                for body in [body.as_str(), "{", ""] {
                    let mut headers =
                        vec![("user-agent", CHROME), ("cookie", "passerby-token=psb_0; a=b")];
                    headers.extend(origin.map(|origin| ("origin", origin)));
                    let answer =
                        collector.request(method.clone(), path, &headers, body.to_owned()).await;
                    let what = format!("{method} {path} {origin:?}: {}", answer.status);
                    assert_eq!(answer.header("access-control-allow-origin"), Some("*"), "{what}");
                    assert_eq!(answer.header("access-control-allow-credentials"), None, "{what}");
                    assert_eq!(answer.header("set-cookie"), None, "{what}");
                    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{what}");
                    answers += 1;
                }
            }
        }
    }
    assert_eq!(answers, 4 * 4 * 5 * 3);
}

#[tokio::test]
async fn no_other_page_reads_the_api_or_sends_the_cookie_of_the_dashboard() {
    let collector = Collector::start(&[("PASSERBY_PUBLIC_URL", "https://stats.test")]).await;
    collector.run(&["site", "add", "example.com"]);
    let token = collector.run(&["token", "create", "--scope", "admin"]);
    let bearer = format!("Bearer {token}");
    let is_closed = |what: &str, answer: &Answer| {
        for name in answer.headers.keys() {
            assert!(!name.as_str().starts_with("access-control-"), "{what}: {name}");
        }
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{what}");
    };
    for origin in ORIGINS {
        for path in ["/api/v1/sites", "/api/v2/query", "/", "/example.com", "/sign-in", "/nowhere"]
        {
            for method in [Method::GET, Method::POST, Method::OPTIONS] {
                let mut headers = vec![("authorization", bearer.as_str())];
                headers.extend(origin.map(|origin| ("origin", origin)));
                let answer = collector.request(method.clone(), path, &headers, "{}").await;
                is_closed(&format!("{method} {path} {origin:?}"), &answer);
            }
        }
    }
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let signed_in =
        collector.request(Method::POST, "/sign-in", &form, format!("token={token}")).await;
    assert_eq!(signed_in.status, StatusCode::SEE_OTHER);
    let cookie = signed_in.header("set-cookie").unwrap();
    for part in ["HttpOnly", "SameSite=Strict", "Secure", "Path=/"] {
        assert!(cookie.split("; ").any(|found| found == part), "{part} is not in {cookie}");
    }
    // A page is no place for anything that is not ours.
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let page = collector.request(Method::GET, "/example.com", &[("cookie", &cookie)], "").await;
    assert_eq!(page.status, StatusCode::OK);
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
}
