//! What is told to readers who are told no small numbers. Pure: of days and their values, the pieces that
//! are told, and of these what an answer comes to.

use std::collections::{BTreeMap, HashMap};

use jiff::civil::Date;
use serde_json::{Value, json};

use crate::query::measure::Measure;
use crate::query::metric::Metric;
use crate::site::floor::Floor;

/// A block ends with the day on which so many times the least number of visitors have come.
const BLOCK_FLOORS: u64 = 50;

/// What some visitors came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// How many there were.
    pub visitors: u64,
    /// Their visits.
    pub visits: u64,
    /// Their page views.
    pub pageviews: u64,
    /// Their page views and custom events.
    pub events: u64,
    /// Of their visits those that bounced; of a day as it is read, in percent.
    pub bounced: u64,
    /// How long their visits were together, in seconds; of a day as it is read, one of them.
    pub seconds: u64,
}

impl Counts {
    /// Takes over a number that was read.
    pub(super) fn take(&mut self, metric: Metric, number: f64) {
        let place = match metric {
            Metric::Visitors => &mut self.visitors,
            Metric::Visits => &mut self.visits,
            Metric::Pageviews => &mut self.pageviews,
            Metric::Events => &mut self.events,
            Metric::BounceRate => &mut self.bounced,
            Metric::VisitDuration => &mut self.seconds,
            // No other is read.
            _ => return,
        };
        *place = number.max(0.0) as u64;
    }

    /// The same with visits and seconds for the rate and the mean that were read.
    pub(super) fn of_rates(self) -> Self {
        let bounced = (self.bounced * self.visits + 50) / 100;
        Self { bounced, seconds: self.seconds * self.visits, ..self }
    }

    fn plus(self, other: Self) -> Self {
        self.each(other, u64::saturating_add)
    }

    /// What is left; visits are counted a little differently by some dimensions, so that it may be nothing.
    fn minus(self, other: Self) -> Self {
        self.each(other, u64::saturating_sub)
    }

    fn each(self, other: Self, of: impl Fn(u64, u64) -> u64) -> Self {
        Self {
            visitors: of(self.visitors, other.visitors),
            visits: of(self.visits, other.visits),
            pageviews: of(self.pageviews, other.pageviews),
            events: of(self.events, other.events),
            bounced: of(self.bounced, other.bounced),
            seconds: of(self.seconds, other.seconds),
        }
    }

    /// As it is told; the mean of the seconds stays what it is.
    fn rounded(self, floor: Floor) -> Self {
        let visits = floor.rounded(self.visits);
        Self {
            visitors: floor.rounded(self.visitors),
            visits,
            pageviews: floor.rounded(self.pageviews),
            events: floor.rounded(self.events),
            bounced: floor.rounded(self.bounced).min(visits),
            seconds: self.seconds.checked_div(self.visits).unwrap_or(0) * visits,
        }
    }

    /// The value of a metric; `whole` is the visitors of the report without dimensions.
    pub(super) fn value(&self, measure: &Measure, whole: u64) -> Value {
        let ratio = |part: u64, whole: u64, decimals: f64| {
            (whole > 0).then(|| (part as f64 / whole as f64 * decimals).round() / decimals)
        };
        let percent = |part: u64, whole: u64| ratio(part.min(whole) * 100, whole, 1.0);
        let of_nothing = measure.of_nothing();
        match measure.metric() {
            Some(Metric::Visitors) => json!(self.visitors),
            Some(Metric::Visits) => json!(self.visits),
            Some(Metric::Pageviews) => json!(self.pageviews),
            Some(Metric::Events) => json!(self.events),
            Some(Metric::BounceRate) => {
                percent(self.bounced, self.visits).map_or(of_nothing, |rate| json!(rate as u64))
            }
            Some(Metric::VisitDuration) => {
                json!(self.seconds.checked_div(self.visits).unwrap_or(0))
            }
            Some(Metric::ViewsPerVisit) => {
                json!(ratio(self.pageviews, self.visits, 100.0).unwrap_or(0.0))
            }
            Some(Metric::Percentage) => {
                json!(ratio(self.visitors.min(whole) * 100, whole, 10.0))
            }
            _ => of_nothing,
        }
    }
}

