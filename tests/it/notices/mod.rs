//! Reports by mail and alerts: a real mail server gets them, and time is moved as it pleases the test.

mod alerts;
mod office;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use hyper::Method;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use passerby::clock::{Clock, SystemClock};
use serde_json::{Value, json};
use tempfile::TempDir;

use self::office::{Office, PASSWORD};
use crate::support::{Collector, run_program};

/// How long a notice may take: it is looked every five seconds whether there is one.
const PATIENCE: Duration = Duration::from_secs(120);
/// Within this time a notice is sent that is due.
const TWO_LOOKS: Duration = Duration::from_secs(11);

/// Time, for a collector that is told it by the file of the fault tests.
struct Time {
    directory: TempDir,
    begun: Timestamp,
}

impl Time {
    fn new() -> Self {
        let begun = SystemClock.now();
        Self { directory: tempfile::tempdir().unwrap(), begun }
    }

    fn wishes(&self) -> String {
        self.directory.path().display().to_string()
    }

    /// Moves the collector's clock on from that of the machine.
    fn advance(&self, by: SignedDuration) {
        let fresh = self.directory.path().join("fresh");
        std::fs::write(&fresh, by.as_secs().to_string()).unwrap();
        std::fs::rename(&fresh, self.directory.path().join("clock")).unwrap();
    }

    /// Moves it to noon (UTC) so many days after the test began.
    fn advance_to_noon(&self, days: i64) -> Date {
        let today = TimeZone::UTC.to_datetime(self.begun).date();
        let day = today + days.days();
        let noon = TimeZone::UTC.to_timestamp(day.at(12, 0, 0, 0)).unwrap();
        self.advance(noon.duration_since(self.begun));
        day
    }
}

