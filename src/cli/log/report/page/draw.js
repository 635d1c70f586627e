// Charts in SVG: bars upon a time line, bars of parts, lanes. Every mark is a link.

/** What a figure leads to: these rows, under this name. Set by the table. */
let show = () => {};

/** A link to rows, for HTML. */
function rowsLink(label, rows, ...children) {
  return el('a', { href: '#entries', title: label, on: { click: (event) => { event.preventDefault(); show(label, rows()); } } }, children);
}

/** A link to rows, for SVG. */
function rowsMark(label, rows, ...children) {
  const act = (event) => { event.preventDefault(); show(label, rows()); };
  return svg('a', { href: '#entries', 'aria-label': label, on: { click: act } }, svg('title', null, label), children);
}

/** An SVG as wide as its place. `draw` gets the width and returns height and children. */
function chart(place, label, draw) {
  const make = () => {
    const width = Math.max(240, Math.floor(place.clientWidth || 600));
    const { height, children } = draw(width);
    const image = svg('svg', { viewBox: `0 0 ${width} ${height}`, role: 'group', 'aria-label': label }, children);
    const old = place.querySelector(':scope > svg');
    if (old) old.replaceWith(image); else place.prepend(image);
    place.dataset.width = String(width);
  };
  make();
  redraws.push(() => { if (Math.abs(Number(place.dataset.width) - place.clientWidth) > 8) make(); });
}
const redraws = [];

/** How long a stretch of the time line is, and where each begins. */
function stretches(from, to) {
  const span = to - from;
  const month = (ms, plus) => { const at = new Date(ms); return Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + plus, 1); };
  if (span > 3 * 365 * DAY) {
    const begins = [];
    for (let at = month(from, 0); at <= to; at = month(at, 1)) begins.push(at);
    return { unit: 'month', begins, end: month(to, 1), name: (ms) => day(ms).slice(0, 7) };
  }
  const [unit, step] = span <= 2 * DAY ? ['hour', HOUR] : span <= 100 * DAY ? ['day', DAY] : ['week', 7 * DAY];
  // Weeks begin on a Monday; the first of January 1970 was a Thursday.
  const shift = unit === 'week' ? 4 * DAY : 0;
  const begins = [];
  for (let at = Math.floor((from - shift) / step) * step + shift; at <= to; at += step) begins.push(at);
  const name = (ms) => (unit === 'hour' ? `${day(ms)} ${clock(ms).slice(0, 5)}` : day(ms));
  return { unit, begins, end: begins[begins.length - 1] + step, name };
}

/** Which stretch a moment falls in. */
function stretchOf(begins, ms) {
  let low = 0, high = begins.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (begins[middle] <= ms) low = middle + 1; else high = middle;
  }
  return Math.max(0, low - 1);
}

// How wide a bar gets where there are few.
const WIDEST = 56;

/** A round number no smaller than this, for the end of an axis. */
function round(n) {
  if (n <= 4) return Math.max(1, n);
  const ten = 10 ** Math.floor(Math.log10(n));
  return [1, 2, 2.5, 5, 10].map((it) => it * ten).find((it) => it >= n);
}

/** Times below an axis, as many as there is room for. */
function times(scale, from, to, width, y) {
  const most = Math.max(2, Math.floor(width / 110));
  const marks = [];
  for (let at = 0; at < most; at += 1) {
    const ms = from + ((to - from) * at) / (most - 1);
    const anchor = at === 0 ? 'start' : at === most - 1 ? 'end' : 'middle';
    const text = to - from <= 2 * DAY ? `${day(ms).slice(5)} ${clock(ms).slice(0, 5)}` : day(ms);
    marks.push(svg('text', { x: scale(ms), y, 'text-anchor': anchor }, text));
  }
  return marks;
}

/**
 * Bars up and down from a line of time. Each series: { name, side: 1 | -1, items, class };
 * items: [{ time, row }].
 */
