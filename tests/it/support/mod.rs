//! What every test here stands on: a scrubbed place, people with keys, a server with hooks.
//!
//! A test asks for a [`site::Site`], lets its people push, and looks at what they were told, at the
//! refs and at the log. Nothing here judges; nothing here uses the library, so that a mistake in
//! `src` cannot agree with itself.

pub(crate) mod acts;
pub(crate) mod browser;
pub(crate) mod client;
pub(crate) mod entries;
pub(crate) mod ground;
pub(crate) mod objects;
pub(crate) mod outcome;
pub(crate) mod pack;
pub(crate) mod person;
pub(crate) mod policy;
pub(crate) mod push;
pub(crate) mod site;
pub(crate) mod standin;
pub(crate) mod statement;
pub(crate) mod story;
pub(crate) mod terminal;
pub(crate) mod wire;
pub(crate) mod words;
