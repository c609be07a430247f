//! `passerby check URL`: what is wrong with a page's tag is said in a line, and a page that is right passes.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;

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
