//! Every dimension: its values, its blanks, and the order of rows.

use passerby::event::Attributes;
use passerby::query::dimension::Field;
use serde_json::{Value, json};

use super::story::Story;

#[tokio::test]
async fn a_blank_has_the_label_of_its_dimension_and_is_found_by_it() {
    // [24]
    let mut story = Story::new("Etc/UTC").await;
    story.visit(1).view("01 10:00:00", "/").prop("plan", "pro");
    story.visit(2).with(full()).view("01 11:00:00", "/");
    story.told().await;
    for field in Field::ALL.iter().filter(|field| !field.spec().blank.is_empty()) {
        let spec = field.spec();
        let query =
            json!({ "dimensions": [spec.name], "filters": [["is", spec.name, [spec.blank]]] });
        story.check(query, json!([[spec.blank, 1]])).await;
        let query = json!({ "filters": [["is_not", spec.name, [spec.blank]]] });
        story.check(query, json!([[1]])).await;
    }
    let query =
        json!({ "dimensions": ["event:props:plan"], "order_by": [["event:props:plan", "asc"]] });
    story.check(query, json!([["(none)", 1], ["pro", 1]])).await;
}

/// A visit about which everything is known.
fn full() -> Attributes {
    Attributes {
        referrer: "google.com/search".into(),
        source: "Google".into(),
        channel: "Organic Search".into(),
        utm_source: "us".into(),
        utm_medium: "um".into(),
        utm_campaign: "uc".into(),
        utm_content: "un".into(),
        utm_term: "ut".into(),
        click_id_kind: "gclid".into(),
        country: "DE".into(),
        region: "DE-BE".into(),
        region_name: "Land Berlin".into(),
        city: 2_950_159,
        city_name: "Berlin".into(),
        browser: "Firefox".into(),
        browser_version: "126.0".into(),
        os: "Debian".into(),
        os_version: "12".into(),
        device: "Desktop".into(),
        language: "de".into(),
    }
}

#[tokio::test]
async fn every_dimension_has_its_value_and_is_a_filter() {
    let mut story = Story::new("Etc/UTC").await;
    story
        .visit(1)
        .with(full())
        .on("www2.example")
        .view("01 10:00:00", "/in")
        .view("01 10:01:00", "/out");
    story.visit(2).view("01 10:00:00", "/in").view("01 10:01:00", "/out");
    story.told().await;
    for field in Field::ALL {
        let value = match field {
            Field::EventName => json!("pageview"),
            Field::Page | Field::ExitPage => json!("/out"),
            Field::EntryPage => json!("/in"),
            Field::Hostname | Field::EntryHostname | Field::ExitHostname => json!("www2.example"),
            Field::Source => json!("Google"),
            Field::Channel => json!("Organic Search"),
            Field::Referrer => json!("google.com/search"),
            Field::UtmSource => json!("us"),
            Field::UtmMedium => json!("um"),
            Field::UtmCampaign => json!("uc"),
            Field::UtmContent => json!("un"),
            Field::UtmTerm => json!("ut"),
            Field::Device | Field::Screen => json!("Desktop"),
            Field::Browser => json!("Firefox"),
            Field::BrowserVersion => json!("126.0"),
            Field::Os => json!("Debian"),
            Field::OsVersion => json!("12"),
            Field::Language => json!("de"),
            Field::Country => json!("DE"),
            Field::Region => json!("DE-BE"),
            Field::City => json!(2_950_159),
            Field::CountryName => json!("Germany"),
            Field::RegionName => json!("Land Berlin"),
            Field::CityName => json!("Berlin"),
        };
        let name = field.spec().name;
        let filters = json!([["is", name, [value]], ["is", "visit:language", ["de"]]]);
        for metrics in [json!(["visitors", "visits"]), json!(["visitors", "percentage"])] {
            let rows = story
                .rows(&json!({ "metrics": metrics, "dimensions": [name], "filters": filters }))
                .await;
            assert_eq!(rows[0][0], value, "{name}");
            assert_eq!(rows[0][1], json!(1), "{name}");
        }
        let query = json!({ "metrics": ["visits"], "filters": [["is_not", name, [value]]] });
        let others = if matches!(field, Field::EventName) {
            0
        } else if matches!(field, Field::Page) {
            2
        } else {
            1
        };
        let others = if matches!(field, Field::EntryPage | Field::ExitPage) { 0 } else { others };
        story.check(query, json!([[others]])).await;
    }
}

#[tokio::test]
async fn rows_come_in_the_order_asked_for_and_in_pages() {
    // [22]
    let mut story = Story::new("Etc/UTC").await;
    for (visitor, source) in [(1, "A"), (2, "B"), (3, "B"), (4, "C"), (5, "C"), (6, "C"), (7, "D")]
    {
        story.visit(visitor).from(source).view(&format!("0{visitor} 10:00:00"), "/");
    }
    story.told().await;
    let check = async |parts: Value, expected: Value| {
        let mut query = json!({ "dimensions": ["visit:source"] });
        query.as_object_mut().unwrap().extend(parts.as_object().unwrap().clone());
        story.check(query, expected).await;
    };
    check(json!({}), json!([["C", 3], ["B", 2], ["A", 1], ["D", 1]])).await;
    check(
        json!({ "order_by": [["visitors", "asc"], ["visit:source", "desc"]] }),
        json!([["D", 1], ["A", 1], ["B", 2], ["C", 3]]),
    )
    .await;
    check(
        json!({ "order_by": [["visit:source", "asc"]], "pagination": { "limit": 2 } }),
        json!([["A", 1], ["B", 2]]),
    )
    .await;
    check(json!({ "pagination": { "limit": 2, "offset": 2 } }), json!([["A", 1], ["D", 1]])).await;
    check(json!({ "pagination": { "offset": 9 } }), json!([])).await;
    let page = json!({ "dimensions": ["visit:source"], "pagination": { "limit": 1, "offset": 9 }, "include": { "total_rows": true } });
    assert_eq!(story.ask(&page).await.unwrap()["meta"]["total_rows"], json!(4));
    let query = json!({ "metrics": ["visitors", "percentage"], "dimensions": ["visit:source"], "pagination": { "limit": 1 } });
    story.check(query, json!([["C", 3, 42.9]])).await;
}
