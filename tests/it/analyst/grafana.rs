//! Grafana and its ClickHouse data source, as far as a query is concerned: variables and macros, expanded
//! as their documentation says, and the JSON of a dashboard.

use std::collections::BTreeMap;

use serde_json::Value;

/// What "All" is as the value of a variable.
pub(super) const ALL: &str = "$__all";

/// What the reader has chosen.
#[derive(Clone)]
pub(super) struct Chosen {
    /// The range, in milliseconds since 1970, with both ends.
    pub(super) from_ms: i64,
    pub(super) to_ms: i64,
    /// The interval that fits the panel's width.
    pub(super) interval_s: u32,
    /// The values of each variable.
    pub(super) variables: BTreeMap<String, Vec<String>>,
}

impl Chosen {
    pub(super) fn with(mut self, variable: &str, values: &[&str]) -> Self {
        let values = values.iter().map(|&value| value.to_owned()).collect();
        self.variables.insert(variable.to_owned(), values);
        self
    }

    /// The query as it is sent to ClickHouse.
    pub(super) fn expand(&self, sql: &str) -> String {
        let mut sql = sql.to_owned();
        // The innermost first, and before the variables: it looks at the name of one.
        while let Some(start) = sql.rfind("$__conditionalAll(") {
            let (arguments, end) = arguments(&sql, start + "$__conditionalAll".len());
            let [condition, variable] = &arguments[..] else { panic!("two arguments: {sql}") };
            let name = variable.trim_matches(['$', '{', '}']);
            let is_all = self.values(name) == [ALL];
            sql.replace_range(start..end, if is_all { "1=1" } else { condition });
        }
        self.macros(self.interpolate(&sql))
    }

    fn values(&self, name: &str) -> &[String] {
        self.variables.get(name).unwrap_or_else(|| panic!("there is no variable {name}"))
    }

    /// `${name:singlequote}`, `${name}` and `$name`.
    fn interpolate(&self, sql: &str) -> String {
        let pattern = regex::Regex::new(r"\$\{(\w+)(?::(\w+))?\}|\$([a-zA-Z]\w*)").unwrap();
        let text = pattern.replace_all(sql, |found: &regex::Captures<'_>| {
            let name = found.get(1).or(found.get(3)).unwrap().as_str();
            let values = self.values(name);
            match found.get(2).map(|format| format.as_str()) {
                Some("singlequote") => {
                    let quoted = |value: &String| format!("'{}'", value.replace('\'', "\\'"));
                    values.iter().map(quoted).collect::<Vec<_>>().join(",")
                }
                None => values.join(","),
                Some(other) => panic!("the format {other} is not expanded here"),
            }
        });
        text.into_owned()
    }

    fn macros(&self, mut sql: String) -> String {
        // Longest names first: a name may begin with another.
        for name in [
            "timeInterval_ms",
            "timeFilter_ms",
            "fromTime_ms",
            "dateTimeFilter",
            "timeInterval",
            "timeFilter",
            "dateFilter",
            "interval_s",
            "fromTime",
            "toTime_ms",
            "toTime",
        ] {
            let call = format!("$__{name}");
            while let Some(start) = sql.find(&call) {
                let after = start + call.len();
                let takes_none =
                    ["fromTime", "toTime", "interval_s"].contains(&name.trim_end_matches("_ms"));
                let (arguments, end) =
                    if takes_none { (Vec::new(), after) } else { arguments(&sql, after) };
                sql.replace_range(start..end, &self.expansion(name, &arguments));
            }
        }
        assert!(!sql.contains('$'), "something is left to expand: {sql}");
        sql
    }

    fn expansion(&self, name: &str, arguments: &[String]) -> String {
        let seconds = |ms: i64| format!("toDateTime({})", ms.div_euclid(1000));
        let milliseconds = |ms: i64| format!("fromUnixTimestamp64Milli({ms})");
        let day = |ms: i64| {
            let date =
                jiff::Timestamp::from_millisecond(ms).unwrap().strftime("%Y-%m-%d").to_string();
            format!("toDate('{date}')")
        };
        let between = |column: &str, bound: &dyn Fn(i64) -> String| {
            format!("{column} >= {} AND {column} <= {}", bound(self.from_ms), bound(self.to_ms))
        };
        let first = arguments.first().map_or("", String::as_str);
        match name {
            "fromTime" => seconds(self.from_ms),
            "toTime" => seconds(self.to_ms),
            "fromTime_ms" => milliseconds(self.from_ms),
            "toTime_ms" => milliseconds(self.to_ms),
            "timeFilter" => between(first, &seconds),
            "timeFilter_ms" => between(first, &milliseconds),
            "dateFilter" => between(first, &day),
            "dateTimeFilter" => {
                format!("({}) AND ({})", between(first, &day), between(&arguments[1], &seconds))
            }
            "interval_s" => self.interval_s.to_string(),
            "timeInterval" => {
                format!(
                    "toStartOfInterval(toDateTime({first}), INTERVAL {} second)",
                    self.interval_s
                )
            }
            "timeInterval_ms" => format!(
                "toStartOfInterval(toDateTime64({first}, 3), INTERVAL {} millisecond)",
                u64::from(self.interval_s) * 1000
            ),
            other => panic!("the macro {other} is not expanded here"),
        }
    }
}

