// The table of entries: filter, search, sort, and as many rows in the page as can be seen.

// Each: its name, what it says when nothing is chosen, the words of a row that it asks about.
const CHOICES = [
  ['kind', 'Every kind', (row) => [row[KIND]]],
  ['answer', 'Every answer', (row) => [row[WORD]]],
  ['who', 'Everybody', (row) => [row[WHO]]],
  ['ref', 'Every ref', (row) => row[REFS]],
  ['rule', 'Every rule', (row) => (row[WARNED].length ? row[REFUSED].concat(row[WARNED]) : row[REFUSED])],
];
// Logs are no words: their numbers are behind those of all words.
if (SEVERAL) CHOICES.unshift(['log', 'Every log', (row) => [WORDS.length + row[LOG]]]);
const named = (word) => (word < WORDS.length ? WORDS[word] : DATA.logs[word - WORDS.length].name);

// How many values a choice lists; the search finds the others.
const LISTED_MAX = 400;
// How many rows are printed.
const PRINTED_MAX = 1000;

const HEADS = [
  ['entry', 'Entry', (row) => row[LOG] * 2 ** 40 + row[SEQ]],
  ['time', 'Time (UTC)', (row) => row[TIME]],
  ['who', 'Who', (row) => WORDS[row[WHO]]],
  ['answer', 'Answer', (row) => WORDS[row[WORD]]],
  ['what', 'What', (row) => row[WHAT]],
];

const narrow = window.matchMedia('(max-width: 700px)');
const table = { chosen: {}, text: '', figure: null, sort: 'entry', down: false, rows: [], hay: null, window: null, inner: null, note: null };

/** What of a row can be searched for, in lower case. Made when somebody searches first. */
function hay() {
  if (table.hay) return table.hay;
  const said = WORDS.map((word) => word.toLowerCase());
  table.hay = ROWS.map((row) => {
    let text = `${row[SEQ]} ${said[row[KIND]]} ${said[row[WHO]]} ${said[row[WORD]]} ${row[WHAT].toLowerCase()}`;
    for (const list of [row[REFS], row[REFUSED], row[WARNED], row[PATHS]]) for (const word of list) text += ` ${said[word]}`;
    return text;
  });
  return table.hay;
}

/** Puts rows in the order that is asked for; those that are equal stay as they stand in the log. */
function sort(found) {
  const [, , key] = HEADS.find(([name]) => name === table.sort);
  const keys = ROWS.map(key);
  found.sort((a, b) => {
    const one = keys[a], other = keys[b];
    return (one < other ? -1 : one > other ? 1 : 0) || a - b;
  });
}

/** Finds the rows that fit everything that is asked, in the order that is asked. */
function look() {
  const wanted = table.text.toLowerCase().split(/\s+/).filter(Boolean);
  const texts = wanted.length ? hay() : null;
  const choices = CHOICES.filter(([name]) => table.chosen[name]).map(([name, , words]) => [Number(table.chosen[name]), words]);
  const all = !texts && !choices.length;
  const fits = (at) => choices.every(([word, words]) => words(ROWS[at]).includes(word)) && wanted.every((word) => texts[at].includes(word));
  const found = [];
  for (const at of table.figure ? table.figure.rows : ROWS.keys()) if (all || fits(at)) found.push(at);
  // Rows stand by log and number already.
  if (table.sort !== 'entry' || table.figure) sort(found);
  if (table.down) found.reverse();
  table.rows = found;
  table.window.scrollTop = 0;
  tellFound();
  paint();
}

function tellFound() {
  const all = table.rows.length === ROWS.length;
  const clear = table.figure && el('button', { class: 'chip', id: 'clear-figure', on: { click: () => { table.figure = null; look(); } } }, `${table.figure.label} \u00d7`);
  fill(table.note, el('span', { id: 'found', role: 'status' }, all ? counted(ROWS.length, 'entry', 'entries') : `${count(table.rows.length)} of ${counted(ROWS.length, 'entry', 'entries')}`), clear || null);
  for (const button of document.querySelectorAll('.head button')) {
    const is = button.dataset.sort === table.sort;
    button.setAttribute('aria-sort', is ? (table.down ? 'descending' : 'ascending') : 'none');
  }
}

