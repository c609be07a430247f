//! What is stored of certain events, for the person whom they are about: every column but the ids, which
//! tell nobody anything and never leave.

use serde_json::{Map, Value};

use super::{Selection, Store, StoreError};
use crate::event::Event;
use crate::query::statement::{Sql, sql};

/// The columns that are not shown.
const IDS: [&str; 5] = ["site_id", "visitor_id", "session_id", "seq", "event_id"];

impl Store {
    /// The events that are meant, oldest first, at most `events_max`; each with its columns by their names.
    ///
    /// # Errors
    /// When ClickHouse does not answer.
    pub async fn disclose(
        &self,
        selection: &Selection,
        events_max: u32,
    ) -> Result<Vec<Map<String, Value>>, StoreError> {
        let names: Vec<&'static str> =
            Event::columns().filter(|column| !IDS.contains(column)).collect();
        let sql = sql![
            "SELECT ",
            Sql::join(names.iter().map(|name| (*name).into()), ", "),
            " FROM events FINAL WHERE ",
            selection.condition(),
            " ORDER BY timestamp, seq LIMIT ",
            Sql::number(events_max),
        ];
        let rows = self.select(&sql.into()).await?;
        let named =
            |row: Vec<Value>| names.iter().map(|name| (*name).to_owned()).zip(row).collect();
        Ok(rows.into_iter().map(named).collect())
    }
}
