//! The report: what real pushes have written, as a page in a real browser and as a sheet.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::{Value, json};

use crate::support::browser::Browser;
use crate::support::entries::segments;
use crate::support::ground::missing;
use crate::support::policy::gated;
use crate::support::site::Site;
use crate::support::wire::Request;

const NETWORK: &str = "infra/prod/network.tf";

/// A file whose name is HTML.
const EVIL: &str = "infra/prod/\"><svg onload=alert(1)>.tf";

/// What a pusher writes who wants to be run by whoever reads the report.
const ATTACK: &str = "</script><script>document.title='owned'</script><!--<script>";

/// How many entries a long log has.
const MANY: usize = 100_000;

/// How long a browser may work until a page of that many can be used, in seconds of its processor.
const OPENS_SECONDS: f64 = 2.0;

/// A log of a landing by approval, refusals, an emergency, a move past the gate, a new policy, a seal.
fn lived_in() -> Site {
    let policy = format!("{}\n[break-glass]\nby = [\"alice\"]\n", gated(1));
    let site = Site::new(&policy);
    let (alice, bob) = (site.person("alice"), site.person("bob"));
    let tip = alice.topic("open-8443", &[(NETWORK, "port 8443\n"), (EVIL, "x\n")]);
    site.main_refuses(&alice, "HEAD");
    site.approve(&bob, &tip).accepted();
    alice.land(&tip).accepted();
    alice.begin("main").commit(NETWORK, "port 22\n");
    alice.push(&["-obreak-glass=INC-42: =cmd|' /C calc'!A0 <img src=x onerror=alert(1)>", "main"]);
    let branch = "<img/src=x/onerror=alert(1)>";
    bob.topic(branch, &[("app/words", "x\n")]);
    site.raw("mallory", hostile(&site));
    site.set_policy(policy.replace("approvals = 1", "approvals = 2"));
    bob.topic("words", &[("app/words", "now\n")]);
    let main = site.main();
    site.git(&["update-ref", "refs/heads/past-the-gate", &main]);
    assert_eq!(site.verb(&["log", "drift"]).status.code(), Some(1));
    assert!(site.verb(&["log", "seal"]).status.success());
    site
}

/// A push whose option is HTML.
fn hostile(site: &Site) -> Request {
    let name = format!("refs/heads/{}", ATTACK.replace('!', ""));
    site.request().command(&site.zero(), &site.main(), name).option(ATTACK)
}

