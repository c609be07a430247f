//! Journeys: where visits went from a step, and where they came from.

use std::collections::BTreeMap;

use passerby::event::Event;
use passerby::site::goal::{Goal, GoalKind};
use serde_json::{Value, json};

use super::model::{PERIOD, counts, traffic, within};
use super::story::Story;

async fn check(story: &Story, parts: Value, expected: Value) {
    let answer = story.ask_journey(&parts).await.unwrap_or_else(|error| panic!("{parts}: {error}"));
    assert_eq!(answer["results"], expected, "{parts}");
}

/// Five visits that came to a shop.
async fn shop() -> Story {
    let mut story = Story::new("Etc/UTC").await;
    let visit = story
        .visit(1)
        .from("A")
        .view("01 10:00:00", "/")
        .view("01 10:00:00", "/shop")
        .view("01 10:00:00", "/shop");
    visit
        .ping("01 10:00:30", "/shop")
        .event("01 10:01:00", "Order", "/shop")
        .view("01 10:02:00", "/");
    story
        .visit(2)
        .from("A")
        .view("01 10:00:00", "/shop")
        .view("01 10:01:00", "/a")
        .view("01 10:02:00", "/shop")
        .view("01 10:03:00", "/b");
    story
        .visit(3)
        .view("01 10:00:00", "/x")
        .view("01 10:01:00", "/")
        .view("01 10:02:00", "/shop")
        .view("01 10:03:00", "/a");
    story.visit(4).view("01 10:00:00", "/").view("01 10:01:00", "/shop");
    story.visit(5).view("01 10:00:00", "/").view("01 10:01:00", "/elsewhere");
    story.nobody().view("01 10:00:00", "/shop");
    story.told().await;
    story
}

#[tokio::test]
async fn a_journey_forward_is_from_the_first_time_and_repeats_are_folded() {
    let story = shop().await;
    let [ended, others] = [0, 0];
    let expected = json!({
        "name": "/shop", "visits": 4, "ended": 1, "others": 0, "next": [
            { "page": "/a", "visits": 2, "ended": 1, "others": 0, "next": [{ "page": "/shop", "visits": 1 }] },
            { "event": "Order", "visits": 1, "ended": ended, "others": others, "next": [{ "page": "/", "visits": 1 }] },
        ],
    });
    check(&story, json!({ "from": { "page": "/shop" }, "depth": 2 }), expected).await;
    let pages = json!({ "from": { "page": "/shop" }, "depth": 1, "of": "pages" });
    let expected = json!({ "name": "/shop", "visits": 4, "ended": 1, "others": 0, "next": [
        { "page": "/a", "visits": 2 }, { "page": "/", "visits": 1 },
    ] });
    check(&story, pages, expected).await;
    let events = json!({ "from": { "page": "/shop" }, "depth": 1, "of": "events" });
    let expected = json!({ "name": "/shop", "visits": 4, "ended": 3, "others": 0, "next": [{ "event": "Order", "visits": 1 }] });
    check(&story, events, expected).await;
}

#[tokio::test]
async fn a_journey_backward_is_to_the_first_time() {
    let story = shop().await;
    let expected = json!({
        "name": "/shop", "visits": 4, "began": 1, "others": 0, "previous": [
            { "page": "/", "visits": 3, "began": 2, "others": 0, "previous": [{ "page": "/x", "visits": 1 }] },
        ],
    });
    check(&story, json!({ "from": { "page": "/sh*" }, "direction": "backward", "depth": 2 }), {
        let mut expected = expected.clone();
        expected["name"] = json!("/sh*");
        expected
    })
    .await;
    let expected = json!({ "name": "Order", "visits": 1, "began": 0, "others": 0, "previous": [{ "page": "/shop", "visits": 1 }] });
    check(
        &story,
        json!({ "from": { "event": "Order" }, "direction": "backward", "depth": 1 }),
        expected,
    )
    .await;
}

#[tokio::test]
async fn what_is_not_among_the_commonest_is_counted_as_others() {
    let mut story = Story::new("Etc/UTC").await;
    for (visitor, page) in (1..).zip(["/c", "/b", "/a", "/a", "/d"]) {
        story
            .visit(visitor)
            .view("01 10:00:00", "/")
            .view("01 10:01:00", page)
            .view("01 10:02:00", "/z");
    }
    story.visit(6).view("01 10:00:00", "/");
    story.visit(7).view("01 10:00:00", "/");
    story.told().await;
    let then = json!([{ "page": "/z", "visits": 1 }]);
    let expected = json!({
        "name": "/", "visits": 7, "ended": 2, "others": 2, "next": [
            { "page": "/a", "visits": 2, "ended": 0, "others": 0, "next": [{ "page": "/z", "visits": 2 }] },
            { "page": "/b", "visits": 1, "ended": 0, "others": 0, "next": then },
        ],
    });
    check(&story, json!({ "from": { "page": "/" }, "depth": 2, "branches": 2 }), expected).await;
}

