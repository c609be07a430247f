//! The traffic is the same for the same seed, and believable.

use std::collections::HashSet;

use super::*;
use crate::event::{ENGAGEMENT, Event, PAGEVIEW};
use crate::site::SiteId;

fn site() -> Site {
    Site::new(SiteId(1), DOMAIN, TimeZone::get(TIMEZONE).unwrap())
}

fn traffic(days: u32, events: u64) -> Vec<Vec<Event>> {
    let site = site();
    let now = "2026-11-24T15:00:00Z".parse().unwrap();
    let mut traffic = Traffic::new(&site, Amount { days, events, seed: 7 }, now);
    std::iter::from_fn(|| traffic.next_day()).collect()
}

#[test]
fn the_same_seed_gives_the_same_rows() {
    assert!(traffic(10, 3_000) == traffic(10, 3_000));
}

#[test]
fn a_year_has_about_as_many_events_as_were_asked_for() {
    let events: usize = traffic(365, 60_000).iter().map(Vec::len).sum();
    assert!((54_000..66_000).contains(&events), "{events}");
}

#[test]
fn weekends_are_quieter_and_the_year_grows() {
    let days = traffic(365, 60_000);
    let weight = |filter: &dyn Fn(usize) -> bool| {
        let chosen: Vec<usize> =
            (0..days.len()).filter(|&day| filter(day)).map(|day| days[day].len()).collect();
        chosen.iter().sum::<usize>() as f64 / chosen.len() as f64
    };
    // The last day is a Tuesday, so the first of 365 is one too.
    let is_weekend = |day: usize| matches!(day % 7, 4 | 5);
    assert!(weight(&is_weekend) < 0.85 * weight(&|day| !is_weekend(day)));
    assert!(weight(&|day| day >= 265) > 1.3 * weight(&|day| day < 100));
}

#[test]
fn people_come_from_many_places_with_many_browsers_and_by_many_channels() {
    let days = traffic(365, 60_000);
    let events: Vec<&Event> = days.iter().flatten().collect();
    let distinct = |value: &dyn Fn(&Event) -> String| {
        events.iter().map(|event| value(event)).collect::<HashSet<_>>().len()
    };
    assert!(distinct(&|event| event.attributes.country.clone()) >= 40);
    assert!(distinct(&|event| event.attributes.language.clone()) >= 20);
    assert!(distinct(&|event| event.attributes.browser.clone()) >= 7);
    assert!(distinct(&|event| event.attributes.channel.clone()) >= 9);
    for name in [
        "Site Search",
        "File Download",
        "Signup",
        "Purchase",
        "404",
        "Form: Submission",
        "Outbound Link: Click",
    ] {
        assert!(events.iter().any(|event| event.happening.name == name), "nobody did {name}");
    }
}

#[test]
fn about_half_of_the_visits_bounce_and_time_goes_on_within_each() {
    let days = traffic(60, 30_000);
    let mut visits: std::collections::HashMap<u64, Vec<&Event>> = std::collections::HashMap::new();
    for event in days.iter().flatten() {
        visits.entry(event.happening.session_id.0).or_default().push(event);
    }
    let is_bounce = |visit: &&Vec<&Event>| {
        let views = visit.iter().filter(|event| event.happening.name == PAGEVIEW).count();
        let acts = visit
            .iter()
            .any(|event| event.happening.name != PAGEVIEW && event.happening.name != ENGAGEMENT);
        views < 2 && !acts
    };
    let bounces = visits.values().filter(is_bounce).count() as f64 / visits.len() as f64;
    assert!((0.40..0.62).contains(&bounces), "{bounces}");
    for visit in visits.values() {
        assert!(visit.is_sorted_by_key(|event| event.happening.timestamp));
        assert!(
            visit
                .iter()
                .enumerate()
                .all(|(place, event)| event.happening.seq as usize == place + 1)
        );
    }
}

#[test]
fn nothing_has_happened_that_has_not_happened_yet() {
    let now = "2026-11-24T15:00:00Z".parse::<Timestamp>().unwrap().as_second();
    let latest =
        traffic(3, 3_000).iter().flatten().map(|event| event.happening.timestamp).max().unwrap();
    assert!(i64::from(latest) <= now && i64::from(latest) > now - 3600);
}

#[test]
fn what_happened_is_written_beside_the_day_on_which_more_people_come() {
    let days = traffic(365, 60_000);
    let now = "2026-11-24T15:00:00Z".parse().unwrap();
    let notes = annotations(&site(), 365, now);
    let dates: Vec<String> = notes.iter().map(|(date, _)| date.to_string()).collect();
    let sales = ["2026-04-01", "2026-05-01", "2026-11-20"];
    assert!(sales.iter().all(|day| dates.iter().any(|date| date == day)), "{dates:?}");
    let first = "2025-11-25".parse::<Date>().unwrap();
    for (date, _) in notes.iter().filter(|(_, text)| text.starts_with("Talked of")) {
        let day = usize::try_from(date.since(first).unwrap().get_days()).unwrap();
        assert!(days[day].len() > 2 * days[day - 7].len(), "{date}");
    }
}
