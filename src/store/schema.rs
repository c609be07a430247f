//! `schema.sql`, as statements for one installation.

use super::cluster::Cluster;

/// The only DDL there is.
const SCHEMA: &str = include_str!("../../schema.sql");

/// What a statement makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Has rows.
    Table,
    /// Has the rows of a table of each shard.
    Distributed,
    View,
}

/// A statement, and what it makes.
pub(super) struct Statement {
    pub(super) kind: Kind,
    pub(super) name: String,
    pub(super) columns: Vec<Definition>,
    pub(super) sql: String,
}

/// A column of a statement, with all that it takes to add it.
pub(super) struct Definition {
    pub(super) name: String,
    /// Its type, as ClickHouse tells it too.
    pub(super) kind: String,
    /// What it is, in quotes, and how it is packed where that is told.
    pub(super) comment: String,
}

/// The statements of `schema.sql`, in their order, for one machine or for a cluster.
pub(super) fn statements(cluster: Option<&Cluster>) -> Vec<Statement> {
    let without_comments: String = SCHEMA
        .lines()
        .filter(|line| !line.trim_start().starts_with("--"))
        .flat_map(|line| [line, "\n"])
        .collect();
    let statements =
        without_comments.split(";\n").map(str::trim).filter(|statement| !statement.is_empty());
    statements.flat_map(|sql| for_installation(sql, cluster)).collect()
}

/// A statement with a number, at random, in each place for one.
pub(super) fn drawn(sql: &str) -> Result<String, getrandom::Error> {
    let mut parts = sql.split("{random}");
    let mut drawn = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        drawn += &getrandom::u64()?.to_string();
        drawn += part;
    }
    Ok(drawn)
}

fn for_installation(sql: &str, cluster: Option<&Cluster>) -> Vec<Statement> {
    let statement = Statement::read(sql);
    if let Some(tables) = cluster.and_then(|cluster| cluster.tables(sql, &statement.name)) {
        let [rows, mut distributed] = tables.map(|sql| Statement::read(&sql));
        distributed.kind = Kind::Distributed;
        return vec![rows, distributed];
    }
    let is_rule = |line: &&str| line.starts_with("{shard by: ");
    let lines: Vec<&str> = sql.lines().filter(|line| !is_rule(line)).collect();
    vec![Statement::read(&lines.join("\n").replace("{replacing}", "ReplacingMergeTree"))]
}

impl Statement {
    /// Reads a statement of the file's own form: its name ends the first line, and each column has a
    /// line. A test holds the file to it.
    fn read(sql: &str) -> Self {
        let sql = sql.trim_end_matches(';').to_owned();
        let (head, rest) = sql.split_once("\n(\n").unwrap_or((&sql, ""));
        let (body, _) = rest.split_once("\n)\n").unwrap_or_default();
        let kind = if head.contains(" VIEW ") { Kind::View } else { Kind::Table };
        let name = head.rsplit(' ').next().unwrap_or_default().to_owned();
        let columns = body.lines().filter_map(Definition::read).collect();
        Self { kind, name, columns, sql }
    }

    /// The columns, with commas, in whose order the table has its rows.
    pub(super) fn order(&self) -> Option<&str> {
        let (_, order) = self.sql.split_once("\nORDER BY (")?;
        Some(order.split_once(")\n")?.0)
    }
}

impl Definition {
    fn read(line: &str) -> Option<Self> {
        let (definition, comment) = line.trim().trim_end_matches(',').split_once(" COMMENT ")?;
        let (name, kind) = definition.split_once(' ')?;
        Some(Self {
            name: name.to_owned(),
            kind: kind.trim().to_owned(),
            comment: comment.to_owned(),
        })
    }
}

/// A column of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// The table.
    pub table: &'static str,
    /// The column.
    pub name: &'static str,
    /// What it is.
    pub comment: &'static str,
}

