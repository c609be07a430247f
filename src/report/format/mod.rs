//! The forms that an answer can have beside JSON, and which of them a client wants. Pure: bytes out of
//! values.
//!
//! [`table`] makes rows and columns of an answer, and [`csv`], [`ndjson`] and [`mod@parquet`] write them.

pub mod csv;
pub mod ndjson;
pub mod parquet;
pub mod table;

pub use self::table::Table;

/// A form of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// The answer as the API documents it.
    Json,
    /// A row a line, for spreadsheets.
    Csv,
    /// A JSON object a line, for programs that read row by row.
    Ndjson,
    /// Typed columns, for tools of analysis.
    Parquet,
}

/// None of the forms is one that the client takes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// The parameter `format` names none.
    #[error("#/format: Invalid format {0:?}: it must be json, csv, ndjson or parquet.")]
    Unknown(String),
    /// Nor does the header `Accept`.
    #[error(
        "Accept: none of application/json, text/csv, application/x-ndjson and application/vnd.apache.parquet is \
         acceptable; the parameter `format` can name json, csv, ndjson or parquet instead."
    )]
    NotAcceptable,
    /// The answer has no rows and columns.
    #[error(
        "#/format: Invalid format {0:?}: this answer is not a table, there is only json for it."
    )]
    NoTable(&'static str),
}

impl Format {
    /// Every form, the preferred one first.
    pub const ALL: [Self; 4] = [Self::Json, Self::Csv, Self::Ndjson, Self::Parquet];

    /// The name in the parameter `format`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Csv => "csv",
            Self::Ndjson => "ndjson",
            Self::Parquet => "parquet",
        }
    }

    /// The media type that answers have.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Csv => "text/csv; charset=utf-8",
            Self::Ndjson => "application/x-ndjson",
            Self::Parquet => "application/vnd.apache.parquet",
        }
    }

    /// What a browser calls the file; `None` for what it shows.
    pub fn file_name(self) -> Option<&'static str> {
        match self {
            Self::Json => None,
            Self::Csv => Some("report.csv"),
            Self::Ndjson => Some("report.ndjson"),
            Self::Parquet => Some("report.parquet"),
        }
    }

    /// The form that a client wants: `named` by the parameter, or else what it `accepts` most.
    ///
    /// # Errors
    /// [`FormatError::Unknown`], [`FormatError::NotAcceptable`].
    pub fn wanted(named: Option<&str>, accepts: &str) -> Result<Self, FormatError> {
        match named {
            Some(name) => Self::ALL
                .into_iter()
                .find(|format| format.name() == name)
                .ok_or_else(|| FormatError::Unknown(name.to_owned())),
            None if accepts.trim().is_empty() => Ok(Self::Json),
            None => Self::accepted(accepts).ok_or(FormatError::NotAcceptable),
        }
    }

    /// The first of those that the header likes best.
    fn accepted(accepts: &str) -> Option<Self> {
        let liked = Self::ALL.map(|format| (format, format.liking(accepts)));
        let best = liked.iter().map(|(_, liking)| *liking).max()?;
        liked
            .into_iter()
            .find(|(_, liking)| *liking == best && *liking > 0)
            .map(|(format, _)| format)
    }

    /// How much the header likes it, in thousandths, by the most exact range that means it.
    fn liking(self, accepts: &str) -> u16 {
        let media_type = self.media_type().split(';').next().unwrap_or_default();
        let main = media_type.split('/').next().unwrap_or_default();
        let meant = accepts.split(',').filter_map(|range| {
            let mut parts = range.split(';').map(str::trim);
            let name = parts.next()?;
            let exactness = match name {
                _ if name.eq_ignore_ascii_case(media_type) => 3,
                "*/*" => 1,
                _ if name
                    .strip_suffix("/*")
                    .is_some_and(|name| name.eq_ignore_ascii_case(main)) =>
                {
                    2
                }
                _ => return None,
            };
            let weight = parts.find_map(|part| part.strip_prefix("q="));
            let weight: f32 = weight.map_or(1.0, |weight| weight.parse().unwrap_or(0.0));
            Some((exactness, (weight.clamp(0.0, 1.0) * 1000.0) as u16))
        });
        meant.max_by_key(|(exactness, _)| *exactness).map_or(0, |(_, weight)| weight)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(named: Option<&str>, accepts: &str, expected: Option<Format>) {
        assert_eq!(Format::wanted(named, accepts).ok(), expected, "{named:?} {accepts}");
    }

    #[test]
    fn the_parameter_wins_over_the_header_and_json_is_for_who_says_nothing() {
        check(None, "", Some(Format::Json));
        check(None, "*/*", Some(Format::Json));
        check(None, "text/html,application/xhtml+xml,*/*;q=0.8", Some(Format::Json));
        check(None, "text/csv", Some(Format::Csv));
        check(None, "text/*", Some(Format::Csv));
        check(None, "application/json;q=0.2, text/csv;q=0.9", Some(Format::Csv));
        check(None, "*/*, application/json;q=0", Some(Format::Csv));
        check(None, "APPLICATION/X-NDJSON; q=1", Some(Format::Ndjson));
        check(None, "application/vnd.apache.parquet", Some(Format::Parquet));
        check(Some("ndjson"), "text/csv", Some(Format::Ndjson));
        check(Some("json"), "image/png", Some(Format::Json));
    }

    #[test]
    fn what_is_none_of_them_is_told_which_there_are() {
        check(None, "image/png", None);
        check(None, "text/csv;q=0", None);
        check(Some("xlsx"), "", None);
        for error in [FormatError::Unknown("xlsx".into()), FormatError::NotAcceptable] {
            for format in Format::ALL {
                assert!(error.to_string().contains(format.name()), "{error}");
            }
        }
    }
}
