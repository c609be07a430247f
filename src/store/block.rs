//! Rows, as one block of ClickHouse's Native format: what an insert sends.
//!
//! The spool keeps rows one after the other, each with its columns. ClickHouse keeps columns, and takes them as
//! they are when a block has them: then it has no value to look for, and no text of a `LowCardinality` column to
//! find in a dictionary row by row, for the block brings the dictionary. docs/performance.md says what that saves.
//!
//! The rows of a block are in the order of the table, and no two of them are equal: of rows with one key the last
//! is there, as the table would have it. So ClickHouse need not look for them (`optimize_on_insert`), and a batch that
//! has a row twice counts it once, also where it is read without FINAL.
//!
//! It is pure, and knows of no column: names come with the rows, types from `schema.sql`.
//! The format: <https://clickhouse.com/docs/interfaces/formats/Native>; the dictionaries are as
//! `SerializationLowCardinality` reads them.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::schema;
use crate::event::{Event, NotARow, put_length, take_bytes, take_length};

/// Keys come with each block; there is no dictionary that is shared between blocks.
const KEYS_IN_BLOCK: u64 = 1 << 9;
/// The version of the serialisation of a `LowCardinality` column.
const DICTIONARY_VERSION: u64 = 1;

/// The types of the columns of `events`.
static TYPES: LazyLock<HashMap<String, String>> = LazyLock::new(|| {
    let statements = schema::statements(None);
    let events = statements.into_iter().filter(|statement| statement.name == "events");
    events.flat_map(|events| events.columns).map(|column| (column.name, column.kind)).collect()
});

/// The block of rows that are encoded one after the other, with these columns, separated by commas.
///
/// There is none where a column is not known, one of the key is missing, or what is said to be rows can not be read: it
/// may still be that ClickHouse takes them as they are.
pub(super) fn of(columns: &str, rows: &[u8]) -> Option<Vec<u8>> {
    let names: Vec<&str> = columns.split(',').map(str::trim).collect();
    let columns = names.iter().map(|name| Column::of(name, TYPES.get(*name)?));
    let mut columns: Vec<_> = columns.collect::<Option<_>>()?;
    for (place, key) in Event::KEY.into_iter().enumerate() {
        columns.iter_mut().find(|column| column.name == key)?.place_in_key = Some(place);
    }
    let rows = in_order(&columns, rows).ok()?;
    encode(columns, &rows).ok()
}

/// One row, and what it is told from others by.
struct Row<'a> {
    key: [u64; Event::KEY.len()],
    bytes: &'a [u8],
}

/// The rows in the order of the table; of those that are equal to it the last.
fn in_order<'a>(columns: &[Column<'_>], mut rest: &'a [u8]) -> Result<Vec<Row<'a>>, NotARow> {
    let mut rows: Vec<Row<'a>> = Vec::new();
    while !rest.is_empty() {
        let (begin, mut key) = (rest, [0; Event::KEY.len()]);
        for column in columns {
            let value = column.values.skip(&mut rest)?;
            if let Some(place) = column.place_in_key {
                key[place] = number(value);
            }
        }
        rows.push(Row { key, bytes: &begin[..begin.len() - rest.len()] });
    }
    rows.sort_by_key(|row| row.key);
    rows.dedup_by(|later, kept| {
        let is_equal = later.key == kept.key;
        if is_equal {
            kept.bytes = later.bytes;
        }
        is_equal
    });
    Ok(rows)
}

/// A number of at most eight bytes, the least first.
fn number(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte))
}