/// A day, with what came of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Day {
    /// Which one.
    pub date: Date,
    /// What it came to.
    pub counts: Counts,
}

/// A few days in a row, of which values are told together.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// Its days, but for those that had too few visitors.
    pub days: Vec<Date>,
    counts: Counts,
}

/// What a value came to in a block.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// The values of the dimensions.
    pub value: Vec<Value>,
    /// The place of the block in the list of those that were asked for.
    pub block: usize,
    /// What it came to.
    pub counts: Counts,
}

/// The pieces that all answers are made of.
pub struct Told {
    floor: Floor,
    /// The days with enough visitors, in their order.
    days: Vec<Day>,
    blocks: Vec<Block>,
}

impl Told {
    /// Of all days of some months, in their order: those with enough visitors and, where `outside` has
    /// how many came to all of the site, with enough that are not among these. Blocks begin with a month,
    /// so that they are the same whatever is asked; a month of which days are gone has none.
    pub fn of(
        days: Vec<Day>,
        outside: Option<HashMap<Date, u64>>,
        kept_from: Option<Date>,
        floor: Floor,
    ) -> Self {
        let is_told = |day: &Day| {
            let visitors = day.counts.visitors;
            let of_all = outside.as_ref().and_then(|outside| outside.get(&day.date)).copied();
            let others = of_all.map_or(0, |all| all.saturating_sub(visitors));
            visitors >= floor.least() && !floor.is_few(others)
        };
        let days: Vec<Day> = days.into_iter().filter(is_told).collect();
        let blocks = blocks(&days, kept_from, floor.least() * BLOCK_FLOORS);
        Self { floor, days, blocks }
    }

    fn days(&self, (first, last): (Date, Date)) -> impl Iterator<Item = &Day> {
        self.days.iter().filter(move |day| (first..=last).contains(&day.date))
    }

    /// The first day of a range that is told.
    pub fn first(&self, asked: (Date, Date)) -> Option<Date> {
        self.days(asked).next().map(|day| day.date)
    }

    /// The whole of a range of days.
    pub fn whole(&self, asked: (Date, Date)) -> Counts {
        let rounded = self.days(asked).map(|day| day.counts.rounded(self.floor));
        rounded.fold(Counts::default(), Counts::plus)
    }

    /// The days of a range by a label of each, in their order.
    pub fn by_label(
        &self,
        asked: (Date, Date),
        label: impl Fn(Date) -> Value,
    ) -> Vec<(Value, Counts)> {
        let mut told: Vec<(Value, Counts)> = Vec::new();
        for day in self.days(asked) {
            let (label, counts) = (label(day.date), day.counts.rounded(self.floor));
            match told.last_mut().filter(|(last, _)| *last == label) {
                Some((_, sum)) => *sum = sum.plus(counts),
                None => told.push((label, counts)),
            }
        }
        told
    }

    /// The blocks that lie in a range whole.
    pub fn blocks(&self, (first, last): (Date, Date)) -> Vec<&Block> {
        let lies_in = |block: &&Block| block.days.iter().all(|day| (first..=last).contains(day));
        self.blocks.iter().filter(lies_in).collect()
    }

