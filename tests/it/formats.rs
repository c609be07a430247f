//! The forms of a report, and whether a client's copy still holds.

use hyper::{Method, StatusCode};
use parquet::file::reader::{FileReader, SerializedFileReader};
use serde_json::json;

use crate::support::{Answer, Collector};

/// A site with three views, one of a page that a spreadsheet would compute.
struct Asking {
    collector: Collector,
    bearer: String,
    directory: tempfile::TempDir,
}

impl Asking {
    async fn begin() -> Self {
        let collector = Collector::start(&[]).await;
        collector.run(&["site", "add", "example.com"]);
        let token =
            collector.run(&["token", "create", "--scope", "stats", "--site", "example.com"]);
        let asking = Self {
            collector,
            bearer: format!("Bearer {token}"),
            directory: tempfile::tempdir().unwrap(),
        };
        asking.view("a", "/");
        asking.view("b", "/");
        asking.view("c", "=HYPERLINK(\"x\", 1)");
        asking
    }

    fn view(&self, visitor: &str, pathname: &str) {
        let line = json!({
            "site": "example.com", "timestamp": "2024-03-01T10:00:00Z", "visitor": visitor, "pathname": pathname,
            "source": "Google",
        });
        let path = self.directory.path().join("events.jsonl");
        std::fs::write(&path, line.to_string()).unwrap();
        self.collector.run(&["import", path.to_str().unwrap()]);
    }

    async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        let headers = [headers, &[("authorization", &*self.bearer)]].concat();
        self.collector.request(Method::GET, path, &headers, "").await
    }

    async fn query(&self, parameters: &str, headers: &[(&str, &str)]) -> Answer {
        let query = json!({
            "site_id": "example.com", "date_range": ["2024-03-01", "2024-03-01"], "dimensions": ["event:page"],
            "metrics": ["visitors", "percentage"],
        });
        let headers = [headers, &[("authorization", &*self.bearer)]].concat();
        let path = format!("/api/v2/query{parameters}");
        self.collector.request(Method::POST, &path, &headers, query.to_string()).await
    }
}

const CSV: &str =
    "event:page,visitors,percentage\r\n/,2,66.7\r\n\"'=HYPERLINK(\"\"x\"\", 1)\",1,33.3\r\n";

