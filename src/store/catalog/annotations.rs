//! The annotations of the catalog: what members write beside a day, and what the collector writes there itself
//! where a rule changes.

use std::cmp::Ordering;

use clickhouse::Row;
use jiff::civil::{Date, date};
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

use super::checks::checked_text;
use super::of_site::Listed;
use super::sites::{SiteRow, known_site};
use super::{Catalog, CatalogError, Change, moment};
use crate::site::annotation::{Annotation, AnnotationKind};
use crate::site::{Site, SiteId};
use crate::store::Store;

/// The most characters of an annotation.
const TEXT_CHARS_MAX: usize = 200;
/// The most annotations of a site that somebody wrote; and the most that the collector made there.
const ANNOTATIONS_MAX: usize = 500;
/// The days that there can be an annotation beside: those that ClickHouse's `Date` knows.
pub(super) const FIRST_DAY: Date = date(1970, 1, 1);
pub(super) const LAST_DAY: Date = date(2149, 6, 6);

/// A row of `annotations`.
#[derive(Clone, Debug, Row, Serialize, Deserialize)]
pub(super) struct AnnotationRow {
    pub(super) annotation_id: u32,
    pub(super) site_id: u32,
    /// Days since 1970.
    pub(super) day: u16,
    pub(super) kind: String,
    pub(super) text: String,
    pub(super) created_at: u32,
    pub(super) removed: bool,
    pub(super) version: u64,
}

/// What an annotation shall be; what is `None` stays as it is. A new one needs a text, and is of today unless
/// a date is said.
#[derive(Clone, Debug, Default)]
pub struct AnnotationChange {
    /// The day, such as 2027-01-31.
    pub date: Option<String>,
    /// What happened.
    pub text: Option<String>,
}

impl Catalog {
    /// Writes an annotation, or with a number changes the one that has it.
    ///
    /// # Errors
    /// When there is no such site or annotation, the date or the text breaks a rule, the annotation is not
    /// one that somebody wrote, the site has as many as it may, or ClickHouse does not answer.
    pub async fn put_annotation(
        &self,
        store: &Store,
        domain: &str,
        id: Option<u32>,
        wanted: AnnotationChange,
        now: Timestamp,
    ) -> Result<Annotation, CatalogError> {
        let day = wanted.date.as_deref().map(checked_day).transpose()?;
        let text =
            wanted.text.map(|text| checked_text("text", &text, TEXT_CHARS_MAX)).transpose()?;
        let change = self.change(store, now).await?;
        let known = change.known();
        let site = known_site(&known, domain)?;
        let before = id.map(|id| written(site, id)).transpose()?;
        if before.is_none() {
            check_room(site)?;
        }
        let today = || site.timezone.to_datetime(now).date();
        let (id, created_at) = change.place(&known.rows.annotations, id)?;
        let annotation = Annotation {
            id,
            day: day.or_else(|| Some(before?.day)).unwrap_or_else(today),
            kind: AnnotationKind::Note,
            text: text
                .or_else(|| Some(before?.text.clone()))
                .ok_or(CatalogError::AnnotationNeeds)?,
            made_at: moment(created_at),
        };
        if before != Some(&annotation) {
            change.write(&AnnotationRow::new(&annotation, site.id, change.version())).await?;
        }
        Ok(annotation)
    }

    /// Removes an annotation, whoever made it.
    ///
    /// # Errors
    /// When there is no such site or annotation, or ClickHouse does not answer.
    pub async fn remove_annotation(
        &self,
        store: &Store,
        domain: &str,
        id: u32,
        now: Timestamp,
    ) -> Result<(), CatalogError> {
        let change = self.change(store, now).await?;
        change
            .remove_from(domain, |rows| &rows.annotations, id, CatalogError::UnknownAnnotation)
            .await
    }
}

