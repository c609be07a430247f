//! The answer to a journey: a tree of where visits went, or came from.

use serde_json::{Map, Value, json};

use super::{AskError, refuse_the_floored, when_it_began};
use crate::query::{Direction, Journey, Known, compile_journey, is_of_all_time};
use crate::store::Store;

/// Answers a journey in its wire form.
///
/// # Errors
/// As [`super::ask`].
pub async fn ask_journey(store: &Store, known: Known<'_>, body: &Value) -> Result<Value, AskError> {
    refuse_the_floored(&known, "a journey")?;
    let first_event = match is_of_all_time(body) {
        true => when_it_began(store, known.site).await?,
        false => None,
    };
    let journey = Journey::parse(body, &Known { first_event, ..known })?;
    let mut tree = Stop::default();
    for row in store.select(&compile_journey(&journey)).await? {
        let [way, visits] = row.as_slice() else { continue };
        let way: Vec<&str> =
            way.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        tree.add(&way, visits.as_u64().unwrap_or(0));
    }
    let mut results = Map::from_iter([("name".to_owned(), json!(journey.from().name()))]);
    tree.tell(&mut results, &journey, journey.depth());
    Ok(json!({ "results": results, "meta": {}, "query": journey.to_wire() }))
}

/// A place in the tree. Its visits ended there, or went on to one of the others that are told, or to
/// one that is not.
#[derive(Default)]
struct Stop {
    visits: u64,
    ended: u64,
    others: u64,
    next: Vec<(String, Stop)>,
}

impl Stop {
    fn add(&mut self, way: &[&str], visits: u64) {
        self.visits += visits;
        match way {
            [] => {}
            ["", ..] => self.ended += visits,
            ["o", ..] => self.others += visits,
            [stop, rest @ ..] => {
                let known = self.next.iter().position(|(known, _)| known == stop);
                let place = known.unwrap_or_else(|| {
                    self.next.push(((*stop).to_owned(), Self::default()));
                    self.next.len() - 1
                });
                self.next[place].1.add(rest, visits);
            }
        }
    }

    /// Tells of the stop, and of so many steps from it.
    fn tell(mut self, told: &mut Map<String, Value>, journey: &Journey, steps: u64) {
        told.insert("visits".into(), json!(self.visits));
        if steps == 0 {
            return;
        }
        let (ended, next) = match journey.direction() {
            Direction::Forward => ("ended", "next"),
            Direction::Backward => ("began", "previous"),
        };
        self.next.sort_by(|(one, at_one), (two, at_two)| {
            at_two.visits.cmp(&at_one.visits).then_with(|| one.cmp(two))
        });
        told.insert(ended.into(), json!(self.ended));
        told.insert("others".into(), json!(self.others));
        let stops = self.next.into_iter().map(|(stop, at_stop)| {
            let (kind, name) = stop.split_at(1);
            let kind = if kind == "p" { "page" } else { "event" };
            let mut told = Map::from_iter([(kind.to_owned(), json!(name))]);
            at_stop.tell(&mut told, journey, steps - 1);
            Value::Object(told)
        });
        told.insert(next.into(), stops.collect());
    }
}
