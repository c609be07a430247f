//! Funnels: who goes through all steps, one after the other.

use std::collections::{BTreeMap, BTreeSet};

use passerby::event::Event;
use passerby::site::goal::{Goal, GoalKind};
use serde_json::{Value, json};

use super::model::{PERIOD, counts, time, traffic, within};
use super::story::Story;

/// The visitors of each step, a list for each row, after the row's dimension.
async fn rows(story: &Story, parts: &Value) -> Value {
    let answer = story.ask_funnel(parts).await.unwrap_or_else(|error| panic!("{parts}: {error}"));
    answer["results"].as_array().unwrap().iter().map(row).collect()
}

fn row(row: &Value) -> Value {
    let visitors = row["steps"].as_array().unwrap().iter().map(|step| step["visitors"].clone());
    row["dimensions"].as_array().unwrap().iter().cloned().chain(visitors).collect()
}

async fn check(story: &Story, parts: Value, expected: Value) {
    assert_eq!(rows(story, &parts).await, expected, "{parts}");
}

fn pages(pages: &[&str]) -> Value {
    pages.iter().map(|page| json!({ "page": page })).collect()
}

#[tokio::test]
async fn steps_are_done_one_after_the_other_and_anything_may_come_between() {
    let mut story = Story::new("Etc/UTC").await;
    story.visit(1).view("01 10:00:00", "/a").view("01 10:01:00", "/x").view("01 10:02:00", "/b");
    story.visit(2).view("01 10:00:00", "/b").view("01 10:01:00", "/a");
    story.visit(3).view("01 10:00:00", "/a").event("01 10:01:00", "Signup", "/b");
    story
        .visit(4)
        .view("01 10:00:00", "/b")
        .view("01 10:01:00", "/a")
        .view("01 10:02:00", "/b")
        .view("01 10:03:00", "/c");
    // Two visits of one visitor are one visitor, who reached what the better of them did.
    story.visit(5).view("01 10:00:00", "/a");
    story.visit(5).view("01 15:00:00", "/a").view("01 15:01:00", "/b");
    story.nobody().view("01 10:00:00", "/a").view("01 10:01:00", "/b");
    story.visit(6).ping("01 10:00:00", "/a").view("01 10:01:00", "/b");
    story.told().await;
    check(&story, json!({ "steps": pages(&["/a", "/b", "/c"]) }), json!([[5, 3, 1]])).await;
    check(&story, json!({ "steps": pages(&["/nowhere", "/b"]) }), json!([[0, 0]])).await;
    let steps = json!([{ "page": "/a" }, { "event": "Signup" }]);
    check(&story, json!({ "steps": steps }), json!([[5, 1]])).await;
    let by_source = json!({ "steps": pages(&["/nowhere", "/b"]), "dimensions": ["visit:source"] });
    check(&story, by_source, json!([])).await;
}

#[tokio::test]
async fn one_event_is_one_step_and_a_page_may_be_a_step_twice() {
    let mut story = Story::new("Etc/UTC").await;
    story.visit(1).view("01 10:00:00", "/a");
    story.visit(2).view("01 10:00:00", "/a").view("01 10:01:00", "/a");
    story.visit(3).view("01 10:00:00", "/a").view("01 10:01:00", "/a").view("01 10:02:00", "/a");
    story.told().await;
    for mode in ["loose", "strict"] {
        for window in [json!("visit"), json!(600)] {
            let steps = json!([{ "page": "/a" }, { "page": "/*" }, { "filters": [["is", "event:name", ["pageview"]]] }]);
            check(
                &story,
                json!({ "steps": steps, "mode": mode, "window": window }),
                json!([[3, 2, 1]]),
            )
            .await;
        }
    }
}

