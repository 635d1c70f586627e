//! How a policy picks refs and paths.
//!
//! Lists of patterns are read in order: the last one that matches decides, and one that begins
//! with `!` takes away. `*` and `?` stop at `/`, `**` does not, `dir/**` covers `dir` itself.
//! What a pattern protects it protects in look-alike spellings too; what it takes away, it takes
//! away by exact bytes only.

pub mod exact;
pub mod fold;
pub mod glob;
pub(crate) mod layer;
pub mod paths;
pub(crate) mod readable;
pub mod refs;
pub mod text;

#[cfg(test)]
mod tests;
