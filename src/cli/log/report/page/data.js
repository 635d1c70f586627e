'use strict';
// The data of the page, and what every part of it uses. All text is shown as text: nothing here
// makes HTML of a string.

const DATA = JSON.parse(document.getElementById('data').textContent);
const WORDS = DATA.words;

// The places in a row, as the program writes them.
const LOG = 0, SEQ = 1, TIME = 2, KIND = 3, WHO = 4, WORD = 5, WHAT = 6, REFS = 7, REFUSED = 8, WARNED = 9, PATHS = 10;
const ROWS = DATA.rows;

// The places in a landing.
const L_REF = 2, L_MAKERS = 3, L_APPROVERS = 4, L_CHECKS = 5, L_FIRST = 6, L_FIRST_TIME = 7, L_STATE = 8;

// Where the rows of each log begin; they stand by log and number.
const BEGINS = [];
for (let at = 0; at < ROWS.length; at += 1) {
  const log = ROWS[at][LOG];
  if (BEGINS[log] === undefined) BEGINS[log] = at;
}

/** The row of an entry; -1 where the filters of the report leave it out. */
function rowOf(log, seq) {
  let low = BEGINS[log];
  if (low === undefined) return -1;
  let high = ROWS.length;
  for (let next = log + 1; next < DATA.logs.length; next += 1) {
    if (BEGINS[next] !== undefined) { high = BEGINS[next]; break; }
  }
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ROWS[middle][SEQ] < seq) low = middle + 1; else high = middle;
  }
  const found = ROWS[low];
  return found && found[LOG] === log && found[SEQ] === seq ? low : -1;
}

const byId = (id) => document.getElementById(id);

function put(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name === 'on') for (const [event, act] of Object.entries(value)) node.addEventListener(event, act);
    else node.setAttribute(name, value);
  }
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === '') continue;
    node.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
  return node;
}

/** An element with attributes and children; strings become text. */
const el = (tag, attributes, ...children) => put(document.createElement(tag), attributes, children);

/** The same for SVG. */
const svg = (tag, attributes, ...children) =>
  put(document.createElementNS('http://www.w3.org/2000/svg', tag), attributes, children);

/** Puts children in the place of whatever a node holds. */
const fill = (node, ...children) => { node.replaceChildren(); return put(node, null, children); };

const MINUTE = 60000, HOUR = 60 * MINUTE, DAY = 24 * HOUR;
const two = (n) => String(n).padStart(2, '0');
const day = (ms) => new Date(ms).toISOString().slice(0, 10);
const clock = (ms) => new Date(ms).toISOString().slice(11, 19);
const moment = (ms) => `${day(ms)} ${clock(ms)}`;
const count = (n) => n.toLocaleString('en').replaceAll(',', '\u2009');
const counted = (n, one, many) => `${count(n)} ${n === 1 ? one : many || `${one}s`}`;

/** A length of time, in the unit that fits. */
function lasting(ms) {
  const unit = (n, name) => `${n < 10 ? n.toFixed(1).replace(/\.0$/, '') : Math.round(n)} ${name}`;
  if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < MINUTE) return unit(ms / 1000, 's');
  if (ms < HOUR) return unit(ms / MINUTE, 'min');
  if (ms < 2 * DAY) return unit(ms / HOUR, 'h');
  return unit(ms / DAY, 'days');
}

/** The middle, or any other part, of numbers in order. */
const part = (sorted, of) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * of))];

/** The address of an entry on this page. */
const address = (log, seq) => `#e${log}-${seq}`;

/** A link to an entry. */
const entryLink = (log, seq, text) => el('a', { href: address(log, seq) }, text || `entry ${seq}`);

/** Links to entries in a text that names some: "entry 12", "entries 3, 4". */
function linked(log, text) {
  const parts = [];
  let from = 0;
  for (const found of text.matchAll(/\bentr(?:y|ies) (\d+)/g)) {
    parts.push(text.slice(from, found.index), entryLink(log, Number(found[1]), found[0]));
    from = found.index + found[0].length;
  }
  parts.push(text.slice(from));
  return parts;
}

const SEVERAL = DATA.logs.length > 1;
const logName = (log) => DATA.logs[log].name.replace(/^.*\//, '');

/** What is good, bad or in between, for colour; the word itself always stands beside it. */
const TONES = {
  refused: 'no', drift: 'no', lost: 'no', recovered: 'no', 'break-glass': 'no',
  warned: 'so', partly: 'so', 'not applied': 'so', accepted: 'yes', settled: 'yes', excused: 'yes', applied: 'yes',
};
const tone = (word) => TONES[word] || '';
const isRefused = (row) => WORDS[row[WORD]] === 'refused' || WORDS[row[WORD]] === 'partly';

/** What of a list stands in each group: a map from a group's name to the list of its members. */
function grouped(list, groups) {
  const found = new Map();
  for (const one of list) {
    for (const group of groups(one)) {
      if (!found.has(group)) found.set(group, []);
      found.get(group).push(one);
    }
  }
  return found;
}

/** Landings as objects, with the row of their push where this report has it. */
const LANDINGS = DATA.landings.map((it) => {
  const row = rowOf(it[LOG], it[SEQ]);
  const names = (list) => list.map((word) => WORDS[word]);
  return {
    row, log: it[LOG], seq: it[SEQ], time: row < 0 ? 0 : ROWS[row][TIME], ref: WORDS[it[L_REF]],
    makers: names(it[L_MAKERS]), approvers: names(it[L_APPROVERS]), checks: names(it[L_CHECKS]),
    first: it[L_FIRST], firstTime: it[L_FIRST_TIME], state: WORDS[it[L_STATE]],
  };
}).filter((it) => it.row >= 0);
