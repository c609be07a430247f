//! The older dialect: the same numbers, in answers of its own shape.

use hyper::{Method, StatusCode};
use passerby::query::Known;
use passerby::query::v1::Kind;
use passerby::report::format::Table;
use passerby::report::{ask_v1, visitors_now};
use passerby::site::goal::{Goal, GoalKind};
use serde_json::{Value, json};

use super::story::Story;
use crate::support::Collector;

async fn answered(story: &Story, kind: Kind, parameters: &[(&str, &str)]) -> Value {
    answered_twice(story, kind, parameters).await.0["results"].clone()
}

/// The answer, and the table that it is.
async fn answered_twice(story: &Story, kind: Kind, parameters: &[(&str, &str)]) -> (Value, Table) {
    let owned = parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let known = Known::new(&story.site, "2024-06-15T12:00:00Z".parse().unwrap());
    let known = Known { goals: &story.goals, ..known };
    ask_v1(&story.store, known, kind, &owned.collect::<Vec<_>>()).await.unwrap()
}

async fn told() -> Story {
    let mut story = Story::new("Europe/Berlin").await;
    let mut firefox = story.visit(1).from("Google");
    firefox = firefox.browser("Firefox", "126.0", "campaign");
    firefox.view("01 10:00:00", "/").view("01 10:01:00", "/b");
    story.visit(2).browser("Chrome", "126.0", "").view("01 11:00:00", "/");
    story.visit(3).browser("Firefox", "126.0", "").view("03 11:00:00", "/");
    story.told().await;
    story
}

#[tokio::test]
async fn an_aggregate_is_a_number_a_metric_beside_that_of_the_period_before() {
    let story = told().await;
    let parameters = [
        ("period", "day"),
        ("date", "2024-05-01"),
        ("metrics", "visitors,bounce_rate,views_per_visit"),
    ];
    let expected = json!({
        "visitors": { "value": 2 }, "bounce_rate": { "value": 50 }, "views_per_visit": { "value": 1.5 },
    });
    assert_eq!(answered(&story, Kind::Aggregate, &parameters).await, expected);
    let parameters =
        [("period", "custom"), ("date", "2024-05-03,2024-05-04"), ("compare", "previous_period")];
    let expected = json!({ "visitors": { "value": 1, "comparison_value": 2, "change": -50 } });
    assert_eq!(answered(&story, Kind::Aggregate, &parameters).await, expected);
}

#[tokio::test]
async fn a_time_series_has_every_bucket() {
    // [17], [18]
    let story = told().await;
    let metrics = ("metrics", "visitors,pageviews,bounce_rate,visit_duration,views_per_visit");
    let parameters = [("period", "custom"), ("date", "2024-05-01,2024-05-02"), metrics];
    let expected = json!([
        { "date": "2024-05-01", "visitors": 2, "pageviews": 3, "bounce_rate": 50, "visit_duration": 30, "views_per_visit": 1.5 },
        { "date": "2024-05-02", "visitors": 0, "pageviews": 0, "bounce_rate": 0, "visit_duration": null, "views_per_visit": 0.0 },
    ]);
    assert_eq!(answered(&story, Kind::Timeseries, &parameters).await, expected);
    let hours =
        answered(&story, Kind::Timeseries, &[("period", "day"), ("date", "2024-05-01")]).await;
    assert_eq!(hours.as_array().unwrap().len(), 24);
    assert_eq!(hours[12], json!({ "date": "2024-05-01 12:00:00", "visitors": 1 }));
}

#[tokio::test]
async fn a_breakdown_has_short_names_and_no_blank_rows() {
    // [24], [25], [34]
    let story = told().await;
    let month = [("period", "month"), ("date", "2024-05-01")];
    let with = |more: &[(&'static str, &'static str)]| [&month[..], more].concat();
    let versions =
        answered(&story, Kind::Breakdown, &with(&[("property", "visit:browser_version")])).await;
    let expected = json!([
        { "browser_version": "126.0", "browser": "Firefox", "visitors": 2 },
        { "browser_version": "126.0", "browser": "Chrome", "visitors": 1 },
    ]);
    assert_eq!(versions, expected);
    let campaigns =
        answered(&story, Kind::Breakdown, &with(&[("property", "visit:utm_campaign")])).await;
    assert_eq!(campaigns, json!([{ "utm_campaign": "campaign", "visitors": 1 }]));
    let sources = with(&[
        ("property", "visit:source"),
        ("filters", "event:page==/*;visit:browser==F*|S*"),
        ("limit", "1"),
    ]);
    assert_eq!(
        answered(&story, Kind::Breakdown, &sources).await,
        json!([{ "source": "Direct / None", "visitors": 1 }])
    );
    let cities = with(&[("property", "visit:city")]);
    assert_eq!(answered(&story, Kind::Breakdown, &cities).await, json!([]));
}

