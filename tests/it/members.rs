//! Members: who signs in with a proxy, and what a role permits. The browser's side, and the sign-in with a provider,
//! are in `tests/browser/sign-in.test.mjs`.

use hyper::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Answer, Collector, eventually};

const GUESTS: &str = "/api/v1/sites/guests";
const HEADER: &str = "x-forwarded-email";
const ADVICE: &str = "make you a member of a site";

/// A collector that believes a proxy, at the address that the tests come from or elsewhere, and has two sites.
async fn behind(proxies: &str) -> Collector {
    let variables = [
        ("PASSERBY_TRUSTED_PROXIES", proxies),
        ("PASSERBY_SIGN_IN_HEADER", HEADER),
        ("PASSERBY_SIGN_IN_SIGN_OUT_URL", "/oauth2/sign_out"),
    ];
    let collector = Collector::start(&variables).await;
    collector.run(&["site", "add", "a.test"]);
    collector.run(&["site", "add", "b.test"]);
    collector
}

/// A page, as somebody whom the proxy signed in.
async fn page(collector: &Collector, person: &str, path: &str) -> Answer {
    eventually("the database answers", async || {
        let answer = collector.request(Method::GET, path, &[(HEADER, person)], "").await;
        (answer.status != StatusCode::SERVICE_UNAVAILABLE).then_some(answer)
    })
    .await
}

fn text(answer: &Answer) -> String {
    String::from_utf8_lossy(&answer.body).into_owned()
}

/// Sends a form of the settings, from a page of the collector.
async fn change(collector: &Collector, person: &str, site: &str, form: &str) -> StatusCode {
    let origin = collector.origin();
    let headers = [
        (HEADER, person),
        ("origin", origin.as_str()),
        ("content-type", "application/x-www-form-urlencoded"),
    ];
    collector
        .request(Method::POST, &format!("/{site}/settings"), &headers, form.to_owned())
        .await
        .status
}

#[tokio::test]
async fn a_member_whom_a_trusted_proxy_names_sees_and_does_what_the_role_permits() {
    let collector = behind("127.0.0.0/8").await;
    for (person, role) in [("vera", "viewer"), ("Emil", "editor"), ("olga", "owner")] {
        let person = format!("{person}@staff.test");
        collector.run(&["member", "add", &person, "--site", "a.test", "--role", role]);
    }
    let [viewer, editor, owner] = ["vera@staff.test", "emil@staff.test", "OLGA@staff.test"];
    // What there is to see: everything, under one's own name; of the other site nothing.
    for person in [viewer, editor, owner] {
        let seen = page(&collector, person, "/a.test").await;
        assert_eq!(seen.status, StatusCode::OK, "{person}");
        let shown = text(&seen).to_lowercase();
        assert!(shown.contains(&person.to_lowercase()) && shown.contains("/oauth2/sign_out"));
        assert_eq!(page(&collector, person, "/b.test").await.status, StatusCode::NOT_FOUND);
        let overview = text(&page(&collector, person, "/").await);
        assert!(overview.contains("a.test") && !overview.contains("b.test"), "{person}");
    }
    // What there is to change.
    let goal = "action=goal&kind=event&target=Signup";
    let site = "action=site&timezone=Asia/Tokyo&retention_days=7&least=1";
    let rise = "action=member&person=vera@staff.test&role=owner";
    let link = "action=link&name=Press&least=1";
    let (done, refused) = (StatusCode::SEE_OTHER, StatusCode::NOT_FOUND);
    let settings = |person| page(&collector, person, "/a.test/settings");
    let only_read = settings(viewer).await;
    assert_eq!(only_read.status, StatusCode::FORBIDDEN);
    assert!(text(&only_read).contains("read this site"), "{}", text(&only_read));
    for form in [goal, site, rise, link, "action=token&name=x&least=1", "action=anything"] {
        assert_eq!(change(&collector, viewer, "a.test", form).await, refused, "{form}");
    }
    for form in [site, rise, link, "action=token&name=x&least=1", "action=anything", ""] {
        assert_eq!(change(&collector, editor, "a.test", form).await, refused, "{form}");
    }
    let seen = text(&settings(editor).await);
    assert!(seen.contains("id=\"goals\"") && !seen.contains("id=\"links\""));
    assert!(!seen.contains("id=\"members\"") && !seen.contains("id=\"tokens\""));
    assert!(!seen.contains("name=\"timezone\""));
    assert_eq!(change(&collector, editor, "a.test", goal).await, done);
    for form in [site, link] {
        assert_eq!(change(&collector, owner, "a.test", form).await, done, "{form}");
        assert_eq!(change(&collector, owner, "b.test", form).await, refused, "{form}");
    }
    assert!(collector.run(&["site", "list"]).contains("Asia/Tokyo"));
    assert_eq!(collector.run(&["goal", "list", "a.test"]).lines().count(), 1);
    // A form of another page is refused of members, too.
    let foreign = [
        (HEADER, owner),
        ("origin", "https://evil.test"),
        ("content-type", "application/x-www-form-urlencoded"),
    ];
    let answer = collector.request(Method::POST, "/a.test/settings", &foreign, site).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    // A link that there is loses nothing by a form that does not say it.
    let link = "action=link&name=board&least=5&password=long+enough+for+it";
    assert_eq!(change(&collector, owner, "a.test", link).await, done);
    let again = "action=link&name=board&least=1";
    assert_eq!(change(&collector, owner, "a.test", again).await, StatusCode::BAD_REQUEST);
    assert!(collector.run(&["link", "list", "a.test"]).contains("board"));
    // The role changes at once, and ends at once.
    assert_eq!(change(&collector, owner, "a.test", rise).await, done);
    assert_eq!(change(&collector, viewer, "a.test", goal).await, done);
    let end = "action=remove-member&person=vera@staff.test";
    assert_eq!(change(&collector, owner, "a.test", end).await, done);
    let gone = page(&collector, viewer, "/a.test").await;
    assert_eq!(gone.status, StatusCode::FORBIDDEN);
    assert!(text(&gone).contains(ADVICE) && text(&gone).contains(viewer));
    // The name is not kept where the catalog is.
    let snapshot = std::fs::read_to_string(collector.data_dir.join("catalog.json")).unwrap();
    assert!(!snapshot.contains("vera@") && snapshot.contains("olga@"));
    // Members open pages, and not the API.
    for path in ["/api/v1/sites", GUESTS, "/api/v1/tokens"] {
        let answer = collector.request(Method::GET, path, &[(HEADER, owner)], "").await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{path}");
    }
    let read = eventually("the reads are logged", async || {
        let log = collector.run(&["access-log", "--site", "a.test"]);
        (log.contains("person olga@staff.test") && log.contains("403\tperson vera")).then_some(log)
    })
    .await;
    assert!(!read.contains("127.0.0.1"), "{read}");
}