/// Every column of every table, in the order of `schema.sql`.
pub fn columns() -> Vec<Column> {
    let mut table = "";
    let mut columns = Vec::new();
    for line in SCHEMA.lines() {
        if let Some(name) = line.strip_prefix("CREATE TABLE IF NOT EXISTS ") {
            table = name.trim();
        } else if line.starts_with(')') {
            table = "";
        } else if let Some((column, comment)) = line.split_once(" COMMENT '")
            && !table.is_empty()
        {
            let name = column.split_whitespace().next().unwrap_or_default();
            let comment = comment.rsplit_once('\'').map_or(comment, |(comment, _)| comment);
            columns.push(Column { table, name, comment });
        }
    }
    columns
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Event;

    #[test]
    fn every_statement_may_be_run_again_and_again() {
        let statements = statements(None);
        assert!(statements.len() >= 3);
        for Statement { sql: statement, .. } in statements {
            let again = ["CREATE TABLE IF NOT EXISTS ", "CREATE OR REPLACE VIEW "];
            assert!(again.iter().any(|head| statement.starts_with(head)), "{statement}");
            assert!(!drawn(&statement).unwrap().contains('{'), "{statement}");
        }
    }

    #[test]
    fn the_key_of_pseudonyms_is_another_each_time() {
        let key = || {
            let views = statements(None).into_iter();
            let view = views.into_iter().find(|view| view.name == "pseudonym_key").unwrap();
            drawn(&view.sql).unwrap()
        };
        let numbers = |text: String| -> Vec<u64> {
            text.split(|letter: char| !letter.is_ascii_digit())
                .filter_map(|digits| digits.parse().ok())
                .filter(|number| *number > 1_000_000)
                .collect()
        };
        let (one, other) = (numbers(key()), numbers(key()));
        assert_eq!((one.len(), other.len()), (2, 2));
        assert!(one[0] != one[1] && one[0] != other[0] && one[1] != other[1]);
    }

    #[test]
    fn the_columns_of_events_are_those_of_an_encoded_event() {
        let statements = statements(None);
        let events = statements.iter().find(|statement| statement.name == "events").unwrap();
        let columns = events.columns.iter().map(|column| column.name.as_str());
        assert_eq!(columns.collect::<Vec<_>>(), Event::columns().collect::<Vec<_>>());
    }

    #[test]
    fn the_key_of_events_is_that_of_the_table() {
        let statements = statements(None);
        let events = statements.iter().find(|statement| statement.name == "events").unwrap();
        let order = format!("\nORDER BY ({})\n", Event::KEY.join(", "));
        assert!(events.sql.contains(&order), "{}", events.sql);
    }

    #[test]
    fn on_a_cluster_every_table_is_there_twice_but_the_one_in_memory() {
        let cluster = Cluster { name: "c".into(), nodes: Vec::new(), is_replicated: false };
        let (alone, spread) = (statements(None), statements(Some(&cluster)));
        let named = |kind| spread.iter().filter(move |statement| statement.kind == kind);
        let distributed: Vec<_> = named(Kind::Distributed).map(|table| &table.name).collect();
        for Statement { name, columns, kind, .. } in &alone {
            let twin = |name: &str| spread.iter().find(|statement| statement.name == name).unwrap();
            assert_eq!(twin(name).columns.len(), columns.len());
            let is_spread = *kind == Kind::Table && name != "doomed";
            assert_eq!(distributed.contains(&name), is_spread, "{name}");
            if is_spread {
                let (rows, table) = (twin(&format!("{name}_local")), twin(name));
                assert_eq!((rows.kind, rows.columns.len()), (Kind::Table, columns.len()));
                assert!(rows.sql.contains("ReplacingMergeTree"), "{}", rows.sql);
                assert!(table.sql.contains("ENGINE = Distributed('c', "), "{}", table.sql);
                assert!(!format!("{}{}", rows.sql, table.sql).contains('{'), "{name}");
            }
        }
    }

    #[test]
    fn every_view_is_read_with_the_rights_of_its_maker_and_shows_no_id_of_anybody() {
        let views = statements(None).into_iter().filter(|statement| {
            statement.kind == Kind::View && statement.name.starts_with("report_")
        });
        let views: Vec<_> = views.map(|statement| statement.sql).collect();
        assert_eq!(views.len(), 5);
        for view in views {
            let (head, body) = view.split_once("\nAS ").unwrap();
            assert!(head.contains("SQL SECURITY DEFINER"), "{head}");
            for id in ["visitor_id ", "session_id ", "event_id ", "seq "] {
                assert!(!head.contains(&format!("\n    {id}")), "{head}");
            }
            assert!(body.contains("report_") || body.contains("removed"), "removed sites: {body}");
        }
    }

    #[test]
    fn every_column_says_what_it_is() {
        for Statement { name, columns, sql, .. } in statements(None) {
            let body = sql.split_once("\n(\n").unwrap().1.split_once("\n)\n").unwrap().0;
            assert_eq!(columns.len(), body.lines().count(), "{name}");
            for Definition { name, comment, .. } in columns {
                assert!(
                    comment.starts_with('\'') && comment.ends_with(['\'', ')']),
                    "{name}: {comment}"
                );
            }
        }
    }
}
