//! Buckets of time, in the site's time zone.

use jiff::Timestamp;
use passerby::query::interval::Interval;
use passerby::query::{Known, Query};
use passerby::report;
use passerby::site::floor::Floor;
use serde_json::{Value, json};

use super::story::Story;

#[tokio::test]
async fn hours_are_the_sites_own_also_where_they_begin_at_a_quarter() {
    // [12]
    let mut story = Story::new("Asia/Kathmandu").await;
    story.visit(1).view("01 05:14:59", "/");
    story.visit(2).view("01 05:15:00", "/");
    story.visit(3).view("01 18:14:59", "/");
    story.visit(4).view("01 18:15:00", "/");
    story.told().await;
    for metrics in [json!(["visitors"]), json!(["pageviews"])] {
        let expected = json!([
            ["2024-05-01 10:00:00", 1],
            ["2024-05-01 11:00:00", 1],
            ["2024-05-01 23:00:00", 1],
            ["2024-05-02 00:00:00", 1],
        ]);
        story.check(json!({ "metrics": metrics, "dimensions": ["time:hour"] }), expected).await;
        let expected = json!([["2024-05-01", 3], ["2024-05-02", 1]]);
        story.check(json!({ "metrics": metrics, "dimensions": ["time:day"] }), expected).await;
    }
}

#[tokio::test]
async fn days_on_which_clocks_change_have_the_labels_of_their_clock() {
    // Forward and back by an hour, at midnight, and by half an hour.
    let days = [
        ("2024-03-31", "Europe/Berlin"),
        ("2024-10-27", "Europe/Berlin"),
        ("2024-04-26", "Africa/Cairo"),
        ("2024-04-07", "Australia/Lord_Howe"),
        ("2024-10-06", "Australia/Lord_Howe"),
        ("2024-05-03", "Asia/Kathmandu"),
    ];
    for (day, zone) in days {
        let mut story = Story::new(zone).await;
        let period = json!([day, day]);
        let query = Query::parse(
            &json!({ "site_id": "x", "metrics": ["visitors"], "date_range": period }),
            &Known::new(&story.site, Timestamp::UNIX_EPOCH),
        );
        let (from, to) = (query.as_ref().unwrap().period().from(), query.unwrap().period().to());
        let mut second = from.as_second();
        while second <= to.as_second() {
            let visitor = u64::try_from(second).unwrap();
            story.visit(visitor).view("01 00:00:00", "/").last().timestamp =
                u32::try_from(second).unwrap();
            second += 900;
        }
        story.told().await;
        let each = Interval::ALL.iter().filter(|interval| **interval != Interval::Minute);
        for (interval, metric) in
            each.flat_map(|interval| [(interval.name(), "visits"), (interval.name(), "pageviews")])
        {
            let parts = json!({
                "metrics": [metric], "date_range": period, "dimensions": [interval], "include": { "time_labels": true },
            });
            let answer = story.ask(&parts).await.unwrap();
            let labels: Value = answer["results"]
                .as_array()
                .unwrap()
                .iter()
                .map(|row| row["dimensions"][0].clone())
                .collect();
            assert_eq!(
                labels, answer["meta"]["time_labels"],
                "{metric} by {interval} on {day} in {zone}"
            );
        }
    }
}

