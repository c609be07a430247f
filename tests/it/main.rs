//! The integration tests: the real program against the real engine.

fn main() {}