#[tokio::test]
async fn an_untrusted_peer_signs_nobody_in() {
    let collector = behind("10.0.0.0/8").await;
    let owner = "olga@staff.test";
    collector.run(&["member", "add", owner, "--every-site", "--role", "owner"]);
    for extra in [("x-forwarded-for", "10.0.0.1"), ("forwarded", "for=10.0.0.1"), ("x", "y")] {
        let headers = [(HEADER, owner), extra];
        for path in ["/a.test", "/", "/a.test/settings"] {
            let answer = collector.request(Method::GET, path, &headers, "").await;
            assert_eq!(answer.status, StatusCode::SEE_OTHER, "{path} {extra:?}");
            assert!(answer.header("location").unwrap().starts_with("/sign-in"), "{path}");
        }
    }
    assert_eq!(
        change(&collector, owner, "a.test", "action=site&timezone=Asia/Tokyo&least=1").await,
        StatusCode::SEE_OTHER
    );
    assert!(!collector.run(&["site", "list"]).contains("Asia/Tokyo"));
}

#[tokio::test]
async fn an_owner_of_one_site_has_no_say_in_what_is_every_sites() {
    let collector = behind("127.0.0.0/8").await;
    let (olga, boss) = ("olga@staff.test", "boss@staff.test");
    collector.run(&["member", "add", olga, "--site", "a.test", "--role", "owner"]);
    collector.run(&["member", "add", boss, "--every-site", "--role", "owner"]);
    let admin = collector.run(&["token", "create", "--scope", "admin", "--note", "the server's"]);
    let tokens = async |of: &str| {
        let bearer = format!("Bearer {admin}");
        let headers = [("authorization", bearer.as_str())];
        let answer = collector.request(Method::GET, "/api/v1/tokens", &headers, "").await;
        assert_eq!(answer.status, StatusCode::OK, "{of}");
        answer.json()["tokens"][0]["id"].as_str().unwrap().to_owned()
    };
    let id = tokens("before").await;
    // She sees them, and has no button for them; a form without one is refused.
    let seen = text(&page(&collector, olga, "/a.test/settings").await);
    assert!(seen.contains("the server&#39;s") || seen.contains("the server's"), "{seen}");
    assert!(seen.contains(boss) && !seen.contains(&format!("value=\"{id}\"")));
    let forms = [
        format!("action=revoke-token&token={id}"),
        format!("action=remove-member&person={boss}&every_site=yes"),
        format!("action=remove-member&person={boss}"),
    ];
    for form in &forms {
        assert_eq!(
            change(&collector, olga, "a.test", form).await,
            StatusCode::BAD_REQUEST,
            "{form}"
        );
    }
    assert_eq!(tokens("after").await, id);
    assert_eq!(page(&collector, boss, "/b.test/settings").await.status, StatusCode::OK);
    // Whoever owns every site has.
    for form in &forms[..2] {
        assert_eq!(change(&collector, boss, "a.test", form).await, StatusCode::SEE_OTHER, "{form}");
    }
    assert_eq!(page(&collector, boss, "/a.test").await.status, StatusCode::FORBIDDEN);
    assert_eq!(collector.run(&["token", "list"]), "");
}