#[tokio::test]
async fn a_goal_with_a_star_in_its_name_is_found_by_v1() {
    // [26]
    let mut story = told().await;
    let kind = GoalKind::Page("/b**".into());
    story.goals = vec![Goal { name: "Visit /b**".into(), kind, currency: None }];
    let parameters = [
        ("period", "month"),
        ("date", "2024-05-01"),
        ("metrics", "visitors,conversion_rate"),
        ("filters", "event:goal==Visit /b**"),
    ];
    let expected = json!({ "visitors": { "value": 1 }, "conversion_rate": { "value": 33.33 } });
    assert_eq!(answered(&story, Kind::Aggregate, &parameters).await, expected);
}

#[tokio::test]
async fn a_rate_of_conversion_is_of_its_row_but_of_all_where_rows_are_goals_or_properties() {
    // [29]
    let mut story = told().await;
    let kind = GoalKind::Event("Signup".into());
    story.goals = vec![Goal { name: "Signup".into(), kind, currency: None }];
    story.visit(4).from("Google").event("01 12:00:00", "Signup", "/").prop("plan", "pro");
    story.told().await;
    let day = [("period", "custom"), ("date", "2024-05-01,2024-05-01")];
    let ask = async |kind: Kind, more: &[(&str, &str)]| {
        let parameters = [&day[..], &[("metrics", "visitors,conversion_rate")], more].concat();
        answered(&story, kind, &parameters).await
    };
    let met = ("filters", "event:goal==Signup");
    let all = ask(Kind::Aggregate, &[met]).await;
    assert_eq!(all, json!({ "visitors": { "value": 1 }, "conversion_rate": { "value": 33.33 } }));
    let sources = ask(Kind::Breakdown, &[met, ("property", "visit:source")]).await;
    let expected = json!([{ "source": "Google", "visitors": 1, "conversion_rate": 50.0 }]);
    assert_eq!(sources, expected);
    let days = ask(Kind::Timeseries, &[met]).await;
    let expected = json!([{ "date": "2024-05-01", "visitors": 1, "conversion_rate": 33.33 }]);
    assert_eq!(days, expected);
    let goals = ask(Kind::Breakdown, &[("property", "event:goal")]).await;
    assert_eq!(goals, json!([{ "goal": "Signup", "visitors": 1, "conversion_rate": 33.33 }]));
    let plans = ask(Kind::Breakdown, &[met, ("property", "event:props:plan")]).await;
    assert_eq!(plans, json!([{ "plan": "pro", "visitors": 1, "conversion_rate": 33.33 }]));
}

#[tokio::test]
async fn time_on_page_alone_is_sorted_by_visitors_in_v1_as_well() {
    // [22]
    let mut story = Story::new("Etc/UTC").await;
    let visit = story.visit(1).view("01 10:00:00", "/a");
    visit.ping("01 10:01:00", "/a").attention(60_000, 50);
    for visitor in [2, 3] {
        let visit = story.visit(visitor).view("01 11:00:00", "/b");
        visit.ping("01 11:00:30", "/b").attention(5_000, 50);
    }
    story.told().await;
    let of_page = [("period", "month"), ("date", "2024-05-01"), ("property", "event:page")];
    let parameters = [&of_page[..], &[("metrics", "time_on_page")]].concat();
    let expected =
        json!([{ "page": "/b", "time_on_page": 5 }, { "page": "/a", "time_on_page": 60 }]);
    assert_eq!(answered(&story, Kind::Breakdown, &parameters).await, expected);
    let parameters = [&of_page[..], &[("metrics", "time_on_page,visitors")]].concat();
    let pages = answered(&story, Kind::Breakdown, &parameters).await;
    assert_eq!(pages[0]["page"], "/a");
}

#[tokio::test]
async fn a_bucket_in_which_nobody_scrolled_has_no_events_in_v1() {
    // [27]
    let mut story = told().await;
    let kind = GoalKind::Scroll("/**".into(), 60);
    story.goals = vec![Goal { name: "Read on".into(), kind, currency: None }];
    let of_days = [("period", "custom"), ("date", "2024-05-01,2024-05-02")];
    let asked = [("metrics", "events"), ("filters", "event:goal==Read on")];
    let days = answered(&story, Kind::Timeseries, &[of_days, asked].concat()).await;
    let expected =
        json!([{ "date": "2024-05-01", "events": null }, { "date": "2024-05-02", "events": null }]);
    assert_eq!(days, expected);
}