fn encode<'a>(mut columns: Vec<Column<'a>>, rows: &[Row<'a>]) -> Result<Vec<u8>, NotARow> {
    columns.iter_mut().for_each(|column| column.values.reserve(rows.len()));
    // What rows of one visit have alike stands at their end, and they lie together now: it is compared as a whole.
    let differs = |column: &Column<'_>| {
        column.place_in_key.is_some() || matches!(column.values, Values::Maps(_))
    };
    let own = columns.iter().rposition(differs).map_or(0, |last| last + 1);
    let (own, shared) = columns.split_at_mut(own);
    let (mut before, mut bytes): (Option<&[u8]>, _) = (None, 0);
    for row in rows {
        let mut rest = row.bytes;
        bytes += rest.len();
        for column in &mut *own {
            column.values.take(&mut rest)?;
        }
        if before == Some(rest) {
            shared.iter_mut().try_for_each(|column| column.values.repeat())?;
            continue;
        }
        before = Some(rest);
        for column in &mut *shared {
            column.values.take(&mut rest)?;
        }
    }
    let mut block = Vec::with_capacity(bytes);
    put_length(columns.len(), &mut block);
    put_length(rows.len(), &mut block);
    for column in columns {
        put_text(column.name, &mut block);
        put_text(column.kind, &mut block);
        column.values.put(&mut block);
    }
    Ok(block)
}

fn put_text(text: &str, block: &mut Vec<u8>) {
    put_length(text.len(), block);
    block.extend_from_slice(text.as_bytes());
}

/// Takes a text off a row, its length before it: that is how both formats have it.
fn take_text<'a>(row: &mut &'a [u8]) -> Result<&'a [u8], NotARow> {
    let begin = *row;
    let length = take_length(row)?;
    take_bytes(row, length)?;
    Ok(&begin[..begin.len() - row.len()])
}

struct Column<'a> {
    name: &'a str,
    kind: &'a str,
    values: Values<'a>,
    /// Where its value stands in the key of a row, if it does.
    place_in_key: Option<usize>,
}

impl<'a> Column<'a> {
    fn of(name: &'a str, kind: &'a str) -> Option<Self> {
        Some(Self { name, kind, values: Values::of(kind)?, place_in_key: None })
    }
}

/// The values of a column, in the order of the rows.
enum Values<'a> {
    /// Each of so many bytes.
    Numbers(usize, Vec<u8>),
    Repeating(Dictionary<'a>),
    Maps(Maps<'a>),
}

impl<'a> Values<'a> {
    fn of(kind: &str) -> Option<Self> {
        Some(match kind {
            "Bool" | "UInt8" => Self::Numbers(1, Vec::new()),
            "UInt32" | "DateTime('UTC')" => Self::Numbers(4, Vec::new()),
            "UInt64" | "Decimal(18, 3)" => Self::Numbers(8, Vec::new()),
            "LowCardinality(String)" => Self::Repeating(Dictionary::default()),
            "Map(LowCardinality(String), String)" => Self::Maps(Maps::default()),
            _ => return None,
        })
    }

    /// Makes room for so many rows.
    fn reserve(&mut self, rows: usize) {
        match self {
            Self::Numbers(size, bytes) => bytes.reserve(rows * *size),
            Self::Repeating(texts) => texts.places.reserve(rows),
            Self::Maps(maps) => maps.ends.reserve(rows),
        }
    }

    /// Takes the value of one row off its bytes, and returns the bytes that it had; it is not kept.
    fn skip<'row>(&self, row: &mut &'row [u8]) -> Result<&'row [u8], NotARow> {
        match self {
            Self::Numbers(size, _) => take_bytes(row, *size),
            Self::Repeating(_) => take_text(row),
            Self::Maps(_) => Maps::skip(row),
        }
    }

    /// Takes the value of one row.
    fn take(&mut self, row: &mut &'a [u8]) -> Result<(), NotARow> {
        match self {
            Self::Numbers(size, bytes) => bytes.extend_from_slice(take_bytes(row, *size)?),
            Self::Repeating(texts) => texts.add(take_text(row)?),
            Self::Maps(maps) => maps.add(Maps::skip(row)?)?,
        }
        Ok(())
    }

    /// Takes once more the value that was taken last.
    fn repeat(&mut self) -> Result<(), NotARow> {
        match self {
            Self::Numbers(size, bytes) => bytes.extend_from_within(bytes.len() - *size..),
            Self::Repeating(texts) => texts.places.extend(texts.places.last().copied()),
            Self::Maps(maps) => maps.add(maps.last)?,
        }
        Ok(())
    }

    fn put(self, block: &mut Vec<u8>) {
        match self {
            Self::Numbers(_, bytes) => block.extend(bytes),
            Self::Repeating(texts) => {
                block.extend(DICTIONARY_VERSION.to_le_bytes());
                texts.put(block);
            }
            Self::Maps(maps) => {
                block.extend(DICTIONARY_VERSION.to_le_bytes());
                maps.put(block);
            }
        }
    }
}

