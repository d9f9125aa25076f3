// The live state of the server: its processes, and what its worker does.
import { ServerFailure, get } from './api.js';
import { Chart } from './chart.js';
import { announce, bytes, count, duration, find, make, plural } from './dom.js';

const NAMES = {
  http: 'HTTP front', tokenizer_manager: 'Tokenizer', scheduler: 'Model worker', detokenizer: 'Detokenizer',
};
/** Milliseconds between two looks: while people look, while they do not, and while nobody answers. */
const PACE = { watched: 2000, unwatched: 5000, away: 1000 };

/** Asks the server how it is, and shows it. */
export class ServerView {
  /** `changed` hears of every new state of the whole; `isWatched` says whether the charts can be seen. */
  constructor({ changed, isWatched }) {
    Object.assign(this, { changed, isWatched });
    this.processes = [];
    this.restarts = new Map();
    this.state = { name: 'unknown', text: 'Connecting…' };
    this.counters = null;
    this.charts = makeCharts();
    find('charts').append(...Object.values(this.charts).map((chart) => chart.element));
    document.addEventListener('visibilitychange', () => !document.hidden && this.look());
    this.look();
  }

  /** Looks now, and then again and again; a page that nobody sees asks nothing. */
  look() {
    clearTimeout(this.timer);
    this.looking ??= this.lookOnce().finally(() => {
      this.looking = null;
      clearTimeout(this.timer);
      const pace = this.state.name === 'away' ? PACE.away : this.isWatched() ? PACE.watched : PACE.unwatched;
      if (!document.hidden) this.timer = setTimeout(() => this.look(), pace);
    });
    return this.looking;
  }

  async lookOnce() {
    try {
      this.processes = await get('v1/processes');
      this.tell(stateOf(this.processes));
    } catch (error) {
      this.charts && this.gap();
      if (error instanceof ServerFailure && error.status === 401) this.tell({ name: 'locked', text: 'Key needed' });
      else if (error instanceof ServerFailure) this.tell({ name: 'busy', text: error.message });
      else this.tell({ name: 'away', text: 'Not reachable' });
      return;
    }
    this.showProcesses();
    if (this.isWatched()) await this.readLoad();
  }

  async readLoad() {
    try {
      this.showLoad((await get('v1/loads?include=core,memory', 3)).loads[0]);
    } catch {
      this.gap();
    }
  }

  /** Why nothing comes, in words for somebody who waits for an answer. */
  explain(hasBegun) {
    this.look();
    if (this.state.name === 'away') return 'The server does not answer at the moment…';
    if (this.state.name === 'busy') return `${this.state.text}. The answer goes on as soon as it can.`;
    return hasBegun ? 'Waiting for the next words…' : 'Reading the prompt…';
  }

  tell(state) {
    if (state.name === this.state.name && state.text === this.state.text) return;
    const before = this.state;
    this.state = state;
    this.changed(state, before);
  }

  // Load

  gap() {
    this.counters = null;
    for (const chart of Object.values(this.charts)) chart.add(Date.now() / 1000, null);
  }

  showLoad(load) {
    const time = load.timestamp;
    const now = { time, decoded: load.total_decoded_tokens, read: load.total_prefill_uncached_tokens };
    const before = this.counters;
    this.counters = now;
    if (!before) {
      this.charts.written.add(time, { written: 0 });
      this.charts.read.add(time, { read: 0 });
    } else if (time > before.time) {
      // A new worker counts from zero.
      const rate = (name) => (now[name] < before[name] ? now[name] : now[name] - before[name]) / (time - before.time);
      this.charts.written.add(time, { written: rate('decoded') });
      this.charts.read.add(time, { read: rate('read') });
    }
    this.charts.requests.add(time, { running: load.num_running_reqs, waiting: load.num_waiting_reqs });
    const { slots_held: held, slots_cached: cached, token_capacity: capacity } = load.memory;
    this.charts.memory.add(time, { held, cached, capacity });
  }

  // Processes

  showProcesses() {
    find('processes').replaceChildren(...this.processes.map((one) => this.row(one)));
    for (const one of this.processes) {
      const name = nameOf(one, this.processes);
      const known = this.restarts.get(name);
      if (known !== undefined && one.restarts > known && one.state !== 'draining') {
        announce(`${name} was replaced: ${one.last_exit?.reason ?? 'it ended'}.`);
      }
      this.restarts.set(name, one.restarts);
    }
  }