impl Change<'_> {
    /// Writes beside today that a rule of a site has changed. The change itself is made: that it is not written
    /// down is no reason to refuse it.
    pub(super) async fn annotate(&self, site: &Site, kind: AnnotationKind, text: &str) {
        if let Err(error) = self.try_to_annotate(site, kind, text).await {
            let (domain, kind) = (&site.domain, kind.name());
            tracing::warn!(%error, domain, kind, "a change of a site is not written beside its numbers");
        }
    }

    async fn try_to_annotate(
        &self,
        site: &Site,
        kind: AnnotationKind,
        text: &str,
    ) -> Result<(), CatalogError> {
        let (id, _) = self.place(&self.known().rows.annotations, gives_way(site, 0))?;
        self.write(&self.annotation(site, kind, text, id, self.version())).await
    }

    /// The row of an annotation that the collector makes beside today.
    pub(super) fn annotation(
        &self,
        site: &Site,
        kind: AnnotationKind,
        text: &str,
        id: u32,
        version: u64,
    ) -> AnnotationRow {
        let annotation = Annotation {
            id,
            day: site.timezone.to_datetime(self.now).date(),
            kind,
            text: text.to_owned(),
            made_at: moment(self.second()),
        };
        AnnotationRow::new(&annotation, site.id, version)
    }

    /// Writes down which rules of a site are others than they were.
    pub(super) async fn annotate_rules(&self, site: &Site, before: &SiteRow, after: &SiteRow) {
        if before.timezone != after.timezone {
            self.annotate(site, AnnotationKind::Timezone, &after.timezone).await;
        }
        if before.retention_days != after.retention_days {
            let days = after.retention_days.to_string();
            self.annotate(site, AnnotationKind::Retention, &days).await;
        }
        // Another domain may be one that the configuration has other rules for.
        let [was, is] = [before, after].map(|row| self.catalog.policies.of(&row.domain));
        if was.profile != is.profile {
            self.annotate(site, AnnotationKind::Profile, is.profile.name()).await;
        }
        if was.consent != is.consent {
            self.annotate(site, AnnotationKind::Consent, is.consent.name()).await;
        }
    }
}

fn of_maker(site: &Site, is_automatic: bool) -> impl Iterator<Item = &Annotation> {
    site.annotations.iter().filter(move |one| one.kind.is_automatic() == is_automatic)
}

/// Whether somebody may write one more.
fn check_room(site: &Site) -> Result<(), CatalogError> {
    match of_maker(site, false).count() < ANNOTATIONS_MAX {
        true => Ok(()),
        false => Err(CatalogError::TooMany { what: "annotations", most: ANNOTATIONS_MAX }),
    }
}

/// The annotation whose place the collector takes for the next one that it makes after so many `more`, if there are as
/// many as there may be then: nobody is refused a change of a rule because there were many.
pub(super) fn gives_way(site: &Site, more: usize) -> Option<u32> {
    let mut made: Vec<_> = of_maker(site, true).collect();
    made.sort_by_key(|one| one.made_at);
    let room = ANNOTATIONS_MAX.saturating_sub(made.len());
    made.get(more.checked_sub(room)?).map(|one| one.id)
}

/// The annotation of a number that somebody wrote, and can change.
fn written(site: &Site, id: u32) -> Result<&Annotation, CatalogError> {
    let annotation = site.annotations.iter().find(|annotation| annotation.id == id);
    let annotation = annotation.ok_or(CatalogError::UnknownAnnotation(id))?;
    if annotation.kind.is_automatic() {
        return Err(CatalogError::AutomaticAnnotation(id));
    }
    Ok(annotation)
}

/// A day in the one form that dates have: whatever else could be read as one may mean another.
fn checked_day(text: &str) -> Result<Date, CatalogError> {
    let text = text.trim();
    let day = text.parse::<Date>().ok().filter(|day| day.to_string() == text);
    let day = day.filter(|day| (FIRST_DAY..=LAST_DAY).contains(day));
    day.ok_or_else(|| CatalogError::Date(text.to_owned()))
}

impl AnnotationRow {
    fn new(annotation: &Annotation, site: SiteId, version: u64) -> Self {
        let days = (annotation.day - FIRST_DAY).get_days();
        Self {
            annotation_id: annotation.id,
            site_id: site.0,
            day: u16::try_from(days).unwrap_or(0),
            kind: annotation.kind.name().to_owned(),
            text: annotation.text.clone(),
            created_at: super::seconds(annotation.made_at),
            removed: false,
            version,
        }
    }
}

impl Listed for AnnotationRow {
    type Entry = Annotation;