/// Maps: where each ends among the pairs of all rows, and the two sides of these.
#[derive(Default)]
struct Maps<'a> {
    ends: Vec<u64>,
    keys: Dictionary<'a>,
    values: Vec<u8>,
    last: &'a [u8],
}

impl<'a> Maps<'a> {
    fn skip<'row>(row: &mut &'row [u8]) -> Result<&'row [u8], NotARow> {
        let begin = *row;
        for _ in 0..take_length(row)? {
            take_text(row)?;
            take_text(row)?;
        }
        Ok(&begin[..begin.len() - row.len()])
    }

    fn add(&mut self, mut map: &'a [u8]) -> Result<(), NotARow> {
        self.last = map;
        for _ in 0..take_length(&mut map)? {
            self.keys.add(take_text(&mut map)?);
            self.values.extend_from_slice(take_text(&mut map)?);
        }
        self.ends.push(self.keys.places.len() as u64);
        Ok(())
    }

    fn put(self, block: &mut Vec<u8>) {
        block.extend(self.ends.into_iter().flat_map(u64::to_le_bytes));
        // A dictionary of no values is left out altogether.
        if !self.keys.places.is_empty() {
            self.keys.put(block);
        }
        block.extend(self.values);
    }
}

/// Texts, each different one once, and for every value its place among them.
#[derive(Default)]
struct Dictionary<'a> {
    known: HashMap<&'a [u8], u32>,
    texts: Vec<u8>,
    places: Vec<u32>,
    last: &'a [u8],
}

impl<'a> Dictionary<'a> {
    fn add(&mut self, text: &'a [u8]) {
        // Most values are as the one before.
        if let Some(&place) = self.places.last()
            && self.last == text
        {
            return self.places.push(place);
        }
        self.last = text;
        let next = self.known.len() as u32;
        let place = *self.known.entry(text).or_insert(next);
        if place == next {
            self.texts.extend_from_slice(text);
        }
        self.places.push(place);
    }

