//! A row as the spool and ClickHouse take it, for tests that write rows themselves.

use passerby::event::{Attributes, Event, Happening, SCROLL_DEPTH_UNKNOWN, SessionId, VisitorId};

/// A view of a page, at this place of a visit that entered on the same page.
pub(crate) fn view(session: u64, seq: u32, pathname: &str) -> Event {
    let happening = Happening {
        site_id: 1,
        timestamp: 1_700_000_000,
        name: "pageview".into(),
        visitor_id: VisitorId(7),
        session_id: SessionId(session),
        seq,
        event_id: u64::from(seq) << 32 | session,
        hostname: "example.com".into(),
        pathname: pathname.into(),
        interactive: true,
        engagement_ms: 0,
        scroll_depth: SCROLL_DEPTH_UNKNOWN,
        props: Vec::new(),
        revenue_amount: 0,
        revenue_currency: String::new(),
        entry_hostname: "example.com".into(),
        entry_pathname: pathname.into(),
    };
    Event { happening, attributes: Attributes::default().into() }
}
