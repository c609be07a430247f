//! Lines of JSON: an object a row, its values by the names of their columns.

use serde_json::{Map, Value};

use super::table::Table;

/// The table, a line a row.
pub fn write(table: &Table) -> String {
    let mut lines = String::new();
    for row in table.rows() {
        let names = table.columns().iter().map(|column| column.name.clone());
        let object: Map<String, Value> = names.zip(row.iter().cloned()).collect();
        lines.push_str(&Value::Object(object).to_string());
        lines.push('\n');
    }
    lines
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_row_is_an_object_on_a_line_of_its_own() {
        let names = ["event:page", "visitors"].map(str::to_owned).into();
        let rows = vec![vec![json!("/a\n"), json!(3)], vec![json!("/b"), Value::Null]];
        assert_eq!(
            write(&Table::new(0, names, rows)),
            "{\"event:page\":\"/a\\n\",\"visitors\":3}\n{\"event:page\":\"/b\",\"visitors\":null}\n"
        );
    }
}