#[tokio::test]
async fn a_bar_is_one_and_blanks_around_it_are_none_in_patterns_of_v1_as_well() {
    // [34]
    let mut story = Story::new("Etc/UTC").await;
    for (visitor, page) in [(1, "/a|b/c"), (2, "/a"), (3, "b/c"), (4, "b/d"), (5, "/d")] {
        story.visit(visitor).view("01 10:00:00", page);
    }
    story.told().await;
    let check = async |filter: &str, expected: u64| {
        let parameters = [("period", "month"), ("date", "2024-05-01"), ("filters", filter)];
        let expected = json!({ "visitors": { "value": expected } });
        assert_eq!(answered(&story, Kind::Aggregate, &parameters).await, expected, "{filter}");
    };
    check(r"event:page==/a\|b*", 1).await;
    check(r"event:page!=/a\|b*", 4).await;
    check("event:page==/a|b*", 3).await;
    check("event:page == /a* | /d", 3).await;
}

#[tokio::test]
async fn a_property_may_be_called_as_a_metric_is() {
    let mut story = Story::new("Etc/UTC").await;
    let visit = story.visit(1).view("01 10:00:00", "/");
    visit.prop("total_revenue", "high").prop("visitors", "many");
    story.told().await;
    let ask = async |property: &str| {
        let of_property = ("property", property);
        let parameters = [("period", "month"), ("date", "2024-05-01"), of_property];
        answered_twice(&story, Kind::Breakdown, &parameters).await
    };
    let (answer, table) = ask("event:props:total_revenue").await;
    assert_eq!(answer["results"], json!([{ "total_revenue": "high", "visitors": 1 }]));
    assert_eq!(json!(table.rows()), json!([["high", 1]]));
    let (_, table) = ask("event:props:visitors").await;
    assert_eq!(json!(table.rows()), json!([["many", 1]]));
}

#[tokio::test]
async fn what_one_kind_of_question_does_not_need_is_ignored_and_dates_are_read_as_they_are_sent() {
    // [40]
    let story = told().await;
    let parameters =
        [("period", "custom"), ("date", "2024-05-01, 2024-05-02"), ("property", "visit:source")];
    let expected = json!({ "visitors": { "value": 2 } });
    assert_eq!(answered(&story, Kind::Aggregate, &parameters).await, expected);
    let parameters = [&parameters[..], &[("interval", "date")]].concat();
    let days = answered(&story, Kind::Timeseries, &parameters).await;
    assert_eq!(
        days,
        json!([{ "date": "2024-05-01", "visitors": 2 }, { "date": "2024-05-02", "visitors": 0 }])
    );
}

#[tokio::test]
async fn there_now_is_who_did_something_in_the_last_five_minutes() {
    let mut story = Story::new("Etc/UTC").await;
    story.visit(1).view("01 10:00:00", "/").view("01 10:30:00", "/");
    story.visit(2).view("01 10:20:00", "/").ping("01 10:29:00", "/");
    story.visit(3).event("01 10:26:00", "Signup", "/");
    story.told().await;
    let now = |moment: &str| Known::new(&story.site, moment.parse().unwrap());
    assert_eq!(visitors_now(&story.store, now("2024-05-01T10:30:30Z"), &[]).await.unwrap(), 2);
    assert_eq!(visitors_now(&story.store, now("2024-05-01T10:15:00Z"), &[]).await.unwrap(), 0);
}

#[tokio::test]
async fn the_older_dialect_is_asked_with_get_and_a_token() {
    let collector = Collector::start(&[]).await;
    collector.run(&["site", "add", "one.test"]);
    let token = collector.run(&["token", "create", "--scope", "stats", "--site", "one.test"]);
    let bearer = format!("Bearer {token}");
    let ask = async |path: &str| {
        collector
            .request(
                Method::GET,
                &format!("/api/v1/stats/{path}"),
                &[("authorization", &bearer)],
                "",
            )
            .await
    };
    let now = ask("realtime/visitors?site_id=one.test").await;
    assert_eq!((now.status, now.json()), (StatusCode::OK, json!(0)));
    let answer = ask("aggregate?site_id=one.test&period=7d&metrics=visitors%2Cpageviews").await;
    assert_eq!(
        answer.json(),
        json!({ "results": { "visitors": { "value": 0 }, "pageviews": { "value": 0 } } })
    );
    assert_eq!(
        ask("timeseries?site_id=one.test&period=7d").await.json()["results"]
            .as_array()
            .unwrap()
            .len(),
        7
    );
    assert_eq!(
        ask("breakdown?site_id=one.test&property=event:page").await.json(),
        json!({ "results": [] })
    );
    // [39]
    assert_eq!(ask("aggregate?period=7d").await.status, StatusCode::BAD_REQUEST);
    assert_eq!(ask("aggregate?site_id=two.test").await.status, StatusCode::UNAUTHORIZED);
    let wrong = ask("breakdown?site_id=one.test&property=event:page&metrics=visitors,baa").await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
    assert_eq!(wrong.json(), json!({ "error": r##"#/metrics/1: Invalid metric "baa""## }));
    let without =
        collector.request(Method::GET, "/api/v1/stats/aggregate?site_id=one.test", &[], "").await;
    assert_eq!(without.status, StatusCode::UNAUTHORIZED);
}
