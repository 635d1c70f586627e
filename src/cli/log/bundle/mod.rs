//! `portcullis log export --bundle`: a log in one file, for an auditor who has neither a shell on
//! the server nor our program.
//!
//! In it stand the log's files as they are, what was taken out of them to be read (statements,
//! policies, keys as they stood), and the scripts that check it all.

pub mod contents;
pub mod tarball;

use std::collections::BTreeSet;
use std::path::Path;

use crate::cli::fault::{Exit, Fault, OrFault as _};
use crate::cli::io::Tone;
use crate::cli::log::bundle::contents::{Packing, pieces};
use crate::cli::log::bundle::tarball::{Body, Piece, Tarball};
use crate::cli::log::place::Place;
use crate::cli::log::show::{End, said};
use crate::cli::quote::shown;
use crate::cli::verb::Call;

/// The folder that everything stands in.
const TOP: &str = "portcullis-audit";

/// What stands beside the logs.
const BESIDE: [(&str, &str); 4] = [
    ("README.txt", include_str!("README.txt")),
    ("verify.py", include_str!("../../../../config/audit/verify.py")),
    ("verify.sh", include_str!("../../../../config/audit/verify.sh")),
    ("statements.sh", include_str!("../../../../config/audit/statements.sh")),
];

/// Packs these logs into one file. `.gz` or `.tgz` at its end has it compressed.
pub fn pack(call: &mut Call<'_>, file: &Path, places: &[Place]) -> Result<Exit, Fault> {
    let path = call.around.absolute(file)?;
    let could_not = || format!("could not write {}", shown(&path));
    let (mut ends, mut logs, mut taken) = (Vec::new(), Vec::new(), BTreeSet::new());
    for place in places {
        match pieces(place, &mut taken) {
            Ok(Packing { pieces, end, newest }) => {
                logs.push((pieces, newest));
                ends.push(end.map(End::Log));
            }
            Err(fault) if places.len() < 2 || fault.is_quiet() => return Err(fault),
            Err(fault) => ends.push(Some(End::Fault(fault))),
        }
    }
    // The same log makes the same bytes, whoever packs it and when: the time is that of the log.
    let newest = logs.iter().map(|(_, newest)| *newest).max().unwrap_or_default();
    let mut tarball = Tarball::create(&path, TOP, newest).or_fault(could_not)?;
    for (name, text) in BESIDE {
        let body = Body::Bytes(text.as_bytes().to_vec());
        tarball.add(&Piece { name: name.to_owned(), body }).or_fault(could_not)?;
    }
    let mut files = BESIDE.len();
    for piece in logs.iter().flat_map(|(pieces, _)| pieces) {
        let why = || format!("could not pack {}", piece.name);
        let hint = "a file of the log has changed its name meanwhile; run it again";
        tarball.add(piece).or_fault(why).map_err(|fault| fault.hint(hint))?;
        files += 1;
    }
    let sha256 = tarball.finish(&path).or_fault(could_not)?;
    call.console.data_line(&format!("{}  {}", sha256.hex(), shown(file)))?;
    let note = format!(
        "{files} files of {} packed; README.txt in it says how to check them",
        logs_of(logs.len())
    );
    call.console.talk_lines(Tone::Note, &note)?;
    said(call, places, ends)
}

fn logs_of(n: usize) -> String {
    if n == 1 { "1 log".to_owned() } else { format!("{n} logs") }
}
