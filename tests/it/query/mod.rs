//! What the numbers of a report mean, on the real engine: events go in as rows, queries as JSON.
//!
//! The numbers in brackets are the points of the meaning of numbers that a test holds to, as the
//! field's reporting API has them.

mod comparisons;
mod dimensions;
mod filters;
mod funnels;
mod goals;
mod journeys;
mod model;
mod numbers;
pub(crate) mod reference;
mod revenue;
mod segments;
mod story;
mod time;
mod v1;
mod visits;
