//! What a reader who is told no small numbers can find out from many answers: nothing about fewer visitors
//! than the least number that is told.
//!
//! The attack knows which values there are, that each visitor of a list but that of pages has one of them, how
//! answers are made, and asks 10,000 permitted questions at random. It takes every difference of two answers
//! to one question about two stretches of days, and of a total and its rows; and it narrows down every
//! number that is rounded by every sum that it is a part of. Against answers from which small rows are merely
//! left out it finds hundreds of small groups, which is how it is known to look.
//!
//! The answers come from the pure half of the reports and a model of the visits. That the real collector
//! gives just those, in every form, is the other test.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use hyper::{Method, StatusCode};
use jiff::ToSpan;
use jiff::civil::{Date, date};
use passerby::report::floor::OTHER;
use passerby::report::floor::publish::{Cell, Counts, Day, Told};
use passerby::site::floor::Floor;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

use crate::support::Collector;

const FIRST: Date = date(2026, 3, 1);
const LAST: Date = date(2026, 5, 24);
const LEAST: u64 = 5;
const QUESTIONS: usize = 10_000;
const DIMENSIONS: [&str; 7] = [
    "visit:source",
    "visit:device",
    "visit:country",
    "visit:browser",
    "visit:entry_page",
    "visit:exit_page",
    "event:page",
];

/// A visitor of one day, and the only visit.
struct Visitor {
    day: Date,
    source: &'static str,
    device: &'static str,
    country: &'static str,
    browser: &'static str,
    pages: Vec<&'static str>,
}

impl Visitor {
    /// The values that the visitor has: one, but of pages.
    fn values(&self, dimension: &str) -> BTreeSet<&'static str> {
        let one = match dimension {
            "visit:source" => self.source,
            "visit:device" => self.device,
            "visit:country" => self.country,
            "visit:browser" => self.browser,
            "visit:entry_page" => self.pages[0],
            "visit:exit_page" => self.pages[self.pages.len() - 1],
            _ => return self.pages.iter().copied().collect(),
        };
        BTreeSet::from([one])
    }
}

fn days() -> Vec<Date> {
    std::iter::successors(Some(FIRST), |day| Some(day.saturating_add(1.day())))
        .take_while(|day| *day <= LAST)
        .collect()
}

/// Some weeks of a site with a few common values and many rare ones.
fn visitors(seed: u64) -> Vec<Visitor> {
    let mut rng = SmallRng::seed_from_u64(seed);
    // Each is half as common as the one before it.
    let mut pick = |values: &[&'static str]| {
        let mut place = 0;
        while place + 1 < values.len() && rng.random_range(0..100) < 45 {
            place += 1;
        }
        values[place]
    };
    let mut all = Vec::new();
    for (number, day) in days().into_iter().enumerate() {
        // Busy days, quiet ones, and some on which hardly anybody comes.
        let count = [90, 30, 3, 140, 57, 12, 5][number % 7] + number % 4;
        for _ in 0..count {
            let pages = ["/", "/pricing", "/docs", "/blog", "/contact", "/rare", "/rarer"];
            let first = pick(&pages);
            let more = if pick(&["no", "yes"]) == "yes" { vec![pick(&pages)] } else { vec![] };
            all.push(Visitor {
                day,
                source: pick(&["Google", "News", "Forum", "Mail", "Friend", "Odd"]),
                device: pick(&["Desktop", "Mobile", "Tablet"]),
                country: pick(&["DE", "AT", "CH", "FR", "IS"]),
                browser: pick(&["Firefox", "Chrome"]),
                pages: [vec![first], more].concat(),
            });
        }
    }
    all
}

/// A permitted question: a list, days, or one number, of a stretch of days.
#[derive(Clone, Debug)]
struct Question {
    from: Date,
    to: Date,
    by: Option<&'static str>,
}

fn questions(count: usize, seed: u64) -> Vec<Question> {
    let (mut rng, days) = (SmallRng::seed_from_u64(seed), days());
    let mut question = || {
        let (one, other) = (rng.random_range(0..days.len()), rng.random_range(0..days.len()));
        let by = match rng.random_range(0..10) {
            0 => None,
            1 => Some("time:day"),
            2 => Some("time:week"),
            _ => Some(DIMENSIONS[rng.random_range(0..DIMENSIONS.len())]),
        };
        Question { from: days[one.min(other)], to: days[one.max(other)], by }
    };
    (0..count).map(|_| question()).collect()
}

