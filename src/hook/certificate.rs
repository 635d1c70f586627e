//! The push certificate that Git hands over: read from its blob, compared with everything else that
//! Git hands over, and looked for in the log.

use crate::facts::past::Past as _;
use crate::gather::reader::Reader;
use crate::hook::bench::{Bench, Input, gathered};
use crate::hook::fault::Stop;
use crate::hook::world::World;
use crate::identity::certificate::{Claimed, certified, id};
use crate::names::digest::Digest;
use crate::names::oid::Oid;
use crate::push::Seen;
use crate::push::certificate::{CERTIFICATE_EXTRA_BYTES_MAX, Certified, Standing};
use crate::push::update::RefUpdate;
use crate::store::objects::Objects as _;

/// The addresses of this repository, as clients type them; where there are any, a certificate for
/// another one does not count.
const KEY_URL: &str = "portcullis.url";

/// Looks at the certificate of a push, if it has one. Asks the log anew whether it came before.
pub fn look(
    world: &World,
    bench: &Bench,
    input: &Input<'_>,
    updates: &[RefUpdate],
) -> Result<Seen<Option<Certified>>, Stop> {
    let Some(named) = input.env.bytes("GIT_PUSH_CERT") else { return Ok(Seen::All(None)) };
    let bytes_max = bench.policy.limits.stdin_bytes.saturating_add(CERTIFICATE_EXTRA_BYTES_MAX);
    let Some(text) = read(world, bench, named, bytes_max)? else {
        return Ok(Seen::All(Some(unread(named))));
    };
    let urls = world.store.config_values(KEY_URL).map_err(|error| gathered(error.into()))?;
    let claimed = Claimed {
        updates,
        options: &bench.options,
        nonce: input.env.bytes("GIT_PUSH_CERT_NONCE"),
        nonce_status: input.env.bytes("GIT_PUSH_CERT_NONCE_STATUS"),
        urls: &urls,
        seen_in: bench.log.certificate(&id(&text))?,
    };
    Ok(Seen::All(Some(certified(text, &claimed, &bench.policy.roster, bench.ctx.moment))))
}

/// The blob's bytes. `None`: there is no such blob, or it is larger than any certificate.
fn read(
    world: &World,
    bench: &Bench,
    named: &[u8],
    bytes_max: usize,
) -> Result<Option<Vec<u8>>, Stop> {
    let Some(oid) = Oid::from_hex(named).filter(|oid| oid.format() == world.store.format()) else {
        return Ok(None);
    };
    let reader = Reader::new(&world.store, &bench.policy.limits);
    reader.small_blob(&oid, bytes_max).map_err(gathered)
}

fn unread(named: &[u8]) -> Certified {
    let why = "cannot be read, or is larger than any can be".to_owned();
    Certified {
        id: Digest::of(named),
        text: Vec::new(),
        fingerprint: None,
        standing: Standing::Not(why),
    }
}
