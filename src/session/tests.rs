//! The rules of visits, one by one and against a plain model.

use proptest::prelude::*;

use super::*;
use crate::event::SCROLL_DEPTH_UNKNOWN;

const SITE: SiteId = SiteId(1);
const VISITOR: VisitorId = VisitorId(42);
const START: u32 = 1_700_000_000;

fn arrival(after_s: i64, kind: Kind, pathname: &str) -> Arrival<'_> {
    let timestamp = u32::try_from(i64::from(START) + after_s).unwrap();
    Arrival { site: SITE, timestamp, kind, hostname: "example.com", pathname }
}

fn from(source: &str) -> impl FnOnce() -> Attributes {
    let attributes = Attributes { source: source.to_owned(), ..Attributes::default() };
    move || attributes
}

fn view(visits: &Visits, after_s: i64, pathname: &str) -> Placed {
    visits.place(&arrival(after_s, Kind::Pageview, pathname), VISITOR, None, from("")).unwrap()
}

#[test]
fn a_gap_of_thirty_whole_minutes_joins_and_one_more_does_not() {
    for (gap_s, joins) in [(0, true), (30 * 60 + 59, true), (31 * 60, false)] {
        let visits = Visits::new(10);
        let first = view(&visits, 0, "/");
        let second = view(&visits, gap_s, "/");
        assert_eq!(first.session == second.session, joins, "{gap_s} s");
        assert_eq!(second.seq, if joins { 2 } else { 1 });
    }
}

#[test]
fn an_event_older_than_the_last_one_joins() {
    let visits = Visits::new(10);
    let first = view(&visits, 0, "/");
    assert!(view(&visits, -7200, "/").session == first.session);
}

#[test]
fn engagement_keeps_a_visit_open_and_begins_none() {
    let visits = Visits::new(10);
    assert!(visits.place(&arrival(0, Kind::Engagement, "/"), VISITOR, None, from("")).is_none());
    let first = view(&visits, 0, "/");
    for minute in [20, 40, 60] {
        visits
            .place(&arrival(minute * 60, Kind::Engagement, "/"), VISITOR, None, from(""))
            .unwrap();
    }
    let last = view(&visits, 80 * 60, "/");
    assert!(last.session == first.session);
    assert_eq!(last.seq, 5);
}

#[test]
fn the_first_event_fixes_the_attributes_and_the_first_page_view_the_entry_page() {
    let visits = Visits::new(10);
    let first =
        visits.place(&arrival(0, Kind::Custom, "/custom"), VISITOR, None, from("Google")).unwrap();
    assert_eq!(first.visit.entry_pathname(), "");
    // It happened before, but it arrived later.
    view(&visits, -10, "/entry");
    let last =
        visits.place(&arrival(20, Kind::Pageview, "/next"), VISITOR, None, from("Bing")).unwrap();
    let source = last.visit.attributes().source;
    assert_eq!((last.visit.entry_pathname(), source.as_str()), ("/entry", "Google"));
}

#[test]
fn a_visit_goes_on_across_midnight_under_its_old_id() {
    let visits = Visits::new(10);
    let (old, new) = (VISITOR, VisitorId(43));
    let before = view(&visits, 0, "/");
    let after = visits.place(&arrival(60, Kind::Pageview, "/b"), new, Some(old), from("")).unwrap();
    assert!(after.session == before.session && after.visitor == old);
    let whose = |visitor| visits.whose(arrival(0, Kind::Custom, "").site, visitor);
    assert!(whose(new) == Some(old) && whose(old).is_none());
    // The old salt is gone by now.
    let later = visits.place(&arrival(31 * 60, Kind::Pageview, "/c"), new, None, from("")).unwrap();
    assert!(later.session == before.session && later.visitor == old);
    assert_eq!((later.seq, later.visit.entry_pathname()), (3, "/"));
}

#[test]
fn a_visit_lasts_at_most_a_day() {
    let visits = Visits::new(10);
    let first = view(&visits, 0, "/");
    let mut sessions = vec![];
    for quarter in 1..=97 {
        sessions.push(view(&visits, quarter * 900, "/").session);
    }
    assert!(sessions[95] == first.session && sessions[96] != first.session);
}

#[test]
fn ended_visits_are_forgotten_and_there_are_never_too_many() {
    let visits = Visits::new(160);
    for visitor in 1..=1000 {
        let arrival = arrival(i64::try_from(visitor).unwrap(), Kind::Pageview, "/");
        visits.place(&arrival, VisitorId(visitor), None, from("")).unwrap();
        assert!(visits.len() <= 160);
    }
    // Ten go for ten that come.
    assert_eq!((visits.len(), visits.evicted()), (160, 840));
    assert_eq!(visits.sweep(START + 1000 + 31 * 60), 0);
    assert!(visits.is_empty());
}