/// Visitors by a key: `""` is the whole, a value, a day, or all that is not told by value.
type Rows = BTreeMap<String, u64>;

/// What the visits really are.
struct Truth {
    /// Of each dimension and value the visitors of each day.
    counts: HashMap<(&'static str, String), BTreeMap<Date, u64>>,
}

impl Truth {
    fn of(visitors: &[Visitor]) -> Self {
        let mut counts: HashMap<_, BTreeMap<Date, u64>> = HashMap::new();
        for visitor in visitors {
            for dimension in DIMENSIONS {
                for value in visitor.values(dimension) {
                    let key = (dimension, value.to_owned());
                    *counts.entry(key).or_default().entry(visitor.day).or_default() += 1;
                }
            }
            let whole = ("", String::new());
            *counts.entry(whole).or_default().entry(visitor.day).or_default() += 1;
        }
        Self { counts }
    }

    fn of_days(&self, dimension: &'static str, value: &str, from: Date, to: Date) -> u64 {
        let days = self.counts.get(&(dimension, value.to_owned()));
        days.map_or(0, |days| days.range(from..=to).map(|(_, count)| count).sum())
    }

    fn values(&self, dimension: &'static str) -> Vec<&str> {
        let of = self.counts.keys().filter(|(other, _)| *other == dimension);
        of.map(|(_, value)| value.as_str()).collect()
    }

    fn counts(visitors: u64) -> Counts {
        Counts { visitors, ..Counts::default() }
    }

    /// The pieces that answers are made of.
    fn told(&self) -> Told {
        let day = |date| Day { date, counts: Self::counts(self.of_days("", "", date, date)) };
        Told::of(days().into_iter().map(day).collect(), None, None, Floor::of(5).unwrap())
    }

    /// The answer that a floor leaves.
    fn with_floor(&self, told: &Told, question: &Question) -> Rows {
        let asked = (question.from, question.to);
        match question.by {
            None => Rows::from([(String::new(), told.whole(asked).visitors)]),
            Some("time:day" | "time:week") => {
                let rows = told.by_label(asked, |day| label(question, day));
                let row = |(label, counts): (Value, Counts)| {
                    (label.as_str().unwrap().to_owned(), counts.visitors)
                };
                rows.into_iter().map(row).collect()
            }
            Some(dimension) => {
                let cells = self.cells(told, dimension, asked);
                let (values, rest) = told.by_value(asked, cells, dimension == "event:page");
                let row = |(value, counts): (Vec<Value>, Counts)| {
                    (value[0].as_str().unwrap().to_owned(), counts.visitors)
                };
                let rest = (rest.visitors > 0).then(|| (OTHER.to_owned(), rest.visitors));
                values.into_iter().map(row).chain(rest).collect()
            }
        }
    }

    /// The answer of the same pieces, not rounded: rounding alone would hide every difference of few.
    fn unrounded(&self, told: &Told, question: &Question) -> Rows {
        let asked = (question.from, question.to);
        let of_day = |day: Date| self.of_days("", "", day, day);
        let days: Vec<Date> = told
            .by_label(asked, |day| json!(day.to_string()))
            .iter()
            .map(|(label, _)| label.as_str().unwrap().parse().unwrap())
            .collect();
        let mut rows = Rows::new();
        let Some(by) = question.by.filter(|by| !by.starts_with("time:")) else {
            for day in days {
                let key = question.by.map(|_| label(question, day).as_str().unwrap().to_owned());
                *rows.entry(key.unwrap_or_default()).or_default() += of_day(day);
            }
            return rows;
        };
        for block in told.blocks(asked) {
            let (from, to) = (block.days[0], *block.days.last().unwrap());
            let of_block = self.with_floor(told, &Question { from, to, by: Some(by) });
            for value in of_block.into_keys().filter(|value| value != OTHER) {
                let sum: u64 =
                    block.days.iter().map(|day| self.of_days(by, &value, *day, *day)).sum();
                *rows.entry(value).or_default() += sum;
            }
        }
        let by_value: u64 = rows.values().sum();
        let rest = days.into_iter().map(of_day).sum::<u64>().saturating_sub(by_value);
        if by != "event:page" && rest > 0 {
            rows.insert(OTHER.to_owned(), rest);
        }
        rows
    }

