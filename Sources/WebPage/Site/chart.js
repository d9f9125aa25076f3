// Small charts of what happened lately: areas over time, one above the other, and lines.
import { draw, make } from './dom.js';

const WIDTH = 280;
const HEIGHT = 56;

/** A ceiling that does not move with every sample: 1, 2 or 5 times a power of ten. */
function ceiling(value) {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= value);
}

/**
 * One chart: a heading, the value now, and its last minutes.
 *
 * `series` names what is drawn (`{key, label, kind: 'area' | 'line'}`), `words` tells a sample in words,
 * `most` gives a fixed ceiling.
 */
export class Chart {
  constructor(title, series, words, { seconds = 120, most = null } = {}) {
    Object.assign(this, { title, series, words, seconds, most });
    this.samples = [];
    this.pointed = null;
    this.value = make('span', { class: 'chart-value' });
    this.top = make('span', { class: 'chart-top' });
    this.shapes = series.map(({ key, kind }) => draw('path', { class: `shape ${kind} is-${key}` }));
    this.cursor = draw('line', { class: 'cursor', y1: 0, y2: HEIGHT, visibility: 'hidden' });
    this.picture = draw(
      'svg',
      { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', role: 'img' },
      draw('line', { class: 'grid', x1: 0, x2: WIDTH, y1: HEIGHT / 2, y2: HEIGHT / 2 }),
      ...this.shapes, this.cursor,
      draw('line', { class: 'floor', x1: 0, x2: WIDTH, y1: HEIGHT - 0.5, y2: HEIGHT - 0.5 }));
    this.element = make(
      'figure', { class: 'chart' },
      make('figcaption', {}, make('span', { class: 'chart-title' }, title), this.value),
      make('div', { class: 'plot' }, this.picture, this.top));
    this.picture.addEventListener('pointermove', (event) => this.point(event));
    this.picture.addEventListener('pointerleave', () => this.point(null));
  }

  /** Adds a sample, or a gap where `values` is null. */
  add(time, values) {
    this.samples.push({ time, values });
    while (this.samples[0].time < time - this.seconds - 5) this.samples.shift();
    this.paint();
  }

  point(event) {
    if (event) {
      const box = this.picture.getBoundingClientRect();
      const end = this.samples.at(-1)?.time ?? 0;
      const time = end - this.seconds * (1 - (event.clientX - box.left) / box.width);
      const known = this.samples.filter((sample) => sample.values);
      this.pointed = known.reduce(
        (best, one) => (!best || Math.abs(one.time - time) < Math.abs(best.time - time) ? one : best), null);
    } else {
      this.pointed = null;
    }
    this.paint();
  }

  paint() {
    const last = this.samples.at(-1);
    if (!last) return;
    const stacked = (values) =>
      this.series.filter(({ kind }) => kind === 'area').reduce((sum, { key }) => sum + values[key], 0);
    const tops = this.samples.filter(({ values }) => values)
      .map(({ values }) => Math.max(stacked(values), ...this.series.map(({ key }) => values[key])));
    const most = this.most?.(last.values) || ceiling(Math.max(0, ...tops));
    const x = (sample) => WIDTH * (1 - (last.time - sample.time) / this.seconds);
    const y = (value) => HEIGHT - 1 - (HEIGHT - 5) * Math.min(1, value / most);
    const below = new Map();
    this.series.forEach(({ key, kind }, place) => {
      const runs = this.runs().map((run) => run.map((sample) => {
        const floor = kind === 'area' ? below.get(sample) ?? 0 : 0;
        const top = floor + sample.values[key];
        if (kind === 'area') below.set(sample, top);
        return [x(sample), y(floor), y(top)];
      }));
      this.shapes[place].setAttribute('d', runs.map((run) => outline(run, kind)).join(' '));
    });
    const shown = this.pointed ?? last;
    const words = shown.values ? this.words(shown.values) : 'not known';
    this.value.textContent = words;
    this.value.classList.toggle('is-past', this.pointed !== null);
    this.top.textContent = this.most || tops.every((top) => top === 0) ? '' : most.toLocaleString('en');
    this.picture.setAttribute('aria-label', `${this.title}, last ${this.seconds / 60} minutes. Now: ${words}`);
    this.cursor.setAttribute('visibility', this.pointed ? 'visible' : 'hidden');
    if (this.pointed) for (const end of ['x1', 'x2']) this.cursor.setAttribute(end, x(this.pointed));
  }

  /** Samples between gaps. */
  runs() {
    const runs = [[]];
    for (const sample of this.samples) {
      if (sample.values) runs.at(-1).push(sample);
      else if (runs.at(-1).length) runs.push([]);
    }
    return runs.filter((run) => run.length);
  }
}

function outline(run, kind) {
  const point = (x, y) => `${x.toFixed(1)},${y.toFixed(1)}`;
  const top = run.map(([x, , y]) => point(x, y)).join(' L');
  if (kind === 'line') return `M${top}`;
  const floor = run.map(([x, y]) => point(x, y)).reverse().join(' L');
  return `M${top} L${floor} Z`;
}
