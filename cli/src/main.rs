//! Placeholder while the workspace takes shape.
fn main() {}
