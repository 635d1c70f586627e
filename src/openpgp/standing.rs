//! Whether a key may speak for its owner at a moment: what the key's own signatures say, proven.
//!
//! Stricter than `gpg`: a key has to hold now, whatever day a signature claims to be of; it must say
//! that it signs; what was signed over SHA-1 proves nothing; and of all that is said about when a
//! key ends, the earliest counts.

use crate::names::moment::Moment;
use crate::openpgp::bundle::{Bundle, Signed, Subkey, Which};
use crate::openpgp::key::Key;
use crate::openpgp::signature::{BINDS_PRIMARY, BINDS_SUBKEY, CERTIFIES, DIRECT, Signature};

/// How far ahead of the server a clock may be, in seconds.
pub const AHEAD_SECONDS_MAX: i64 = 5 * 60;

/// What a bundle's own signatures prove. Made once; holds for every moment.
#[derive(Clone, Debug)]
pub(super) struct Standing {
    direct: Vec<Signature>,
    names: Vec<(String, Vec<Signature>)>,
    subkeys: Vec<Bound>,
    revoked: Option<Revoked>,
}

/// A subkey, as far as the two keys vouch for each other.
#[derive(Clone, Debug)]
struct Bound {
    bindings: Vec<Signature>,
    /// Whether a binding was good but for the subkey's own signature.
    is_one_sided: bool,
    revoked: Option<Revoked>,
}

