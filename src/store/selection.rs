//! Which events shall be erased: as a condition for the database, and as a test of one event.

use jiff::Timestamp;

use crate::event::{Event, PAGEVIEW, VisitorId};
use crate::query::statement::{Sql, sql};
use crate::site::SiteId;

/// Events of one site that have everything in common that is named here.
#[derive(Clone)]
pub struct Selection {
    /// The site.
    pub site: SiteId,
    /// Not before this moment.
    pub from: Option<Timestamp>,
    /// Before this moment.
    pub to: Option<Timestamp>,
    /// On this page.
    pub path: Option<Path>,
    /// Of this name.
    pub event: Option<String>,
    /// With these properties.
    pub props: Vec<(String, String)>,
    /// Of one of these visitors; of anybody, when there are none.
    pub visitors: Vec<VisitorId>,
}

/// A page, or, when it ends in `*`, all pages that begin with what stands before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Path {
    /// One page.
    Is(String),
    /// Pages.
    BeginsWith(String),
}

impl Path {
    /// Reads a path as people write it.
    pub fn of(text: &str) -> Self {
        match text.strip_suffix('*') {
            Some(beginning) => Self::BeginsWith(beginning.to_owned()),
            None => Self::Is(text.to_owned()),
        }
    }

    /// Whether a page is meant.
    pub fn means(&self, pathname: &str) -> bool {
        match self {
            Self::Is(path) => pathname == path,
            Self::BeginsWith(beginning) => pathname.starts_with(beginning),
        }
    }

    fn condition(&self, column: &'static str) -> Sql {
        match self {
            Self::Is(path) => sql![column, " = ", Sql::text(path)],
            Self::BeginsWith(beginning) => {
                sql!["startsWith(", column, ", ", Sql::text(beginning), ")"]
            }
        }
    }
}

impl Selection {
    /// All events of a site.
    pub fn of(site: SiteId) -> Self {
        Self {
            site,
            from: None,
            to: None,
            path: None,
            event: None,
            props: Vec::new(),
            visitors: Vec::new(),
        }
    }

    /// Whether it says nothing but the site and the time.
    pub fn is_plain(&self) -> bool {
        self.path.is_none()
            && self.event.is_none()
            && self.props.is_empty()
            && self.visitors.is_empty()
    }

    /// Whether an import may bring what is meant: its visitors are never those of a collector's day.
    pub fn may_be_imported(&self) -> bool {
        self.visitors.is_empty() || self.visitors.iter().any(|visitor| !visitor.is_of_a_day())
    }

    /// The condition on rows of `events`.
    pub fn condition(&self) -> Sql {
        let mut all = vec![self.place()];
        all.extend(self.since());
        all.extend(self.to.map(|to| sql!["timestamp < ", Sql::moment(to)]));
        all.extend(self.path.iter().map(|path| path.condition("pathname")));
        all.extend(self.event.iter().map(|name| sql!["name = ", Sql::text(name)]));
        all.extend(self.props.iter().map(|(key, value)| {
            let key = Sql::text(key);
            sql!["mapContains(props, ", &key, ") AND props[", key, "] = ", Sql::text(value)]
        }));
        if !self.visitors.is_empty() {
            let one = |visitor: &VisitorId| sql!["visitor_id = ", Sql::number(visitor.0)];
            all.push(Sql::any(self.visitors.iter().map(one).collect()));
        }
        Sql::all(all)
    }

    /// The condition on rows that are not erased, but tell of an erased page that the visit began on it. Where only some of what
    /// happened on the page is meant, it is no secret that it was viewed.
    ///
    /// When the first page was viewed, a row does not tell: not before the visit began, which its id does, and not after what
    /// the row is of. So the visit began before the end of the time that is meant, and the row is not from before it: what goes on
    /// after the end tells of the page as well. Of a visit that was there before, this may take away more than is meant, and never
    /// leaves any.
    pub fn entry_condition(&self) -> Option<Sql> {
        let path = self.entry_path()?;
        let mut all = vec![self.place()];
        all.extend(self.since());
        all.extend(self.to.map(|to| {
            let second = u64::try_from(to.as_second()).unwrap_or(0);
            sql!["bitShiftRight(session_id, 32) < ", Sql::number(second)]
        }));
        // Of what has no first page nothing can be taken away, though every page may be meant.
        all.push(sql!["entry_pathname != ''"]);
        all.push(path.condition("entry_pathname"));
        Some(Sql::all(all))
    }

    /// The pages of which it shall not be told that a visit began there.
    fn entry_path(&self) -> Option<&Path> {
        let is_of_views = self.event.as_deref().is_none_or(|event| event == PAGEVIEW);
        self.path.as_ref().filter(|_| is_of_views && self.props.is_empty())
    }

    fn place(&self) -> Sql {
        sql!["site_id = ", Sql::number(self.site.0)]
    }

    fn since(&self) -> Option<Sql> {
        self.from.map(|from| sql!["timestamp >= ", Sql::moment(from)])
    }

    /// Whether an event that is not meant tells that its visit began on an erased page: what [`Self::entry_condition`] says of rows.
    pub fn means_entry_of(&self, event: &Event) -> bool {
        let happening = &event.happening;
        happening.site_id == self.site.0
            && self.from.is_none_or(|from| i64::from(happening.timestamp) >= from.as_second())
            && self.to.is_none_or(|to| i64::from(happening.session_id.started()) < to.as_second())
            && !happening.entry_pathname.is_empty()
            && self.entry_path().is_some_and(|path| path.means(&happening.entry_pathname))
    }

    /// Whether an event is meant.
    pub fn means(&self, event: &Event) -> bool {
        let happening = &event.happening;
        let moment = i64::from(happening.timestamp);
        happening.site_id == self.site.0
            && self.from.is_none_or(|from| moment >= from.as_second())
            && self.to.is_none_or(|to| moment < to.as_second())
            && self.path.as_ref().is_none_or(|path| path.means(&happening.pathname))
            && self.event.as_ref().is_none_or(|name| *name == happening.name)
            && self.props.iter().all(|wanted| happening.props.contains(wanted))
            && (self.visitors.is_empty() || self.visitors.contains(&happening.visitor_id))
    }
}
