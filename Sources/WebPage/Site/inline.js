// Text inside a line of Markdown: emphasis, code, links. Builds nodes; what is no Markdown stays the text it is.
import { make } from './dom.js';

const SAFE = /^(?:https?:\/\/|mailto:)/i;
const ESCAPABLE = /[!-/:-@[-`{-~]/;
const PUNCTUATION = /[\p{P}\p{S}]/u;
const PLAIN = /[^\\`![<h*_~]+/y;
const DESTINATION =
  /\(\s*(?:<([^<>\n]{0,2000})>|([^\s()<>]{0,2000}(?:\([^\s()<>]{0,500}\)[^\s()<>]{0,500}){0,8}))(?:\s+(?:"[^"]{0,300}"|'[^']{0,300}'))?\s*\)/y;
const AUTOLINK = /<((?:https?:\/\/|mailto:)[^\s<>]{1,2000})>/iy;
const BARE = /https?:\/\/[^\s<>`"]{1,2000}/iy;
const BREAK = /<br\s*\/?>/iy;
/** More marks of emphasis in one piece of text stay text, which bounds how deep elements lie. */
const MOST_MARKS = 400;
const DEEPEST = 4;

/** The nodes of a text. */
export function inline(text, depth = 0) {
  return new Scan(text, depth).run();
}

function match(pattern, text, place) {
  pattern.lastIndex = place;
  return pattern.exec(text);
}

class Scan {
  constructor(text, depth) {
    Object.assign(this, { text, depth, place: 0, plain: '', marks: [] });
    this.fragment = document.createDocumentFragment();
    this.spans = codeSpans(text);
    this.brackets = bracketPairs(text, this.spans);
  }

  run() {
    while (this.place < this.text.length) {
      const run = match(PLAIN, this.text, this.place);
      if (run) {
        this.plain += run[0];
        this.place += run[0].length;
      } else if (!this.special(this.text[this.place])) {
        this.plain += this.text[this.place++];
      }
    }
    this.flush();
    pair(this.marks);
    return this.fragment;
  }

  flush() {
    if (this.plain) this.fragment.append(this.plain);
    this.plain = '';
  }

  put(node, length) {
    this.flush();
    this.fragment.append(node);
    this.place += length;
    return true;
  }

  special(letter) {
    switch (letter) {
      case '\\': return this.escape();
      case '`': return this.code();
      case '!': return this.text[this.place + 1] === '[' && this.link(this.place + 1);
      case '[': return this.link(this.place);
      case '<': return this.angle();
      case 'h': return this.bare();
      default: return this.mark(letter);
    }
  }

  escape() {
    const next = this.text[this.place + 1] ?? '';
    if (next === '\n') return this.put(make('br'), 2);
    if (!ESCAPABLE.test(next)) return false;
    this.plain += next;
    this.place += 2;
    return true;
  }

  code() {
    const span = this.spans.get(this.place);
    if (!span) {
      const run = match(/`+/y, this.text, this.place)[0];
      this.plain += run;
      this.place += run.length;
      return true;
    }
    let inside = this.text.slice(this.place + span.ticks, span.end - span.ticks).replaceAll('\n', ' ');
    if (/^ .*[^ ].* $/.test(inside)) inside = inside.slice(1, -1);
    return this.put(make('code', {}, inside), span.end - this.place);
  }

  /** A link; an image is one too, since nothing is fetched from elsewhere. */
  link(open) {
    const close = this.brackets.get(open);
    if (close === undefined || this.depth >= DEEPEST) return false;
    const target = match(DESTINATION, this.text, close + 1);
    const address = target && (target[1] ?? target[2]);
    if (!target || !SAFE.test(address)) return false;
    const label = this.text.slice(open + 1, close);
    const length = close + 1 + target[0].length - this.place;
    return this.put(anchor(address, label.trim() ? inline(label, DEEPEST) : address), length);
  }

  angle() {
    const line = match(BREAK, this.text, this.place);
    if (line) return this.put(make('br'), line[0].length);
    const link = match(AUTOLINK, this.text, this.place);
    return link && this.depth < DEEPEST ? this.put(anchor(link[1], link[1]), link[0].length) : false;
  }

  bare() {
    const before = this.text[this.place - 1] ?? ' ';
    const link = this.depth < DEEPEST && !/\w/.test(before) && match(BARE, this.text, this.place);
    if (!link) return false;
    let address = link[0].replace(/[.,;:!?'*_~]+$/, '');
    while (/[)\]]$/.test(address) && !balanced(address)) address = address.slice(0, -1).replace(/[.,;:!?'*_~]+$/, '');
    return this.put(anchor(address, address), address.length);
  }

  /** A run of marks, which may begin or end emphasis. */
  mark(letter) {
    let end = this.place;
    while (this.text[end] === letter) end++;
    const length = end - this.place;
    const before = this.text[this.place - 1] ?? ' ';
    const after = this.text[end] ?? ' ';
    const [spaceBefore, spaceAfter] = [/\s/.test(before), /\s/.test(after)];
    const [signBefore, signAfter] = [PUNCTUATION.test(before), PUNCTUATION.test(after)];
    const left = !spaceAfter && (!signAfter || spaceBefore || signBefore);
    const right = !spaceBefore && (!signBefore || spaceAfter || signAfter);
    const isWord = letter === '_';
    const opens = left && (!isWord || !right || signBefore);
    const closes = right && (!isWord || !left || signAfter);
    const node = document.createTextNode(this.text.slice(this.place, end));
    const isUsable = (opens || closes) && this.marks.length < MOST_MARKS && (letter !== '~' || length === 2);
    if (isUsable) this.marks.push({ letter, length, whole: length, opens, closes, node });
    return this.put(node, length);
  }
}

function anchor(address, label) {
  return make('a', { href: address, target: '_blank', rel: 'noopener noreferrer nofollow' }, label);
}

function balanced(address) {
  const number = (sign) => address.split(sign).length;
  return number('(') >= number(')') && number('[') >= number(']');
}

/** Spans of code by where they begin. */
function codeSpans(text) {
  const runs = [...text.matchAll(/`+/g)];
  const next = new Map();
  const ends = runs.map(() => null);
  for (let place = runs.length - 1; place >= 0; place--) {
    const { length } = runs[place][0];
    ends[place] = next.get(length) ?? null;
    next.set(length, place);
  }
  const spans = new Map();
  for (let place = 0; place < runs.length; place++) {
    if (ends[place] === null) continue;
    const ticks = runs[place][0].length;
    spans.set(runs[place].index, { ticks, end: runs[ends[place]].index + ticks });
    place = ends[place];
  }
  return spans;
}

/** Where the bracket closes that opens at a place. */
function bracketPairs(text, spans) {
  const pairs = new Map();
  const open = [];
  for (let place = 0; place < text.length; place++) {
    const span = spans.get(place);
    if (span) place = span.end - 1;
    else if (text[place] === '\\') place++;
    else if (text[place] === '[') open.push(place);
    else if (text[place] === ']' && open.length) pairs.set(open.pop(), place);
  }
  return pairs;
}

/** Turns marks that belong together into elements around what stands between them, as CommonMark has it. */
function pair(marks) {
  const bottoms = new Map();
  let at = 0;
  while (at < marks.length) {
    const closer = marks[at];
    if (!closer.closes) {
      at++;
      continue;
    }
    const kind = closer.letter + closer.opens + (closer.whole % 3);
    const bottom = bottoms.get(kind) ?? 0;
    let found = at - 1;
    while (found >= bottom && !fits(marks[found], closer)) found--;
    if (found < bottom) {
      bottoms.set(kind, at);
      if (closer.opens) at++;
      else marks.splice(at, 1);
      continue;
    }
    at = join(marks, found, at);
  }
}

function fits(opener, closer) {
  if (opener.letter !== closer.letter || !opener.opens) return false;
  const isMixed = opener.closes || closer.opens;
  return !isMixed || (opener.whole + closer.whole) % 3 !== 0 || (opener.whole % 3 === 0 && closer.whole % 3 === 0);
}

/** Joins two marks; returns where to go on. */
function join(marks, found, at) {
  const [opener, closer] = [marks[found], marks[at]];
  const used = opener.length >= 2 && closer.length >= 2 ? 2 : 1;
  const element = make(opener.letter === '~' ? 'del' : used === 2 ? 'strong' : 'em');
  while (opener.node.nextSibling !== closer.node) element.append(opener.node.nextSibling);
  opener.node.after(element);
  marks.splice(found + 1, at - found - 1);
  let next = found + 1;
  for (const mark of [closer, opener]) {
    mark.length -= used;
    mark.node.data = mark.node.data.slice(used);
    if (mark.length) continue;
    mark.node.remove();
    marks.splice(marks.indexOf(mark), 1);
    if (mark === opener) next--;
  }
  return next;
}