#[test]
fn those_that_have_been_idle_longest_go_and_a_flood_cuts_no_visit_that_goes_on() {
    let visits = Visits::new(160);
    let honest: Vec<VisitorId> = (1..=50).map(VisitorId).collect();
    let mut seqs = Vec::new();
    for minute in 0..30 {
        for visitor in &honest {
            let arrival = arrival(60 * minute, Kind::Pageview, "/");
            seqs.push(visits.place(&arrival, *visitor, None, from("")).unwrap().seq);
        }
        for stranger in 0..90 {
            let visitor = VisitorId(1_000 * (u64::try_from(minute).unwrap() + 1) + stranger);
            let arrival = arrival(60 * minute + 1, Kind::Pageview, "/");
            visits.place(&arrival, visitor, None, from("")).unwrap();
        }
    }
    let expected: Vec<u32> = (1..=30).flat_map(|seq| [seq; 50]).collect();
    assert_eq!(seqs, expected, "a visit was begun anew");
    assert!(visits.evicted() > 2_000);
}

#[test]
fn the_same_visits_go_whatever_their_places_in_the_table_are() {
    let left = || {
        let visits = Visits::new(100);
        for visitor in 1..=1_000 {
            let arrival = arrival(i64::try_from(visitor / 20).unwrap(), Kind::Pageview, "/");
            visits.place(&arrival, VisitorId(visitor), None, from("")).unwrap();
        }
        (1..=1_000)
            .filter(|visitor| visits.whose(SITE, VisitorId(*visitor)).is_some())
            .collect::<Vec<_>>()
    };
    assert_eq!(left(), left());
}

#[test]
fn visits_that_say_more_take_more_room_and_give_it_back() {
    let long = || {
        let text = |bytes| "x".repeat(bytes);
        let tags = [500, 500, 500].map(text);
        let [utm_source, utm_campaign, utm_term] = tags;
        Attributes {
            referrer: text(2_000),
            utm_source,
            utm_campaign,
            utm_term,
            ..Attributes::default()
        }
    };
    let visits = Visits::new(100);
    for visitor in 1..=1_000 {
        let arrival = arrival(i64::try_from(visitor).unwrap(), Kind::Pageview, "/");
        visits.place(&arrival, VisitorId(visitor), None, long).unwrap();
    }
    // 3,500 bytes are three places more than one; the last one comes whatever is left.
    assert!((23..=25).contains(&visits.len()), "{}", visits.len());
    visits.sweep(START + 1_000 + 31 * 60);
    assert_eq!((visits.len(), visits.taken.load(Ordering::Relaxed)), (0, 0));
    // The control: of usual ones there are as many as places.
    for visitor in 1..=1_000 {
        let arrival = arrival(i64::try_from(visitor).unwrap(), Kind::Pageview, "/");
        visits.place(&arrival, VisitorId(visitor), None, from("")).unwrap();
    }
    assert!((94..=100).contains(&visits.len()), "{}", visits.len());
}

#[test]
fn events_at_once_after_midnight_are_the_visit_that_was_open() {
    for round in 0..200 {
        let visits = Visits::new(1000);
        let (old, new) = (VisitorId(1000 + round), VisitorId(5000 + round));
        let first = visits.place(&arrival(0, Kind::Pageview, "/"), old, None, from("")).unwrap();
        let mut seqs: Vec<u32> = std::thread::scope(|scope| {
            let next = || {
                visits.place(&arrival(60, Kind::Pageview, "/"), new, Some(old), from("")).unwrap()
            };
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(next)).collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .map(|placed| {
                    assert!(placed.session == first.session && placed.visitor == old);
                    placed.seq
                })
                .collect()
        });
        seqs.sort_unstable();
        assert_eq!(seqs, [2, 3, 4, 5]);
    }
}

fn stored(placed: &Placed, arrival: &Arrival<'_>) -> Event {
    let happening = Happening {
        site_id: SITE.0,
        timestamp: arrival.timestamp,
        name: "pageview".into(),
        visitor_id: placed.visitor,
        session_id: placed.session,
        seq: placed.seq,
        event_id: 0,
        hostname: arrival.hostname.into(),
        pathname: arrival.pathname.into(),
        interactive: true,
        engagement_ms: 0,
        scroll_depth: SCROLL_DEPTH_UNKNOWN,
        props: vec![],
        revenue_amount: 0,
        revenue_currency: String::new(),
        entry_hostname: placed.visit.entry_hostname().to_owned(),
        entry_pathname: placed.visit.entry_pathname().to_owned(),
    };
    Event { happening, attributes: Arc::new(placed.visit.attributes()) }
}

