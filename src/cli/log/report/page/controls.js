// What went past the rules or the gate, the controls on a time line, and the proof.

const logCell = (log) => (SEVERAL ? el('td', null, logName(log)) : null);
const logHead = () => (SEVERAL ? el('th', { scope: 'col' }, 'Log') : null);
const inTime = (list) => [...list].sort((a, b) => a.time - b.time);
const mark = (how, text) => el('span', { class: `mark ${how}` }, text);

/** A table of few rows, the newest first; the rest behind a fold. */
function listing(place, heads, lines, none) {
  if (!lines.length) { fill(place, el('p', { class: 'none' }, none)); return; }
  const MOST = 8;
  const table = (some) => el('div', { class: 'wide' }, el('table', { class: 'list' },
    el('thead', null, el('tr', null, heads.map((text) => (text instanceof Node ? text : el('th', { scope: 'col' }, text))))), el('tbody', null, some)));
  const newest = [...lines].reverse();
  const rest = newest.slice(MOST);
  fill(place, table(newest.slice(0, MOST)),
    rest.length ? el('details', null, el('summary', null, `${count(rest.length)} more`), table(rest)) : null);
}

function glasses(place) {
  const lines = inTime(DATA.glasses).map((it) => {
    const owed = !it.stands ? mark('', 'never happened')
      : it.settled ? [mark('yes', 'settled'), ' ', entryLink(it.log, it.settled[0]), ' ', it.settled[2]]
        : it.due < DATA.made ? mark('no', `open, was due ${day(it.due)}`) : mark('so', `open, due ${day(it.due)}`);
    return el('tr', null, el('td', { class: 't' }, entryLink(it.log, it.entry, day(it.time))), logCell(it.log),
      el('td', { class: 't' }, it.who), el('td', { class: 'any' }, it.ref),
      el('td', { class: 'any' }, it.rules), el('td', { class: 'any' }, `\u201c${it.reason}\u201d`), el('td', null, owed));
  });
  listing(place, ['When', logHead(), 'Who', 'Ref', 'Past rules', 'Why', 'Debt'].filter(Boolean), lines, 'Nobody went past the rules.');
}

function drifts(place) {
  const lines = inTime(DATA.drifts).map((it) => el('tr', null,
    el('td', { class: 't' }, entryLink(it.log, it.entry, day(it.time))), logCell(it.log), el('td', { class: 'any' }, it.what),
    el('td', null, it.accepted ? [mark('yes', 'accepted'), ` by ${it.accepted[2]}, `, entryLink(it.log, it.accepted[0])] : mark('no', 'open'))));
  listing(place, ['Found', logHead(), 'What', 'Accepted'].filter(Boolean), lines, 'No ref was found moved past the gate.');
}

const controlsOf = (log, ...what) => DATA.controls.filter((it) => it.log === log && what.includes(it.what));

/** The stretches between seals of a log, and from the last one to the time of this report. */
function sealGaps(log) {
  const seals = controlsOf(log, 'seal').map((it) => it.time);
  const from = DATA.logs[log].from;
  if (!seals.length || from === null) return [];
  const ends = [...seals, DATA.made];
  return ends.map((end, at) => [at === 0 ? from : ends[at - 1], end]);
}

/** The longest time in which nothing was sealed. `null`: some log has no seal at all. */
function longestGap() {
  let longest = null;
  for (let log = 0; log < DATA.logs.length; log += 1) {
    const gaps = sealGaps(log);
    if (!gaps.length) return null;
    for (const [from, to] of gaps) longest = Math.max(longest || 0, to - from);
  }
  return longest;
}

/** The lanes of one log: what was in force when, and what happened to it. */
function lanes(log) {
  const end = DATA.made;
  const policies = controlsOf(log, 'policy');
  const gaps = sealGaps(log);
  const long = gaps.map(([from, to]) => to - from).sort((a, b) => a - b);
  const usual = long.length ? part(long, 0.5) : 0;
  const tick = (it) => ({ at: it.time, seq: it.entry, label: `${moment(it.time)}: ${it.tells.join('; ')}` });
  const span = (it, over, what) => ({
    from: it.time, to: over ? over[1] : end, seq: it.entry, class: over ? 'over' : 'open',
    label: `${moment(it.time)}: ${what}${over ? `, over ${moment(over[1])}` : ', open'}`,
  });
  return [
    { name: 'Policy', ticks: policies.map(tick), bands: policies.map((it, at) => ({
      from: it.time, to: at + 1 < policies.length ? policies[at + 1].time : end, seq: it.entry, class: at % 2 ? 'band odd' : 'band',
      label: `policy ${it.sha256.slice(0, 12)} from ${moment(it.time)}: ${it.tells.join(', ')}` })) },
    { name: 'Hooks, settings', ticks: controlsOf(log, 'config').map(tick), bands: [] },
    { name: 'Seals', ticks: controlsOf(log, 'seal').map(tick),
      bands: gaps.filter(([from, to]) => to - from > Math.max(4 * usual, HOUR)).map(([from, to]) => ({
        from, to, class: 'gap', label: `unsealed for ${lasting(to - from)} from ${moment(from)}` })) },
    { name: 'Past the rules', ticks: [], bands: DATA.glasses.filter((it) => it.log === log && it.stands).map((it) => span(it, it.settled, `${it.ref}, ${it.who}`)) },
    { name: 'Past the gate', ticks: [], bands: DATA.drifts.filter((it) => it.log === log).map((it) => span(it, it.accepted, it.what)) },
    { name: 'The log itself', ticks: controlsOf(log, 'genesis', 'damage', 'pruned', 'clock').map(tick), bands: [] },
  ];
}