#[tokio::test]
async fn a_visit_counts_in_every_quarter_of_an_hour_and_hour_of_the_day_in_which_it_was_under_way()
{
    let mut story = Story::new("Asia/Kathmandu").await;
    // 10:50 to 11:20 on the site's clock, and 23:50 to 00:10.
    story.visit(1).view("01 05:05:00", "/").view("01 05:35:00", "/b");
    story.visit(2).view("01 18:05:00", "/").view("01 18:25:00", "/b");
    story.told().await;
    let quarters = json!({ "metrics": ["visits", "pageviews", "visit_duration"], "dimensions": ["time:15min"] });
    let expected = json!([
        ["2024-05-01 10:45:00", 1, 1, 1800],
        ["2024-05-01 11:00:00", 1, 0, 1800],
        ["2024-05-01 11:15:00", 1, 1, 1800],
        ["2024-05-01 23:45:00", 1, 1, 1200],
        ["2024-05-02 00:00:00", 1, 1, 1200],
    ]);
    story.check(quarters, expected).await;
    let hours = json!({ "metrics": ["visits", "pageviews", "bounce_rate"], "dimensions": ["time:hour_of_day"] });
    story.check(hours, json!([[0, 1, 1, 0], [10, 1, 1, 0], [11, 1, 1, 0], [23, 1, 1, 0]])).await;
    let hours = json!({ "metrics": ["pageviews"], "dimensions": ["time:hour_of_day"], "order_by": [["time:hour_of_day", "desc"]] });
    story.check(hours, json!([[23, 1], [11, 1], [10, 1], [0, 1]])).await;
    // A visit over midnight is of the day on which it was last active, its views are of both.
    let days = json!({ "metrics": ["visits"], "dimensions": ["time:day_of_week"] });
    story.check(days, json!([[3, 1], [4, 1]])).await;
    let days =
        json!({ "metrics": ["pageviews"], "dimensions": ["time:day_of_week", "event:page"] });
    story.check(days, json!([[3, "/", 2], [3, "/b", 1], [4, "/b", 1]])).await;
}

#[tokio::test]
async fn quarters_and_years_are_those_of_the_sites_calendar() {
    let mut story = Story::new("America/New_York").await;
    story.visit(1).view("01 03:59:59", "/").last().timestamp = 1_711_943_999;
    story.visit(2).view("01 04:00:00", "/").last().timestamp = 1_711_944_000;
    story.visit(3).view("01 04:00:00", "/").last().timestamp = 1_704_085_199;
    story.told().await;
    let range = json!(["2023-12-01", "2024-06-30"]);
    for metric in ["visits", "pageviews"] {
        let query =
            json!({ "metrics": [metric], "dimensions": ["time:quarter"], "date_range": range });
        let expected = json!([["2023-10-01", 1], ["2024-01-01", 1], ["2024-04-01", 1]]);
        story.check(query, expected).await;
        let query =
            json!({ "metrics": [metric], "dimensions": ["time:year"], "date_range": range });
        story.check(query, json!([["2023-01-01", 1], ["2024-01-01", 2]])).await;
    }
}

#[tokio::test]
async fn a_day_of_the_week_is_compared_with_the_same_day() {
    let mut story = Story::new("Etc/UTC").await;
    // Two Mondays, a Tuesday and the Wednesday before.
    story.visit(1).view("13 10:00:00", "/");
    story.visit(2).view("13 11:00:00", "/");
    story.visit(3).view("14 10:00:00", "/");
    story.visit(4).view("06 10:00:00", "/");
    story.visit(5).view("08 10:00:00", "/");
    story.told().await;
    let answer = story
        .ask(&json!({
            "dimensions": ["time:day_of_week"], "date_range": ["2024-05-10", "2024-05-14"],
            "include": { "comparisons": { "mode": "custom", "date_range": ["2024-05-06", "2024-05-08"] } },
        }))
        .await
        .unwrap();
    let compared: Vec<_> =
        answer["results"].as_array().unwrap().iter().map(|row| &row["comparison"]).collect();
    assert_eq!(*compared[0], json!({ "dimensions": [1], "metrics": [1], "change": [100] }));
    assert_eq!(*compared[1], json!({ "dimensions": [2], "metrics": [0], "change": [100] }));
}

