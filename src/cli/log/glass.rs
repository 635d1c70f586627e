//! A broken glass and a settled debt, told whole.
//!
//! Used by `block`. Pure.

use crate::cli::log::sheet::Sheet;
use crate::cli::log::words;
use crate::log::glass::{BreakGlass, Settled};
use crate::names::escape::escape;

/// The fields of a broken glass. `by`: who broke it, in words.
pub fn broken(sheet: &mut Sheet, by: &str, it: &BreakGlass) {
    sheet.field(1, "by", by);
    sheet.field(1, "because", &format!("\"{}\"", escape(&it.reason.0)));
    if let Some(of) = it.of {
        sheet.field(1, "of", &format!("the decision in entry {of}"));
    }
    sheet.field(1, "ref", &words::refname(&it.refname));
    sheet.field(1, "old", &it.old.0.hex());
    sheet.field(1, "new", &it.new.0.hex());
    for finding in &it.overridden {
        let place = finding.place.as_ref().map_or(String::new(), |it| escape(&it.0));
        let rule =
            format!("{} ({}) {place}", words::plain(&finding.rule), words::plain(&finding.kind));
        sheet.field(1, "past rule", rule.trim_end());
        sheet.field(2, "found", &escape(&finding.text.0));
    }
    let paths: Vec<String> = it.paths.list.iter().map(|path| escape(&path.0)).collect();
    sheet.list(1, "paths", it.paths.n, &paths);
    sheet.field(1, "delta", &it.delta.0.hex());
    sheet.field(2, "from", &it.base.0.hex());
    sheet.field(2, "to", &it.commit.0.hex());
    for ask in &it.asks {
        let from: Vec<&str> = ask.from.iter().map(|name| name.0.as_str()).collect();
        let (count, rule) = (words::counted(ask.approvals, "approval"), words::plain(&ask.rule));
        let from = escape(from.join(", ").as_bytes());
        sheet.field(1, "owed", &format!("{count} for {rule}, of {from}"));
    }
    if it.asks.is_empty() {
        sheet.field(1, "owed", "an approval by anybody who can approve");
    }
    if it.unknown_maker {
        sheet.field(2, "and", "one more of each: somebody unknown is among the makers");
    }
    let makers: Vec<&str> = it.makers.iter().map(|name| name.0.as_str()).collect();
    sheet.field(1, "made by", &escape(makers.join(", ").as_bytes()));
    sheet.field(1, "due", &it.settle_by.0.rfc3339_seconds());
}

/// The fields of a settled debt.
pub fn settled(sheet: &mut Sheet, it: &Settled) {
    sheet.field(1, "of", &format!("the decision in entry {}", it.of));
    sheet.field(1, "ref", &words::refname(&it.refname));
    let by: Vec<&str> = it.by.iter().map(|name| name.0.as_str()).collect();
    sheet.field(1, "how", &words::settled(it.how, &by));
    let uses: Vec<String> = it.uses.iter().map(|id| id.0.hex()).collect();
    sheet.list(1, "uses", uses.len() as u64, &uses);
    sheet.field(1, "value", &words::short(&it.value.0));
}
