//! From the tables that a database has to those of `schema.sql`: forward only, and while it is in use.
//!
//! A table that is missing is made, a column that is missing is added (ClickHouse does that without
//! touching the rows), to the order of the table as well if it belongs there, and views are made anew.
//! Nothing is dropped, and no type is changed: where one differs, that is told and left to whoever
//! changed it.

use std::collections::BTreeMap;
use std::fmt;

use super::schema::{Kind, Statement};

/// One thing that is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Make a table.
    CreateTable {
        /// Its name.
        table: String,
        /// The statement.
        sql: String,
    },
    /// Add a column to a table.
    AddColumn {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// The statement.
        sql: String,
    },
    /// Make a view, or make it anew because its columns differ.
    ReplaceView {
        /// Its name.
        view: String,
        /// The statement.
        sql: String,
    },
    /// A column has another type than it should have. Nothing is done about it.
    Differs {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// Its type.
        is: String,
        /// The type that it should have.
        should_be: String,
    },
}

impl Step {
    /// What is sent to ClickHouse, if anything is.
    pub fn sql(&self) -> Option<&str> {
        match self {
            Self::CreateTable { sql, .. }
            | Self::AddColumn { sql, .. }
            | Self::ReplaceView { sql, .. } => Some(sql),
            Self::Differs { .. } => None,
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CreateTable { table, .. } => write!(formatter, "create the table {table}"),
            Self::AddColumn { table, column, .. } => {
                write!(formatter, "add the column {table}.{column}")
            }
            Self::ReplaceView { view, .. } => write!(formatter, "make the view {view}"),
            Self::Differs { table, column, is, should_be } => write!(
                formatter,
                "leave {table}.{column} as it is, which is {is} and should be {should_be}"
            ),
        }
    }
}

/// A step, and the server of a cluster where it is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// The server's address; none where there is only one.
    pub node: Option<String>,
    /// What is to be done.
    pub step: Step,
}

impl fmt::Display for Planned {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.node {
            Some(node) => write!(formatter, "{}, on {node}", self.step),
            None => self.step.fmt(formatter),
        }
    }
}

/// The columns that a database has, with their types, by table.
pub(super) type Columns = BTreeMap<String, BTreeMap<String, String>>;

/// What has to be done so that the statements hold, in the order in which it has to be done.
pub(super) fn plan(statements: &[Statement], existing: &Columns) -> Vec<Step> {
    statements.iter().flat_map(|statement| steps(statement, existing)).collect()
}

fn steps(statement: &Statement, existing: &Columns) -> Vec<Step> {
    let (name, sql) = (statement.name.clone(), statement.sql.clone());
    let there = existing.get(&name);
    match (statement.kind, there) {
        (Kind::Table | Kind::Distributed, None) => vec![Step::CreateTable { table: name, sql }],
        (Kind::Table | Kind::Distributed, Some(there)) => columns(statement, there),
        (Kind::View, there) => {
            let wanted = statement.columns.iter().map(|column| (&column.name, &column.kind));
            let same =
                there.is_some_and(|there| there.iter().eq(wanted.collect::<BTreeMap<_, _>>()));
            if same { Vec::new() } else { vec![Step::ReplaceView { view: name, sql }] }
        }
    }
}

fn columns(statement: &Statement, there: &BTreeMap<String, String>) -> Vec<Step> {
    let table = &statement.name;
    let mut steps = Vec::new();
    let mut before = None;
    for column in &statement.columns {
        let place = before.map_or("FIRST".to_owned(), |before: &str| format!("AFTER {before}"));
        before = Some(column.name.as_str());
        match there.get(&column.name) {
            None => steps.push(Step::AddColumn {
                table: table.clone(),
                column: column.name.clone(),
                sql: format!(
                    "ALTER TABLE {table} ADD COLUMN IF NOT EXISTS {} {} COMMENT {} {place}{}",
                    column.name,
                    column.kind,
                    column.comment,
                    order_with(statement, &column.name)
                ),
            }),
            Some(kind) if *kind != column.kind => steps.push(Step::Differs {
                table: table.clone(),
                column: column.name.clone(),
                is: kind.clone(),
                should_be: column.kind.clone(),
            }),
            Some(_) => {}
        }
    }
    steps
}

/// What gives the table its order, if that has the column. A table takes a column into it only while it is added, and so
/// one at a time.
fn order_with(statement: &Statement, column: &str) -> String {
    let order = statement.order().filter(|order| order.split(", ").any(|key| key == column));
    order.map_or_else(String::new, |order| format!(", MODIFY ORDER BY ({order})"))
}

#[cfg(test)]
mod tests {
    use super::super::schema::statements;
    use super::*;

    /// A database that has everything.
    fn complete() -> Columns {
        let columns = |statement: &Statement| {
            statement
                .columns
                .iter()
                .map(|column| (column.name.clone(), column.kind.clone()))
                .collect()
        };
        statements(None)
            .iter()
            .map(|statement| (statement.name.clone(), columns(statement)))
            .collect()
    }

    fn told(existing: &Columns) -> Vec<String> {
        plan(&statements(None), existing).iter().map(Step::to_string).collect()
    }

    #[test]
    fn an_empty_database_gets_everything_and_a_complete_one_nothing() {
        assert_eq!(told(&Columns::new()).len(), statements(None).len());
        assert_eq!(told(&complete()), Vec::<String>::new());
    }

    #[test]
    fn what_is_missing_is_added_and_what_differs_is_told() {
        let mut existing = complete();
        existing.remove("tokens");
        existing.get_mut("notable_events").unwrap().remove("place");
        let events = existing.get_mut("events").unwrap();
        events.remove("language");
        events.insert("city".into(), "String".into());
        events.insert("of_somebody_else".into(), "String".into());
        existing.get_mut("report_days").unwrap().remove("visits");
        assert_eq!(
            told(&existing),
            [
                "leave events.city as it is, which is String and should be UInt32",
                "add the column events.language",
                "add the column notable_events.place",
                "create the table tokens",
                "make the view report_days",
            ]
        );
        let steps = plan(&statements(None), &existing);
        assert_eq!(
            steps[1].sql(),
            Some(
                "ALTER TABLE events ADD COLUMN IF NOT EXISTS language LowCardinality(String) \
                 COMMENT 'Primary tag of the preferred language' AFTER device"
            )
        );
        let ordered = "pathname, revenue_currency, place)";
        assert!(steps[2].sql().unwrap().ends_with(ordered), "{:?}", steps[2]);
    }
}
