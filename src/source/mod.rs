//! A text somebody wrote, and where in it something is wrong.
//!
//! Made for the policy; nothing here knows what a policy is. A text is kept whole, so that every
//! problem can be shown with its line and a caret, and every problem of a text is shown at once.

pub mod duration;
pub mod nearest;
pub mod problem;
pub mod size;
pub mod table;
pub mod text;