    fn put(self, block: &mut Vec<u8>) {
        let different = self.known.len();
        // Places take as few bytes as the last of them needs: 1, 2 or 4.
        let size_class: u64 = match different {
            0..=0x100 => 0,
            0x101..=0x1_0000 => 1,
            _ => 2,
        };
        block.extend((KEYS_IN_BLOCK | size_class).to_le_bytes());
        block.extend((different as u64).to_le_bytes());
        block.extend(self.texts);
        block.extend((self.places.len() as u64).to_le_bytes());
        let places = self.places.into_iter();
        match size_class {
            0 => block.extend(places.map(|place| place as u8)),
            1 => block.extend(places.flat_map(|place| (place as u16).to_le_bytes())),
            _ => block.extend(places.flat_map(u32::to_le_bytes)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_of_an_event_has_a_form_in_a_block() {
        for name in Event::columns() {
            assert!(Column::of(name, &TYPES[name]).is_some(), "{name}: {}", TYPES[name]);
        }
    }

    /// A row of the visit 9, before it goes on with other columns.
    fn row(seq: u32, rest: &[u8]) -> Vec<u8> {
        let key = [
            &1_u32.to_le_bytes()[..],
            &9_u64.to_le_bytes(),
            &seq.to_le_bytes(),
            &5_u64.to_le_bytes(),
        ];
        [&key.concat(), rest].concat()
    }

    fn numbers(numbers: &[u64]) -> Vec<u8> {
        numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
    }

    /// What a block has of these columns, besides those of the key.
    fn of_others(columns: &str, rows: &[(u32, &[u8])]) -> Vec<u8> {
        let block = |columns: String, row: fn(&(u32, &[u8])) -> Vec<u8>| {
            of(&columns, &rows.iter().flat_map(row).collect::<Vec<_>>()).unwrap()
        };
        let keys = block(Event::KEY.join(","), |(seq, _)| row(*seq, b""));
        let whole =
            block(format!("{},{columns}", Event::KEY.join(",")), |(seq, rest)| row(*seq, rest));
        whole[keys.len()..].to_vec()
    }

    #[test]
    fn a_block_has_columns_where_the_rows_have_values() {
        let block = of_others("interactive, scroll_depth", &[(1, b"\x01\x04"), (2, b"\0\x05")]);
        assert_eq!(block, b"\x0binteractive\x04Bool\x01\0\x0cscroll_depth\x05UInt8\x04\x05");
    }

    #[test]
    fn a_block_says_how_many_columns_and_rows_it_has() {
        let block = of("site_id,session_id,seq,event_id", &[row(1, b""), row(2, b"")].concat());
        assert!(block.unwrap().starts_with(b"\x04\x02\x07site_id\x06UInt32\x01\0\0\0\x01\0\0\0"));
    }

    #[test]
    fn rows_are_in_the_order_of_the_table() {
        let block = of_others(
            "scroll_depth",
            &[(3, b"\x03"), (1, b"\x01"), (0x100, b"\x04"), (2, b"\x02")],
        );
        assert_eq!(block, b"\x0cscroll_depth\x05UInt8\x01\x02\x03\x04");
    }

    #[test]
    fn of_rows_that_are_equal_the_last_is_there() {
        let block =
            of_others("scroll_depth", &[(1, b"\x01"), (2, b"\x02"), (1, b"\x03"), (1, b"\x04")]);
        assert_eq!(block, b"\x0cscroll_depth\x05UInt8\x04\x02");
    }

    #[test]
    fn what_the_row_before_ends_with_is_taken_once_more() {
        let rows: [(u32, &[u8]); 4] =
            [(1, b"\x07\x01d"), (2, b"\x07\x01d"), (3, b"\x08\x01d"), (4, b"\x08\x01d")];
        let expected = [
            b"\x0cscroll_depth\x05UInt8\x07\x07\x08\x08".as_slice(),
            b"\x06device\x16LowCardinality(String)",
            &numbers(&[DICTIONARY_VERSION, KEYS_IN_BLOCK, 1]),
            b"\x01d",
            &numbers(&[4]),
            &[0, 0, 0, 0],
        ];
        assert_eq!(of_others("scroll_depth,device", &rows), expected.concat());
    }

    #[test]
    fn a_text_that_repeats_is_there_once() {
        let rows: [(u32, &[u8]); 4] = [(1, b"\x01a"), (2, b"\x01b"), (3, b"\x01b"), (4, b"\x01a")];
        let block = of_others("source", &rows);
        let head = b"\x06source\x16LowCardinality(String)".as_slice();
        let expected = [
            head,
            &numbers(&[DICTIONARY_VERSION, KEYS_IN_BLOCK, 2]),
            b"\x01a\x01b",
            &numbers(&[4]),
            &[0, 1, 1, 0],
        ];
        assert_eq!(block, expected.concat());
    }

    #[test]
    fn there_is_no_block_of_what_is_no_row_of_columns_that_are_not_known_and_without_the_key() {
        let key = Event::KEY.join(",");
        assert!(of(&format!("{key},pathname"), &row(1, b"\x01/")).is_some());
        assert!(of(&format!("{key},pathname"), &row(1, b"\x02/")).is_none());
        assert!(of(&format!("{key},unheard_of"), &row(1, b"\x01/")).is_none());
        assert!(of("site_id,session_id,seq", &row(1, b"")[..16]).is_none());
    }
}