/// Since when a key is revoked, and why.
#[derive(Clone, Copy, Debug)]
enum Revoked {
    /// At all times: nobody knows what was signed by whom.
    Always(&'static str),
    /// From then on, in seconds since 1970.
    From(i64, &'static str),
}

impl Standing {
    /// Looks at every signature of a bundle.
    pub(super) fn of(bundle: &Bundle) -> Self {
        let primary = &bundle.primary;
        let good = |list: &[Signature], kinds: &dyn Fn(u8) -> bool, over: &[&[u8]]| {
            let is_good = |it: &&Signature| kinds(it.kind) && it.is_by(primary, over);
            list.iter().filter(is_good).cloned().collect::<Vec<Signature>>()
        };
        let key = primary.hashed.as_slice();
        let direct = good(&bundle.own.for_it, &|kind| kind == DIRECT, &[key]);
        let names = bundle.names.iter().filter_map(|name| {
            let length = u32::try_from(name.bytes.len()).ok()?.to_be_bytes();
            let over = [key, &[0xb4], &length, &name.bytes];
            let signed = good(&name.signed.for_it, &|kind| CERTIFIES.contains(&kind), &over);
            // What is not proven takes no revocation back.
            name.stands_by(&signed).then_some((name.email()?.to_owned(), signed))
        });
        Self {
            direct,
            names: names.collect(),
            subkeys: bundle.subkeys.iter().map(|it| Bound::of(primary, it)).collect(),
            revoked: revoked(primary, &bundle.own, &[key]),
        }
    }

    /// Why a signature of this day by one of the keys does not count now, to follow "a key that".
    /// `None`: it does. `theirs`: whether an e-mail is that of whom the key is taken for.
    pub(super) fn doubt(
        &self,
        bundle: &Bundle,
        which: Which,
        signature: &Signature,
        theirs: &dyn Fn(&str) -> bool,
        now: Moment,
    ) -> Option<String> {
        let now = now.seconds();
        self.primary_doubt(&bundle.primary, theirs, now)
            .or_else(|| match which {
                Which::Primary => self.flag_doubt(now),
                Which::Subkey(at) => match (self.subkeys.get(at), bundle.subkeys.get(at)) {
                    (Some(bound), Some(subkey)) => bound.doubt(&subkey.key, now),
                    (None, _) | (_, None) => Some(not_for_signing()),
                },
            })
            .or_else(|| {
                let keys =
                    [Some(&bundle.primary), bundle.keys().find(|it| it.0 == which).map(|it| it.1)];
                let made = keys.into_iter().flatten().map(|key| key.created).max();
                signature_doubt(signature, made, now)
            })
    }

    /// Why no key of the bundle signs at this moment, to follow "it". `None`: one does.
    pub(super) fn silence(
        &self,
        bundle: &Bundle,
        theirs: &dyn Fn(&str) -> bool,
        now: Moment,
    ) -> Option<String> {
        let now = now.seconds();
        if let Some(why) = self.primary_doubt(&bundle.primary, theirs, now) {
            return Some(why);
        }
        let primary =
            if bundle.primary.can_sign() { self.flag_doubt(now) } else { Some(not_for_signing()) };
        let subkeys = self.subkeys.iter().zip(&bundle.subkeys);
        let subkeys = subkeys.filter(|(_, subkey)| subkey.key.can_sign());
        // That of the last key tells the most: the primary one mostly is for other things.
        subkeys.fold(primary, |silent, (bound, subkey)| {
            silent.and_then(|_| bound.doubt(&subkey.key, now))
        })
    }

    /// Why nothing counts that the primary key stands behind.
    fn primary_doubt(&self, key: &Key, theirs: &dyn Fn(&str) -> bool, now: i64) -> Option<String> {
        if let Some(why) = self.revoked.and_then(|it| it.at(now)) {
            return Some(why);
        }
        let names =
            || self.names.iter().filter_map(|(email, all)| Some((email, newest(all, now)?)));
        let Some((_, _)) = names().find(|(email, _)| theirs(email)) else {
            return Some(
                "has no name of theirs that it has signed and that still holds".to_owned(),
            );
        };
        let ends = names().map(|(_, signature)| signature).chain(newest(&self.direct, now));
        let end = ends.filter_map(|signature| key_end(key, signature)).min();
        expired(end, now)
    }

    /// Why the primary key itself signs nothing.
    fn flag_doubt(&self, now: i64) -> Option<String> {
        let names = self.names.iter().filter_map(|(_, all)| newest(all, now));
        let said: Vec<bool> =
            names.chain(newest(&self.direct, now)).filter_map(|it| it.may_sign).collect();
        let may = !said.is_empty() && said.iter().all(|may| *may);
        (!may).then(not_for_signing)
    }
}

impl Bound {
    fn of(primary: &Key, subkey: &Subkey) -> Self {
        let over = [primary.hashed.as_slice(), &subkey.key.hashed];
        let binds = |it: &&Signature| it.kind == BINDS_SUBKEY && it.is_by(primary, &over);
        let (bindings, one_sided): (Vec<Signature>, Vec<Signature>) = subkey
            .signed
            .for_it
            .iter()
            .filter(binds)
            .cloned()
            .partition(|it| it.may_sign != Some(true) || is_answered(it, primary, &subkey.key));
        Self {
            bindings,
            is_one_sided: !one_sided.is_empty(),
            revoked: revoked(primary, &subkey.signed, &over),
        }
    }

    fn doubt(&self, key: &Key, now: i64) -> Option<String> {
        if let Some(why) = self.revoked.and_then(|it| it.at(now)) {
            return Some(why);
        }
        let Some(binding) = newest(&self.bindings, now) else {
            return Some(if self.is_one_sided {
                "never signed that it belongs to its primary key".to_owned()
            } else {
                "is a subkey that its primary key does not vouch for".to_owned()
            });
        };
        if binding.may_sign != Some(true) {
            return Some(not_for_signing());
        }
        expired(key_end(key, binding), now)
    }
}

/// Whether a subkey has signed in turn that it belongs to the primary key: else anybody could take
/// somebody's subkey, and with it their signatures, for their own.
fn is_answered(binding: &Signature, primary: &Key, subkey: &Key) -> bool {
    binding.embedded.iter().any(|body| {
        Signature::read(body).is_ok_and(|answer| {
            answer.kind == BINDS_PRIMARY
                && answer.expires_after.is_none()
                && answer.is_by(subkey, &[&primary.hashed, &subkey.hashed])
        })
    })
}

/// The newest of these signatures, if it holds at this time: what it replaced holds no more.
fn newest(all: &[Signature], now: i64) -> Option<&Signature> {
    let is_made = |it: &&Signature| i64::from(it.created) <= now + AHEAD_SECONDS_MAX;
    let newest = all.iter().filter(is_made).max_by_key(|it| it.created);
    newest.filter(|it| it.expires().is_none_or(|at| now < at))
}

/// When a key ends, as this signature has it.
fn key_end(key: &Key, signature: &Signature) -> Option<i64> {
    signature.key_expires_after.map(|span| i64::from(key.created) + i64::from(span))
}

fn expired(end: Option<i64>, now: i64) -> Option<String> {
    end.filter(|end| *end <= now).map(|end| format!("expired on {}", day(end)))
}

fn not_for_signing() -> String {
    "does not say that it is for signing".to_owned()
}

/// Why a signature does not count that a good key made.
fn signature_doubt(signature: &Signature, key_made: Option<u32>, now: i64) -> Option<String> {
    let made = i64::from(signature.created);
    if key_made.is_some_and(|key| signature.created < key) {
        return Some(format!("was not there yet on {}, of which the signature is", day(made)));
    }
    if made > now + AHEAD_SECONDS_MAX {
        return Some(format!("signed on {}, which is yet to come", day(made)));
    }
    let end = signature.expires().filter(|end| *end <= now);
    end.map(|end| format!("signed until {} only", day(end)))
}

/// What revokes a key. One that cannot be proven, because of an old digest or because another key
/// made it, counts like one without a reason.
fn revoked(primary: &Key, signed: &Signed, over: &[&[u8]]) -> Option<Revoked> {
    if signed.is_doubtful {
        return Some(Revoked::Always("carries a signature that cannot be understood"));
    }
    let all = signed.against_it.iter().map(|it| {
        if !it.is_by(primary, over) {
            return Revoked::Always(
                "carries a revocation that cannot be verified, and may be meant",
            );
        }
        let from = |why| Revoked::From(i64::from(it.created), why);
        match it.reason {
            Some(1) => from("another one is used instead"),
            Some(3) => from("it is used no more"),
            Some(2) => Revoked::Always("was revoked: somebody else may have it"),
            Some(_) | None => {
                Revoked::Always("was revoked, with no reason that spares what it signed")
            }
        }
    });
    all.min_by_key(|it| match it {
        Revoked::Always(_) => i64::MIN,
        Revoked::From(at, _) => *at,
    })
}

impl Revoked {
    /// Why the key does not count then.
    fn at(self, now: i64) -> Option<String> {
        match self {
            Self::Always(why) => Some(why.to_owned()),
            Self::From(at, why) => {
                (at <= now).then(|| format!("was revoked on {}: {why}", day(at)))
            }
        }
    }
}

fn day(seconds: i64) -> String {
    Moment::from_seconds(seconds).day()
}