#[tokio::test]
async fn weeks_begin_on_monday_but_the_first_on_the_first_day() {
    // [13]
    let mut story = Story::new("Europe/Berlin").await;
    story.visit(1).view("01 10:00:00", "/");
    story.visit(2).view("05 21:59:59", "/");
    story.visit(3).view("05 22:00:00", "/");
    story.visit(4).view("13 10:00:00", "/");
    story.told().await;
    for metrics in [json!(["visitors"]), json!(["pageviews"])] {
        let query = json!({
            "metrics": metrics, "dimensions": ["time:week"], "date_range": ["2024-05-01", "2024-05-19"],
        });
        story.check(query, json!([["2024-05-01", 2], ["2024-05-06", 1], ["2024-05-13", 1]])).await;
        let query = json!({ "metrics": metrics, "dimensions": ["time:month"] });
        story.check(query, json!([["2024-05-01", 4]])).await;
    }
}

#[tokio::test]
async fn a_visit_counts_in_every_hour_in_which_it_was_under_way() {
    // [15]
    let mut story = Story::new("Etc/UTC").await;
    story.visit(1).view("01 10:50:00", "/").view("01 12:05:00", "/b");
    story.told().await;
    let check = async |metrics: &[&str], expected: Value| {
        story.check(json!({ "metrics": metrics, "dimensions": ["time:hour"] }), expected).await;
    };
    let [ten, eleven, twelve] =
        ["2024-05-01 10:00:00", "2024-05-01 11:00:00", "2024-05-01 12:00:00"];
    check(&["visitors"], json!([[ten, 1], [eleven, 1], [twelve, 1]])).await;
    check(
        &["visits", "bounce_rate", "visit_duration"],
        json!([[ten, 1, 0, 4500], [eleven, 1, 0, 4500], [twelve, 1, 0, 4500]]),
    )
    .await;
    check(&["pageviews"], json!([[ten, 1], [twelve, 1]])).await;
    check(
        &["visits", "pageviews", "bounce_rate"],
        json!([[ten, 1, 1, 0], [eleven, 1, 0, 0], [twelve, 1, 1, 0]]),
    )
    .await;
    check(&["visits", "pageviews"], json!([[ten, 1, 1], [twelve, 1, 1]])).await;
}

#[tokio::test]
async fn a_minute_counts_a_visit_wherever_it_was_under_way() {
    // [15]
    let mut story = Story::new("Etc/UTC").await;
    story.visit(1).view("01 10:00:30", "/").view("01 10:02:10", "/b");
    story.told().await;
    let query = json!({ "metrics": ["visitors", "pageviews"], "dimensions": ["time:minute"] });
    let expected = json!([
        ["2024-05-01 10:00:00", 1, 1],
        ["2024-05-01 10:01:00", 1, 0],
        ["2024-05-01 10:02:00", 1, 1]
    ]);
    story.check(query, expected).await;
}

#[tokio::test]
async fn by_the_day_a_visit_counts_where_it_was_last_active_within_the_period() {
    let mut story = Story::new("Etc/UTC").await;
    story.visit(1).view("01 23:50:00", "/").view("02 00:10:00", "/b");
    story.visit(2).view("02 23:50:00", "/").view("03 00:10:00", "/b");
    story.told().await;
    let range = json!(["2024-05-01", "2024-05-02"]);
    let query = json!({ "metrics": ["visits"], "dimensions": ["time:day"], "date_range": range });
    story.check(query, json!([["2024-05-02", 2]])).await;
    let query = json!({ "metrics": ["visits", "pageviews"], "dimensions": ["time:day"], "date_range": range });
    story.check(query, json!([["2024-05-01", 1, 1], ["2024-05-02", 2, 2]])).await;
}

#[tokio::test]
async fn buckets_without_data_are_left_out_and_all_labels_are_in_the_meta() {
    // [17]
    let mut story = Story::new("Etc/UTC").await;
    story.visit(1).view("01 10:00:00", "/");
    story.visit(2).view("03 10:00:00", "/");
    story.told().await;
    let query = json!({
        "date_range": ["2024-05-01", "2024-05-04"], "dimensions": ["time"], "include": { "time_labels": true },
    });
    let answer = story.ask(&query).await.unwrap();
    assert_eq!(
        answer["meta"]["time_labels"],
        json!(["2024-05-01", "2024-05-02", "2024-05-03", "2024-05-04"])
    );
    assert_eq!(answer["query"]["dimensions"], json!(["time:day"]));
    story.check(query, json!([["2024-05-01", 1], ["2024-05-03", 1]])).await;
}