#[tokio::test]
async fn a_journey_is_of_the_visits_that_meet_its_filters_and_from_anything_that_an_event_is() {
    let mut story = shop().await;
    story.goals = vec![Goal {
        name: "Read".into(),
        kind: GoalKind::Scroll("/shop".into(), 0),
        currency: None,
    }];
    let from = json!({ "filters": [["starts_with", "event:page", ["/sh"]]], "name": "the shop" });
    let query = json!({ "from": from, "depth": 1, "filters": [["is", "visit:source", ["A"]], ["is", "event:page", ["/b"]]] });
    let expected = json!({ "name": "the shop", "visits": 1, "ended": 0, "others": 0, "next": [{ "page": "/a", "visits": 1 }] });
    check(&story, query, expected).await;
    let nothing = json!({ "from": { "page": "/nowhere" }, "depth": 1 });
    check(
        &story,
        nothing,
        json!({ "name": "/nowhere", "visits": 0, "ended": 0, "others": 0, "next": [] }),
    )
    .await;
    // Attention can be where a journey starts, and is no stop on it.
    story
        .visit(6)
        .view("02 10:00:00", "/shop")
        .ping("02 10:00:10", "/shop")
        .attention(1_000, 70)
        .ping("02 10:00:20", "/shop")
        .attention(1_000, 80)
        .view("02 10:01:00", "/a");
    story.told().await;
    let expected = json!({ "name": "Read", "visits": 1, "ended": 0, "others": 0, "next": [{ "page": "/a", "visits": 1 }] });
    check(&story, json!({ "from": { "goal": "Read" }, "depth": 1 }), expected).await;
}

fn stop(event: &Event) -> String {
    let happening = &event.happening;
    match happening.name.as_str() {
        "pageview" => format!("p{}", happening.pathname),
        name => format!("e{name}"),
    }
}

/// The tree of the model: from these ways, each counted once, of which `branches` are kept at each stop.
fn tree(ways: &[&[String]], steps: usize, branches: usize, names: [&str; 2]) -> Value {
    let mut told = json!({ "visits": ways.len() });
    if steps == 0 {
        return told;
    }
    let mut next: BTreeMap<&str, Vec<&[String]>> = BTreeMap::new();
    for way in ways {
        if let [stop, rest @ ..] = way {
            next.entry(stop).or_default().push(rest);
        }
    }
    let on: usize = next.values().map(Vec::len).sum();
    let mut next: Vec<_> = next.into_iter().collect();
    next.sort_by_key(|(_, ways)| std::cmp::Reverse(ways.len()));
    next.truncate(branches);
    let kept: usize = next.iter().map(|(_, ways)| ways.len()).sum();
    told[names[0]] = json!(ways.len() - on);
    told["others"] = json!(on - kept);
    told[names[1]] = next
        .into_iter()
        .map(|(stop, ways)| {
            let mut told = tree(&ways, steps - 1, branches, names);
            told[if stop.starts_with('p') { "page" } else { "event" }] = json!(stop[1..]);
            told
        })
        .collect();
    told
}

#[tokio::test]
async fn on_random_traffic_journeys_agree_with_the_model() {
    for seed in 50..54 {
        let story = traffic(seed).await;
        let mut visits: BTreeMap<u64, Vec<String>> = BTreeMap::new();
        let known =
            |event: &&Event| counts(event) && within(event) && event.happening.session_id.0 != 0;
        for event in story.events.iter().filter(known) {
            visits.entry(event.happening.session_id.0).or_default().push(stop(event));
        }
        for (direction, names) in
            [("forward", ["ended", "next"]), ("backward", ["began", "previous"])]
        {
            let way = |stops: &Vec<String>| {
                let start = stops.iter().position(|stop| stop == "p/a")?;
                let mut way: Vec<String> = match direction {
                    "forward" => stops[start..].to_vec(),
                    _ => stops[..=start].iter().rev().cloned().collect(),
                };
                way.dedup();
                Some(way.split_off(1))
            };
            let ways: Vec<Vec<String>> = visits.values().filter_map(way).collect();
            let ways: Vec<&[String]> = ways.iter().map(Vec::as_slice).collect();
            for (depth, branches) in [(1, 2), (3, 1), (4, 2), (5, 5)] {
                let mut expected = tree(&ways, depth, branches, names);
                expected["name"] = json!("/a");
                let query = json!({
                    "date_range": PERIOD, "from": { "page": "/a" }, "direction": direction, "depth": depth, "branches": branches,
                });
                check(&story, query, expected).await;
            }
        }
    }
}