/// Waits until there is an answer, for as long as notices may take.
async fn patiently<T>(
    what: &str,
    collector: &Collector,
    mut ask: impl AsyncFnMut() -> Option<T>,
) -> T {
    let begun = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(begun.elapsed() < PATIENCE, "waited in vain until {what}: {}", collector.log());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Waits until the collector has noted something of what it told.
async fn noted(collector: &Collector, what: &str) {
    let file: PathBuf = collector.data_dir.join("notices.json");
    patiently("it is noted what was told", collector, async || {
        std::fs::read_to_string(&file).ok().filter(|text| text.contains(what)).map(drop)
    })
    .await;
}

fn import(collector: &Collector, lines: &[Value]) {
    let file = tempfile::NamedTempFile::new().unwrap();
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    std::fs::write(file.path(), text).unwrap();
    collector.run(&["import", file.path().to_str().unwrap()]);
}

/// Visitors of a site at a moment, each of whom looks at two pages.
fn visitors(site: &str, at: Timestamp, count: usize) -> Vec<Value> {
    let views = |visitor: usize| {
        ["/prices", "/order?x=1"].map(|page| {
            json!({
                "site": site, "timestamp": at.to_string(), "url": format!("https://{site}{page}"),
                "visitor": format!("{visitor} of {at}"), "source": if visitor.is_multiple_of(3) { "News & Co" } else { "Search" },
            })
        })
    };
    (0..count).flat_map(views).collect()
}

fn noon(day: Date) -> Timestamp {
    TimeZone::UTC.to_timestamp(day.at(12, 0, 0, 0)).unwrap()
}

fn daily(server: &str, language: &str) -> String {
    format!(
        "public_url = 'https://stats.test'
         [mail]
         server = '{server}'
         from = 'Passerby <stats@mail.test>'
         [[mail.reports]]
         site = 'example.com'
         every = 'day'
         to = ['Anna Ä <anna@mail.test>']
         language = '{language}'
         [[mail.reports]]
         site = 'later.test'
         every = 'week'
         to = ['bert@mail.test']"
    )
}

#[tokio::test]
async fn a_report_arrives_with_the_numbers_of_the_api_once_a_day_and_over_a_restart() {
    let (office, time) = (Office::open().await, Time::new());
    let wishes = [("PASSERBY_FAULTS", &*time.wishes())];
    let mut collector = Collector::start_configured(&daily(&office.plain(), "de"), &wishes).await;
    collector.run(&["site", "add", "example.com"]);
    collector.run(&["goal", "add", "example.com", "--page", "/order"]);
    let token = collector.run(&["token", "create", "--scope", "stats", "--site", "example.com"]);
    noted(&collector, "day example.com anna@mail.test").await;

    // Everything is there before the collector's clock comes to that day: the report is made once.
    let day = TimeZone::UTC.to_datetime(time.begun).date();
    let today = day.tomorrow().unwrap();
    let mut lines = visitors("example.com", noon(day), 1_234);
    lines.extend(visitors("example.com", noon(day.yesterday().unwrap()), 617));
    // Today's are not told of.
    lines.extend(visitors("example.com", noon(today) - SignedDuration::from_hours(2), 9));
    import(&collector, &lines);
    time.advance_to_noon(1);
    let mail = patiently("the report arrives", &collector, async || office.mails().pop()).await;

    assert_eq!(mail.to, "Anna Ä <anna@mail.test>");
    assert!(mail.raw.contains("Auto-Submitted: auto-generated"), "{}", mail.raw);
    let query = json!({
        "site_id": "example.com", "metrics": ["visitors", "pageviews"], "date_range": [day, day],
        "include": {"comparisons": {"mode": "previous_period"}},
    });
    let total = collector.results(&token, &query).await[0].take();
    assert_eq!(total["metrics"], json!([1_234, 2_468]));
    assert_eq!(total["comparison"]["change"][0], json!(100));
    let months = [
        "Januar",
        "Februar",
        "März",
        "April",
        "Mai",
        "Juni",
        "Juli",
        "August",
        "September",
        "Oktober",
        "November",
        "Dezember",
    ];
    let month = months[usize::from(day.month().unsigned_abs()) - 1];
    let subject = format!("example.com: {}. {month} {}", day.day(), day.year());
    assert_eq!(mail.subject, subject);
    for line in [
        "Tagesbericht:",
        "Besucher: 1.234 (+100\u{a0}%)",
        "Seitenaufrufe: 2.468 (+100",
        "Search: 822",
        "News & Co: 412",
        "/prices: 1.234",
        "Diese Zahlen öffnen: https://stats.test/example.com?lang=de&period=",
    ] {
        assert!(mail.text.contains(line), "{line} is not in {}", mail.text);
    }
    for part in [">1.234<", ">+100\u{a0}%<", "News &#38; Co", ">/prices<", ">Ziele<", "/order"] {
        assert!(mail.html.contains(part), "{part} is not in {}", mail.html);
    }
    assert!(!mail.html.contains("<script") && !mail.html.contains("src="), "{}", mail.html);
    // What the link opens says the same.
    let cookie = format!("__Host-passerby-token={token}");
    let (_, link) = mail.text.split_once("https://stats.test").unwrap();
    let link = link.lines().next().unwrap();
    assert!(mail.html.contains(&link.replace('&', "&#38;")), "{link} is not in {}", mail.html);
    let page = collector.request(Method::GET, link, &[("cookie", &cookie)], "").await;
    assert!(String::from_utf8_lossy(&page.body).contains(">1.234<"), "{:?}", page.body);

    // Once, and not again by a start.
    tokio::time::sleep(TWO_LOOKS).await;
    collector.terminate();
    collector.restart().await;
    tokio::time::sleep(TWO_LOOKS).await;
    assert_eq!(office.mails().len(), 1, "{}", collector.log());
    // The next day it would be found out if none were sent any more.
    time.advance_to_noon(2);
    patiently("the next day's arrives", &collector, async || {
        (office.mails().len() == 2).then_some(())
    })
    .await;
    let mails = office.mails();
    assert_ne!(mails[0].id, mails[1].id);
    assert!(
        mails.iter().any(|mail| mail.text.contains("Besucher: 9 (\u{2212}99")),
        "{}",
        mails[1].text
    );
    let metrics = collector.run_on_socket(Method::GET, "/metrics").await;
    assert!(metrics.contains("passerby_notices_sent_total{kind=\"report\"} 1"), "{metrics}");
    assert!(
        collector.log().contains("site that is not registered site=\"later.test\""),
        "{}",
        collector.log()
    );
}

#[tokio::test]
async fn a_report_that_the_mail_server_did_not_take_is_sent_later_and_beacons_do_not_wait() {
    let (mut office, time) = (Office::open().await, Time::new());
    let authority = office.certificate().display().to_string();
    let variables = [("PASSERBY_FAULTS", &*time.wishes()), ("PASSERBY_MAIL_AUTHORITY", &authority)];
    let config = daily(&office.with_account("smtps"), "en");
    let collector = Collector::start_configured(&config, &variables).await;
    collector.run(&["site", "add", "example.com"]);
    noted(&collector, "day example.com anna@mail.test").await;

    office.close();
    time.advance_to_noon(1);
    let failed = "passerby_notices_failed_total{kind=\"report\"} 1";
    patiently("it fails", &collector, async || {
        collector.run_on_socket(Method::GET, "/metrics").await.contains(failed).then_some(())
    })
    .await;
    let beacon = json!({"n": "pageview", "u": "https://example.com/x", "d": "example.com"});
    assert_eq!(collector.beacon(&beacon).await.status, 202);

    office.reopen().await;
    time.advance(time_until_noon_tomorrow(&time) + SignedDuration::from_mins(2));
    let mail = patiently("the report arrives", &collector, async || office.mails().pop()).await;
    assert!(mail.text.contains("Daily report:"), "{}", mail.text);
    let log = collector.log();
    assert!(log.contains("could not be mailed, and is tried again"), "{log}");
    assert!(!log.contains(PASSWORD) && !log.contains("sehr%2F"), "{log}");
}

fn time_until_noon_tomorrow(time: &Time) -> SignedDuration {
    let today = TimeZone::UTC.to_datetime(time.begun).date();
    noon(today + 1.day()).duration_since(time.begun)
}

#[tokio::test]
async fn a_mail_to_try_it_out_goes_encrypted_by_an_account_or_says_why_not() {
    let office = Office::open().await;
    let directory = tempfile::tempdir().unwrap();
    let data_dir = directory.path().join("data");
    let authority = office.certificate().display().to_string();
    let send = |server: &str, authority: Option<&str>, to: &str| {
        let mut variables =
            vec![("PASSERBY_MAIL_SERVER", server), ("PASSERBY_MAIL_FROM", "stats@mail.test")];
        variables.extend(authority.map(|path| ("PASSERBY_MAIL_AUTHORITY", path)));
        let output = run_program(&data_dir, &variables, &["mail", "test", to]);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!told.contains(PASSWORD) && !told.contains("sehr%2F"), "{told}");
        (output.status.success(), told)
    };
    run_program(&data_dir, &[], &["site", "add", "example.com"]);
    for (count, scheme) in [(1, "smtps"), (2, "smtp")] {
        let (sent, told) = send(&office.with_account(scheme), Some(&authority), "bert@mail.test");
        assert!(sent && told.contains("took the report of example.com"), "{told}");
        let arrived = Instant::now();
        while office.mails().len() < count {
            assert!(arrived.elapsed() < PATIENCE, "the mail by {scheme} did not arrive");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    assert!(office.mails()[0].text.contains("Weekly report:"));
    // A certificate that nobody vouches for, a wrong password, and somebody whom there is not.
    let wrong = office.with_account("smtps").replace("%3A@", "%3A%3A@");
    for (server, authority, to, part) in [
        (&office.with_account("smtps"), None, "bert@mail.test", "certificate"),
        (&office.with_account("smtp"), None, "bert@mail.test", "certificate"),
        (&wrong, Some(&*authority), "bert@mail.test", "Incorrect user or password"),
        (&office.plain(), None, "nobody@mail.test", "user does not exist"),
        (&office.plain(), None, "nobody", "must be an address"),
    ] {
        let (sent, told) = send(server, authority, to);
        assert!(!sent && told.contains(part), "{part}: {told}");
    }
    assert_eq!(office.mails().len(), 2);
    let unset = run_program(&data_dir, &[], &["mail", "test", "bert@mail.test"]);
    assert!(String::from_utf8_lossy(&unset.stderr).contains("mail.server is not set"));
}