#[tokio::test]
async fn strict_steps_follow_directly_at_whichever_attempt() {
    let mut story = Story::new("Etc/UTC").await;
    story.visit(1).view("01 10:00:00", "/a").view("01 10:01:00", "/x").view("01 10:02:00", "/b");
    let visit = story.visit(2).view("01 10:00:00", "/a").view("01 10:01:00", "/x");
    visit.view("01 10:02:00", "/a").view("01 10:03:00", "/b").event("01 10:04:00", "Signup", "/b");
    // Attention is no event that could come between; a custom event is one.
    story.visit(3).view("01 10:00:00", "/a").ping("01 10:00:30", "/a").view("01 10:01:00", "/b");
    story
        .visit(4)
        .view("01 10:00:00", "/a")
        .event("01 10:00:30", "Click", "/a")
        .view("01 10:01:00", "/b");
    story.told().await;
    let steps = json!([{ "page": "/a" }, { "page": "/b" }, { "event": "Signup" }]);
    check(&story, json!({ "steps": steps, "mode": "loose" }), json!([[4, 4, 1]])).await;
    check(&story, json!({ "steps": steps, "mode": "strict" }), json!([[4, 2, 1]])).await;
}

#[tokio::test]
async fn events_of_the_same_second_keep_the_order_of_their_arrival() {
    let mut story = Story::new("Etc/UTC").await;
    story.visit(1).view("01 10:00:00", "/a").view("01 10:00:00", "/b").view("01 10:00:00", "/c");
    story.visit(2).view("01 10:00:00", "/c").view("01 10:00:00", "/b").view("01 10:00:00", "/a");
    // What arrives late, within a visit, is late; between visits, and in a window, time is the order.
    story.visit(3).view("01 10:10:00", "/a").view("01 10:00:00", "/b").view("01 10:00:00", "/c");
    story.told().await;
    for mode in ["loose", "strict"] {
        let query = json!({ "steps": pages(&["/a", "/b", "/c"]), "mode": mode });
        check(&story, query, json!([[3, 2, 2]])).await;
        let query = json!({ "steps": pages(&["/a", "/b", "/c"]), "mode": mode, "window": 3600 });
        check(&story, query, json!([[3, 1, 1]])).await;
    }
}

#[tokio::test]
async fn a_window_of_seconds_is_from_the_first_step_and_over_the_visits_of_a_visitor() {
    let mut story = Story::new("Etc/UTC").await;
    story.visit(1).view("01 10:00:00", "/a").view("01 10:01:40", "/b");
    story.visit(2).view("01 10:00:00", "/a").view("01 10:01:41", "/b");
    // The first step again begins the window again.
    story.visit(3).view("01 10:00:00", "/a").view("01 10:01:00", "/a").view("01 10:02:40", "/b");
    story.visit(4).view("01 10:00:00", "/a").view("01 10:01:00", "/b").view("01 10:01:41", "/c");
    story.visit(5).view("01 10:00:00", "/a");
    story.visit(5).view("01 10:45:00", "/b").view("01 11:00:00", "/c");
    story.told().await;
    let steps = pages(&["/a", "/b", "/c"]);
    check(&story, json!({ "steps": steps, "window": 100 }), json!([[5, 3, 0]])).await;
    check(&story, json!({ "steps": steps, "window": 101 }), json!([[5, 4, 1]])).await;
    check(&story, json!({ "steps": steps, "window": 3600 }), json!([[5, 5, 2]])).await;
    check(&story, json!({ "steps": steps, "window": "visit" }), json!([[5, 4, 1]])).await;
}

