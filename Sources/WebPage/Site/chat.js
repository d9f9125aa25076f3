// A conversation: what was said, the answer that is coming, and what can be changed about both.
import { Unreachable, events, withKey } from './api.js';
import { announce, count, find, kept, make } from './dom.js';
import { AnswerView, MessageView } from './turns.js';

const STALL = 1500;

const fresh = () => ({ text: '', thoughts: '', finish: null, problem: null, tokens: 0, rate: 0, first: 0, thinking: 0 });

export class Chat {
  /**
   * `settings` gives fields of requests, `model` its name, `explain` words for a silence of the server; `changed` hears of every
   * change between quiet and busy.
   */
  constructor({ settings, model, explain, changed }) {
    Object.assign(this, { settings, model, explain, changed });
    this.element = find('turns');
    this.scroller = find('scroll');
    this.turns = kept.get('turns') ?? [];
    this.views = [];
    this.running = null;
    this.sticks = true;
    this.scroller.addEventListener('scroll', () => this.scrolled(), { passive: true });
    find('to-end').addEventListener('click', () => {
      this.sticks = true;
      this.follow();
      find('message').focus();
    });
    addEventListener('pagehide', () => this.save());
    this.show();
  }

  get isEmpty() {
    return this.turns.length === 0;
  }

  // What people do

  send(text) {
    this.turns.push({ role: 'user', text });
    this.answer();
  }

  edit(place, text) {
    const rest = this.turns.length - place - 2;
    const change = () => this.turns.splice(place, Infinity, { role: 'user', text });
    if (rest > 0) this.undoable(`${count(rest)} later ${rest === 1 ? 'turn' : 'turns'} removed.`, change);
    else change();
    this.answer();
  }

  editLast() {
    const place = this.turns.findLastIndex((turn) => turn.role === 'user');
    this.views[place]?.edit();
  }

  clear() {
    this.stop();
    this.undoable('Conversation cleared.', () => (this.turns = []));
    this.show();
    this.changed();
  }

  stop() {
    this.running?.abort();
    this.running = null;
  }

  /** A new version of the last answer; in the place of the one shown where that failed. */
  again(isRetry = false) {
    const turn = this.turns.at(-1);
    if (isRetry) turn.versions[turn.shown] = fresh();
    else turn.shown = turn.versions.push(fresh()) - 1;
    this.run(turn, this.views.at(-1));
  }

  /** Lets the model go on where the last answer broke off. */
  goOn() {
    const turn = this.turns.at(-1);
    const version = turn.versions[turn.shown];
    version.text = version.text.trimEnd();
    Object.assign(version, { finish: null, problem: null });
    this.run(turn, this.views.at(-1), true);
  }

  answer() {
    this.stop();
    const turn = { role: 'assistant', versions: [fresh()], shown: 0 };
    this.turns.push(turn);
    this.sticks = true;
    this.show();
    this.run(turn, this.views.at(-1));
  }

  undoable(words, change) {
    const before = structuredClone(this.turns);
    change();
    const toast = find('toast');
    const over = () => (toast.hidden = true);
    const undo = () => {
      this.stop();
      this.turns = before;
      this.show();
      this.save();
      this.changed();
      over();
      find('message').focus();
    };
    toast.replaceChildren(make('span', {}, words), make('button', { type: 'button', class: 'quiet', onclick: undo }, 'Undo'));
    toast.hidden = false;
    clearTimeout(this.toasting);
    this.toasting = setTimeout(over, 10_000);
  }

  // What the server does

  body(turn, goesOn) {
    const messages = this.settings.system ? [{ role: 'system', content: this.settings.system }] : [];
    for (const one of this.turns) {
      if (one === turn) break;
      const content = one.role === 'user' ? one.text : one.versions[one.shown].text;
      messages.push({ role: one.role, content });
    }
    if (goesOn) messages.push({ role: 'assistant', content: turn.versions[turn.shown].text });
    return {
      model: this.model(), messages, stream: true, stream_options: { include_usage: true, continuous_usage_stats: true },
      ...(goesOn ? { continue_final_message: true } : {}), ...this.settings.fields,
    };
  }

