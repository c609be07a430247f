//! Where queries meet that are asked at the same moment, as those of one page are, so that fewer statements read for them.

use std::mem;
use std::sync::{Mutex, PoisonError};

use futures_util::future::try_join_all;
use serde_json::Value;
use tokio::sync::oneshot;

use crate::query::{Query, Together};
use crate::store::{Store, StoreError};

/// The rows of a query, as its own statement would return them.
type Rows = Vec<Vec<Value>>;

/// Queries of one site that are asked by one task, side by side.
#[derive(Default)]
pub struct Gathering(Mutex<Vec<Waiting>>);

/// A query that waits to be read with others, or to be told that it is not.
struct Waiting {
    query: Query,
    read: oneshot::Sender<Option<Rows>>,
}

impl Gathering {
    /// The rows of a query, read together with the others that are asked now; `None` if it goes with none of them, or if
    /// that failed: then its own statement has the last word.
    pub(super) async fn read(&self, store: &Store, query: &Query) -> Option<Rows> {
        let (read, rows) = oneshot::channel();
        let waiting = Waiting { query: query.clone(), read };
        self.waiting(|all| all.push(waiting));
        // Whoever is asked by the same task comes in now; the first to go on reads for all.
        tokio::task::yield_now().await;
        let gathered = self.waiting(mem::take);
        if !gathered.is_empty() {
            read_for(store, gathered).await;
        }
        rows.await.ok().flatten()
    }

    fn waiting<T>(&self, with: impl FnOnce(&mut Vec<Waiting>) -> T) -> T {
        with(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Reads what goes together, and tells each query what became of it.
async fn read_for(store: &Store, gathered: Vec<Waiting>) {
    let (queries, mut tell): (Vec<Query>, Vec<_>) =
        gathered.into_iter().map(|waiting| (waiting.query, Some(waiting.read))).unzip();
    let mut tell = |place: usize, rows| {
        if let Some(read) = tell.get_mut(place).and_then(Option::take) {
            // Nobody waits any more where a page was given up.
            let _ = read.send(rows);
        }
    };
    match read(store, &queries, |place| tell(place, None)).await {
        Ok(rows) => rows.into_iter().enumerate().for_each(|(place, rows)| tell(place, rows)),
        Err(error) => tracing::debug!(%error, "queries that go together are read one by one"),
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
    let closed = store.days_found_closed(site, zone).await?;
    let together = Together::of(queries, &closed);
    (0..queries.len()).filter(|place| !together.reads(*place)).for_each(&mut goes_alone);
    let statements = together.statements();
    let answers = try_join_all(
        statements.map(|statement| store.select_of_closed_days(statement, site, zone)),
    );
    let (answers, now): (Vec<_>, Vec<_>) = answers.await?.into_iter().unzip();
    let holds = |query: &Query| {
        let closed = closed.within(query);
        now.iter().all(|now| now.holds(&closed))
    };
    let rows = together.rows(answers).into_iter().zip(queries);
    Ok(rows.map(|(rows, query)| rows.filter(|_| holds(query))).collect())
}