    /// The values of each block, as the database has them: those that are few are not among them.
    fn cells(&self, told: &Told, dimension: &'static str, asked: (Date, Date)) -> Vec<Cell> {
        let blocks = told.blocks(asked);
        let of_block = |(block, days): (usize, &[Date])| {
            let cell = |value: &str| {
                let sum = days.iter().map(|day| self.of_days(dimension, value, *day, *day)).sum();
                Cell { value: vec![json!(value)], block, counts: Self::counts(sum) }
            };
            let cells = self.values(dimension).into_iter().map(cell).collect::<Vec<_>>();
            cells.into_iter().filter(|cell| cell.counts.visitors >= LEAST).collect::<Vec<_>>()
        };
        blocks.iter().map(|block| block.days.as_slice()).enumerate().flat_map(of_block).collect()
    }

    /// The answer from which rows of few are left out, and nothing more: the attack's control.
    fn merely_cut(&self, question: &Question) -> Rows {
        let (from, to) = (question.from, question.to);
        let rows: Vec<(String, u64)> = match question.by {
            None => vec![(String::new(), self.of_days("", "", from, to))],
            Some("time:day" | "time:week") => {
                let mut rows = Rows::new();
                for day in days().into_iter().filter(|day| (from..=to).contains(day)) {
                    let label = label(question, day).as_str().unwrap().to_owned();
                    *rows.entry(label).or_default() += self.of_days("", "", day, day);
                }
                rows.into_iter().collect()
            }
            Some(dimension) => {
                let row =
                    |value: &str| (value.to_owned(), self.of_days(dimension, value, from, to));
                self.values(dimension).into_iter().map(row).collect()
            }
        };
        rows.into_iter().filter(|(_, visitors)| *visitors >= LEAST).collect()
    }
}

/// Weeks begin on Monday, the first of them with the question.
fn label(question: &Question, day: Date) -> Value {
    let monday = day.saturating_sub(i64::from(day.weekday().to_monday_zero_offset()).days());
    json!(
        if question.by == Some("time:week") { monday.max(question.from) } else { day }.to_string()
    )
}

/// Visitors by the first and the last of some days.
type ByRange = BTreeMap<(Date, Date), u64>;

/// A group of visitors about whom something was found: a dimension, a value, a stretch of days.
type Group = (&'static str, String, Date, Date);

/// The groups of few whose exact number is a difference of two answers, or of a total and its rows.
fn found_by_differences(truth: &Truth, answers: &[(Question, Rows)]) -> BTreeSet<Group> {
    let mut told: HashMap<(&'static str, String), ByRange> = HashMap::new();
    for (question, rows) in answers {
        for (key, visitors) in rows {
            let (by, key, from, to) = match question.by {
                Some("time:day") => {
                    let day = key.parse().unwrap();
                    ("", String::new(), day, day)
                }
                Some("time:week") => {
                    let first: Date = key.parse().unwrap();
                    let left = 6 - i64::from(first.weekday().to_monday_zero_offset());
                    let last = first.saturating_add(left.days()).min(question.to);
                    ("", String::new(), first, last)
                }
                by => (by.unwrap_or(""), key.clone(), question.from, question.to),
            };
            told.entry((by, key)).or_default().insert((from, to), *visitors);
        }
    }
    let few = 1..LEAST;
    let mut found = BTreeSet::new();
    let mut note = |by: &'static str, key: &str, from: Date, to: Date, number: u64| {
        if few.contains(&number) && truth.of_days(by, key, from, to) == number {
            found.insert((by, key.to_owned(), from, to));
        }
    };
    for ((by, key), ranges) in &told {
        for ((from, to), visitors) in ranges {
            note(by, key, *from, *to, *visitors);
            for ((other_from, other_to), others) in ranges {
                if other_from == from && other_to < to {
                    note(
                        by,
                        key,
                        other_to.saturating_add(1.day()),
                        *to,
                        visitors.saturating_sub(*others),
                    );
                }
                if other_to == to && other_from > from {
                    let before = other_from.saturating_sub(1.day());
                    note(by, key, *from, before, visitors.saturating_sub(*others));
                }
            }
        }
    }
    // All values but one are told: the last one is what is left of the whole.
    for (question, rows) in answers {
        let Some(by) = question.by.filter(|by| by.starts_with("visit:")) else { continue };
        let whole =
            told.get(&("", String::new())).and_then(|all| all.get(&(question.from, question.to)));
        let hidden: Vec<_> =
            truth.values(by).into_iter().filter(|value| !rows.contains_key(*value)).collect();
        if let (Some(whole), [value]) = (whole, hidden.as_slice()) {
            let sum: u64 = rows.values().sum();
            note(by, value, question.from, question.to, whole.saturating_sub(sum));
        }
    }
    found
}

/// What a number can be.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    least: u64,
    most: u64,
}

impl Bounds {
    /// Of a number that was told rounded; nothing told is few, or nothing, or anything of the whole.
    fn of(told: Option<u64>, whole: u64) -> Self {
        match told {
            Some(number) if number > 0 => Self {
                least: number.saturating_sub(LEAST / 2).max(LEAST),
                most: number + (LEAST - 1) / 2,
            },
            Some(_) => Self { least: 0, most: 0 },
            None => Self { least: 0, most: whole },
        }
    }

