// The figures of what landed and what was refused, counted from the entries on this page.

const NOBODY = 'nobody';

/** The rows that are pushes refused, or refused in part. */
const REFUSED_ROWS = [];
ROWS.forEach((row, at) => { if (isRefused(row)) REFUSED_ROWS.push(at); });

/** How long each landing took from the first push of what landed; those in one push took none. */
const TIMED = LANDINGS.filter((it) => it.firstTime !== null).map((it) => ({ row: it.row, took: Math.max(0, it.time - it.firstTime), at: it }));

function tile(text, number, small, link, warn) {
  return put(link, { class: warn ? 'tile warn' : 'tile' }, [el('b', null, number), el('span', null, text), el('small', null, small)]);
}

/** A landing's rows, each once. */
const rowsOf = (list) => [...new Set(list.map((it) => it.row))];

/** A link to a part of the page. */
const partLink = (id) => el('a', { href: `#${id}` });

function keyFigures(place) {
  const approved = LANDINGS.filter((it) => it.approvers.length);
  const bare = LANDINGS.filter((it) => !it.approvers.length);
  const review = TIMED.filter((it) => it.took > 0).map((it) => it.took).sort((a, b) => a - b);
  const open = DATA.glasses.filter((it) => it.stands && !it.settled);
  const late = open.filter((it) => it.due < DATA.made);
  const drifts = DATA.drifts.filter((it) => !it.accepted);
  const policies = DATA.controls.filter((it) => it.what === 'policy');
  const gap = longestGap();
  const rows = (label, list) => rowsLink(label, () => list);
  fill(place,
    tile('landings', count(LANDINGS.length), `${count(approved.length)} of them by approval`, rows('landings', rowsOf(LANDINGS))),
    tile('refused pushes', count(REFUSED_ROWS.length), 'by a rule or a fault', rows('refused', REFUSED_ROWS)),
    tile('landed with no approval', count(bare.length), 'no rule asked, or past the rules', rows('landed with no approval', rowsOf(bare))),
    tile('to landing, in the middle', review.length ? lasting(part(review, 0.5)) : '\u2013', review.length ? `nine of ten within ${lasting(part(review, 0.9))}` : 'nothing was reviewed first', partLink('h-lead')),
    tile('past the rules', count(DATA.glasses.length), open.length ? `${counted(open.length, 'debt')} open${late.length ? `, ${count(late.length)} late` : ''}` : 'no debt is open', partLink('h-glass'), open.length > 0),
    tile('past the gate', count(DATA.drifts.length), drifts.length ? `${count(drifts.length)} nobody has accepted` : 'none is open', partLink('h-drift'), drifts.length > 0),
    tile('policy changes', count(Math.max(0, policies.length - DATA.logs.length)), policies.length ? `the last on ${day(policies[policies.length - 1].time)}` : 'no policy was ever in force', partLink('h-controls')),
    tile('longest time unsealed', gap === null ? '\u2013' : lasting(gap), gap === null ? 'no seal: nothing is signed' : 'between two seals, or since', partLink('h-controls'), gap === null));
}

function overTime(place) {
  if (!ROWS.length) { fill(place, el('p', { class: 'none' }, 'No entry fits the filters of this report.')); return; }
  let from = Infinity, to = 0;
  for (const row of ROWS) { from = Math.min(from, row[TIME]); to = Math.max(to, row[TIME]); }
  const past = LANDINGS.filter(brokenFor);
  const broken = new Set(past);
  timeBars(place, 'Landings and refusals over time', from, to, [
    { name: 'landed', side: 1, class: 'up', items: LANDINGS.filter((it) => !broken.has(it)) },
    { name: 'landed past the rules', side: 1, class: 'past', items: past },
    { name: 'refused', side: -1, class: 'down', items: REFUSED_ROWS.map((row) => ({ row, time: ROWS[row][TIME] })) },
  ]);
  const key = (colour, text) => el('span', null, el('i', { class: colour }), text);
  put(place, null, [el('p', { class: 'legend' }, key('up', 'landed'), past.length ? key('past', 'landed past the rules') : null, key('down', 'refused'))]);
}

