// One entry, opened; and the beginning of it all.

const PACK_ENTRIES = 128;
let packs = null;

/** What `log show` prints of the entry in this row. Packed, and unpacked when it is asked for. */
async function told(at) {
  packs = packs || JSON.parse(byId('packs').textContent);
  const bytes = Uint8Array.from(atob(packs[Math.floor(at / PACK_ENTRIES)]), (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  return JSON.parse(await new Response(stream).text())[at % PACK_ENTRIES];
}

/** What an entry that stands in a report may be asked about on the server. */
const command = (log, seq) => `portcullis log show ${seq} --full ${quote(DATA.logs[log].place)}`;
const quote = (word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);

async function open(log, seq) {
  const dialog = byId('entry');
  const at = rowOf(log, seq);
  const place = table.rows.indexOf(at);
  const step = (by, text) => {
    const next = ROWS[table.rows[place + by]];
    const to = place >= 0 && next ? address(next[LOG], next[SEQ]) : null;
    return to && el('a', { href: to, rel: by < 0 ? 'prev' : 'next' }, text);
  };
  const close = el('button', { type: 'button', id: 'close', autofocus: '', on: { click: () => dialog.close() } }, 'Close');
  const text = el('pre', { id: 'entry-text' }, at < 0 ? 'The filters of this report leave this entry out.' : 'unpacking');
  const landings = LANDINGS.filter((it) => it.row === at);
  const fact = (name, value) => [el('dt', null, name), el('dd', null, value)];
  const facts = landings.map((it) => el('dl', { class: 'facts' },
    fact('Landed on', it.ref), fact('Made by', it.makers.join(', ')), fact('Approved by', it.approvers.join(', ') || NOBODY),
    it.checks.length ? fact('Checks', it.checks.join(', ')) : null,
    it.first !== null ? fact('First pushed', [entryLink(log, it.first), ` on ${moment(it.firstTime)}, ${lasting(Math.max(0, it.time - it.firstTime))} before`]) : null));
  fill(dialog,
    el('div', { class: 'bar' }, el('h2', { id: 'entry-title' }, `Entry ${seq}${SEVERAL ? ` of ${DATA.logs[log].name}` : ''}`), step(-1, '\u2190 before'), step(1, 'after \u2192'), close),
    facts, text,
    el('p', { class: 'note' }, 'Whole, from the log: ', el('code', null, command(log, seq))));
  if (!dialog.open) dialog.showModal();
  if (at < 0) return;
  try {
    fill(text, linked(log, await told(at)));
  } catch (fault) {
    fill(text, 'This browser could not unpack the entry; the command below tells it.');
  }
  dialog.dataset.entry = `${log}-${seq}`;
}

/** Opens the entry that the address names. */
function follow() {
  const named = /^#e(\d+)-(\d+)$/.exec(location.hash);
  if (named && DATA.logs[Number(named[1])]) open(Number(named[1]), Number(named[2]));
  else if (byId('entry').open) byId('entry').close();
}

function about(place) {
  const times = DATA.logs.filter((log) => log.from !== null);
  const from = Math.min(...times.map((log) => log.from)), to = Math.max(...times.map((log) => log.to));
  const span = times.length ? `Log from ${day(from)} to ${day(to)}` : 'Nothing could be read';
  fill(place, `${span} \u00b7 made ${moment(DATA.made)} UTC`, DATA.filters ? [' \u00b7 entries chosen by ', el('code', null, DATA.filters)] : '');
}

function begin() {
  about(byId('about'));
  badge(byId('proof-badge'));
  keyFigures(byId('figures'));
  overTime(byId('time'));
  byRule(byId('rules'));
  leadTime(byId('lead'));
  matrix(byId('matrix'));
  glasses(byId('glass'));
  drifts(byId('drift'));
  controls(byId('controls'));
  proof(byId('proof'));
  makeTable(byId('table'));
  fill(byId('foot'), `Made by ${DATA.tool} from the log alone. Names, refs and reasons are other people's words, shown as text.`);
  let waiting = 0;
  window.addEventListener('resize', () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => { redraws.forEach((redraw) => redraw()); paint(); }, 80);
  });
  window.addEventListener('hashchange', follow);
  byId('entry').addEventListener('close', () => { if (/^#e\d/.test(location.hash)) history.replaceState(null, '', '#entries'); });
  follow();
  // For whoever measures: how long it took until the page could be used.
  document.documentElement.dataset.ready = String(Math.round(performance.now()));
}

begin();
