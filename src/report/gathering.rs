//! Where queries meet that are asked at the same moment, as those of one page are, so that fewer statements read for them.

use std::mem;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::try_join_all;
use serde_json::Value;
use tokio::sync::oneshot;

use crate::query::{Query, Together, may_add_up};
use crate::store::{Store, StoreError};

/// The rows of a query, as its own statement would return them.
type Rows = Vec<Vec<Value>>;

/// ClickHouse's code for a statement that took longer than it may.
const TIMEOUT_EXCEEDED: u32 = 159;

/// Queries of one site that are asked by one task, side by side.
#[derive(Default)]
pub struct Gathering(Mutex<Vec<Waiting>>);

/// What became of a query: its rows; `None` if its own statement has the last word.
type Outcome = Result<Option<Rows>, StoreError>;

/// A query that waits to be read with others, or to be told that it is not.
struct Waiting {
    query: Query,
    told: oneshot::Sender<Outcome>,
}

impl Gathering {
    /// The rows of a query, read together with the others that are asked now; `None` if it goes with none of them, or if
    /// what they came to was refused.
    pub(super) async fn read(&self, store: &Store, query: &Query) -> Outcome {
        let (told, outcome) = oneshot::channel();
        let waiting = Waiting { query: query.clone(), told };
        self.waiting(|all| all.push(waiting));
        // Whatever else the same task asks comes in now; the first to go on reads for all.
        tokio::task::yield_now().await;
        let gathered = self.waiting(mem::take);
        if !gathered.is_empty() {
            read_for(store, gathered).await;
        }
        outcome.await.unwrap_or(Ok(None))
    }

    fn waiting<T>(&self, with: impl FnOnce(&mut Vec<Waiting>) -> T) -> T {
        with(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Reads what goes together, and tells each query what became of it.
async fn read_for(store: &Store, gathered: Vec<Waiting>) {
    let (queries, told): (Vec<Query>, Vec<_>) =
        gathered.into_iter().map(|waiting| (waiting.query, waiting.told)).unzip();
    let mut told: Vec<_> = told.into_iter().map(Some).collect();
    let mut tell = |place: usize, outcome| {
        // Nobody is there any more where a page was given up.
        told.get_mut(place).and_then(Option::take).map(|told| told.send(outcome));
    };
    let places = 0..queries.len();
    match read(store, &queries, |place| tell(place, Ok(None))).await {
        Ok(rows) => places.zip(rows).for_each(|(place, rows)| tell(place, Ok(rows))),
        Err(error) if is_of_each(&error) => {
            places.for_each(|place| tell(place, Err(error.clone())))
        }
        Err(error) => {
            tracing::debug!(%error, "queries that go together are read one by one");
            places.for_each(|place| tell(place, Ok(None)));
        }
    }
}

/// Whether each query's own statement would fare no better.
fn is_of_each(error: &StoreError) -> bool {
    match error {
        StoreError::Unavailable(_) | StoreError::Busy { .. } => true,
        StoreError::Limit { code, .. } => *code == TIMEOUT_EXCEEDED,
        _ => false,
    }
}

/// The rows of those that go together. The others are told so before anything is read.
async fn read(
    store: &Store,
    queries: &[Query],
    mut goes_alone: impl FnMut(usize),
) -> Result<Vec<Option<Rows>>, StoreError> {
    let [first, _, ..] = queries else { return Ok(vec![None; queries.len()]) };
    let (site, zone) = (first.site(), first.period().zone());
    let adds_up = queries.iter().any(may_add_up);
    let closed = match adds_up {
        true => store.days_found_closed(site, zone).await?,
        false => Arc::default(),
    };
    let together = Together::of(queries, &closed);
    (0..queries.len()).filter(|place| !together.reads(*place)).for_each(&mut goes_alone);
    let answers = together.statements().map(async |statement| match adds_up {
        true => store.select_of_closed_days(statement, site, zone).await,
        false => Ok((store.select(statement).await?, Arc::clone(&closed))),
    });
    let (answers, now): (Vec<_>, Vec<_>) = try_join_all(answers).await?.into_iter().unzip();
    let holds = |query: &Query| {
        let closed = closed.within(query);
        now.iter().all(|now| now.holds(&closed))
    };
    let rows = together.rows(answers).into_iter().zip(queries);
    Ok(rows.map(|(rows, query)| rows.filter(|_| holds(query))).collect())
}