    /// The values of a range of days, and what is not told by value. `cells` are of its [`Self::blocks`], and
    /// none of them is few. Where a visitor may have several values, what has none of those that are told can
    /// not be known from them, and is nothing here.
    pub fn by_value(
        &self,
        asked: (Date, Date),
        cells: Vec<Cell>,
        values_overlap: bool,
    ) -> (Vec<(Vec<Value>, Counts)>, Counts) {
        let blocks = self.blocks(asked);
        let mut of_blocks: Vec<Vec<Cell>> = vec![Vec::new(); blocks.len()];
        for cell in cells {
            if let Some(of_block) = of_blocks.get_mut(cell.block) {
                of_block.push(cell);
            }
        }
        let mut values: BTreeMap<String, (Vec<Value>, Counts)> = BTreeMap::new();
        let mut rest = Counts::default();
        for (block, cells) in blocks.iter().zip(of_blocks) {
            let mut others = block.counts;
            for cell in published(block.counts.visitors, cells, values_overlap, self.floor) {
                others = others.minus(cell.counts);
                let told = cell.counts.rounded(self.floor);
                let (_, sum) = values
                    .entry(json!(cell.value).to_string())
                    .or_insert((cell.value, Counts::default()));
                *sum = sum.plus(told);
            }
            rest = rest.plus(others.rounded(self.floor));
        }
        let in_a_block: Vec<&Date> = blocks.iter().flat_map(|block| &block.days).collect();
        let left = self.days(asked).filter(|day| !in_a_block.contains(&&day.date));
        let rest = left.fold(rest, |rest, day| rest.plus(day.counts.rounded(self.floor)));
        let rest = if values_overlap { Counts::default() } else { rest };
        (values.into_values().collect(), rest)
    }
}

/// The days in blocks of enough visitors. Days behind the last whole block of their month are in none.
fn blocks(days: &[Day], kept_from: Option<Date>, enough: u64) -> Vec<Block> {
    let is_kept = |month: Date| kept_from.is_none_or(|kept| kept <= month);
    let (mut blocks, mut open) = (Vec::new(), None::<Block>);
    let mut month = None;
    for day in days {
        let first = day.date.first_of_month();
        if month.replace(first) != Some(first) {
            open = None;
        }
        if !is_kept(first) {
            continue;
        }
        let block =
            open.get_or_insert_with(|| Block { days: Vec::new(), counts: Counts::default() });
        block.days.push(day.date);
        block.counts = block.counts.plus(day.counts);
        if block.counts.visitors >= enough {
            blocks.extend(open.take());
        }
    }
    blocks
}