#[tokio::test]
async fn a_report_has_the_form_that_its_reader_asks_for() {
    let asking = Asking::begin().await;
    let by_header = asking.query("", &[("accept", "text/csv")]).await;
    let by_name = asking.query("?format=csv", &[("accept", "application/json")]).await;
    for answer in [by_header, by_name] {
        assert_eq!(String::from_utf8_lossy(&answer.body), CSV);
        assert_eq!(answer.header("content-type"), Some("text/csv; charset=utf-8"));
        assert_eq!(
            answer.header("content-disposition"),
            Some("attachment; filename=\"report.csv\"")
        );
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    }
    let lines = asking.query("?format=ndjson", &[]).await;
    assert_eq!(lines.header("content-type"), Some("application/x-ndjson"));
    let first = lines.body.split(|&byte| byte == b'\n').next().unwrap();
    assert_eq!(first, br#"{"event:page":"/","visitors":2,"percentage":66.7}"#);
    let json = asking.query("", &[]).await;
    assert_eq!(json.header("content-type"), Some("application/json"));
    assert_eq!(json.json()["results"][0]["metrics"], json!([2, 66.7]));
    let file = asking.query("?format=parquet", &[]).await;
    assert_eq!(file.header("content-type"), Some("application/vnd.apache.parquet"));
    let reader = SerializedFileReader::new(file.body).unwrap();
    let rows: Vec<_> =
        reader.get_row_iter(None).unwrap().map(|row| row.unwrap().to_string()).collect();
    assert_eq!(rows[0], r#"{event:page: "/", visitors: 2, percentage: 66.7}"#);
    assert_eq!(rows.len(), 2);
}

#[tokio::test]
async fn a_form_that_there_is_not_is_refused_with_the_names_of_those_there_are() {
    let asking = Asking::begin().await;
    let unknown = asking.query("?format=xlsx", &[]).await;
    assert_eq!(unknown.status, StatusCode::BAD_REQUEST);
    assert_eq!(
        unknown.json()["error"],
        "#/format: Invalid format \"xlsx\": it must be json, csv, ndjson or parquet."
    );
    let unacceptable = asking.query("", &[("accept", "image/png")]).await;
    assert_eq!(unacceptable.status, StatusCode::NOT_ACCEPTABLE);
    assert!(unacceptable.json()["error"].to_string().contains("application/vnd.apache.parquet"));
}

#[tokio::test]
async fn the_older_dialect_has_the_same_forms() {
    let asking = Asking::begin().await;
    let of = "site_id=example.com&format=csv";
    let day = "period=day&date=2024-03-01";
    for (path, expected) in [
        (format!("breakdown?{of}&{day}&property=visit:source"), "source,visitors\r\nGoogle,3\r\n"),
        (format!("breakdown?{of}&{day}&property=visit:region"), "region,visitors\r\n"),
        (
            format!("aggregate?{of}&{day}&metrics=visitors,pageviews&compare=previous_period"),
            "visitors,pageviews,comparison.visitors,comparison.pageviews,change.visitors,change.pageviews\r\n\
             3,3,0,0,100,100\r\n",
        ),
        (
            format!("timeseries?{of}&period=custom&date=2024-03-01,2024-03-02"),
            "date,visitors\r\n2024-03-01,3\r\n2024-03-02,0\r\n",
        ),
    ] {
        let answer = asking.get(&format!("/api/v1/stats/{path}"), &[]).await;
        assert_eq!(String::from_utf8_lossy(&answer.body), expected, "{path}");
    }
}

#[tokio::test]
async fn a_copy_holds_until_the_report_changes_though_its_period_is_over() {
    let asking = Asking::begin().await;
    let breakdown = "/api/v1/stats/breakdown?site_id=example.com&period=day&date=2024-03-01&property=event:page";
    let first = asking.get(breakdown, &[]).await;
    let tag = first.header("etag").unwrap().to_owned();
    assert!(tag.starts_with('"') && tag.len() == 34, "{tag}");
    assert_eq!(first.header("cache-control"), Some("private, no-cache"));
    assert_eq!(first.header("vary"), Some("accept, authorization"));
    let again = asking.get(breakdown, &[("if-none-match", &tag)]).await;
    assert_eq!((again.status, again.body.len()), (StatusCode::NOT_MODIFIED, 0));
    assert_eq!(again.header("etag"), Some(&*tag));
    assert_eq!(again.header("cache-control"), Some("private, no-cache"));
    let posted = asking.query("", &[]).await;
    let posted_tag = posted.header("etag").unwrap();
    assert_eq!(
        asking.query("", &[("if-none-match", posted_tag)]).await.status,
        StatusCode::NOT_MODIFIED
    );
    assert_eq!(
        asking.query("?format=csv", &[("if-none-match", posted_tag)]).await.status,
        StatusCode::OK
    );
    asking.view("late", "/");
    let changed = asking.get(breakdown, &[("if-none-match", &tag)]).await;
    assert_eq!(changed.status, StatusCode::OK);
    assert_ne!(changed.header("etag"), Some(&*tag));
    assert_eq!(asking.query("", &[("if-none-match", posted_tag)]).await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_command_line_prints_a_report_in_each_form() {
    let asking = Asking::begin().await;
    let of = ["query", "example.com", "visitors", "percentage", "--by", "event:page"];
    let in_form = |form| {
        let period = ["--period", "2024-03-01,2024-03-01", "--format", form];
        asking.collector.run(&[&of[..], &period].concat())
    };
    assert_eq!(in_form("csv"), CSV.trim_end());
    assert_eq!(in_form("ndjson").lines().count(), 2);
    assert!(in_form("json").contains("\"results\""));
    assert!(in_form("table").contains("66.7"));
}
