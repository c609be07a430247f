//! Rows, as one block of ClickHouse's Native format: what an insert sends.
//!
//! The spool keeps rows one after the other, each with its columns. ClickHouse keeps columns, and takes them as
//! they are when a block has them: then it has no value to look for, and no text of a `LowCardinality` column to
//! find in a dictionary row by row, for the block brings the dictionary. docs/performance.md says what that saves.
//!
//! It is pure, and knows of no column: names come with the rows, types from `schema.sql`.
//! The format: <https://clickhouse.com/docs/interfaces/formats/Native>; the dictionaries are as
//! `SerializationLowCardinality` reads them.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::schema;
use crate::event::{NotARow, put_length, take_bytes, take_length};

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
/// There is none where a column is not known, or what is said to be rows can not be read: it may still be that
/// ClickHouse takes them as they are.
pub(super) fn of(columns: &str, rows: &[u8]) -> Option<Vec<u8>> {
    let names = columns.split(',').map(str::trim);
    let columns: Option<Vec<_>> = names.map(|name| Column::of(name, TYPES.get(name)?)).collect();
    encode(columns?, rows).ok()
}

fn encode<'a>(mut columns: Vec<Column<'a>>, mut rows: &'a [u8]) -> Result<Vec<u8>, NotARow> {
    let mut block = Vec::with_capacity(rows.len());
    let mut count = 0;
    while !rows.is_empty() {
        for column in &mut columns {
            column.values.take(&mut rows)?;
        }
        count += 1;
    }
    put_length(columns.len(), &mut block);
    put_length(count, &mut block);
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
fn take_text<'a>(rows: &mut &'a [u8]) -> Result<&'a [u8], NotARow> {
    let begin = *rows;
    let length = take_length(rows)?;
    take_bytes(rows, length)?;
    Ok(&begin[..begin.len() - rows.len()])
}

struct Column<'a> {
    name: &'a str,
    kind: &'a str,
    values: Values<'a>,
}

impl<'a> Column<'a> {
    fn of(name: &'a str, kind: &'a str) -> Option<Self> {
        Some(Self { name, kind, values: Values::of(kind)? })
    }
}

/// The values of a column, in the order of the rows.
enum Values<'a> {
    /// Each of so many bytes.
    Numbers(usize, Vec<u8>),
    Repeating(Dictionary<'a>),
    /// Maps: where each ends among the pairs of all rows, and the two sides of these.
    Maps(Vec<u64>, Dictionary<'a>, Vec<u8>),
}

impl<'a> Values<'a> {
    fn of(kind: &str) -> Option<Self> {
        Some(match kind {
            "Bool" | "UInt8" => Self::Numbers(1, Vec::new()),
            "UInt32" | "DateTime('UTC')" => Self::Numbers(4, Vec::new()),
            "UInt64" | "Decimal(18, 3)" => Self::Numbers(8, Vec::new()),
            "LowCardinality(String)" => Self::Repeating(Dictionary::default()),
            "Map(LowCardinality(String), String)" => {
                Self::Maps(Vec::new(), Dictionary::default(), Vec::new())
            }
            _ => return None,
        })
    }

    /// Takes the value of one row.
    fn take(&mut self, rows: &mut &'a [u8]) -> Result<(), NotARow> {
        match self {
            Self::Numbers(size, bytes) => bytes.extend_from_slice(take_bytes(rows, *size)?),
            Self::Repeating(texts) => texts.add(take_text(rows)?),
            Self::Maps(ends, keys, values) => {
                for _ in 0..take_length(rows)? {
                    keys.add(take_text(rows)?);
                    values.extend_from_slice(take_text(rows)?);
                }
                ends.push(keys.places.len() as u64);
            }
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
            Self::Maps(ends, keys, values) => {
                block.extend(DICTIONARY_VERSION.to_le_bytes());
                block.extend(ends.into_iter().flat_map(u64::to_le_bytes));
                // A dictionary of no values is left out altogether.
                if !keys.places.is_empty() {
                    keys.put(block);
                }
                block.extend(values);
            }
        }
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
        for place in self.places {
            block.extend_from_slice(&place.to_le_bytes()[..1 << size_class]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Event;

    #[test]
    fn every_column_of_an_event_has_a_form_in_a_block() {
        for name in Event::columns() {
            assert!(Column::of(name, &TYPES[name]).is_some(), "{name}: {}", TYPES[name]);
        }
    }

    #[test]
    fn a_block_has_columns_where_the_rows_have_values() {
        let rows = b"\x01\0\0\0\x01\x04\x02\0\0\0\0\x04".as_slice();
        let block = of("site_id, interactive, scroll_depth", rows).unwrap();
        let columns = [
            b"\x07site_id\x06UInt32\x01\0\0\0\x02\0\0\0".as_slice(),
            b"\x0binteractive\x04Bool\x01\0",
            b"\x0cscroll_depth\x05UInt8\x04\x04",
        ];
        assert_eq!(block, [b"\x03\x02".as_slice(), &columns.concat()].concat());
    }

    #[test]
    fn a_text_that_repeats_is_there_once() {
        let block = of("source", b"\x01a\x01b\x01b\x01a").unwrap();
        let head = b"\x01\x04\x06source\x16LowCardinality(String)".as_slice();
        let numbers = |numbers: &[u64]| -> Vec<u8> {
            numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
        };
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
    fn there_is_no_block_of_what_is_no_row_and_of_columns_that_are_not_known() {
        assert!(of("site_id,pathname", b"\x01\0\0\0\x01/").is_some());
        assert!(of("site_id,pathname", b"\x01\0\0\0\x02/").is_none());
        assert!(of("site_id,unheard_of", b"\x01\0\0\0\x01/").is_none());
    }
}
