//! Apache Parquet: text as UTF-8, whole numbers of 64 bits, others as doubles; all may be missing.
//!
//! ClickHouse could write Parquet itself, but not this: the names of columns are the client's where they
//! are properties, and no word of a client's gets into a statement; and comparisons and empty buckets join
//! the rows only here.

use std::sync::Arc;

use parquet::basic::{ConvertedType, Repetition, Type as Physical};
use parquet::column::writer::ColumnWriter;
use parquet::data_type::ByteArray;
use parquet::errors::{ParquetError, Result};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::Type;
use serde_json::Value;

use super::table::{Column, Kind, Table, text};

/// The table as a file of one row group.
///
/// # Errors
/// When the library refuses; it does so for no table.
pub fn write(table: &Table) -> Result<Vec<u8>> {
    let fields = table.columns().iter().map(field).collect::<Result<Vec<_>>>()?;
    let schema = Type::group_type_builder("report").with_fields(fields).build()?;
    let properties = Arc::new(WriterProperties::builder().build());
    let mut file = SerializedFileWriter::new(Vec::new(), Arc::new(schema), properties)?;
    let mut group = file.next_row_group()?;
    for index in 0..table.columns().len() {
        let values: Vec<&Value> = table.rows().iter().map(|row| &row[index]).collect();
        put(&mut group, &values)?;
    }
    group.close()?;
    file.into_inner()
}

fn field(column: &Column) -> Result<Arc<Type>> {
    let (physical, converted) = match column.kind {
        Kind::Text => (Physical::BYTE_ARRAY, ConvertedType::UTF8),
        Kind::Whole => (Physical::INT64, ConvertedType::NONE),
        Kind::Decimal => (Physical::DOUBLE, ConvertedType::NONE),
    };
    let field = Type::primitive_type_builder(&column.name, physical)
        .with_converted_type(converted)
        .with_repetition(Repetition::OPTIONAL);
    field.build().map(Arc::new)
}

/// Writes the next column. What is not of its kind is missing.
fn put(group: &mut SerializedRowGroupWriter<'_, Vec<u8>>, values: &[&Value]) -> Result<()> {
    let missing = || ParquetError::General("there is a column too many".to_owned());
    let mut column = group.next_column()?.ok_or_else(missing)?;
    match column.untyped() {
        ColumnWriter::ByteArrayColumnWriter(writer) => {
            let (levels, texts) = present(values, |value| {
                (!value.is_null()).then(|| ByteArray::from(text(value).as_bytes().to_vec()))
            });
            writer.write_batch(&texts, Some(&levels), None)?;
        }
        ColumnWriter::Int64ColumnWriter(writer) => {
            let (levels, numbers) = present(values, Value::as_i64);
            writer.write_batch(&numbers, Some(&levels), None)?;
        }
        ColumnWriter::DoubleColumnWriter(writer) => {
            let (levels, numbers) = present(values, Value::as_f64);
            writer.write_batch(&numbers, Some(&levels), None)?;
        }
        _ => return Err(missing()),
    }
    column.close()
}

/// A one or zero for each value, and those that there are.
fn present<T>(values: &[&Value], read: impl Fn(&Value) -> Option<T>) -> (Vec<i16>, Vec<T>) {
    let read: Vec<Option<T>> = values.iter().map(|value| read(value)).collect();
    let levels = read.iter().map(|value| i16::from(value.is_some())).collect();
    (levels, read.into_iter().flatten().collect())
}

#[cfg(test)]
mod tests {
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use serde_json::json;

    use super::*;

    fn read(file: Vec<u8>) -> Vec<Value> {
        let reader = SerializedFileReader::new(bytes::Bytes::from(file)).unwrap();
        let rows = reader.get_row_iter(None).unwrap();
        let object = |row: parquet::record::Row| {
            let value = |field: &parquet::record::Field| match field {
                parquet::record::Field::Str(text) => json!(text),
                parquet::record::Field::Long(number) => json!(number),
                parquet::record::Field::Double(number) => json!(number),
                parquet::record::Field::Null => Value::Null,
                other => panic!("{other}"),
            };
            row.get_column_iter().map(|(name, field)| (name.clone(), value(field))).collect()
        };
        rows.map(|row| Value::Object(object(row.unwrap()))).collect()
    }

    #[test]
    fn rows_are_read_back_with_their_types() {
        let names = ["event:props:größe", "visitors", "views_per_visit", "time_on_page"];
        let rows = vec![
            vec![json!("ä"), json!(3), json!(1.5), Value::Null],
            vec![json!(""), json!(0), json!(0.0), json!(7)],
        ];
        let table = Table::new(0, names.map(str::to_owned).into(), rows);
        assert_eq!(
            json!(read(write(&table).unwrap())),
            json!([
                {"event:props:größe": "ä", "visitors": 3, "views_per_visit": 1.5, "time_on_page": null},
                {"event:props:größe": "", "visitors": 0, "views_per_visit": 0.0, "time_on_page": 7},
            ])
        );
    }

    #[test]
    fn a_table_without_rows_is_a_file_with_columns() {
        let table = Table::new(0, vec!["event:page".to_owned(), "visitors".to_owned()], Vec::new());
        let file = write(&table).unwrap();
        let reader = SerializedFileReader::new(bytes::Bytes::from(file)).unwrap();
        assert_eq!(reader.metadata().file_metadata().schema().get_fields().len(), 2);
    }
}
