// Markdown as models write it, shown while it comes. Builds nodes and never HTML: tags in the text stay text.
import { copyButton, make } from './dom.js';
import { highlighted } from './code.js';
import { inline } from './inline.js';

const FENCE = /^ {0,3}(`{3,}|~{3,})[ \t]*([^`]*)$/;
const HEADING = /^ {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*$/;
const RULE = /^ {0,3}(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})$/;
const ITEM = /^( {0,3})([-*+]|\d{1,9}[.)])(?:([ \t]{1,4})(?=\S)|[ \t]*$)/;
const QUOTE = /^ {0,3}> ?/;
const DIVIDER = /^ {0,3}\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$/;
const TASK = /^\[([ xX])\][ \t]+/;
/** Lists and quotes that lie deeper are shown as text. */
const DEEPEST = 12;

/** Markdown in an element, to which text is added: what stands there already keeps its nodes. */
export class MarkdownView {
  constructor(element) {
    this.element = element;
    this.shown = [];
  }

  /** Shows a text; it mostly begins with the one shown before. */
  update(text) {
    const blocks = split(text.replaceAll('\r\n', '\n').split('\n'), 0);
    let same = 0;
    while (same < blocks.length && same < this.shown.length && blocks[same].source === this.shown[same]) same++;
    while (this.element.childNodes.length > same) this.element.lastChild.remove();
    for (const block of blocks.slice(same)) this.element.append(build(block));
    this.shown = blocks.map((block) => block.source);
  }
}

/** All of a text at once. */
export function markdown(text) {
  const fragment = document.createDocumentFragment();
  new MarkdownView(fragment).update(text);
  return fragment;
}

// Lines to blocks

/** Takes lines apart into blocks, each with the lines it came from. */
function split(lines, depth) {
  const blocks = [];
  let place = 0;
  while (place < lines.length) {
    if (!lines[place].trim()) {
      place++;
      continue;
    }
    const block = read(lines, place, depth);
    block.source = lines.slice(place, block.end).join('\n');
    // Whether a list is loose is seen from what follows.
    if (block.kind === 'list') block.source += block.isLoose;
    blocks.push(block);
    place = block.end;
  }
  return blocks;
}

function read(lines, place, depth) {
  const line = lines[place];
  const fence = FENCE.exec(line);
  if (fence) return readFence(lines, place, fence);
  const heading = HEADING.exec(line);
  if (heading) return { kind: 'heading', level: heading[1].length, text: heading[2] ?? '', end: place + 1 };
  if (RULE.test(line)) return { kind: 'rule', end: place + 1 };
  if (depth < DEEPEST && QUOTE.test(line)) return readQuote(lines, place, depth);
  if (depth < DEEPEST && ITEM.test(line)) return readList(lines, place, depth);
  if (isTable(lines, place)) return readTable(lines, place);
  let end = place + 1;
  while (end < lines.length && lines[end].trim() && !interrupts(lines, end)) end++;
  return { kind: 'paragraph', text: lines.slice(place, end).map((one) => one.trim()).join('\n'), end };
}

/** Whether a line ends the paragraph before it. */
function interrupts(lines, place) {
  const line = lines[place];
  if (FENCE.test(line) || HEADING.test(line) || RULE.test(line) || QUOTE.test(line)) return true;
  const item = ITEM.exec(line);
  return item ? item[3] !== undefined && !(/\d/.test(item[2]) && parseInt(item[2]) !== 1) : isTable(lines, place);
}

