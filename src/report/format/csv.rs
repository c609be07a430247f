//! Comma-separated values as RFC 4180 has them: a header, CRLF, and quotes where a cell needs them.
//!
//! A spreadsheet takes a cell that begins with `=` and the like for a formula, and what is in a report came
//! from outside. So an apostrophe stands before such text, which spreadsheets show as the text that follows
//! it. Numbers are ours and stay numbers, with their minus.

use serde_json::Value;

use super::table::{Table, text};

/// What makes a spreadsheet compute: ASCII signs, their full-width forms, and what hides them.
const TRIGGERS: [char; 13] =
    ['=', '+', '-', '@', '\t', '\r', '\n', '\0', '\u{feff}', '＝', '＋', '－', '＠'];

/// The table, from its header on.
pub fn write(table: &Table) -> String {
    let mut csv = String::new();
    csv.push_str(&line(table.columns().iter().map(|column| harmless(&column.name))));
    for row in table.rows() {
        let cells = row.iter().map(|value| match value {
            Value::String(text) => harmless(text),
            other => text(other).into_owned(),
        });
        csv.push_str(&line(cells));
    }
    csv
}

/// A text from outside, as it may stand in a cell.
pub fn harmless(text: &str) -> String {
    if text.starts_with(TRIGGERS) { format!("'{text}") } else { text.to_owned() }
}

/// A line of these cells, with its end.
pub fn line(cells: impl Iterator<Item = String>) -> String {
    let mut csv = String::new();
    for (index, cell) in cells.enumerate() {
        if index > 0 {
            csv.push(',');
        }
        if cell.contains([',', '"', '\r', '\n']) {
            csv.push('"');
            csv.push_str(&cell.replace('"', "\"\""));
            csv.push('"');
        } else {
            csv.push_str(&cell);
        }
    }
    csv.push_str("\r\n");
    csv
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn read(csv: &str) -> Vec<Vec<String>> {
        let mut reader = ::csv::ReaderBuilder::new().has_headers(false).from_reader(csv.as_bytes());
        let rows = reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect());
        rows.collect()
    }

    #[test]
    fn lines_end_in_crlf_and_cells_are_quoted_where_they_must_be() {
        let names =
            ["event:page", "event:props:a,b", "visitors", "change.visitors"].map(str::to_owned);
        let row = vec![json!("/say \"hi\"\r\nthere"), json!("=1+1"), json!(3), json!(-50)];
        let table = Table::new(0, names.into(), vec![row, vec![json!("(none)")]]);
        assert_eq!(
            write(&table),
            "event:page,\"event:props:a,b\",visitors,change.visitors\r\n\
             \"/say \"\"hi\"\"\r\nthere\",'=1+1,3,-50\r\n(none),,,\r\n"
        );
    }

    proptest! {
        #[test]
        fn no_text_begins_with_what_makes_a_spreadsheet_compute(
            names in proptest::collection::vec("\u{feff}?[=+@\t\r\n\0,\"-]?.{0,5}", 2..4),
            texts in proptest::collection::vec("[=+@\t\r\n\0,\"'＝-]?(.|\r|\n){0,8}", 0..12),
        ) {
            let width = names.len();
            let rows = texts.chunks_exact(width);
            let rows: Vec<_> = rows.map(|row| row.iter().map(|text| json!(text)).collect()).collect();
            for cell in read(&write(&Table::new(0, names, rows))).concat() {
                prop_assert!(!cell.starts_with(TRIGGERS), "{cell:?}");
            }
        }

        #[test]
        fn what_is_read_back_is_what_was_written(
            texts in proptest::collection::vec("[=,\"'a ](.|\r|\n){0,8}", 0..12),
            numbers in proptest::collection::vec(any::<i64>(), 6),
        ) {
            let rows = texts.chunks_exact(2).zip(&numbers);
            let rows: Vec<_> =
                rows.map(|(row, number)| vec![json!(row[0]), json!(row[1]), json!(number)]).collect();
            let expected: Vec<Vec<String>> = rows
                .iter()
                .map(|row| row.iter().map(|value| match value {
                    Value::String(text) => harmless(text),
                    other => other.to_string(),
                }).collect())
                .collect();
            let names = ["a", "b", "c"].map(str::to_owned).into();
            let read = read(&write(&Table::new(0, names, rows)));
            prop_assert_eq!(&read[1..], &expected[..]);
        }
    }
}
