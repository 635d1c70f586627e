//! Whether HEAD was moved past the gate, where a rule's `@default` hangs on it.
//!
//! Only for `[log] on-drift = "refuse"`: whoever makes HEAD name another branch has taken the rules about
//! `@default` off the one it named. Then neither takes a push until an operator has accepted it.

use crate::gather::default_branch;
use crate::hook::bench::{Bench, gathered};
use crate::hook::fault::Stop;
use crate::hook::sweep;
use crate::hook::world::World;
use crate::log::entry::Record;
use crate::log::file::Appended;
use crate::log::wire::Text;
use crate::names::refname::Refname;
use crate::policy::settings::OnDrift;
use crate::push::update::RefUpdate;
use crate::verdict::line::{Hint, Line};

/// Refuses a push to a ref that is protected by what HEAD names, or named, while nobody has accepted
/// that it was moved. Writes such a move when this push is the first to see it.
pub fn in_doubt(world: &World, bench: &mut Bench, updates: &[RefUpdate]) -> Result<(), Stop> {
    match bench.policy.log.on_drift {
        OnDrift::Record => return Ok(()),
        OnDrift::Refuse => {}
    }
    if let Some(drift) = sweep::head(world, &bench.log)? {
        match bench.log.append(&[Record::Drift(drift)], &bench.ctx, None)? {
            Appended::Written(_) | Appended::Held | Appended::Moved(_) => {}
        }
    }
    let Some((entry, head)) = bench.log.open_head_drift()? else { return Ok(()) };
    let named = [&head.logged, &head.found];
    let mut defaults: Vec<Option<Refname>> =
        named.into_iter().map(|it| it.as_ref().and_then(Text::refname)).collect();
    defaults.push(default_branch(&world.store).map_err(gathered)?);
    let moment = bench.ctx.moment;
    let protected = |update: &&RefUpdate| {
        defaults.iter().any(|it| bench.policy.protects(&update.name, it.as_ref(), moment))
    };
    let Some(update) = updates.iter().find(protected) else { return Ok(()) };
    let show = |line: Line, text: Option<&Text>| match text {
        Some(text) => line.quoted(&text.0),
        None => line.text("nothing"),
    };
    let told = Line::new("HEAD was moved on the server past these rules, from ");
    let told = show(show(told, head.logged.as_ref()).text(" to "), head.found.as_ref());
    let told = told.text(format!(" (entry {entry}), and decides what protects "));
    let ask = "ask the operators: one of them has to look at it, and to run \
               portcullis log drift --accept 'REASON' --ref HEAD REPO";
    Err(Stop::refused(told.refname(&update.name)).hint(Hint::new(Line::new(ask))))
}