function line(at) {
  const row = ROWS[at];
  const word = WORDS[row[WORD]];
  const [first, ...rest] = row[WHAT].split('\n');
  const name = SEVERAL ? `${logName(row[LOG])} ${row[SEQ]}` : String(row[SEQ]);
  const open = (event) => { if (!event.target.closest('a')) location.hash = address(row[LOG], row[SEQ]); };
  return el('div', { class: 'row', role: 'row', on: { click: open } },
    el('a', { href: address(row[LOG], row[SEQ]), title: name }, name),
    el('time', null, moment(row[TIME])),
    el('span', { class: 'who' }, WORDS[row[WHO]]),
    el('span', { class: `word ${tone(word)}` }, word),
    el('span', { class: 'what', title: row[WHAT] }, rest.length ? `${first} (+${rest.length})` : first));
}

/** Puts the rows that can be seen into the page. */
function paint() {
  const tall = narrow.matches ? 56 : 34;
  const { window: view, inner, rows } = table;
  view.classList.toggle('short', rows.length * tall < 720);
  view.style.height = rows.length * tall < 720 ? `${rows.length * tall + 2}px` : '';
  inner.style.height = `${rows.length * tall}px`;
  const first = Math.max(0, Math.floor(view.scrollTop / tall) - 6);
  const last = Math.min(rows.length, first + Math.ceil((view.clientHeight || 720) / tall) + 12);
  const seen = [];
  for (let at = first; at < last; at += 1) {
    const node = line(rows[at]);
    node.style.transform = `translateY(${at * tall}px)`;
    seen.push(node);
  }
  inner.replaceChildren(...seen);
}

function options(name, all, words) {
  const counts = new Uint32Array(WORDS.length + DATA.logs.length);
  for (const row of ROWS) for (const word of words(row)) counts[word] += 1;
  const there = [];
  counts.forEach((n, word) => { if (n) there.push(word); });
  there.sort((a, b) => counts[b] - counts[a] || (named(a) < named(b) ? -1 : 1));
  const listed = there.slice(0, LISTED_MAX).map((word) => el('option', { value: word }, `${named(word)} (${count(counts[word])})`));
  const more = there.length > LISTED_MAX ? el('option', { disabled: '' }, `and ${count(there.length - LISTED_MAX)} more: search for them`) : null;
  const change = (event) => { table.chosen[name] = event.target.value; look(); };
  return el('select', { id: `choose-${name}`, 'aria-label': name, on: { change } }, el('option', { value: '' }, all), listed, more);
}

function makeTable(place) {
  let waiting = 0;
  const type = (event) => {
    clearTimeout(waiting);
    waiting = setTimeout(() => { table.text = event.target.value; look(); }, 120);
  };
  const reset = () => {
    table.chosen = {}; table.text = ''; table.figure = null;
    for (const field of place.querySelectorAll('.tools select, .tools input')) field.value = '';
    look();
  };
  const order = (name) => () => { table.down = table.sort === name ? !table.down : false; table.sort = name; look(); };
  table.note = el('div', { class: 'chips' });
  table.inner = el('div', { role: 'rowgroup' });
  table.window = el('div', { class: 'window', tabindex: '0', 'aria-label': 'Entries', on: { scroll: paint } }, table.inner);
  if (SEVERAL) place.style.setProperty('--cols', 'minmax(120px, 200px) 168px 110px 96px 1fr');
  fill(place,
    el('div', { class: 'tools' },
      el('input', { type: 'search', id: 'search', placeholder: 'Search: a name, a ref, a path, a rule, digits', 'aria-label': 'Search', on: { input: type } }),
      CHOICES.map(([name, all, values]) => options(name, all, values)),
      el('button', { type: 'button', id: 'reset', on: { click: reset } }, 'Reset')),
    table.note,
    el('div', { class: 'head', role: 'row' }, HEADS.map(([name, text]) => el('button', { type: 'button', 'data-sort': name, on: { click: order(name) } }, text))),
    table.window);
  show = (label, rows) => {
    table.figure = { label, rows: [...new Set(rows)] };
    look();
    byId('entries').scrollIntoView();
  };
  narrow.addEventListener('change', paint);
  window.addEventListener('beforeprint', () => {
    const some = table.rows.slice(0, PRINTED_MAX).map(line);
    if (table.rows.length > PRINTED_MAX) some.push(el('p', null, `and ${count(table.rows.length - PRINTED_MAX)} more, which are not printed`));
    table.inner.replaceChildren(...some);
  });
  window.addEventListener('afterprint', paint);
  look();
}