/// The values of a block that are told, of those that are not few. One is not, if what has another value is
/// few; nor, where each visitor has one value, are the smallest, until what is not told is nothing or enough.
fn published(whole: u64, cells: Vec<Cell>, values_overlap: bool, floor: Floor) -> Vec<Cell> {
    let is_enough = |cell: &Cell| {
        let visitors = cell.counts.visitors;
        visitors >= floor.least() && !floor.is_few(whole.saturating_sub(visitors))
    };
    let mut told: Vec<Cell> = cells.into_iter().filter(is_enough).collect();
    told.sort_by(|one, other| {
        let name = |cell: &Cell| json!(cell.value).to_string();
        other.counts.visitors.cmp(&one.counts.visitors).then_with(|| name(one).cmp(&name(other)))
    });
    let sum = |told: &[Cell]| told.iter().map(|cell| cell.counts.visitors).sum::<u64>();
    while !values_overlap && floor.is_few(whole.saturating_sub(sum(&told))) {
        if told.pop().is_none() {
            break;
        }
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLOOR: u32 = 5;

    fn floor() -> Floor {
        Floor::of(FLOOR).unwrap()
    }

    fn day(date: &str, visitors: u64) -> Day {
        let counts = Counts { visitors, ..Counts::default() };
        Day { date: date.parse().unwrap(), counts }
    }

    fn told(cells: &[(&str, u64)], whole: u64, overlap: bool) -> Vec<(String, u64)> {
        let cells = cells.iter().map(|(name, visitors)| Cell {
            value: vec![json!(name)],
            block: 0,
            counts: Counts { visitors: *visitors, ..Counts::default() },
        });
        let told = published(whole, cells.collect(), overlap, floor());
        let name = |cell: Cell| (cell.value[0].as_str().unwrap().to_owned(), cell.counts.visitors);
        told.into_iter().map(name).collect()
    }

    #[test]
    fn one_value_that_is_few_hides_the_next_smallest_with_it() {
        let names = |cells: &[(&str, u64)], whole, overlap| -> Vec<String> {
            told(cells, whole, overlap).into_iter().map(|(name, _)| name).collect()
        };
        assert_eq!(names(&[("a", 60), ("b", 38)], 100, false), ["a"]);
        assert_eq!(names(&[("a", 97)], 100, false), Vec::<String>::new());
        assert_eq!(names(&[("a", 60), ("b", 35)], 100, false), ["a", "b"]);
        assert_eq!(names(&[("a", 60), ("b", 40)], 100, false), ["a", "b"]);
        assert_eq!(names(&[("/", 97), ("/b", 60)], 100, true), ["/b"]);
    }

    #[test]
    fn a_day_of_few_is_as_a_day_of_nobody_and_so_is_one_that_all_but_few_are_in() {
        let days = vec![day("2026-03-01", 4), day("2026-03-02", 5), day("2026-03-03", 90)];
        let march = ("2026-03-01".parse().unwrap(), "2026-03-31".parse().unwrap());
        let told = Told::of(days.clone(), None, None, floor());
        assert_eq!(told.whole(march).visitors, 95);
        let all = [("2026-03-02", 5), ("2026-03-03", 93)];
        let all = all.map(|(date, visitors)| (date.parse().unwrap(), visitors));
        let told = Told::of(days, Some(HashMap::from(all)), None, floor());
        assert_eq!(told.whole(march).visitors, 5);
    }

    #[test]
    fn blocks_begin_with_a_month_and_end_with_enough() {
        let dates = |kept: Option<&str>| -> Vec<usize> {
            let days: Vec<_> = (1..=20).map(|d| day(&format!("2026-03-{d:02}"), 100)).collect();
            let april = (1..=3).map(|d| day(&format!("2026-04-{d:02}"), 250));
            let days = days.into_iter().chain(april).collect();
            let told = Told::of(days, None, kept.map(|kept| kept.parse().unwrap()), floor());
            told.blocks.iter().map(|block| block.days.len()).collect()
        };
        assert_eq!(dates(None), [3, 3, 3, 3, 3, 3, 1, 1, 1]);
        assert_eq!(dates(Some("2026-03-02")), [1, 1, 1]);
        assert_eq!(dates(Some("2026-03-01")).len(), 9);
    }

    #[test]
    fn a_block_that_a_range_cuts_is_told_as_others() {
        let days: Vec<_> = (1..=6).map(|d| day(&format!("2026-03-{d:02}"), 100)).collect();
        let told = Told::of(days, None, None, floor());
        let cell = |block, visitors| Cell {
            value: vec![json!("a")],
            block,
            counts: Counts { visitors, ..Counts::default() },
        };
        let range =
            |from: i8, to: i8| (jiff::civil::date(2026, 3, from), jiff::civil::date(2026, 3, to));
        let (values, rest) = told.by_value(range(1, 6), vec![cell(0, 200), cell(1, 100)], false);
        assert_eq!((values[0].1.visitors, rest.visitors), (300, 300));
        let (values, rest) = told.by_value(range(1, 5), vec![cell(0, 200)], false);
        assert_eq!((values[0].1.visitors, rest.visitors), (200, 300));
        let (values, rest) = told.by_value(range(2, 3), vec![], false);
        assert_eq!((values.len(), rest.visitors), (0, 200));
    }

    #[test]
    fn a_rate_is_made_of_rounded_numbers() {
        let counts = Counts { visitors: 50, visits: 52, bounced: 1, ..Counts::default() };
        let told = counts.rounded(floor());
        let value = |metric: Metric| told.value(&metric.into(), 100);
        assert_eq!(value(Metric::BounceRate), 0);
        assert_eq!(value(Metric::Visits), 50);
        assert_eq!(value(Metric::Percentage), 50.0);
        assert_eq!(Counts::default().value(&Metric::Percentage.into(), 0), Value::Null);
    }
}