#[track_caller]
fn ended(output: &Output, code: i32) -> String {
    let said = [output.stdout.as_slice(), &output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert_eq!(output.status.code(), Some(code), "{said}");
    said
}

/// The report of a log as a page, and what it holds.
fn page(site: &Site) -> (PathBuf, String) {
    let file = site.ground().at("report.html");
    ended(&site.verb(&["log", "report", "--html", file.to_str().unwrap()]), 0);
    let text = fs::read_to_string(&file).unwrap();
    (file, text)
}

/// A block of JSON of a page.
fn block(page: &str, id: &str) -> Value {
    let begin = format!("<script type=\"application/json\" id=\"{id}\">");
    let rest = page.split(&begin).nth(1).unwrap();
    serde_json::from_str(rest.split("</script>").next().unwrap()).unwrap()
}

#[test]
fn a_page_of_real_pushes_is_read_in_a_real_browser() {
    let site = lived_in();
    let (file, text) = page(&site);
    let data = block(&text, "data");
    let entries = data["rows"].as_array().unwrap().len();
    assert_eq!(entries, site.log().len());
    assert_eq!(data["landings"].as_array().unwrap().len(), 2, "{}", data["landings"]);
    assert_eq!(data["glasses"][0]["settled"], Value::Null);
    assert_eq!(data["drifts"].as_array().unwrap().len(), 1);
    let told = |what: &str| {
        let all = data["controls"].as_array().unwrap().iter();
        all.filter(|it| it["what"] == what).map(|it| it["tells"].to_string()).collect::<Vec<_>>()
    };
    assert!(told("policy")[1].contains("~ rule.infra-review"), "{:?}", told("policy"));
    assert_eq!(told("seal").len(), 1);
    assert_eq!(data["logs"][0]["proof"]["tree"]["holds"], true);
    let Some(browser) = Browser::start(site.ground()) else {
        return missing("chromium and chromium-driver are not installed");
    };
    for width in [360, 1440] {
        browser.size(width, 900);
        browser.open(&file);
        read(&browser, entries);
    }
    // Nothing was blocked, nothing went wrong; and what somebody else puts there is blocked.
    assert_eq!(browser.console(), Vec::<Value>::new());
    let run = "const it = document.createElement('script'); it.textContent = 'window.owned = 1';\
               document.body.append(it); return window.owned === undefined";
    assert_eq!(browser.run(run), true);
    let asked = "return performance.getEntriesByType('resource').length";
    assert_eq!(browser.run(asked), 0);
    long(&browser, &site, &text);
}

/// What a reader does: looks at the figures, filters, searches, sorts, opens an entry.
fn read(browser: &Browser, entries: usize) {
    let is = |script: &str, value: Value| assert_eq!(browser.run(script), value, "{script}");
    browser.until("return document.documentElement.dataset.ready");
    is("return document.documentElement.scrollWidth <= innerWidth", json!(true));
    is("return document.title.startsWith('Change report: ')", json!(true));
    let ours = "return [document.querySelectorAll('script').length, \
                document.querySelectorAll('img, iframe, object, [onerror], [onload]').length]";
    is(ours, json!([3, 0]));
    let found = "return document.getElementById('found').textContent";
    is("document.getElementById('figures').firstElementChild.click()", Value::Null);
    is(found, json!(format!("2 of {entries} entries")));
    is("return document.querySelector('#matrix td a').title", json!("by alice, approved by bob"));
    is("document.querySelector('#matrix td a').click()", Value::Null);
    is(found, json!(format!("1 of {entries} entries")));
    is("document.getElementById('reset').click()", Value::Null);
    is(found, json!(format!("{entries} entries")));
    let choose = "const it = document.getElementById('choose-answer');\
                  it.value = [...it.options].find((one) => one.text.startsWith('refused')).value;\
                  it.dispatchEvent(new Event('change'));\
                  return [...document.querySelectorAll('.row .word')].every((it) => it.textContent === 'refused')";
    is(choose, json!(true));
    is("document.getElementById('reset').click()", Value::Null);
    let sort = "document.querySelector('[data-sort=\"time\"]').click();\
                document.querySelector('[data-sort=\"time\"]').click();\
                return document.querySelector('.row a').textContent";
    is(sort, json!((entries - 1).to_string()));
    let search = "const it = document.getElementById('search'); it.value = 'svg onload';\
                  it.dispatchEvent(new Event('input'))";
    is(search, Value::Null);
    browser.until("return document.getElementById('found').textContent.startsWith('2 of')");
    is("document.querySelector('.row').click()", Value::Null);
    let opened = "const it = document.getElementById('entry');\
                  return it.open && it.dataset.entry && document.getElementById('entry-text').textContent";
    let opened = browser.until(opened);
    let opened = opened.as_str().unwrap();
    assert!(opened.contains("by         alice (person)"), "{opened}");
    assert!(opened.contains("\"><svg onload=alert(1)>.tf"), "{opened}");
    is("document.getElementById('close').click()", Value::Null);
    is("return document.getElementById('entry').open", json!(false));
    // A link from elsewhere opens the entry it names.
    is("location.hash = '#e0-0'", Value::Null);
    let genesis = "return document.getElementById('entry-text').textContent.includes('genesis')";
    browser.until(genesis);
}

/// A log of many entries: the page's own rows, again and again.
fn long(browser: &Browser, site: &Site, page: &str) {
    let mut data = block(page, "data");
    let rows = data["rows"].as_array().unwrap().clone();
    let mut many = Vec::with_capacity(MANY);
    for number in 0..MANY {
        let mut row = rows[number % rows.len()].clone();
        row[1] = json!(number);
        row[2] = json!(row[2].as_i64().unwrap() + i64::try_from(number).unwrap() * 60_000);
        many.push(row);
    }
    let mut landings = Vec::new();
    for times in 0..MANY / rows.len() {
        for one in data["landings"].as_array().unwrap() {
            let mut one = one.clone();
            one[1] = json!(one[1].as_u64().unwrap() + (times * rows.len()) as u64);
            landings.push(one);
        }
    }
    data["landings"] = Value::Array(landings);
    data["rows"] = Value::Array(many);
    let safe = data.to_string().replace('<', "\\u003c");
    let (before, rest) = page.split_once("id=\"data\">").unwrap();
    let (_, after) = rest.split_once("</script>").unwrap();
    let file = site.ground().at("long.html");
    fs::write(&file, format!("{before}id=\"data\">{safe}</script>{after}")).unwrap();
    browser.devtools("Performance.enable", &json!({ "timeDomain": "threadTicks" }));
    let worked = || {
        let all = browser.devtools("Performance.getMetrics", &json!({}));
        let all = all["metrics"].as_array().unwrap().clone();
        all.iter().find(|it| it["name"] == "ThreadTime").unwrap()["value"].as_f64().unwrap()
    };
    browser.open(&file);
    browser.until("return document.documentElement.dataset.ready");
    let seconds = worked();
    assert!(seconds > 0.0 && seconds < OPENS_SECONDS, "{MANY} entries took {seconds} s");
    let held = "return [document.getElementById('found').textContent.replace(/\\s/, ''), \
                document.querySelectorAll('.row').length < 80]";
    assert_eq!(browser.run(held), json!(["100000 entries", true]));
}

#[test]
fn a_report_is_a_sheet_too_of_a_whole_server_and_says_when_a_log_is_broken() {
    let (site, alice, bob, tip) = Site::topic();
    site.main_refuses(&alice, "HEAD");
    site.approve(&bob, &tip).accepted();
    alice.land(&tip).accepted();
    let sheet = ended(&site.verb(&["log", "report", "--csv", "-"]), 0);
    let landed = sheet.lines().find(|line| line.contains("\"alice\",\"bob\",\"\"")).unwrap();
    assert!(landed.contains("\"accepted\",\"applied\""), "{landed}");
    let refused = sheet.lines().find(|line| line.contains("\"main-takes-merges")).unwrap();
    assert!(refused.contains("\"refused\",\"\""), "{refused}");
    // A copy of the log is another log; then one byte of it is changed.
    let server = site.ground().at("copies");
    let copy = server.join("infra");
    copy_folder(&site.log_dir(), &copy);
    let html = site.ground().at("all.html");
    let report = |code: i32, words: &[&str]| {
        let mut command = site.ground().portcullis();
        command.args(["log", "report", "--html", html.to_str().unwrap(), "--recursive"]);
        let said = ended(&command.arg(&server).args(words).output().unwrap(), code);
        (block(&fs::read_to_string(&html).unwrap(), "data"), said)
    };
    let (data, said) = report(0, &["--by", "bob", "--since", "2020-01-01"]);
    assert!(said.contains("1 log"), "{said}");
    assert_eq!(data["filters"], "--by bob --since 2020-01-01");
    let rows = data["rows"].as_array().unwrap();
    assert!(!rows.is_empty() && data["landings"] == json!([]), "{data}");
    let file = segments(&copy).remove(0);
    let mut bytes = fs::read(&file).unwrap();
    let end = bytes.len() - 200;
    bytes[end] ^= 4;
    fs::write(&file, bytes).unwrap();
    let repository = site.path().to_str().unwrap();
    let (data, said) = report(1, &[repository]);
    assert!(said.contains("2 logs"), "{said}");
    let whole = |at: usize| data["logs"][at]["proof"]["whole"].clone();
    assert_eq!((whole(0), whole(1)), (json!(true), json!(false)), "{said}");
    let neither = site.verb(&["log", "report"]);
    ended(&neither, 2);
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy_folder(&entry.path(), &target),
            false => drop(fs::copy(entry.path(), target).unwrap()),
        }
    }
}