    fn is_of_few(self) -> bool {
        self.least >= 1 && self.most < LEAST
    }
}

/// The groups of few, of each block of days by each list, whose number can be nothing but few: `piece` says
/// what is told of one block, or of a day.
fn found_by_sums(
    truth: &Truth,
    told: &Told,
    piece: impl Fn(&Question) -> Rows,
    bounds: impl Fn(Option<u64>, u64) -> Bounds,
) -> BTreeSet<Group> {
    let mut found = BTreeSet::new();
    for block in told.blocks((FIRST, LAST)) {
        let (from, to) = (block.days[0], block.days[block.days.len() - 1]);
        let days = piece(&Question { from, to, by: Some("time:day") });
        let all = |most: bool| -> u64 {
            let of_day = |day: &u64| {
                let Bounds { least, most: highest } = bounds(Some(*day), 0);
                if most { highest } else { least }
            };
            days.values().map(of_day).sum()
        };
        let (whole_least, whole_most) = (all(false), all(true));
        for dimension in DIMENSIONS.into_iter().filter(|name| *name != "event:page") {
            let rows = piece(&Question { from, to, by: Some(dimension) });
            let mut values: Vec<(&str, Bounds)> = truth
                .values(dimension)
                .into_iter()
                .map(|value| (value, bounds(rows.get(value).copied(), whole_most)))
                .collect();
            // Those that are not told are, together, what is told of all others.
            let hidden: Vec<usize> = values
                .iter()
                .enumerate()
                .filter(|(_, (value, _))| !rows.contains_key(*value))
                .map(|(place, _)| place)
                .collect();
            let rest = bounds(Some(rows.get(OTHER).copied().unwrap_or(0)), 0);
            for _ in 0..4 {
                let every: Vec<usize> = (0..values.len()).collect();
                narrow(&mut values, &every, whole_least, whole_most);
                if rows.contains_key(OTHER) {
                    narrow(&mut values, &hidden, rest.least, rest.most);
                }
            }
            for (value, bounds) in values.into_iter().filter(|(_, bounds)| bounds.is_of_few()) {
                let number = truth.of_days(dimension, value, from, to);
                assert!(
                    (bounds.least..=bounds.most).contains(&number),
                    "the attack errs: {bounds:?}, {number}"
                );
                found.insert((dimension, value.to_owned(), from, to));
            }
        }
    }
    found
}

/// Some of the numbers are so many together: each is what the others leave.
fn narrow(values: &mut [(&str, Bounds)], places: &[usize], least: u64, most: u64) {
    for place in places {
        let others = || places.iter().filter(|other| *other != place).map(|other| values[*other].1);
        let (low, high): (u64, u64) =
            (others().map(|other| other.least).sum(), others().map(|other| other.most).sum());
        let bounds = &mut values[*place].1;
        bounds.least = bounds.least.max(least.saturating_sub(high));
        bounds.most = bounds.most.min(most.saturating_sub(low));
    }
}

#[test]
fn ten_thousand_answers_tell_of_no_group_of_few() {
    for seed in 1..=3 {
        let truth = Truth::of(&visitors(seed));
        let told = truth.told();
        let questions = questions(QUESTIONS, seed + 100);
        let answered = |answer: &dyn Fn(&Question) -> Rows| -> Vec<_> {
            questions.iter().map(|question| (question.clone(), answer(question))).collect()
        };
        let cut = answered(&|question| truth.merely_cut(question));
        let control = found_by_differences(&truth, &cut);
        assert!(
            control.len() > 300,
            "the attack finds little where it must find much: {}",
            control.len()
        );
        let floored = answered(&|question| truth.with_floor(&told, question));
        let rows = floored.iter().map(|(_, rows)| rows.len()).sum::<usize>();
        assert!(rows > QUESTIONS, "nothing is told: {rows} rows");
        assert_eq!(found_by_differences(&truth, &floored), BTreeSet::new());
        let exact = answered(&|question| truth.unrounded(&told, question));
        assert_eq!(found_by_differences(&truth, &exact), BTreeSet::new());
    }
}

#[test]
fn sums_of_rounded_numbers_narrow_none_down_to_few() {
    let (mut control, mut blocks) = (0, 0);
    for seed in 1..=30 {
        let truth = Truth::of(&visitors(seed));
        let told = truth.told();
        let exact = |number: Option<u64>, whole: u64| match number {
            Some(number) => Bounds { least: number, most: number },
            None => Bounds { least: 0, most: whole },
        };
        // Its days are of the whole block, so that they are what its values come to.
        let cut = |question: &Question| match question.by {
            Some("time:day") => truth.merely_cut(&Question { by: None, ..question.clone() }),
            _ => truth.merely_cut(question),
        };
        control += found_by_sums(&truth, &told, cut, exact).len();
        blocks += told.blocks((FIRST, LAST)).len();
        let floored = |question: &Question| truth.with_floor(&told, question);
        assert_eq!(found_by_sums(&truth, &told, floored, Bounds::of), BTreeSet::new(), "{seed}");
    }
    assert!(control > 100, "the attack finds little where it must find much: {control}");
    assert!(blocks > 200, "{blocks}");
}

/// A collector with the visits of the model, and a token that is told no small numbers.
async fn with_visits(visitors: &[Visitor]) -> (Collector, String) {
    let collector = Collector::start(&[]).await;
    collector.run(&["site", "add", "rare.test"]);
    let lines = visitors.iter().enumerate().flat_map(|(number, visitor)| {
        visitor.pages.iter().enumerate().map(move |(place, page)| {
            let line = json!({
                "site": "rare.test", "name": "pageview", "pathname": page, "hostname": "rare.test",
                "timestamp": format!("{}T{:02}:{:02}:{:02}Z", visitor.day, 8 + number % 12, number % 60, place),
                "visitor": format!("{number}"), "source": visitor.source, "device": visitor.device,
                "country": visitor.country, "browser": visitor.browser,
            });
            line.to_string()
        })
    });
    let file = collector.data_dir.join("events.jsonl");
    std::fs::write(&file, lines.collect::<Vec<_>>().join("\n")).unwrap();
    collector.run(&["import", file.to_str().unwrap()]);
    let token = collector.run(&[
        "token",
        "create",
        "--scope",
        "stats",
        "--site",
        "rare.test",
        "--least-visitors",
        "5",
    ]);
    (collector, token)
}

fn query(question: &Question) -> Value {
    let mut query = json!({
        "site_id": "rare.test", "metrics": ["visitors"],
        "date_range": [question.from.to_string(), question.to.to_string()],
    });
    if let Some(by) = question.by {
        query["dimensions"] = json!([by]);
    }
    query
}

fn rows_of(results: &Value) -> Rows {
    let row = |row: &Value| {
        let key = row["dimensions"][0].as_str().unwrap_or_default().to_owned();
        (key, row["metrics"][0].as_u64().unwrap())
    };
    results.as_array().unwrap().iter().map(row).collect()
}

#[tokio::test]
async fn the_collector_tells_what_the_model_tells_in_every_form() {
    let visitors = visitors(1);
    let (truth, (collector, token)) = (Truth::of(&visitors), with_visits(&visitors).await);
    let told = truth.told();
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str())];
    for (number, question) in questions(120, 7).into_iter().enumerate() {
        let expected = truth.with_floor(&told, &question);
        let answer = collector.results(&token, &query(&question)).await;
        assert_eq!(rows_of(&answer), expected, "{question:?}");
        if number % 4 > 0 {
            continue;
        }
        // The same in the older dialect, and as a table.
        let period =
            format!("site_id=rare.test&period=custom&date={},{}", question.from, question.to);
        let (kind, more) = match question.by {
            None => ("aggregate", String::new()),
            Some("time:day") => ("timeseries", String::new()),
            Some("time:week") => continue,
            Some(dimension) => ("breakdown", format!("&property={dimension}&limit=1000")),
        };
        let path = format!("/api/v1/stats/{kind}?{period}{more}");
        let answer = collector.request(Method::GET, &path, &headers, "").await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {:?}", answer.body);
        let results = answer.json()["results"].take();
        let older: Rows = match kind {
            "aggregate" => [(String::new(), results["visitors"]["value"].as_u64().unwrap())].into(),
            _ => {
                let row = |row: &Value| {
                    let named =
                        row.as_object().unwrap().iter().find(|(name, _)| *name != "visitors");
                    (
                        named.unwrap().1.as_str().unwrap().to_owned(),
                        row["visitors"].as_u64().unwrap(),
                    )
                };
                results
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(row)
                    .filter(|(_, count)| *count > 0)
                    .collect()
            }
        };
        // Entry and exit pages and countries that are not known have no rows here: there are none.
        assert_eq!(older, expected, "{path}");
        for format in ["csv", "ndjson"] {
            let path = format!("/api/v2/query?format={format}");
            let body = query(&question).to_string();
            let answer = collector.request(Method::POST, &path, &headers, body).await;
            assert_eq!(answer.status, StatusCode::OK, "{path}");
            let text = String::from_utf8(answer.body.to_vec()).unwrap();
            let lines = text.lines().count() - usize::from(format == "csv");
            assert_eq!(lines, expected.len(), "{text}");
        }
    }
}

