//! Rows on their way into the table, collected by their day: an insert is of one day, so that it is
//! taken whole or not at all.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};

use crate::event::{Event, HappeningRef, OfVisit};
use crate::store::{Store, StoreError};

/// A day that has as many rows is sent.
const DAY_ROWS_MAX: usize = 100_000;
/// Inserts that are under way at once: one waits for the disk while another is read.
const INSERTS_AT_ONCE: usize = 4;
/// How many seconds it is waited for a ClickHouse that has too much to do, or does not answer, one pause after the other.
const PAUSES: [u64; 5] = [1, 2, 5, 10, 20];
/// All days together hold as many bytes before the largest is sent.
const BYTES_MAX: usize = 64 << 20;

/// Rows by their day.
#[derive(Default)]
pub struct Batches {
    days: BTreeMap<u32, Day>,
    bytes: usize,
    has_full_day: bool,
}

#[derive(Default)]
struct Day {
    rows: usize,
    bytes: Vec<u8>,
}

impl Batches {
    /// Adds a row.
    pub fn add(&mut self, event: &Event) {
        self.put(event.happening.timestamp, |row| event.encode(row));
    }

    /// Adds the row of an event that is not put together first.
    pub(super) fn add_parts(&mut self, happening: &HappeningRef<'_>, visit: &OfVisit) {
        self.put(happening.timestamp, |row| Event::encode_parts(happening, visit, row));
    }

    fn put(&mut self, timestamp: u32, encode: impl FnOnce(&mut Vec<u8>)) {
        let day = self.days.entry(timestamp / 86_400).or_default();
        let before = day.bytes.len();
        encode(&mut day.bytes);
        day.rows += 1;
        self.bytes += day.bytes.len() - before;
        self.has_full_day |= day.rows >= DAY_ROWS_MAX;
    }

    /// Whether it is time to send something.
    pub fn is_large(&self) -> bool {
        self.has_full_day || self.bytes >= BYTES_MAX
    }

    /// Sends the largest days, until what is left is small.
    ///
    /// # Errors
    /// As [`Self::flush_all`].
    pub async fn flush_large(&mut self, store: &Store) -> Result<(), StoreError> {
        while self.is_large() {
            let largest = self.days.iter().max_by_key(|(_, day)| day.rows).map(|(day, _)| *day);
            let Some(largest) = largest else { break };
            self.flush(store, largest).await?;
        }
        Ok(())
    }

    /// Sends everything, several days at once.
    ///
    /// # Errors
    /// When ClickHouse does not take a day. Nothing is here any more then: what was not taken has to be
    /// added again, which does no harm to what was.
    pub async fn flush_all(&mut self, store: &Store) -> Result<(), StoreError> {
        let days = std::mem::take(self).days;
        let inserts = days.into_values().map(|day| insert(store, day));
        stream::iter(inserts).buffer_unordered(INSERTS_AT_ONCE).try_collect().await
    }

    async fn flush(&mut self, store: &Store, day: u32) -> Result<(), StoreError> {
        let Some(rows) = self.days.remove(&day) else { return Ok(()) };
        self.bytes -= rows.bytes.len();
        self.has_full_day = self.days.values().any(|day| day.rows >= DAY_ROWS_MAX);
        insert(store, rows).await
    }
}

/// Inserts a day. When ClickHouse can not take it at the moment, because it merges or counts what came before for one or is started
/// again, it is tried again, also when it may have been taken: the table takes equal rows once.
async fn insert(store: &Store, day: Day) -> Result<(), StoreError> {
    let columns = Event::columns().collect::<Vec<_>>().join(",");
    let rows = Bytes::from(day.bytes);
    let mut pauses = PAUSES.iter();
    loop {
        let inserted = store.insert_events(&columns, rows.clone()).await;
        let (Err(StoreError::Busy { .. } | StoreError::Unavailable(_)), Some(pause)) =
            (&inserted, pauses.next())
        else {
            return inserted;
        };
        tokio::time::sleep(Duration::from_secs(*pause)).await;
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;

    use super::*;
    use crate::store::Server;

    /// A ClickHouse that answers with each of these, one after the other, and says how often it was asked.
    fn answering(answers: Vec<String>) -> (Store, std::thread::JoinHandle<usize>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let [user, password, database] = ["user", "", "passerby"].map(str::to_owned);
        let server = Server { url, user, password, database };
        let asked = std::thread::spawn(move || {
            let answered = answers.iter().map(|answer| {
                let (mut stream, _) = listener.accept().unwrap();
                let (mut request, mut byte) = (Vec::new(), [0; 1]);
                while !request.ends_with(b"\r\n0\r\n\r\n") {
                    stream.read_exact(&mut byte).unwrap();
                    request.push(byte[0]);
                }
                stream.write_all(answer.as_bytes()).unwrap();
            });
            answered.count()
        });
        (Store::connect(&server, &server), asked)
    }

    fn exception(code: u32) -> String {
        let text = format!("Code: {code}. DB::Exception: It is so. (NAME)\n");
        let length = text.len();
        format!(
            "HTTP/1.1 500 Internal Server Error\r\nX-ClickHouse-Exception-Code: {code}\r\nContent-Length: {length}\r\n\
             Connection: close\r\n\r\n{text}"
        )
    }

    #[tokio::test]
    async fn an_import_waits_for_what_ends_by_itself_and_ends_with_what_does_not() {
        const TAKEN: &str = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        let day = || Day { rows: 1, bytes: vec![1, 2, 3] };
        let waited = |code| async move {
            let (store, asked) = answering(vec![exception(code), TAKEN.to_owned()]);
            insert(&store, day()).await.unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(asked.join().unwrap(), 2, "{code}");
        };
        // Too many parts, and memory.
        futures_util::future::join(waited(252), waited(241)).await;
        // It is started again: a proxy says so in its place, or nobody answers.
        let proxy =
            "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        let away = |answer: &str| {
            let (store, asked) = answering(vec![answer.to_owned(), TAKEN.to_owned()]);
            async move {
                insert(&store, day()).await.unwrap_or_else(|error| panic!("{error}"));
                assert_eq!(asked.join().unwrap(), 2);
            }
        };
        futures_util::future::join(away(proxy), away("")).await;
        for code in [27, 516, 158] {
            let (store, asked) = answering(vec![exception(code)]);
            assert_eq!(insert(&store, day()).await.unwrap_err().code(), Some(code));
            assert_eq!(asked.join().unwrap(), 1, "{code}");
        }
    }
}