function timeLine(place, log) {
  const head = DATA.logs[log];
  if (head.from === null) { fill(place, el('p', { class: 'none' }, 'No entry could be read.')); return; }
  const all = lanes(log), from = head.from, to = Math.max(DATA.made, head.to);
  chart(place, 'Controls over time', (width) => {
    const left = width < 520 ? 0 : 112, tall = left ? 30 : 46, height = all.length * tall + 30;
    const x = (ms) => left + ((width - left) * (ms - from)) / Math.max(1, to - from);
    const link = (seq, label, shape) => {
      const inner = [svg('title', null, label), shape];
      return seq === undefined ? svg('g', null, inner) : svg('a', { href: address(log, seq), 'aria-label': label }, inner);
    };
    const children = all.map((lane, at) => {
      const y = at * tall + (left ? 0 : 16);
      return [
        svg('text', { x: 0, y: left ? y + 19 : y - 3, class: 'strong' }, lane.name),
        svg('line', { class: 'grid', x1: left, x2: width, y1: y + 28, y2: y + 28 }),
        lane.bands.map((band) => link(band.seq, band.label,
          svg('rect', { class: band.class, x: x(band.from), y: y + 6, width: Math.max(2, x(band.to) - x(band.from)), height: 18, rx: 2 }))),
        lane.ticks.map((one) => link(one.seq, one.label, [
          svg('rect', { x: x(one.at) - 4, y: y + 4, width: 8, height: 22, fill: 'transparent' }),
          svg('line', { class: 'tick', x1: x(one.at), x2: x(one.at), y1: y + 6, y2: y + 24 })])),
      ];
    });
    children.push(times(x, from, to, width - left, height - 6));
    return { height, children };
  });
}

function controls(place) {
  const drawn = el('div'), list = el('div');
  const draw = (log) => {
    fill(drawn);
    timeLine(drawn, log);
    const told = controlsOf(log, 'policy', 'config', 'damage', 'pruned', 'clock');
    listing(list, ['When', 'What', 'Changed'], told.map((it) => el('tr', null,
      el('td', { class: 't' }, entryLink(log, it.entry, moment(it.time))),
      el('td', { class: 't' }, it.what === 'config' ? 'hooks, settings' : it.what),
      el('td', { class: 'any' }, it.tells.join('; ')))), 'No policy, and no change of hooks or settings, stands in this log.');
  };
  const choice = SEVERAL && el('p', { class: 'tools' }, el('label', null, 'Log ', el('select', {
    on: { change: (event) => draw(Number(event.target.value)) } },
  DATA.logs.map((log, at) => el('option', { value: at }, log.name)))));
  fill(place, choice || null, drawn, list);
  if (DATA.logs.length) draw(0);
}

function isWhole(log) { return log.proof.whole && log.proof.tree && log.proof.tree.holds; }

function badge(place) {
  const bad = DATA.logs.filter((log) => !isWhole(log));
  const one = DATA.logs.length === 1 && DATA.logs[0];
  if (bad.length) {
    fill(place, el('a', { href: '#h-proof', class: 'badge bad' }, el('b', null, 'Does not hold together'),
      bad.map((log) => log.name).slice(0, 4).join(', '), bad.length > 4 ? ` and ${bad.length - 4} more` : ''));
  } else if (one) {
    fill(place, el('a', { href: '#h-proof', class: 'badge' }, el('b', null, `Whole, ${counted(one.entries, 'entry', 'entries')}`),
      el('span', { class: 'mono' }, `root ${one.proof.tree.root}`)));
  } else {
    fill(place, el('a', { href: '#h-proof', class: 'badge' }, el('b', null, DATA.logs.length ? `All ${DATA.logs.length} logs are whole` : 'No log was found')));
  }
}

function proof(place) {
  const one = (log) => {
    const { proof: it } = log, tree = it.tree;
    const fact = (name, value) => (value === null || value === undefined ? null : [el('dt', null, name), el('dd', null, value)]);
    return el('div', null,
      el('p', null, mark(isWhole(log) ? 'yes' : 'no', isWhole(log) ? 'whole' : 'broken'), ' ', el('b', null, log.name)),
      el('dl', { class: 'facts' },
        fact('Entries', count(it.entries)),
        fact('Head', it.head && el('code', null, it.head)),
        fact('Root', tree && el('code', null, `${tree.root} of ${counted(tree.size, 'entry', 'entries')}`)),
        fact('Broken at', it.broken && `entry ${it.broken.entry}, line ${it.broken.line}, byte ${it.broken.offset}: ${it.broken.what}`),
        fact('Taken away', it.pruned && `entries 0 to ${it.pruned.first - 1}; ${counted(it.pruned.kept, 'of them stays', 'of them stay')} whole`),
        fact('Damage', it.recovered ? `in ${counted(it.recovered, 'place')}, declared by the entries after it` : null),
        fact('Clock', it.clock_set_back.length ? `set back at ${counted(it.clock_set_back.length, 'entry', 'entries')}` : null),
        fact('Found', it.tells.length ? it.tells.map((line) => el('div', null, line)) : null)),
      it.checkpoint && el('details', null, el('summary', null, 'The checkpoint, as it is signed'), el('pre', null, it.checkpoint)));
  };
  fill(place, el('p', { class: 'lead' }, `As portcullis log verify --root found it on ${moment(DATA.made)} UTC. This page is a copy: ask the log itself with `,
    el('code', null, 'portcullis log verify --root'), ', or with verify.py of the audit bundle.'), DATA.logs.map(one));
}