function timeBars(place, label, from, to, series) {
  const { unit, begins, end, name } = stretches(from, to);
  const stacks = begins.map(() => series.map(() => []));
  series.forEach((one, which) => one.items.forEach((item) => stacks[stretchOf(begins, item.time)][which].push(item)));
  const sum = (stack, side) => stack.reduce((n, items, which) => n + (series[which].side === side ? items.length : 0), 0);
  const top = round(Math.max(1, ...stacks.map((stack) => sum(stack, 1))));
  const bottom = Math.max(...stacks.map((stack) => sum(stack, -1)));
  const low = bottom ? round(bottom) : 0;
  chart(place, label, (width) => {
    const left = 34, high = 132, deep = low ? Math.max(34, Math.min(84, (high * low) / top)) : 0;
    const height = high + deep + 36, zero = high + 8;
    const x = (ms) => left + ((width - left) * (ms - begins[0])) / (end - begins[0]);
    const up = (n) => zero - (n * high) / top, down = (n) => zero + (n * deep) / (low || 1);
    const children = [
      svg('line', { class: 'grid', x1: left, x2: width, y1: up(top), y2: up(top) }),
      svg('line', { class: 'grid', x1: left, x2: width, y1: up(top / 2), y2: up(top / 2) }),
      svg('text', { x: left - 6, y: up(top) + 4, 'text-anchor': 'end' }, count(top)),
      svg('text', { x: left - 6, y: zero + 4, 'text-anchor': 'end' }, '0'),
      low ? svg('text', { x: left - 6, y: down(low) + 4, 'text-anchor': 'end' }, count(low)) : null,
    ];
    const gap = (width - left) / begins.length > 6 ? 2 : 0.5;
    stacks.forEach((stack, at) => {
      const room = x(begins[at + 1] || end) - x(begins[at]);
      const wide = Math.min(WIDEST, Math.max(1, room - gap)), begin = x(begins[at]) + (room - wide) / 2;
      let above = 0, below = 0;
      stack.forEach((items, which) => {
        if (!items.length) return;
        const one = series[which];
        const [y, tall] = one.side > 0
          ? [up(above + items.length), up(above) - up(above + items.length)]
          : [down(below), down(below + items.length) - down(below)];
        if (one.side > 0) above += items.length; else below += items.length;
        const said = `${one.name}, ${unit} of ${name(begins[at])}: ${count(items.length)}`;
        children.push(rowsMark(said, () => items.map((it) => it.row),
          svg('rect', { class: one.class, x: begin, y, width: wide, height: Math.max(1.5, tall) })));
      });
    });
    children.push(svg('line', { class: 'axis', x1: left, x2: width, y1: zero, y2: zero }));
    children.push(times(x, begins[0], end, width - left, height - 4));
    return { height, children };
  });
}

/** Bars that lie, one a name, the longest first: [name, rows, class]. */
function lyingBars(place, bars) {
  const most = Math.max(...bars.map(([, rows]) => rows.length));
  const lines = bars.map(([name, rows, colour]) => {
    const said = `${name}: ${count(rows.length)}`;
    const wide = (100 * rows.length) / most;
    return [
      rowsLink(said, () => rows, el('span', { class: 'name' }, name)),
      svg('svg', { viewBox: '0 0 100 12', preserveAspectRatio: 'none', 'aria-hidden': 'true' },
        svg('rect', { class: 'faint', x: 0, y: 0, width: 100, height: 12 }),
        svg('rect', { class: colour, x: 0, y: 0, width: wide, height: 12 })),
      el('span', { class: 'n' }, rowsLink(said, () => rows, count(rows.length))),
    ];
  });
  fill(place, el('div', { class: 'bars' }, lines));
}

/** Bars that stand, in a given order: [name, rows]. */
function standingBars(place, label, bars) {
  const top = round(Math.max(1, ...bars.map(([, rows]) => rows.length)));
  chart(place, label, (width) => {
    const high = 120, zero = high + 18, step = width / bars.length;
    const children = [];
    bars.forEach(([name, rows], at) => {
      const tall = (rows.length * high) / top, x = at * step + step * 0.12;
      const mark = svg('rect', { class: 'plain', x: x + (step * 0.76 - Math.min(WIDEST, step * 0.76)) / 2, y: zero - tall, width: Math.min(WIDEST, step * 0.76), height: Math.max(rows.length ? 1.5 : 0, tall) });
      if (rows.length) children.push(rowsMark(`${name}: ${count(rows.length)}`, () => rows, mark));
      if (rows.length) children.push(svg('text', { class: 'strong', x: x + step * 0.38, y: zero - tall - 5, 'text-anchor': 'middle' }, count(rows.length)));
      // Where there is little room, every other name stands a line lower.
      const lower = step < 62 && at % 2 ? 13 : 0;
      children.push(svg('text', { x: x + step * 0.38, y: zero + 16 + lower, 'text-anchor': 'middle' }, name));
    });
    children.push(svg('line', { class: 'axis', x1: 0, x2: width, y1: zero, y2: zero }));
    return { height: zero + (step < 62 ? 36 : 24), children };
  });
}