#[tokio::test]
async fn zero_fill_has_a_row_for_every_bucket_of_every_value_that_occurs() {
    let mut story = Story::new("Etc/UTC").await;
    story.visit(1).from("Google").view("01 10:00:00", "/");
    story.visit(2).from("Bing").view("03 10:00:00", "/").view("03 10:00:30", "/b");
    story.visit(3).from("Google").view("03 11:00:00", "/");
    story.told().await;
    let query = |parts: Value| {
        let mut query = json!({
            "date_range": ["2024-05-01", "2024-05-04"],
            "dimensions": ["time:day"], "include": { "zero_fill": true },
        });
        query.as_object_mut().unwrap().extend(parts.as_object().unwrap().clone());
        query
    };
    let [one, two, three, four] = ["2024-05-01", "2024-05-02", "2024-05-03", "2024-05-04"];
    let metrics = json!(["visitors", "visit_duration", "percentage"]);
    let expected =
        json!([[one, 1, 0, 33.3], [two, 0, 0, 0.0], [three, 2, 15, 66.7], [four, 0, 0, 0.0]]);
    story.check(query(json!({ "metrics": metrics })), expected).await;
    let by_source = json!({ "metrics": ["visitors"], "dimensions": ["visit:source", "time:day"] });
    let expected = json!([
        ["Google", one, 1],
        ["Bing", one, 0],
        ["Bing", two, 0],
        ["Google", two, 0],
        ["Bing", three, 1],
        ["Google", three, 1],
        ["Bing", four, 0],
        ["Google", four, 0],
    ]);
    story.check(query(by_source), expected).await;
    // Pages are cut after the filling, and counted.
    let second = json!({
        "metrics": ["visitors"], "order_by": [["visitors", "asc"], ["time:day", "desc"]],
        "include": { "zero_fill": true, "total_rows": true, "comparisons": { "mode": "previous_period" } },
        "pagination": { "limit": 2, "offset": 1 },
    });
    let answer = story.ask(&query(second.clone())).await.unwrap();
    assert_eq!(answer["meta"], json!({ "total_rows": 4 }));
    let comparison = json!({ "dimensions": ["2024-04-28"], "metrics": [0], "change": [0] });
    assert_eq!(
        answer["results"][0],
        json!({ "dimensions": [two], "metrics": [0], "comparison": comparison })
    );
    story.check(query(second.clone()), json!([[two, 0], [one, 1]])).await;
    assert_eq!(story.ask(&answer["query"]).await.unwrap(), answer);
    // Where nothing happened there are the buckets, but no value of another dimension to have them.
    let nothing =
        json!({ "metrics": ["visitors", "pageviews"], "filters": [["is", "visit:source", ["x"]]] });
    story
        .check(query(nothing), json!([[one, 0, 0], [two, 0, 0], [three, 0, 0], [four, 0, 0]]))
        .await;
    let nothing = json!({
        "metrics": ["visitors"], "dimensions": ["time:day", "event:page"], "filters": [["is", "visit:source", ["x"]]],
    });
    story.check(query(nothing), json!([])).await;
    // Attention alone is sorted by visitors within the bucket.
    let attention =
        json!({ "metrics": ["time_on_page"], "dimensions": ["time:day", "event:page"] });
    let expected = json!([
        [one, "/", null],
        [one, "/b", null],
        [two, "/", null],
        [two, "/b", null],
        [three, "/", null],
        [three, "/b", null],
        [four, "/", null],
        [four, "/b", null],
    ]);
    story.check(query(attention), expected).await;
}

