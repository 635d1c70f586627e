//! What things are called, parsed once and never checked again.
//!
//! Every other room builds on these. A value of one of these types is proof that its bytes were
//! looked at; nothing outside this room can make one from unchecked bytes.

pub mod digest;
pub mod escape;
pub mod moment;
pub mod oid;
pub mod path;
pub mod principal;
pub mod refname;
