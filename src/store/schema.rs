//! `schema.sql`, as statements for one installation.

/// The only DDL there is.
const SCHEMA: &str = include_str!("../../schema.sql");

/// The engine of the tables on one machine.
const REPLACING: &str = "ReplacingMergeTree";

/// The statements of `schema.sql`, in their order, for one machine.
pub(super) fn statements() -> Vec<String> {
    let without_comments: String = SCHEMA
        .lines()
        .filter(|line| !line.trim_start().starts_with("--"))
        .flat_map(|line| [line, "\n"])
        .collect();
    let statements =
        without_comments.split(";\n").map(str::trim).filter(|statement| !statement.is_empty());
    statements
        .map(|statement| statement.trim_end_matches(';').replace("{replacing}", REPLACING))
        .collect()
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
        let statements = statements();
        assert!(statements.len() >= 3);
        for statement in statements {
            let again = ["CREATE TABLE IF NOT EXISTS ", "CREATE OR REPLACE VIEW "];
            assert!(again.iter().any(|head| statement.starts_with(head)), "{statement}");
            assert!(!statement.contains('{'), "{statement}");
        }
    }

    #[test]
    fn the_columns_of_events_are_those_of_an_encoded_event() {
        let events = statements()
            .into_iter()
            .find(|statement| statement.contains("EXISTS events\n"))
            .unwrap();
        let body = events.split_once("\n(\n").unwrap().1.split_once("\n)\n").unwrap().0;
        let columns = body.lines().filter_map(|line| line.split_whitespace().next());
        assert_eq!(columns.collect::<Vec<_>>(), Event::columns().collect::<Vec<_>>());
    }

    #[test]
    fn every_view_is_read_with_the_rights_of_its_maker_and_shows_no_id_of_anybody() {
        let views: Vec<_> = statements().into_iter().filter(|sql| sql.contains(" VIEW ")).collect();
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
        for statement in statements() {
            let body = statement.split_once("\n(\n").unwrap().1.split_once("\n)\n").unwrap().0;
            for line in body.lines() {
                assert!(line.contains(" COMMENT '"), "{line}");
            }
        }
    }
}