  async run(turn, view, goesOn = false) {
    const version = turn.versions[turn.shown];
    const controller = (this.running = new AbortController());
    const clock = new AnswerClock(version);
    const watch = setInterval(() => this.watch(clock, version, view), 500);
    this.changed();
    this.follow();
    view.paint();
    try {
      await this.read(this.body(turn, goesOn), controller.signal, clock, version, view);
      version.finish ??= 'stop';
      announce(`Answer complete, ${count(version.tokens)} tokens.`);
    } catch (error) {
      this.fail(error, version);
    } finally {
      clearInterval(watch);
      version.stall = null;
      if (this.running === controller) this.running = null;
      view.paint();
      this.follow();
      this.save();
      this.changed();
    }
  }

  async read(body, signal, clock, version, view) {
    const { stream, first } = await withKey(async () => {
      const stream = events('v1/chat/completions', body, signal);
      return { stream, first: await stream.next() };
    });
    for (let event = first; !event.done; event = await stream.next()) {
      const choice = event.value.choices[0];
      const delta = choice?.delta ?? {};
      if (delta.reasoning_content) version.thoughts += delta.reasoning_content;
      if (delta.content) version.text += delta.content;
      clock.heard(delta, event.value.usage);
      if (choice?.finish_reason) version.finish = choice.finish_reason;
      view.paintSoon();
    }
  }

  fail(error, version) {
    if (error.name === 'AbortError') {
      version.finish = 'stopped';
      announce('Stopped.');
    } else {
      version.finish = error instanceof Unreachable ? 'lost' : 'failed';
      version.problem = error.message;
    }
  }

  /** Says what the server does where nothing has come for a while. */
  watch(clock, version, view) {
    const words = clock.silence > STALL ? this.explain(clock.hasBegun) : null;
    if (words === version.stall) return;
    if (words && clock.hasBegun) announce(words);
    version.stall = words;
    view.paintSoon();
  }

  // How it looks

  show() {
    this.views = this.turns.map((turn, place) => this.view(turn, place));
    this.element.replaceChildren(...this.views.map((view) => view.element));
    this.views.at(-1)?.paint?.();
    this.follow();
  }

  view(turn, place) {
    const number = Math.floor(place / 2) + 1;
    if (turn.role === 'user') return new MessageView(turn, number, (text) => this.edit(place, text));
    const view = new AnswerView(turn, number, {
      again: (isRetry) => this.again(isRetry), goOn: () => this.goOn(), painted: () => this.follow(),
      choose: (shown) => {
        turn.shown = shown;
        view.paint();
        this.save();
      },
    });
    view.isLast = place === this.turns.length - 1;
    view.paint();
    return view;
  }

  scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.scroller;
    this.sticks = scrollHeight - scrollTop - clientHeight < 40;
    find('to-end').hidden = this.sticks;
  }

  follow() {
    if (this.sticks) this.scroller.scrollTop = this.scroller.scrollHeight;
  }

  /** Keeps the conversation for a reload; an answer that is still coming is stopped by that. */
  save() {
    const turns = structuredClone(this.turns);
    for (const turn of turns) for (const version of turn.versions ?? []) version.finish ??= 'stopped';
    kept.set('turns', turns.length ? turns : null);
  }
}

/** Times an answer. */
class AnswerClock {
  constructor(version) {
    this.version = version;
    this.start = this.last = performance.now();
    this.before = version.tokens;
    this.first = null;
  }

  get hasBegun() {
    return this.first !== null;
  }

  get silence() {
    return performance.now() - this.last;
  }

  heard(delta, usage) {
    const version = this.version;
    this.last = performance.now();
    if (this.first === null && (delta.content || delta.reasoning_content)) {
      this.first = { time: this.last, tokens: usage?.completion_tokens ?? 1 };
      version.first = (this.last - this.start) / 1000;
    }
    if (delta.reasoning_content && !version.text) version.thinking = (this.last - this.first.time) / 1000;
    if (!usage) return;
    version.tokens = this.before + usage.completion_tokens;
    const [tokens, seconds] = [usage.completion_tokens - (this.first?.tokens ?? 0), (this.last - this.first?.time) / 1000];
    if (tokens > 0 && seconds > 0.05) version.rate = tokens / seconds;
  }
}
