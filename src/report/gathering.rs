//! Where queries meet that are asked at the same moment, as those of one page are, so that fewer statements read for them.

use std::mem;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt;
use futures_util::future::{join, try_join_all};
use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::{OnceCell, oneshot};

use super::{AskError, floor, when_it_began};
use crate::query::{Known, Query, Together, may_add_up};
use crate::store::{Store, StoreError};

/// The rows of a query, as its own statement would return them.
type Rows = Vec<Vec<Value>>;

/// Queries of one site that are asked by one task, side by side.
#[derive(Default)]
pub struct Gathering {
    waiting: Mutex<Vec<Waiting>>,
    /// What "all time" begins with for all of them, once one has asked for it.
    beginning: OnceCell<Option<Timestamp>>,
}

/// What became of a query: its rows; `None` if its own statement has the last word.
type Outcome = Result<Option<Rows>, StoreError>;

/// A query that waits to be read with others, or to be told that it is not.
struct Waiting {
    query: Query,
    told: oneshot::Sender<Outcome>,
}

impl Gathering {
    /// The rows of a query, read together with the others that are asked now, or in its parts; as they are told `alone`, if neither
    /// gains anything, or if what they came to was refused.
    pub(super) async fn read(
        &self,
        store: &Store,
        query: &Query,
        alone: impl Future<Output = Result<Rows, StoreError>>,
    ) -> Result<Rows, StoreError> {
        let (told, outcome) = oneshot::channel();
        let waiting = Waiting { query: query.clone(), told };
        self.waiting(|all| all.push(waiting));
        // Whatever else the same task asks comes in now; the first to go on reads for all.
        tokio::task::yield_now().await;
        let gathered = self.waiting(mem::take);
        let own = async {
            match outcome.await.unwrap_or(Ok(None))? {
                Some(rows) => Ok(rows),
                None => alone.await,
            }
        };
        // Whoever reads for others may itself go alone, and then waits for none of them.
        let (rows, ()) = join(own, read_for(store, gathered).boxed()).await;
        rows
    }

    /// What "all time" begins with for whoever asks: the site's first event or, where small numbers are not told, the first day
    /// that is told. When the first event was would tell of the visitor who came first.
    pub(super) async fn beginning(
        &self,
        store: &Store,
        known: &Known<'_>,
    ) -> Result<Option<Timestamp>, AskError> {
        let begins = self.beginning.get_or_try_init(async || {
            match (when_it_began(store, known.site).await?, known.floor) {
                (Some(first), Some(_)) => floor::first_told(store, known, first).await,
                (first, _) => Ok(first),
            }
        });
        begins.await.copied()
    }

    fn waiting<T>(&self, with: impl FnOnce(&mut Vec<Waiting>) -> T) -> T {
        with(&mut self.waiting.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Reads what goes together, and tells each query what became of it.
async fn read_for(store: &Store, gathered: Vec<Waiting>) {
    if gathered.is_empty() {
        return;
    }
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
    error.is_of_any_statement() || error.is_out_of_time()
}

/// The rows of those that go together. The others are told so before anything is read.
async fn read(
    store: &Store,
    queries: &[Query],
    mut goes_alone: impl FnMut(usize),
) -> Result<Vec<Option<Rows>>, StoreError> {
    let [first, ..] = queries else { return Ok(Vec::new()) };
    let (site, zone) = (first.site(), first.period().zone());
    let adds_up = queries.iter().any(may_add_up);
    let closed = match adds_up {
        true => store.days_found_closed(site, zone).await?,
        false => Arc::default(),
    };
    let together = Together::of(queries, &closed);
    (0..queries.len()).filter(|place| !together.reads(*place)).for_each(&mut goes_alone);
    if together.statements().next().is_none() {
        return Ok(vec![None; queries.len()]);
    }
    let (answers, now) = match adds_up {
        true => store.select_all_of_closed_days(together.statements(), site, zone).await?,
        false => {
            let answers = together.statements().map(|statement| store.select(statement));
            (try_join_all(answers).await?, Arc::clone(&closed))
        }
    };
    let holds = |query: &Query| now.holds(&closed.within(query));
    let rows = together.rows(answers).into_iter().zip(queries);
    Ok(rows.map(|(rows, query)| rows.filter(|_| holds(query))).collect())
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::net::TcpListener;
    use std::time::Duration;

    use futures_util::future::join3;
    use jiff::tz::TimeZone;
    use serde_json::json;
    use tokio::sync::Notify;
    use tokio::time::timeout;

    use super::*;
    use crate::query::Known;
    use crate::site::{Site, SiteId};
    use crate::store::Server;

    /// Longer than a query takes to be told that it goes alone.
    const PATIENCE: Duration = Duration::from_secs(20);

    fn query(day: &str, dimension: &str) -> Query {
        let query = json!({
            "site_id": "example.com", "metrics": ["visitors"], "date_range": [day, day], "dimensions": [dimension],
        });
        let site = Site::new(SiteId(7), "example.com", TimeZone::UTC);
        Query::parse(&query, &Known::new(&site, "2024-06-15T12:00:00Z".parse().unwrap())).unwrap()
    }

    #[tokio::test]
    async fn whoever_reads_for_others_and_goes_alone_does_not_wait_for_them() {
        // A database that takes connections, and answers nothing.
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", silent.local_addr().unwrap());
        let [user, password, database] = ["user", "", "passerby"].map(str::to_owned);
        let server = Server { url, user, password, database };
        let store = Store::connect(&server, &server);
        let gathering = Gathering::default();
        let [other_day, sources, browsers] = [
            query("2024-05-01", "visit:source"),
            query("2024-05-02", "visit:source"),
            query("2024-05-02", "visit:browser"),
        ];
        let asked = Notify::new();
        let alone = async {
            asked.notify_one();
            Ok(Vec::new())
        };
        // The first to be polled is the first to go on, and reads.
        let reading = join3(
            gathering.read(&store, &other_day, alone),
            gathering.read(&store, &sources, pending()),
            gathering.read(&store, &browsers, pending()),
        );
        tokio::select! {
            (_, sources, _) = reading => panic!("nothing answers, but {sources:?}"),
            asked = timeout(PATIENCE, asked.notified()) => asked.expect("it waits"),
        }
    }
}
