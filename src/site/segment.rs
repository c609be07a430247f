//! Segments: sets of filters that a site has given a name.

use serde_json::Value;

/// A segment of a site.
#[derive(Clone, Debug, PartialEq)]
pub struct Segment {
    /// What queries call it: `["is", "segment", [7]]`. Not 0.
    pub id: u32,
    /// What people call it; unique within the site.
    pub name: String,
    /// Its filters, as queries write them; all of them must hold. At least one.
    pub filters: Vec<Value>,
}
