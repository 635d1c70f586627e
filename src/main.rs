//! The program; its verbs come last.
fn main() {}
