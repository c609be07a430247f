//! A report as a table for the terminal: plain text, no colours, no wider than it is told.

use serde_json::Value;

use crate::query::measure::Measure;
use crate::query::metric::Unit;

/// The space between two columns.
const GAP: &str = "  ";
/// A bar is drawn where so many columns are left over.
const BAR_MIN: usize = 8;
/// No bar is wider than this.
const BAR_MAX: usize = 40;
/// The least to which a column of text is cut when the table is too wide.
const TEXT_MIN: usize = 8;

/// One column of the table.
struct Column {
    heading: String,
    cells: Vec<String>,
    number: bool,
}

/// Draws the API's answer as a table of at most `width` columns (as far as its numbers allow).
pub fn render(answer: &Value, width: usize) -> String {
    let query = &answer["query"];
    let mut table = format!("{}\n\n", title(query));
    let rows = answer["results"].as_array().map_or(&[] as &[Value], Vec::as_slice);
    if rows.is_empty() {
        return table + "No data in this period.\n";
    }
    let mut columns = columns(query, rows);
    fit(&mut columns, width);
    let widths: Vec<usize> = columns.iter().map(Column::width).collect();
    let taken = widths.iter().sum::<usize>() + GAP.len() * widths.len();
    let bars = bars(query, rows, width.saturating_sub(taken).min(BAR_MAX));

    line(&mut table, columns.iter().map(|column| column.heading.as_str()), &columns, &widths, "");
    for index in 0..rows.len() {
        let bar = bars.get(index).map_or("", String::as_str);
        line(
            &mut table,
            columns.iter().map(|column| column.cells[index].as_str()),
            &columns,
            &widths,
            bar,
        );
    }
    if let Some(total) =
        answer["meta"]["total_rows"].as_u64().filter(|total| *total > rows.len() as u64)
    {
        table.push_str(&format!("\n{} of {} rows.\n", rows.len(), thousands(total as f64, 0)));
    }
    table
}

/// `example.com, 2024-05-01 to 2024-05-14`.
fn title(query: &Value) -> String {
    let day = |index: usize| {
        query["date_range"][index].as_str().and_then(|moment| moment.get(..10)).unwrap_or("?")
    };
    let site = query["site_id"].as_str().unwrap_or("?");
    match (day(0), day(1)) {
        (from, to) if from == to => format!("{site}, {from}"),
        (from, to) => format!("{site}, {from} to {to}"),
    }
}

fn columns(query: &Value, rows: &[Value]) -> Vec<Column> {
    let names = |key: &str| {
        query[key].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned)
    };
    let text = |cell: &Value| cell.as_str().map_or_else(|| cell.to_string(), printable);
    let dimensions = names("dimensions").enumerate().map(|(index, name)| Column {
        heading: name.rsplit(':').next().unwrap_or(&name).replace('_', " "),
        cells: rows.iter().map(|row| text(&row["dimensions"][index])).collect(),
        number: false,
    });
    let metrics = names("metrics").enumerate().map(|(index, name)| Column {
        heading: name.replace('_', " "),
        cells: rows
            .iter()
            .map(|row| number(&row["metrics"][index], Measure::named(&name)))
            .collect(),
        number: true,
    });
    dimensions.chain(metrics).collect()
}

/// What a visitor sent may hold anything; a terminal must not obey it.
fn printable(text: &str) -> String {
    if text.is_empty() {
        return "(blank)".into();
    }
    text.chars()
        .map(|character| if character.is_control() { '\u{fffd}' } else { character })
        .collect()
}

fn number(value: &Value, metric: Option<Measure>) -> String {
    if let Some(money) = value["long"].as_str() {
        return printable(money);
    }
    let Some(number) = value.as_f64() else { return "–".into() };
    match metric.map_or(Unit::Count, |metric| metric.unit()) {
        Unit::Count => thousands(number, 0),
        Unit::Ratio | Unit::Number | Unit::Money => thousands(number, 2),
        Unit::Percent(decimals) => format!("{}%", thousands(number, decimals.into())),
        Unit::Seconds => duration(number as u64),
    }
}