#[tokio::test]
async fn what_a_token_is_for_is_a_short_line_for_it_is_logged_with_each_read() {
    let collector = behind("127.0.0.0/8").await;
    let olga = "olga@staff.test";
    collector.run(&["member", "add", olga, "--site", "a.test", "--role", "owner"]);
    for note in ["a".repeat(121), "two%0Alines".to_owned(), "%1B[2J".to_owned()] {
        let form = format!("action=token&name={note}&least=1&expires=");
        let status = change(&collector, olga, "a.test", &form).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{note}");
    }
    assert_eq!(collector.run(&["token", "list"]), "");
    let form = "action=token&name=press&least=1&expires=";
    assert!(change(&collector, olga, "a.test", form).await.is_success());
}

#[tokio::test]
async fn members_are_managed_over_http_as_in_the_field() {
    let collector = behind("127.0.0.0/8").await;
    let admin = collector.run(&["token", "create", "--scope", "admin"]);
    let call = async |method: Method, path: &str, body: Value| {
        let bearer = format!("Bearer {admin}");
        let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
        collector.request(method, path, &headers, body.to_string()).await
    };
    let put = async |site: &str, email: &str, role: &str| {
        call(Method::PUT, GUESTS, json!({ "site_id": site, "email": email, "role": role })).await
    };
    let made = put("a.test", "Anna@staff.test", "viewer").await;
    let expected = json!({
        "email": "anna@staff.test", "role": "viewer", "every_site": false, "status": "accepted",
    });
    assert_eq!((made.status, made.json()), (StatusCode::OK, expected));
    assert_eq!(put("a.test", "anna@staff.test", "editor").await.json()["role"], "editor");
    assert_eq!(put("*", "boss@staff.test", "owner").await.json()["every_site"], true);
    let list = async |site: &str| {
        let answer = call(Method::GET, &format!("{GUESTS}?site_id={site}"), json!({})).await;
        let guests = answer.json()["guests"].as_array().cloned().unwrap_or_default();
        guests.iter().map(|one| one["email"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(list("a.test").await, ["anna@staff.test", "boss@staff.test"]);
    assert_eq!(list("b.test").await, ["boss@staff.test"]);
    assert_eq!(list("*").await, ["boss@staff.test"]);
    for (site, email, role, status, says) in [
        ("a.test", "anna@staff.test", "admin", 400, "role `admin` must be viewer, editor or owner"),
        ("a.test", "a@b.test, c@d.test", "viewer", 400, "is not the name of a person"),
        ("no.test", "anna@staff.test", "viewer", 404, "there is no site `no.test`"),
    ] {
        let answer = put(site, email, role).await;
        assert_eq!(answer.status.as_u16(), status);
        assert!(text(&answer).contains(says), "{}", text(&answer));
    }
    let missing = call(Method::PUT, GUESTS, json!({ "email": "a@b.test", "role": "owner" })).await;
    assert_eq!(missing.status, StatusCode::BAD_REQUEST, "nobody owns every site by a slip");
    let remove = format!("{GUESTS}/anna@staff.test?site_id=a.test");
    assert_eq!(call(Method::DELETE, &remove, json!({})).await.status, StatusCode::OK);
    assert_eq!(call(Method::DELETE, &remove, json!({})).await.status, StatusCode::NOT_FOUND);
    assert_eq!(
        collector.run(&["member", "list", "--site", "a.test"]),
        "boss@staff.test\towner\tevery site"
    );
    collector.run(&["member", "remove", "boss@staff.test", "--every-site"]);
    assert_eq!(collector.run(&["member", "list", "--every-site"]), "");
}
