//! OpenPGP (RFC 9580): keys in a file, and the signatures that they make over commits, tags and
//! pushes.
//!
//! Verification only, and of little: detached signatures of version 4, over SHA-2, by RSA, ECDSA on
//! the NIST curves and Ed25519, the mathematics by the libraries that SSH keys need as well. What a
//! key says about itself (when it ends, what it is for, whether it was taken back) is ours to check
//! anyway, so it is read here, in the few shapes that count, and whatever has another shape counts
//! for nothing. Text and bytes in, values out.

pub mod armor;
mod bundle;
mod bytes;
pub mod check;
mod hash;
mod key;
pub mod keyring;
mod signature;
pub mod standing;

#[cfg(test)]
mod crafted;
#[cfg(test)]
mod edges;
#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
mod tests;