  row(one) {
    const now = Date.now() / 1000;
    const isRecent = one.last_exit && now - one.last_exit.time < 8;
    const kind = one.state === 'ready' ? 'ready' : one.state === 'failed' || one.state === 'hung' ? 'failed' : 'busy';
    const words = one.state === 'ready' ? `up ${duration(Math.max(1, now - one.since))}` : stageOf(one);
    const restarts = one.restarts ? plural(one.restarts, 'restart') : '';
    return make(
      'li', { class: `process is-${kind}${isRecent ? ' is-recent' : ''}`, 'data-name': one.name, 'data-state': one.state },
      make('i', { class: 'dot' }),
      make('span', { class: 'process-name' }, nameOf(one, this.processes)),
      make('span', { class: 'process-memory' }, one.rss_bytes ? bytes(one.rss_bytes) : ''),
      make('span', { class: 'process-more' }, [words, `pid ${one.pid}`, restarts].filter(Boolean).join(' · ')),
      one.last_exit && make(
        'span', { class: 'process-exit', title: one.last_exit.stderr.join('\n') || null },
        `${one.last_exit.reason}, ${duration(Math.max(1, now - one.last_exit.time))} ago`));
  }
}

function nameOf(one, all) {
  const ranks = all.filter(({ name }) => name === 'scheduler').length;
  const rank = one.name === 'scheduler' && ranks > 1 ? ` ${one.rank}` : '';
  return (NAMES[one.name] ?? one.name) + rank;
}

function stageOf(one) {
  const share = one.progress > 0 && one.progress < 1 ? ` ${Math.round(one.progress * 100)} %` : '';
  return one.state === 'loading' && one.stage ? `${one.stage}${share}` : one.state;
}

/** The whole in one word: `ready`, `busy`, `failed`. */
function stateOf(processes) {
  const serving = processes.filter(({ state }) => state !== 'draining' && state !== 'stopped');
  const failed = serving.find(({ state }) => state === 'failed');
  if (failed) return { name: 'failed', text: `${nameOf(failed, processes)} failed` };
  const absent = serving.find(({ state }) => state !== 'ready');
  if (!absent) return { name: 'ready', text: 'Ready' };
  const name = nameOf(absent, processes);
  const isNew = absent.restarts === 0;
  return { name: 'busy', text: isNew ? `${name}: ${stageOf(absent)}` : `${name} is being replaced` };
}

function makeCharts() {
  const perSecond = (value) => `${value > 0 && value < 10 ? value.toFixed(1) : count(Math.round(value))} tokens/s`;
  return {
    written: new Chart('Written', [{ key: 'written', kind: 'area' }], ({ written }) => perSecond(written)),
    read: new Chart('Prompts read', [{ key: 'read', kind: 'area' }], ({ read }) => perSecond(read)),
    requests: new Chart(
      'Requests', [{ key: 'running', kind: 'area' }, { key: 'waiting', kind: 'area' }],
      ({ running, waiting }) => `${count(running)} running · ${count(waiting)} waiting`),
    memory: new Chart(
      'KV cache', [{ key: 'held', kind: 'area' }, { key: 'cached', kind: 'area' }],
      ({ held, cached, capacity }) => `${share(held, capacity)} + ${share(cached, capacity)} cached`,
      { most: (values) => values?.capacity }),
  };
}

function share(part, whole) {
  const percent = whole ? (100 * part) / whole : 0;
  return `${percent === 0 || percent >= 10 ? Math.round(percent) : percent < 0.1 ? '< 0.1' : percent.toFixed(1)} %`;
}

/** What is served, in a list and in a line. */
export function modelFacts(card, info) {
  const gigabytes = info?.internal_states?.[0]?.memory_usage;
  const size = (number) => bytes(number * 2 ** 30);
  const facts = [
    ['Name', card.id], ['Path', info?.model_path], ['Context', card.max_model_len && plural(card.max_model_len, 'token')],
    ['Type', [info?.dtype, info?.quantization].filter(Boolean).join(', ')], ['Kernels', info?.kernel_isa],
    ['Ranks', info?.tp_size > 1 ? String(info.tp_size) : ''],
    ['Weights', gigabytes && size(gigabytes.weight)], ['KV cache', gigabytes && size(gigabytes.kvcache)],
    ['Tokens that fit', info?.max_total_num_tokens && count(info.max_total_num_tokens)],
    ['SGLang’s interface', info?.version],
  ];
  const line = [
    card.max_model_len && `${plural(card.max_model_len, 'token')} of context`, info?.quantization ?? info?.dtype,
    gigabytes?.weight > 0 && `${size(gigabytes.weight)} of weights`,
  ].filter(Boolean).join(' · ');
  return { facts: facts.filter(([, value]) => value), line };
}
