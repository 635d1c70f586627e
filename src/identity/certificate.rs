//! Whether a push certificate is good: signed by somebody in the roster, over exactly this push, to
//! this server, now. By us: Git's own word for it (`GIT_PUSH_CERT_STATUS`) is yes for any key
//! (threats F01), and is not asked.

use crate::names::digest::Digest;
use crate::names::escape::escape_short;
use crate::names::moment::Moment;
use crate::names::principal::PrincipalName;
use crate::push::Seen;
use crate::push::certificate::{Certificate, Certified, Standing};
use crate::push::update::RefUpdate;
use crate::roster::Roster;
use crate::roster::heard::Heard;
use crate::ssh::key::short_fingerprint;
use crate::ssh::signature::GIT_NAMESPACE;

/// What Git says of the nonce when it is the one that it gave out just now. Within
/// `receive.certNonceSlop` of it Git says the same; later than that it says `SLOP`.
const NONCE_OK: &[u8] = b"OK";

/// What a certificate has to agree with.
#[derive(Debug)]
pub struct Claimed<'p> {
    /// The ref updates that Git asked for.
    pub updates: &'p [RefUpdate],
    /// The push options that Git handed over.
    pub options: &'p Seen<Vec<Vec<u8>>>,
    /// The nonce that Git gave out (`GIT_PUSH_CERT_NONCE`); `None`: it gives out none.
    pub nonce: Option<&'p [u8]>,
    /// What Git says of the certificate's own (`GIT_PUSH_CERT_NONCE_STATUS`).
    pub nonce_status: Option<&'p [u8]>,
    /// The URLs that this repository has, where its operators said so. Empty: any will do.
    pub urls: &'p [Vec<u8>],
    /// The entry of an earlier push with the same certificate.
    pub seen_in: Option<u64>,
}

/// A certificate's name: the SHA-256 of what is signed, or of all of it where it is malformed.
pub fn id(text: &[u8]) -> Digest {
    match Certificate::parse(text) {
        Ok(certificate) => Digest::of(certificate.signed),
        Err(_) => Digest::of(text),
    }
}

/// Looks at a certificate.
pub fn certified(text: Vec<u8>, claimed: &Claimed<'_>, roster: &Roster, now: Moment) -> Certified {
    let id = id(&text);
    let (fingerprint, standing) = match Certificate::parse(&text) {
        Err(why) => (None, Err(why.to_string())),
        Ok(certificate) => {
            let (fingerprint, signer) = signer(&certificate, roster, now);
            let agrees = agrees(&certificate, claimed);
            (fingerprint, signer.and_then(|name| agrees.map(|()| name)))
        }
    };
    let standing = standing.map_or_else(Standing::Not, Standing::Good);
    Certified { id, text, fingerprint, standing }
}

/// Whose signature is on it.
fn signer(
    certificate: &Certificate<'_>,
    roster: &Roster,
    now: Moment,
) -> (Option<String>, Result<PrincipalName, String>) {
    let begins = [crate::ssh::armor::BEGIN, crate::openpgp::armor::BEGIN_ANY];
    if !begins.iter().any(|begin| certificate.armor.starts_with(begin)) {
        let why = "is signed with X.509, which is not supported here";
        return (None, Err(why.to_owned()));
    }
    let heard = roster.heard(GIT_NAMESPACE, certificate.signed, certificate.armor, now);
    let fingerprint = heard.fingerprint().map(str::to_owned);
    let who = match heard {
        Heard::By { name, .. } => Ok(name.clone()),
        Heard::NotNow { name, why, .. } => Err(format!("is signed by a key of {name} that {why}")),
        Heard::Nobody { fingerprint } => {
            Err(format!("is by {} which is nobody's key", short_fingerprint(&fingerprint)))
        }
        Heard::Not(check) => Err(format!("has a signature that is {check}")),
    };
    (fingerprint, who)
}

/// Whether it is about this push, here and now.
fn agrees(certificate: &Certificate<'_>, claimed: &Claimed<'_>) -> Result<(), String> {
    let no = |why: &str| Err(why.to_owned());
    let Some(nonce) = claimed.nonce else {
        return no("proves no time: this server gives out no nonce (receive.certNonceSeed)");
    };
    match certificate.nonce {
        None => return no("carries no nonce of this server"),
        Some(own) if own != nonce => return no("carries another nonce than this server gave out"),
        Some(_) => {}
    }
    if claimed.nonce_status != Some(NONCE_OK) {
        let said = escape_short(claimed.nonce_status.unwrap_or(b"nothing"));
        return Err(match claimed.nonce_status {
            Some(b"SLOP") => "carries a nonce older than receive.certNonceSlop allows".to_owned(),
            Some(_) | None => format!("carries a nonce of which Git says {said}"),
        });
    }
    let mut asked: Vec<Vec<u8>> = claimed.updates.iter().map(command).collect();
    let mut signed: Vec<&[u8]> = certificate.commands.clone();
    asked.sort();
    signed.sort_unstable();
    if asked != signed {
        return no("is for other ref updates than this push");
    }
    match claimed.options {
        Seen::All(options) if *options == certificate.options => {}
        Seen::All(_) | Seen::NotHere => return no("is for other push options than this push"),
    }
    if !claimed.urls.is_empty() {
        let own = certificate.pushee.unwrap_or_default();
        if !claimed.urls.iter().any(|url| plain(url) == plain(own)) {
            let shown = escape_short(own);
            return Err(format!("is for \"{shown}\", which is no address of this repository"));
        }
    }
    match claimed.seen_in {
        Some(entry) => Err(format!("came before, in entry {entry}, and counts once")),
        None => Ok(()),
    }
}

/// A ref update as a certificate writes it.
fn command(update: &RefUpdate) -> Vec<u8> {
    let (old, new) = (update.claimed_old.hex(), update.new.hex());
    [old.as_bytes(), b" ", new.as_bytes(), b" ", update.name.as_bytes()].concat()
}

/// An address without what makes no difference at its end.
fn plain(url: &[u8]) -> &[u8] {
    let mut url = url;
    while let Some(rest) = url.strip_suffix(b"/") {
        url = rest;
    }
    url.strip_suffix(b".git").unwrap_or(url)
}
