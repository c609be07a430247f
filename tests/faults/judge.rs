//! The judge: what the oracle knows against what is there, in the table and in the reports.

use std::collections::HashMap;

use hyper::{Method, StatusCode};
use serde_json::{Value, json};

use crate::rig::Rig;

/// The most rows that a report has.
const REPORT_ROWS_MAX: usize = 10_000;

impl Rig {
    /// Waits until everything is in ClickHouse, and finds nothing missing, nothing spurious, nothing
    /// counted twice. The collector must run, and no load.
    pub(crate) async fn judge(&mut self) {
        let table = self.judge_table().await;
        let report = self.report().await;
        self.compare("the reports", &report);
        let sum: u64 = table.values().sum();
        assert_eq!(self.total().await, sum, "the whole is the sum of its pages");
        self.met.repeated += self.stored_rows().await - sum;
        println!("{}; {:?}", self.oracle.summary(), self.met);
    }

    /// The same for the table alone: reports do not look into the future.
    pub(crate) async fn judge_table(&mut self) -> HashMap<String, u64> {
        self.until("everything is stored", |figures| figures.of("events_waiting") == 0).await;
        self.figures().await.add_up();
        let table = self.table().await;
        self.compare("the table", &table);
        table
    }

    /// How often each event is counted in the table.
    async fn table(&self) -> HashMap<String, u64> {
        let query = "SELECT pathname, count() FROM events FINAL GROUP BY pathname";
        let rows = self.store.writer().query(query).fetch_all::<(String, u64)>().await;
        rows.unwrap().into_iter().collect()
    }

    /// How many rows there are, with those that are there more than once.
    async fn stored_rows(&self) -> u64 {
        self.store.writer().query("SELECT count() FROM events").fetch_one().await.unwrap()
    }

    /// How often each event is counted in the report by page.
    async fn report(&self) -> HashMap<String, u64> {
        let mut pages = HashMap::new();
        for page in 0.. {
            let query = json!({
                "site_id": "example.com", "metrics": ["pageviews"], "date_range": "all",
                "dimensions": ["event:page"], "order_by": [["event:page", "asc"]],
                "pagination": { "limit": REPORT_ROWS_MAX, "offset": page * REPORT_ROWS_MAX },
            });
            let rows = self.rows(query).await;
            let count = rows.len();
            pages.extend(rows.into_iter().map(|row| {
                let page = row["dimensions"][0].as_str().unwrap().to_owned();
                (page, row["metrics"][0].as_u64().unwrap())
            }));
            if count < REPORT_ROWS_MAX {
                break;
            }
        }
        pages
    }

    async fn total(&self) -> u64 {
        let query =
            json!({ "site_id": "example.com", "metrics": ["pageviews"], "date_range": "all" });
        self.rows(query).await[0]["metrics"][0].as_u64().unwrap()
    }

    async fn rows(&self, query: Value) -> Vec<Value> {
        let (status, mut answer) = self.ask(Method::POST, "/api/v2/query", query).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        serde_json::from_value(answer["results"].take()).unwrap()
    }

    fn compare(&self, place: &str, counted: &HashMap<String, u64>) {
        self.oracle.compare(place, counted, &self.said());
    }

    /// Makes one of rows that are alike: a long run would have too many parts otherwise.
    pub(crate) async fn merge(&self) {
        for statement in [
            "SYSTEM START MERGES events",
            "OPTIMIZE TABLE events FINAL",
            "SYSTEM STOP MERGES events",
        ] {
            self.store.writer().query(statement).execute().await.unwrap();
        }
    }
}