#[tokio::test]
async fn filters_say_which_visits_count_and_goals_are_steps() {
    let mut story = Story::new("Etc/UTC").await;
    story.goals = vec![
        Goal { name: "Read".into(), kind: GoalKind::Scroll("/a".into(), 50), currency: None },
        Goal { name: "Order".into(), kind: GoalKind::Event("Order".into()), currency: None },
    ];
    let visit = story
        .visit(1)
        .from("A")
        .view("01 10:00:00", "/a")
        .ping("01 10:00:30", "/a")
        .attention(9_000, 60);
    visit.event("01 10:01:00", "Order", "/b").prop("plan", "pro").view("01 10:02:00", "/c");
    let visit = story
        .visit(2)
        .from("B")
        .view("01 10:00:00", "/a")
        .ping("01 10:00:30", "/a")
        .attention(9_000, 40);
    visit.event("01 10:01:00", "Order", "/b").prop("plan", "free");
    story.visit(3).from("B").view("01 10:00:00", "/a");
    story.told().await;
    let goals =
        json!([{ "page": "/a" }, { "goal": "Read" }, { "goal": "Order", "name": "bought" }]);
    for mode in ["loose", "strict"] {
        check(&story, json!({ "steps": goals, "mode": mode }), json!([[3, 1, 1]])).await;
    }
    let paid = json!([{ "page": "/a" }, { "filters": [["is", "event:goal", ["Order"]], ["is", "event:props:plan", ["pro"]]] }]);
    check(&story, json!({ "steps": paid }), json!([[3, 1]])).await;
    let steps = json!([{ "page": "/a" }, { "event": "Order" }]);
    let with = |filter: Value| json!({ "steps": steps, "filters": [filter] });
    check(&story, with(json!(["is", "visit:source", ["B"]])), json!([[2, 1]])).await;
    check(&story, with(json!(["is", "visit:exit_page", ["/c"]])), json!([[1, 1]])).await;
    // A filter on events does not hide the steps of the visits that meet it.
    check(&story, with(json!(["is", "event:page", ["/c"]])), json!([[1, 1]])).await;
    check(&story, with(json!(["is_set", "event:props:plan"])), json!([[2, 2]])).await;
    check(&story, with(json!(["has_not_done", ["is", "event:name", ["Order"]]])), json!([[1, 0]]))
        .await;
    check(&story, json!({ "steps": steps, "filters": [["is", "event:page", ["/c"]], ["is", "event:name", ["Order"]]] }), json!([[0, 0]])).await;
    let answer = story.ask_funnel(&json!({ "steps": goals })).await.unwrap();
    let names: Vec<_> = answer["results"][0]["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| &step["name"])
        .collect();
    assert_eq!(names, ["/a", "Read", "bought"]);
}

#[tokio::test]
async fn a_funnel_is_by_what_the_event_of_its_first_step_has() {
    let mut story = Story::new("Etc/UTC").await;
    story
        .visit(1)
        .from("A")
        .view("01 10:00:00", "/blog/1")
        .view("01 10:01:00", "/blog/2")
        .view("01 10:02:00", "/buy");
    story
        .visit(2)
        .from("A")
        .view("01 10:00:00", "/")
        .view("02 10:01:00", "/blog/2")
        .prop("plan", "pro");
    story.visit(3).view("02 10:00:00", "/blog/2").view("02 10:01:00", "/buy");
    story.visit(3).from("B").view("02 15:00:00", "/buy");
    story.told().await;
    let by = |dimension: &str| json!({ "steps": pages(&["/blog/*", "/buy"]), "dimensions": [dimension] });
    check(&story, by("visit:source"), json!([["A", 2, 1], ["Direct / None", 1, 1]])).await;
    check(&story, by("event:page"), json!([["/blog/2", 2, 1], ["/blog/1", 1, 1]])).await;
    check(
        &story,
        by("visit:entry_page"),
        json!([["/", 1, 0], ["/blog/1", 1, 1], ["/blog/2", 1, 1]]),
    )
    .await;
    check(&story, by("event:props:plan"), json!([["(none)", 2, 2], ["pro", 1, 0]])).await;
    check(&story, by("time:day"), json!([["2024-05-02", 2, 1], ["2024-05-01", 1, 1]])).await;
    let mut second = by("visit:entry_page");
    second["pagination"] = json!({ "limit": 1, "offset": 1 });
    check(&story, second, json!([["/blog/1", 1, 1]])).await;
}

#[tokio::test]
async fn a_funnel_is_compared_with_that_of_another_time() {
    let mut story = Story::new("Etc/UTC").await;
    story.visit(1).from("A").view("01 10:00:00", "/a");
    story.visit(2).from("A").view("02 10:00:00", "/a").view("02 10:01:00", "/b");
    story.visit(3).from("B").view("02 10:00:00", "/a");
    story.told().await;
    let query = json!({
        "steps": pages(&["/a", "/b"]), "date_range": ["2024-05-02", "2024-05-02"], "dimensions": ["visit:source"],
        "include": { "comparisons": { "mode": "previous_period" } },
    });
    let answer = story.ask_funnel(&query).await.unwrap();
    let results = answer["results"].as_array().unwrap();
    assert_eq!(results.iter().map(row).collect::<Value>(), json!([["A", 1, 1], ["B", 1, 0]]));
    let compared: Value = results.iter().map(|result| row(&result["comparison"])).collect();
    assert_eq!(compared, json!([["A", 1, 0], ["B", 0, 0]]));
    assert_eq!(results[1]["comparison"]["steps"][1]["conversion_rate"], 0.0);
    assert_eq!(story.ask_funnel(&answer["query"]).await.unwrap(), answer);
}

/// What the model's steps are, as queries say it.
const STEPS: [(&str, &str); 4] =
    [("page", "/*"), ("page", "/a"), ("event", "Signup"), ("page", "/b")];

fn is_step(event: &Event, step: usize) -> bool {
    let name = event.happening.name.as_str();
    match STEPS[step] {
        ("event", wanted) => name == wanted,
        (_, "/*") => name == "pageview",
        (_, page) => name == "pageview" && event.happening.pathname == page,
    }
}

/// How many of the steps the events, in their order, come to: from any first step, looked for in every way.
fn level(events: &[&Event], strict: bool, window: u32) -> usize {
    fn from(events: &[&Event], step: usize, begun: u32, strict: bool, window: u32) -> usize {
        if step == STEPS.len() {
            return step;
        }
        let reach = if strict { events.len().min(1) } else { events.len() };
        let goes_on = |place: &usize| {
            is_step(events[*place], step)
                && i64::from(time(events[*place])) <= i64::from(begun) + i64::from(window)
        };
        let each = (0..reach)
            .filter(goes_on)
            .map(|place| from(&events[place + 1..], step + 1, begun, strict, window));
        each.max().unwrap_or(step)
    }
    let starts = (0..events.len()).filter(|place| is_step(events[*place], 0));
    starts
        .map(|place| from(&events[place + 1..], 1, time(events[place]), strict, window))
        .max()
        .unwrap_or(0)
}

#[tokio::test]
async fn on_random_traffic_funnels_agree_with_the_model() {
    for seed in 40..44 {
        let story = traffic(seed).await;
        for strict in [false, true] {
            for window in [None, Some(300), Some(4_000)] {
                let mut actors: BTreeMap<u64, Vec<&Event>> = BTreeMap::new();
                let known = |event: &&Event| {
                    counts(event) && within(event) && event.happening.session_id.0 != 0
                };
                for event in story.events.iter().filter(known) {
                    let happening = &event.happening;
                    let actor =
                        window.map_or(happening.session_id.0, |_: u32| happening.visitor_id.0);
                    actors.entry(actor).or_default().push(event);
                }
                let mut reached = vec![BTreeSet::new(); STEPS.len()];
                for events in actors.values_mut() {
                    if window.is_some() {
                        events.sort_by_key(|event| {
                            (time(event), event.happening.session_id.0, event.happening.seq)
                        });
                    }
                    let level = level(events, strict, window.unwrap_or(u32::MAX));
                    for visitors in &mut reached[..level] {
                        visitors.insert(events[0].happening.visitor_id.0);
                    }
                }
                let expected: Vec<usize> = reached.iter().map(BTreeSet::len).collect();
                let steps: Vec<Value> =
                    STEPS.iter().map(|(kind, value)| json!({ *kind: value })).collect();
                let mode = if strict { "strict" } else { "loose" };
                let window = window.map_or(json!("visit"), |seconds| json!(seconds));
                let query =
                    json!({ "date_range": PERIOD, "steps": steps, "mode": mode, "window": window });
                check(&story, query, json!([expected])).await;
            }
        }
    }
}
