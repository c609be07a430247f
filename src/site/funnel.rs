//! Funnels: steps of a visit, one after the other, that a site has given a name.

use serde_json::Value;

/// A funnel of a site.
#[derive(Clone, Debug, PartialEq)]
pub struct Funnel {
    /// What the catalog calls it. Not 0.
    pub id: u32,
    /// What people call it; unique within the site.
    pub name: String,
    /// Its steps, as questions write them; two or more.
    pub steps: Vec<Value>,
}