/** Whether a landing broke the glass: an entry that names its push says so of its ref. */
const brokenFor = (landing) => GLASS.has(`${landing.log} ${landing.seq} ${landing.ref}`);
const GLASS = new Set(DATA.glasses.map((it) => `${it.log} ${it.of} ${it.ref}`));

function byRule(place) {
  const refused = grouped(REFUSED_ROWS, (at) => ROWS[at][REFUSED].map((word) => WORDS[word]));
  const warning = [];
  ROWS.forEach((row, at) => { if (row[WARNED].length) warning.push(at); });
  const warned = grouped(warning, (at) => ROWS[at][WARNED].map((word) => WORDS[word]));
  const longest = (a, b) => b[1].length - a[1].length;
  const bars = [...refused].map(([name, rows]) => [name, rows, 'down']).sort(longest)
    .concat([...warned].map(([name, rows]) => [`${name} (warns)`, rows, 'past']).sort(longest));
  if (bars.length) lyingBars(place, bars);
  else fill(place, el('p', { class: 'none' }, 'Nothing was refused, and no rule warned.'));
}

// How long from first push to landing: the names of the columns, and where each ends.
const COLUMNS = [['same push', 0], ['10 min', 10 * MINUTE], ['1 h', HOUR], ['4 h', 4 * HOUR], ['1 day', DAY], ['3 days', 3 * DAY], ['1 week', 7 * DAY], ['longer', Infinity]];

function leadTime(place) {
  if (!TIMED.length) { fill(place, el('p', { class: 'none' }, 'Nothing landed.')); return; }
  const bars = COLUMNS.map(([name]) => [name, []]);
  TIMED.forEach((it) => bars[COLUMNS.findIndex(([, end]) => it.took <= end)][1].push(it.row));
  standingBars(place, 'Time from first push to landing', bars);
  const slow = [...TIMED].sort((a, b) => b.took - a.took)[0];
  put(place, null, [el('p', { class: 'note' }, 'Each column: up to so long, from the first push that named what landed. The slowest took ',
    `${lasting(slow.took)}: `, entryLink(slow.at.log, slow.at.seq), '.')]);
}

/** Who approved whose work. Landings without an approval have a column of their own. */
function matrix(place) {
  if (!LANDINGS.length) { fill(place, el('p', { class: 'none' }, 'Nothing landed.')); return; }
  const cells = new Map();
  const makers = new Map(), reviewers = new Map();
  const more = (map, name) => map.set(name, (map.get(name) || 0) + 1);
  for (const it of LANDINGS) {
    for (const maker of it.makers) {
      more(makers, maker);
      for (const by of it.approvers.length ? it.approvers : [NOBODY]) {
        more(reviewers, by);
        const key = JSON.stringify([maker, by]);
        if (!cells.has(key)) cells.set(key, []);
        cells.get(key).push(it);
      }
    }
  }
  const often = (map) => [...map].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).map(([name]) => name);
  const columns = often(reviewers).filter((name) => name !== NOBODY).concat(reviewers.has(NOBODY) ? [NOBODY] : []);
  const most = Math.max(...[...cells.values()].map((list) => list.length));
  const head = el('tr', null, el('th', { scope: 'col' }, 'made by \u2193 approved by \u2192'), columns.map((by) => el('th', { scope: 'col' }, by)));
  const lines = often(makers).map((maker) => el('tr', null, el('th', { scope: 'row' }, maker), columns.map((by) => {
    const list = cells.get(JSON.stringify([maker, by]));
    if (!list) return el('td');
    const said = by === NOBODY ? `by ${maker}, approved by nobody` : `by ${maker}, approved by ${by}`;
    const cell = el('td', { class: by === NOBODY ? 'nobody' : null }, rowsLink(said, () => rowsOf(list), count(list.length)));
    cell.style.setProperty('--part', String(list.length / most));
    return cell;
  })));
  fill(place, el('table', { class: 'grid' }, el('thead', null, head), el('tbody', null, lines)));
}