    /// By day and by when they were made; those of one second in the order of their last changes, because the numbers that they have
    /// are random.
    fn order(&self, other: &Self) -> Ordering {
        let key = |row: &Self| (row.day, row.created_at, row.version);
        key(self).cmp(&key(other))
    }

    /// `None` when it is of a kind of a later version of the program.
    fn entry(&self) -> Option<Annotation> {
        Some(Annotation {
            id: self.annotation_id,
            day: FIRST_DAY.saturating_add(i64::from(self.day).days()),
            kind: AnnotationKind::named(&self.kind)?,
            text: self.text.clone(),
            made_at: moment(self.created_at),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::of_site::listed;
    use super::*;

    fn annotation(kind: AnnotationKind, day: Date) -> Annotation {
        Annotation { id: 7, day, kind, text: "Site relaunched".into(), made_at: moment(9) }
    }

    #[test]
    fn an_annotation_is_read_from_its_row_as_it_was_written() {
        for kind in AnnotationKind::ALL {
            for day in [FIRST_DAY, date(2028, 2, 29), LAST_DAY] {
                let written = annotation(kind, day);
                let row = AnnotationRow::new(&written, SiteId(3), 1);
                assert_eq!(listed(std::slice::from_ref(&row), SiteId(3)), [written]);
            }
        }
    }

    #[test]
    fn annotations_of_one_day_stand_in_the_order_in_which_they_were_written() {
        let row = |id, second, version| {
            let made = moment(second);
            let annotation =
                Annotation { id, made_at: made, ..annotation(AnnotationKind::Note, FIRST_DAY) };
            AnnotationRow::new(&annotation, SiteId(3), version)
        };
        // The first was changed after the second was written; the last two are of one second.
        let rows = [row(4, 20, 8), row(7, 20, 7), row(5, 10, 9), row(6, 11, 6)];
        let ids: Vec<_> = listed(&rows, SiteId(3)).iter().map(|annotation| annotation.id).collect();
        assert_eq!(ids, [5, 6, 7, 4]);
    }

    #[test]
    fn what_is_removed_of_another_site_or_of_a_later_kind_is_left_out() {
        let row = AnnotationRow::new(&annotation(AnnotationKind::Note, FIRST_DAY), SiteId(3), 1);
        assert_eq!(listed(&[AnnotationRow { removed: true, ..row.clone() }], SiteId(3)), []);
        assert_eq!(listed(&[AnnotationRow { kind: "later".into(), ..row.clone() }], SiteId(3)), []);
        assert_eq!(listed(&[row], SiteId(4)), []);
    }

    #[test]
    fn a_site_has_so_many_that_somebody_wrote_and_the_oldest_of_the_collector_make_room() {
        let zone = jiff::tz::TimeZone::UTC;
        let mut site = Site::new(SiteId(3), "example.com", zone);
        let of = |kind, id| Annotation { id, made_at: moment(id), ..annotation(kind, FIRST_DAY) };
        let last = u32::try_from(ANNOTATIONS_MAX).unwrap();
        site.annotations = (2..=last).map(|id| of(AnnotationKind::Note, id)).collect();
        site.annotations.extend((2..=last).map(|id| of(AnnotationKind::Timezone, 1_000 + id)));
        assert!(check_room(&site).is_ok() && gives_way(&site, 0).is_none());
        assert_eq!(gives_way(&site, 1), Some(1_002));
        site.annotations.push(of(AnnotationKind::GoalAdded, 1_001));
        assert!(check_room(&site).is_ok());
        assert_eq!(gives_way(&site, 0), Some(1_001));
        assert_eq!(gives_way(&site, 1), Some(1_002));
        site.annotations.push(of(AnnotationKind::Note, 1));
        let refused = check_room(&site).unwrap_err().to_string();
        assert_eq!(refused, "a site has 500 annotations at most");
    }

    #[test]
    fn a_day_has_one_form_and_is_one_that_the_table_knows() {
        assert_eq!(checked_day(" 2028-02-29 ").unwrap(), date(2028, 2, 29));
        for text in [
            "",
            "today",
            "29.2.2028",
            "20280229",
            "2028-02-29T12:00",
            "2027-02-29",
            "1969-12-31",
            "2149-06-07",
        ] {
            assert!(checked_day(text).is_err(), "{text} was taken");
        }
    }
}