#[tokio::test]
async fn what_could_tell_of_few_is_not_asked() {
    let (collector, token) = with_visits(&[]).await;
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str())];
    let ask = async |change: Value| {
        let mut query = json!({
            "site_id": "rare.test", "metrics": ["visitors"], "date_range": ["2026-03-01", "2026-03-31"],
        });
        query.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        collector.query(&token, &query).await
    };
    crate::support::eventually("the database answers", async || {
        (ask(json!({})).await.status == StatusCode::OK).then_some(())
    })
    .await;
    for refused in [
        json!({ "date_range": ["2026-03-01T00:00:00Z", "2026-03-01T00:05:00Z"] }),
        json!({ "date_range": "24h" }),
        json!({ "dimensions": ["time:hour"] }),
        json!({ "dimensions": ["visit:source", "visit:country"] }),
        json!({ "dimensions": ["visit:city"] }),
        json!({ "dimensions": ["event:props:plan"] }),
        json!({ "filters": [["is", "visit:source", ["Odd"]]] }),
        json!({ "filters": [["is_not", "visit:source", ["Odd"]]], "dimensions": ["visit:country"] }),
        json!({ "filters": [["not", ["is", "visit:source", ["Odd"]]]], "dimensions": ["visit:source"] }),
        json!({ "filters": [["has_done", ["is", "event:name", ["x"]]]] }),
        json!({ "metrics": ["visit_duration_p50"] }),
        json!({ "metrics": ["visit_duration"], "dimensions": ["visit:channel"] }),
        json!({ "metrics": ["max:event:props:price"] }),
        json!({ "include": { "comparisons": {
            "mode": "custom", "date_range": ["2026-02-01T00:00:00Z", "2026-02-01T01:00:00Z"],
        } } }),
    ] {
        let answer = ask(refused.clone()).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{refused}");
        assert!(answer.json()["error"].as_str().unwrap().contains("small numbers"), "{refused}");
    }
    let steps = json!({ "site_id": "rare.test", "date_range": "7d", "steps": [{ "page": "/" }, { "page": "/a" }] });
    let from = json!({ "site_id": "rare.test", "date_range": "7d", "from": { "page": "/" } });
    for (method, path, body, status) in [
        (Method::POST, "/api/v2/funnel", steps.to_string(), StatusCode::BAD_REQUEST),
        (Method::POST, "/api/v2/journey", from.to_string(), StatusCode::BAD_REQUEST),
        (
            Method::GET,
            "/api/v1/stats/realtime/visitors?site_id=rare.test",
            String::new(),
            StatusCode::BAD_REQUEST,
        ),
        (Method::GET, "/api/v1/export?site_id=rare.test", String::new(), StatusCode::FORBIDDEN),
    ] {
        let answer = collector.request(method, path, &headers, body).await;
        assert_eq!(answer.status, status, "{path}: {:?}", answer.body);
    }
    // Of whole days the mean is told.
    for dimensions in [json!([]), json!(["time:day"])] {
        let means = json!({ "metrics": ["visit_duration"], "dimensions": dimensions });
        assert_eq!(ask(means).await.status, StatusCode::OK, "{dimensions}");
    }
    // Rows can be chosen, and that changes none.
    let picked =
        json!({ "filters": [["contains", "visit:source", ["o"]]], "dimensions": ["visit:source"] });
    assert_eq!(ask(picked).await.status, StatusCode::OK);
}
