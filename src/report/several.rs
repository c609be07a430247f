//! Several named queries, asked together.

use futures_util::{StreamExt, stream};
use serde_json::Value;

use super::{AskError, Gathering, ask_beside};
use crate::query::{Known, several};
use crate::store::Store;

/// So many queries are under way at a time, of those that are asked together: one client does not take
/// the database from all others.
const AT_A_TIME: usize = 4;

/// The answer to each query, or why there is none, by the names of the queries and in their order.
pub type Answers = Vec<(String, Result<Value, AskError>)>;

/// Answers several named queries in their wire form.
///
/// # Errors
/// [`AskError::Invalid`] when they are put together wrongly. What is wrong with one of them is its own
/// answer.
pub async fn ask_several(
    store: &Store,
    known: Known<'_>,
    body: &Value,
) -> Result<Answers, AskError> {
    let queries = several(body)?;
    let gathering = Gathering::default();
    let answers = stream::iter(queries).map(async |(name, query)| {
        let answer = ask_beside(store, &gathering, known, &query).await;
        (name, answer)
    });
    Ok(answers.buffered(AT_A_TIME).collect().await)
}