/// The arguments in the parentheses that open at `open`, and where they end.
fn arguments(sql: &str, open: usize) -> (Vec<String>, usize) {
    assert_eq!(&sql[open..=open], "(", "a macro without arguments: {sql}");
    let (mut depth, mut arguments, mut begun) = (0, Vec::new(), open + 1);
    for (index, character) in sql.char_indices().skip_while(|(index, _)| *index < open) {
        match character {
            '(' => depth += 1,
            ')' if depth == 1 => {
                arguments.push(sql[begun..index].trim().to_owned());
                return (arguments, index + 1);
            }
            ')' => depth -= 1,
            ',' if depth == 1 => {
                arguments.push(sql[begun..index].trim().to_owned());
                begun = index + 1;
            }
            _ => {}
        }
    }
    panic!("the parentheses do not close: {sql}")
}

/// A dashboard of the folder.
pub(super) struct Dashboard {
    pub(super) file: String,
    pub(super) json: Value,
}

impl Dashboard {
    pub(super) fn all() -> Vec<Self> {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/dashboards");
        let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
        let mut files: Vec<_> =
            files.filter(|path| path.extension().is_some_and(|end| end == "json")).collect();
        files.sort();
        let read = |path: &std::path::PathBuf| Self {
            file: path.file_name().unwrap().to_str().unwrap().to_owned(),
            json: serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap(),
        };
        files.iter().map(read).collect()
    }

    pub(super) fn named(file: &str) -> Self {
        Self::all().into_iter().find(|dashboard| dashboard.file == file).unwrap()
    }

    /// Those that ask ClickHouse.
    pub(super) fn of_clickhouse() -> Vec<Self> {
        Self::all().into_iter().filter(|dashboard| dashboard.file != "collector.json").collect()
    }

    pub(super) fn panels(&self) -> &[Value] {
        self.json["panels"].as_array().unwrap()
    }

    pub(super) fn variables(&self) -> &[Value] {
        self.json["templating"]["list"].as_array().unwrap()
    }

    /// A query that has every filter.
    pub(super) fn sql_of_any_panel(&self) -> &str {
        self.panels()[0]["targets"][0]["rawSql"].as_str().unwrap()
    }

    /// The query of the panel of this title.
    pub(super) fn sql(&self, title: &str) -> &str {
        let panel = self.panels().iter().find(|panel| panel["title"] == title);
        let panel = panel.unwrap_or_else(|| panic!("{}: there is no {title}", self.file));
        panel["targets"][0]["rawSql"].as_str().unwrap()
    }
}

#[test]
fn macros_are_expanded_as_the_plugin_documents() {
    let chosen = Chosen {
        from_ms: 1_415_792_726_123,
        to_ms: 1_447_328_726_456,
        interval_s: 20,
        variables: BTreeMap::new(),
    };
    let chosen = chosen.with("all", &[ALL]).with("two", &["a", "b'c"]).with("one", &["7"]);
    for (sql, expected) in [
        (
            "$__timeFilter(time)",
            "time >= toDateTime(1415792726) AND time <= toDateTime(1447328726)",
        ),
        (
            "$__timeFilter_ms(time)",
            "time >= fromUnixTimestamp64Milli(1415792726123) AND time <= fromUnixTimestamp64Milli(1447328726456)",
        ),
        ("$__dateFilter(d)", "d >= toDate('2014-11-12') AND d <= toDate('2015-11-12')"),
        ("$__timeInterval(c)", "toStartOfInterval(toDateTime(c), INTERVAL 20 second)"),
        (
            "$__timeInterval_ms(c)",
            "toStartOfInterval(toDateTime64(c, 3), INTERVAL 20000 millisecond)",
        ),
        ("$__fromTime - $__toTime", "toDateTime(1415792726) - toDateTime(1447328726)"),
        ("$__toTime_ms / $__interval_s", "fromUnixTimestamp64Milli(1447328726456) / 20"),
        (
            "$__conditionalAll(if(x, y, z) IN (${two:singlequote}), $two)",
            "if(x, y, z) IN ('a','b\\'c')",
        ),
        ("$__conditionalAll(x IN (${all:singlequote}), $all)", "1=1"),
        ("x = $one AND y = '${one}'", "x = 7 AND y = '7'"),
    ] {
        assert_eq!(chosen.expand(sql), expected);
    }
}
