//! Rows of what is set up that a later row has taken the place of: a change is a row more, and the one before it, with the name
//! of a member who was removed, stays on the disk until the server merges both. It does so when it likes; here it is asked to.

use super::client::in_time;
use super::schema::{self, Kind};
use super::{Store, StoreError};

impl Store {
    /// Has superseded rows merged away, of every table of what is set up, and says of which there were any. Their old parts leave the
    /// disk as those of an erasure do.
    ///
    /// # Errors
    /// When ClickHouse does not answer, or refuses; earlier tables are done.
    pub async fn end_superseded(&self) -> Result<Vec<String>, StoreError> {
        let is_of_changes = |statement: &schema::Statement| {
            statement.kind == Kind::Table && statement.sql.contains("version)\nORDER BY")
        };
        let statements =
            schema::statements(self.cluster.as_ref()).into_iter().filter(is_of_changes);
        let tables: Vec<String> = statements.map(|statement| statement.name).collect();
        let mut ended = Vec::new();
        for node in self.nodes() {
            for table in &tables {
                let sql = format!(
                    "SELECT [(SELECT count() FROM {table}), (SELECT count() FROM {table} FINAL)]"
                );
                let counts = node.writer.query_raw(&sql).fetch_one::<Vec<Option<u64>>>();
                let counts = in_time(counts).await?;
                if counts.first() != counts.last() {
                    let sql = format!("OPTIMIZE TABLE {table} FINAL");
                    in_time(node.writer.query_raw(&sql).execute()).await?;
                    ended.push(table.clone());
                }
            }
        }
        Ok(ended)
    }
}