/// `1234567.5` as `1,234,567.5`.
fn thousands(number: f64, decimals: usize) -> String {
    let plain = format!("{number:.decimals$}");
    let whole = plain.split('.').next().unwrap_or_default();
    let mut grouped = String::new();
    for (index, digit) in whole.char_indices() {
        if index > 0 && (whole.len() - index) % 3 == 0 && !grouped.ends_with('-') {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped + &plain[whole.len()..]
}

/// `3725` as `1h 02m 05s`.
fn duration(seconds: u64) -> String {
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match (hours, minutes) {
        (0, 0) => format!("{rest}s"),
        (0, minutes) => format!("{minutes}m {rest:02}s"),
        (hours, minutes) => format!("{hours}h {minutes:02}m {rest:02}s"),
    }
}

impl Column {
    fn width(&self) -> usize {
        let cells = self.cells.iter().map(|cell| cell.chars().count()).max().unwrap_or(0);
        cells.max(self.heading.chars().count())
    }
}

/// Cuts the widest columns of text until the table fits.
fn fit(columns: &mut [Column], width: usize) {
    loop {
        let taken = columns.iter().map(Column::width).sum::<usize>()
            + GAP.len() * columns.len().saturating_sub(1);
        let Some(surplus) = taken.checked_sub(width).filter(|surplus| *surplus > 0) else { return };
        let widest =
            columns.iter_mut().filter(|column| !column.number).max_by_key(|column| column.width());
        let Some(widest) = widest.filter(|column| column.width() > TEXT_MIN) else { return };
        let cut = widest.width().saturating_sub(surplus).max(TEXT_MIN);
        widest.heading = shortened(&widest.heading, cut);
        widest.cells.iter_mut().for_each(|cell| *cell = shortened(cell, cut));
    }
}

fn shortened(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}

/// A bar for each row, as long as its first metric is great; none where there is little room, or
/// nothing to compare.
fn bars(query: &Value, rows: &[Value], width: usize) -> Vec<String> {
    let broken_down =
        query["dimensions"].as_array().is_some_and(|dimensions| !dimensions.is_empty());
    let values: Vec<f64> =
        rows.iter().map(|row| row["metrics"][0].as_f64().unwrap_or(0.0)).collect();
    let greatest = values.iter().copied().fold(0.0, f64::max);
    if !broken_down || width < BAR_MIN || greatest <= 0.0 {
        return Vec::new();
    }
    values.iter().map(|value| bar(value / greatest * width as f64)).collect()
}

/// Eighths of a cell make bars of small numbers differ.
fn bar(length: f64) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = (length * 8.0).round().max(0.0) as usize;
    "█".repeat(eighths / 8) + EIGHTHS[eighths % 8]
}

fn line<'cell>(
    table: &mut String,
    cells: impl Iterator<Item = &'cell str>,
    columns: &[Column],
    widths: &[usize],
    bar: &str,
) {
    let cells = cells.zip(columns).zip(widths).map(|((cell, column), &width)| {
        if column.number { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
    });
    let line = cells.chain([bar.to_owned()]).collect::<Vec<_>>().join(GAP);
    table.push_str(line.trim_end());
    table.push('\n');
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn answer() -> Value {
        json!({
            "results": [
                { "dimensions": ["Google"], "metrics": [1_234_567, 33, 3725, 2.5] },
                { "dimensions": ["a-very-long-name-of-a-site.example/with/a/path"], "metrics": [80_000, null, 59, 1.0] },
                { "dimensions": ["tricky\u{1b}[31m"], "metrics": [7, 0, 61, 0.0] },
            ],
            "meta": { "total_rows": 1200 },
            "query": {
                "site_id": "example.com",
                "metrics": ["visitors", "bounce_rate", "visit_duration", "views_per_visit"],
                "dimensions": ["visit:source"],
                "date_range": ["2024-05-01T00:00:00+00:00", "2024-05-14T23:59:59+00:00"],
            },
        })
    }

    #[test]
    fn numbers_are_aligned_under_their_headings_with_a_bar_where_there_is_room() {
        insta::assert_snapshot!(render(&answer(), 130), @r"
        example.com, 2024-05-01 to 2024-05-14

        source                                           visitors  bounce rate  visit duration  views per visit
        Google                                          1,234,567          33%      1h 02m 05s             2.50  █████████████████████████
        a-very-long-name-of-a-site.example/with/a/path     80,000            –             59s             1.00  █▋
        tricky�[31m                                             7           0%          1m 01s             0.00

        3 of 1,200 rows.
        ");
    }

    #[test]
    fn long_texts_are_cut_to_fit_the_width() {
        insta::assert_snapshot!(render(&answer(), 72), @r"
        example.com, 2024-05-01 to 2024-05-14

        source            visitors  bounce rate  visit duration  views per visit
        Google           1,234,567          33%      1h 02m 05s             2.50
        a-very-long-na…     80,000            –             59s             1.00
        tricky�[31m              7           0%          1m 01s             0.00

        3 of 1,200 rows.
        ");
        assert!(render(&answer(), 72).lines().all(|line| line.chars().count() <= 72));
    }

    #[test]
    fn a_report_without_rows_says_so() {
        let mut empty = answer();
        empty["results"] = json!([]);
        assert!(render(&empty, 80).ends_with("No data in this period.\n"));
    }

    #[test]
    fn numbers_are_grouped_by_thousands() {
        let check = |number: f64, expected: &str| assert_eq!(thousands(number, 0), expected);
        check(0.0, "0");
        check(999.0, "999");
        check(1000.0, "1,000");
        check(-1000.0, "-1,000");
        check(-100.0, "-100");
        check(1_234_567.0, "1,234,567");
    }
}