function readFence(lines, place, [, marks, info]) {
  const indent = lines[place].search(/\S/);
  const closing = new RegExp(`^ {0,3}${marks[0] === '`' ? '`' : '~'}{${marks.length},}[ \\t]*$`);
  let end = place + 1;
  while (end < lines.length && !closing.test(lines[end])) end++;
  const isClosed = end < lines.length;
  const text = lines.slice(place + 1, end).map((line) => line.replace(new RegExp(`^ {0,${indent}}`), '')).join('\n');
  return { kind: 'code', language: info.trim().split(/[\s{,]/)[0].slice(0, 40), text, isClosed, end: isClosed ? end + 1 : end };
}

function readQuote(lines, place, depth) {
  let end = place;
  while (end < lines.length && lines[end].trim() && (QUOTE.test(lines[end]) || !interrupts(lines, end))) end++;
  const inside = lines.slice(place, end).map((line) => line.replace(QUOTE, ''));
  return { kind: 'quote', blocks: split(inside, depth + 1), end };
}

function readList(lines, place, depth) {
  const first = ITEM.exec(lines[place]);
  const sign = first[2].at(-1);
  const items = [];
  let end = place;
  let isLoose = false;
  while (end < lines.length) {
    const item = ITEM.exec(lines[end]);
    if (!item || item[2].at(-1) !== sign || RULE.test(lines[end])) break;
    const width = item[1].length + item[2].length + (item[3]?.length ?? 1);
    const inside = [lines[end++].slice(width)];
    // What is indented belongs to the item, and so do lines of a paragraph that goes on.
    for (; end < lines.length; end++) {
      const line = lines[end];
      const isIndented = line.search(/\S/) >= Math.min(width, 2 + item[1].length);
      if (!line.trim()) {
        const next = lines.slice(end + 1).find((one) => one.trim());
        if (next === undefined || !(next.search(/\S/) >= Math.min(width, 2 + item[1].length))) break;
        isLoose ||= !ITEM.test(next.trim());
        inside.push('');
      } else if (isIndented) {
        inside.push(line.slice(Math.min(width, line.search(/\S/))));
      } else if (ITEM.test(line) || interrupts(lines, end) || !inside.at(-1).trim()) {
        break;
      } else {
        inside.push(line);
      }
    }
    items.push(inside);
    let after = end;
    while (after < lines.length && !lines[after].trim()) after++;
    const next = after > end && after < lines.length ? ITEM.exec(lines[after]) : null;
    if (next && next[2].at(-1) === sign) {
      isLoose = true;
      end = after;
    }
  }
  const isOrdered = /\d/.test(first[2]);
  return {
    kind: 'list', isOrdered, start: isOrdered ? parseInt(first[2]) : 1, isLoose, end,
    items: items.map((inside) => {
      const task = TASK.exec(inside[0]);
      if (task) inside[0] = inside[0].slice(task[0].length);
      return { task: task && task[1] !== ' ' ? 'done' : task ? 'open' : null, blocks: split(inside, depth + 1) };
    }),
  };
}

function isTable(lines, place) {
  const [head, divider] = [lines[place], lines[place + 1] ?? ''];
  return head.includes('|') && divider.includes('-') && DIVIDER.test(divider)
    && cells(head).length === cells(divider).length;
}

function readTable(lines, place) {
  const head = cells(lines[place]);
  const sides = cells(lines[place + 1]).map((cell) =>
    /^:-+:$/.test(cell) ? 'to-center' : /^-+:$/.test(cell) ? 'to-right' : '');
  let end = place + 2;
  const rows = [];
  while (end < lines.length && lines[end].trim() && lines[end].includes('|')) rows.push(cells(lines[end++]));
  return { kind: 'table', head, sides, rows, end };
}

/** The cells of a row; a bar behind a backslash or within code divides nothing. */
function cells(line) {
  const row = line.trim().replace(/^\|/, '');
  const found = [''];
  let inCode = false;
  for (let place = 0; place < row.length; place++) {
    if (row[place] === '\\' && row[place + 1] === '|') {
      found[found.length - 1] += '|';
      place++;
    } else if (row[place] === '|' && !inCode) {
      found.push('');
    } else {
      if (row[place] === '`') inCode = !inCode && row.includes('`', place + 1);
      found[found.length - 1] += row[place];
    }
  }
  if (row.endsWith('|') && !found.at(-1)) found.pop();
  return found.map((cell) => cell.trim());
}

// Blocks to nodes

function build(block) {
  switch (block.kind) {
    case 'heading': return make(`h${Math.min(6, block.level + 2)}`, { class: `level-${block.level}` }, inline(block.text));
    case 'rule': return make('hr');
    case 'quote': return make('blockquote', {}, ...block.blocks.map(build));
    case 'list': return buildList(block);
    case 'table': return buildTable(block);
    case 'code': return buildCode(block);
    default: return make('p', {}, inline(block.text));
  }
}

function buildList(list) {
  const element = make(list.isOrdered ? 'ol' : 'ul');
  if (list.start !== 1) element.start = list.start;
  for (const { task, blocks } of list.items) {
    const nodes = blocks.map((block) =>
      block.kind === 'paragraph' && !list.isLoose ? inline(block.text) : build(block));
    const box = task && make('span', { class: 'task', role: 'img', 'aria-label': task }, task === 'done' ? '☑' : '☐');
    element.append(make('li', { class: task ? 'is-task' : null }, box, ...nodes));
  }
  return element;
}

function buildTable({ head, sides, rows }) {
  const row = (tag, texts) =>
    make('tr', {}, ...head.map((_, place) => make(tag, { class: sides[place] || null }, inline(texts[place] ?? ''))));
  return make(
    'div', { class: 'wide', tabindex: 0, role: 'region', 'aria-label': 'Table' },
    make('table', {}, make('thead', {}, row('th', head)), make('tbody', {}, ...rows.map((texts) => row('td', texts)))));
}

function buildCode({ language, text, isClosed }) {
  const label = language || 'text';
  return make(
    'div', { class: 'code' },
    make('div', { class: 'code-head' }, make('span', {}, label), copyButton('Copy', () => text)),
    make(
      'pre', { tabindex: 0, role: 'region', 'aria-label': `Code: ${label}` },
      make('code', {}, isClosed ? highlighted(text, language) : text)));
}
