//! What makes a log provable to somebody who does not have it: Merkle trees, signed checkpoints,
//! proofs, tiles, and whom an auditor trusts.
//!
//! The formats are those of RFC 6962 and of C2SP (signed-note, tlog-checkpoint, tlog-cosignature,
//! tlog-tiles, tlog-proof, tlog-policy), so that other people's programs read ours. Pure: bytes
//! in, values out. What a leaf is, where files are and who holds a key is for others to say.

pub mod checkpoint;
pub mod edge;
pub mod holder;
pub mod key;
pub mod note;
pub mod proof;
pub mod tile;
pub mod tree;
pub mod trust;
pub mod witness;