#[test]
fn restored_visits_go_on_whatever_the_order_in_which_two_events_were_stored() {
    let visits = Visits::new(10);
    let arrivals = [arrival(0, Kind::Pageview, "/a"), arrival(5, Kind::Pageview, "/b")];
    let events: Vec<Event> = arrivals
        .iter()
        .map(|arrival| {
            stored(&visits.place(arrival, VISITOR, None, from("Google")).unwrap(), arrival)
        })
        .collect();
    for order in [[0, 1], [1, 0]] {
        let restarted = Visits::new(10);
        order.iter().for_each(|&place| restarted.restore(&events[place]));
        let next = view(&restarted, 60, "/c");
        assert!(next.session == events[0].happening.session_id);
        assert_eq!(
            (next.seq, next.visit.entry_pathname(), next.visit.attributes().source.as_str()),
            (3, "/a", "Google")
        );
    }
}

#[test]
fn restored_visits_take_no_more_room_than_others() {
    let visits = Visits::new(100);
    for visitor in 2..10_000 {
        let arrival = arrival(visitor, Kind::Pageview, "/");
        let id = VisitorId(u64::try_from(visitor).unwrap() << 1);
        let placed = Visits::new(1).place(&arrival, id, None, from("")).unwrap();
        visits.restore(&stored(&placed, &arrival));
    }
    assert_eq!(visits.len(), 100);
}

#[test]
fn what_ended_before_visits_may_be_open_since_is_in_none_that_goes_on() {
    let now = START + 31 * 60;
    for (after_s, goes_on) in [(0, false), (1, true)] {
        let timestamp = START + after_s;
        assert_eq!(timestamp >= open_since(now), goes_on);
        assert_eq!(super::goes_on(START, timestamp, now), goes_on);
    }
}

#[test]
fn events_of_one_visitor_at_once_are_one_visit_without_gaps() {
    let visits = Visits::new(1000);
    let mut seqs: Vec<u32> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| (0..500).map(|_| view(&visits, 0, "/").seq).collect::<Vec<_>>())
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    seqs.sort_unstable();
    assert_eq!(seqs, (1..=4000).collect::<Vec<_>>());
}

/// The rules once more, as plainly as they can be said: for each visitor a list of visits, of which only
/// the last can be open.
#[derive(Default)]
struct Model(std::collections::HashMap<u64, Vec<(u32, u32, u32)>>);

impl Model {
    /// The number of the visit among those of the visitor, and the place in it.
    fn place(&mut self, visitor: u64, timestamp: u32, kind: Kind) -> Option<(usize, u32)> {
        let visits = self.0.entry(visitor).or_default();
        let joins = visits.last().is_some_and(|&(started, last, _)| {
            let idle_s = i64::from(timestamp) - i64::from(last);
            idle_s < 31 * 60 && i64::from(timestamp).abs_diff(i64::from(started)) <= 24 * 3600
        });
        if !joins {
            if kind == Kind::Engagement {
                return None;
            }
            visits.push((timestamp, timestamp, 0));
        }
        let number = visits.len() - 1;
        let visit = visits.last_mut()?;
        visit.1 = timestamp;
        visit.2 += 1;
        Some((number, visit.2))
    }
}

proptest! {
    #[test]
    fn visits_are_those_of_the_model(
        arrivals in prop::collection::vec((1u64..4, -4000i64..4000, 0u8..3), 1..120)
    ) {
        let visits = Visits::new(1000);
        let mut model = Model::default();
        let mut sessions = std::collections::HashMap::new();
        let mut now = 1_000_000i64;
        for (visitor, step_s, kind) in arrivals {
            now += step_s;
            let kind = [Kind::Pageview, Kind::Engagement, Kind::Custom][usize::from(kind)];
            let arrival = arrival(now, kind, "/");
            let placed = visits.place(&arrival, VisitorId(visitor), None, from(""));
            let expected = model.place(visitor, arrival.timestamp, kind);
            prop_assert_eq!(placed.as_ref().map(|placed| placed.seq), expected.map(|(_, seq)| seq));
            if let (Some(placed), Some((number, _))) = (placed, expected) {
                let session = *sessions.entry((visitor, number)).or_insert(placed.session);
                prop_assert!(session == placed.session);
            }
        }
    }
}