#[tokio::test]
async fn zero_fill_has_its_limit() {
    let mut story = Story::new("Etc/UTC").await;
    let mut visit = story.visit(1);
    for page in 0..100 {
        visit = visit.view("01 10:00:00", &format!("/{page}"));
    }
    drop(visit);
    story.told().await;
    let query = |days: u8| {
        json!({
            "date_range": ["2024-05-01", format!("2024-05-{days:02}")], "dimensions": ["time:15min", "event:page"],
            "include": { "zero_fill": true }, "pagination": { "limit": 1, "offset": 95_999 },
        })
    };
    assert_eq!(story.rows(&query(10)).await, json!([["2024-05-10 23:45:00", "/99", 0]]));
    let error = story.ask(&query(11)).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "#/include/zero_fill: Invalid zero_fill true: the report has more than 100000 rows then."
    );
}

#[tokio::test]
async fn all_begins_on_the_day_of_the_first_event() {
    let mut story = Story::new("America/New_York").await;
    story.visit(1).view("02 03:00:00", "/");
    story.told().await;
    let answer = story.ask(&json!({ "date_range": "all" })).await.unwrap();
    assert_eq!(
        answer["query"]["date_range"],
        json!(["2024-05-01T00:00:00-04:00", "2024-06-15T23:59:59-04:00"])
    );
    let nothing = Story::new("Etc/UTC").await.ask(&json!({ "date_range": "all" })).await.unwrap();
    assert_eq!(
        nothing["query"]["date_range"],
        json!(["2024-06-15T00:00:00+00:00", "2024-06-15T23:59:59+00:00"])
    );
}

#[tokio::test]
async fn all_time_begins_with_the_first_day_that_is_told_where_small_numbers_are_not() {
    let mut story = Story::new("Etc/UTC").await;
    let told_from = async |story: &Story| {
        let known = Known::new(&story.site, "2024-05-20T12:00:00Z".parse::<Timestamp>().unwrap());
        let query =
            json!({ "site_id": "example.com", "metrics": ["visitors"], "date_range": "all" });
        let known = Known { floor: Floor::of(5), ..known };
        let answer = report::ask_knowing(&story.store, known, &query).await.unwrap();
        answer["query"]["date_range"][0].as_str().unwrap()[..10].to_owned()
    };
    assert_eq!(told_from(&story).await, "2024-05-20");
    // Few, today and before: it is as if there were none.
    story.visit(1).view("20 10:00:00", "/");
    for visitor in 2..6 {
        story.visit(visitor).view("03 10:00:00", "/");
    }
    story.told().await;
    assert_eq!(told_from(&story).await, "2024-05-20");
    for visitor in 10..15 {
        story.visit(visitor).view("07 10:00:00", "/");
    }
    story.told().await;
    assert_eq!(told_from(&story).await, "2024-05-07");
}

#[tokio::test]
async fn the_echoed_query_has_the_same_answer() {
    // [38]
    let mut story = Story::new("Europe/Berlin").await;
    story.visit(1).from("Google").view("01 22:30:00", "/");
    story.visit(2).view("02 10:00:00", "/");
    story.told().await;
    let query = json!({
        "metrics": ["visitors", "bounce_rate"], "date_range": ["2024-05-02", "2024-05-03"], "dimensions": ["time"],
        "filters": [["is_not", "visit:source", ["Bing"]]], "include": { "time_labels": true, "total_rows": true },
    });
    let answer = story.ask(&query).await.unwrap();
    assert_eq!(story.ask(&answer["query"]).await.unwrap(), answer);
}

#[tokio::test]
async fn the_echoed_query_is_sorted_by_visitors_within_its_buckets_as_well() {
    // [38]
    let mut story = Story::new("Etc/UTC").await;
    story.visit(1).view("01 10:00:00", "/a");
    story.visit(2).view("01 10:00:00", "/b");
    story.visit(3).view("01 10:00:00", "/b");
    story.told().await;
    let query = json!({ "metrics": ["time_on_page"], "dimensions": ["time:day", "event:page"] });
    let answer = story.ask(&query).await.unwrap();
    assert_eq!(answer["results"][0]["dimensions"], json!(["2024-05-01", "/b"]));
    assert_eq!(story.ask(&answer["query"]).await.unwrap(), answer);
}
