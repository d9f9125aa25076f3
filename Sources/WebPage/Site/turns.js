// How the turns of a conversation look.
import { announce, copyButton, count, duration, make } from './dom.js';
import { MarkdownView } from './markdown.js';

const ENDS = {
  length: 'ended at the longest answer', stopped: 'stopped', abort: 'ended by the server', stop: '', tool_calls: '',
};

/** What somebody wrote, with a way to write it anew. */
export class MessageView {
  constructor(turn, number, edited) {
    Object.assign(this, { turn, edited });
    this.text = make('div', { class: 'message-text' });
    this.button = make('button', { type: 'button', class: 'quiet', onclick: () => this.edit() }, 'Edit');
    this.foot = make('div', { class: 'turn-foot' }, make('div', { class: 'actions' }, this.button, copyButton('Copy', () => turn.text)));
    this.element = make('article', { class: 'turn message', 'aria-label': `Message ${number}` }, this.text, this.foot);
    this.text.textContent = turn.text;
  }

  edit() {
    if (this.form) return;
    const area = make('textarea', { value: this.turn.text, 'aria-label': 'Message', class: 'edit-text', rows: 3 });
    const end = (isSent) => {
      const text = area.value.trim();
      this.form.replaceWith(this.text);
      this.form = null;
      this.foot.hidden = false;
      if (isSent && text) this.edited(text);
      else this.button.focus();
    };
    this.form = make(
      'form', { class: 'edit' }, area,
      make(
        'div', { class: 'row' },
        make('button', { type: 'button', class: 'quiet', onclick: () => end(false) }, 'Cancel'),
        make('button', { type: 'submit', class: 'primary' }, 'Send')));
    this.form.addEventListener('submit', (event) => {
      event.preventDefault();
      end(true);
    });
    area.addEventListener('keydown', (event) => {
      if (event.key === 'Escape') {
        event.stopPropagation();
        end(false);
      } else if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
        event.preventDefault();
        end(true);
      }
    });
    this.text.replaceWith(this.form);
    this.foot.hidden = true;
    area.focus();
    area.setSelectionRange(area.value.length, area.value.length);
  }
}

/** An answer: thoughts, words, what went wrong, figures, and what can be done with it. */
export class AnswerView {
  /** `orders`: what the buttons do (`again`, `goOn`, `choose`). */
  constructor(turn, number, orders) {
    Object.assign(this, { turn, orders });
    this.summary = make('summary', {});
    this.thoughtText = make('div', { class: 'thought-text' });
    this.thoughts = make('details', { class: 'thoughts', hidden: true }, this.summary, this.thoughtText);
    this.words = make('div', { class: 'words' });
    this.markdown = new MarkdownView(this.words);
    this.waiting = make('p', { class: 'waiting', hidden: true }, make('i', { class: 'pulse' }), make('span'));
    this.problem = make('div', { class: 'problem', hidden: true });
    this.figures = make('p', { class: 'figures' });
    this.actions = make('div', { class: 'actions' });
    this.element = make(
      'article', { class: 'turn answer', 'aria-label': `Answer ${number}` }, this.thoughts, this.words, this.waiting, this.problem,
      make('div', { class: 'turn-foot' }, this.figures, this.actions));
    this.isLast = false;
  }

  get version() {
    return this.turn.versions[this.turn.shown];
  }

  /** Paints once before the next frame, however many tokens come until then. */
  paintSoon() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      this.paint();
      this.orders.painted();
    });
  }

  paint() {
    const version = this.version;
    const isRunning = version.finish === null;
    this.paintThoughts(version, isRunning);
    this.markdown.update(version.text);
    this.element.classList.toggle('is-running', isRunning);
    this.element.setAttribute('aria-busy', isRunning);
    const hasBegun = version.text || version.thoughts;
    this.waiting.hidden = !isRunning || (Boolean(hasBegun) && !version.stall);
    this.waiting.lastChild.textContent = version.stall || 'Reading the prompt…';
    this.figures.textContent = figures(version);
    if (this.painted !== this.stateOf(version)) this.paintEnd(version, isRunning);
  }

  /** Everything that buttons depend on. */
  stateOf(version) {
    return [version.finish, version.problem, this.turn.shown, this.turn.versions.length, this.isLast].join('|');
  }

  paintThoughts(version, isRunning) {
    this.thoughts.hidden = !version.thoughts;
    if (!version.thoughts) return;
    const isThinking = isRunning && !version.text;
    this.thoughts.classList.toggle('is-thinking', isThinking);
    const seconds = version.thinking;
    this.summary.textContent = isThinking ? 'Thinking…' : seconds ? `Thought for ${duration(seconds)}` : 'Thoughts';
    const shown = version.thoughts.trim();
    if (this.thoughtText.textContent !== shown) this.thoughtText.textContent = shown;
  }

  paintEnd(version, isRunning) {
    this.painted = this.stateOf(version);
    const focused = document.activeElement?.dataset?.order;
    const isFocusHere = this.actions.contains(document.activeElement);
    this.problem.hidden = !version.problem;
    this.problem.replaceChildren();
    if (version.problem) this.paintProblem(version);
    this.actions.replaceChildren(...(isRunning ? [] : this.buttons(version)));
    if (isFocusHere) this.actions.querySelector(`[data-order="${focused}"]`)?.focus();
  }

  paintProblem(version) {
    const goesOn = version.finish === 'lost' && version.text;
    const kept = goesOn ? ' What was written is kept.' : '';
    this.problem.append(make('p', { role: 'alert' }, version.problem + kept));
    if (!this.isLast) return;
    this.problem.append(
      make(
        'div', { class: 'row' },
        goesOn && make('button', { type: 'button', class: 'primary', onclick: () => this.orders.goOn() }, 'Continue'),
        make(
          'button', { type: 'button', class: goesOn ? 'quiet' : 'primary', onclick: () => this.orders.again(true) },
          goesOn ? 'Start over' : 'Try again')));
  }

  buttons(version) {
    const { versions, shown } = this.turn;
    const order = (name, label, action) => make('button', { type: 'button', class: 'quiet', 'data-order': name, onclick: action }, label);
    const step = (by, label, sign) => {
      const button = order(label, sign, () => {
        this.orders.choose(shown + by);
        announce(`Version ${this.turn.shown + 1} of ${versions.length}`);
      });
      button.setAttribute('aria-label', `${label} version`);
      button.disabled = !versions[shown + by];
      return button;
    };
    const buttons = [];
    if (versions.length > 1) {
      const place = make('span', { class: 'place' }, `${shown + 1}/${versions.length}`);
      buttons.push(make('span', { class: 'versions' }, step(-1, 'Previous', '‹'), place, step(1, 'Next', '›')));
    }
    if (version.text) buttons.push(copyButton('Copy', () => version.text));
    if (!this.isLast || version.problem) return buttons;
    if (version.text && ['length', 'stopped'].includes(version.finish)) buttons.push(order('go-on', 'Continue', () => this.orders.goOn()));
    buttons.push(order('again', 'Regenerate', () => this.orders.again()));
    return buttons;
  }
}

/** Tokens, speed and time to the first token. */
function figures(version) {
  const parts = [];
  if (version.tokens) parts.push(`${count(version.tokens)} ${version.tokens === 1 ? 'token' : 'tokens'}`);
  if (version.rate) parts.push(`${version.rate < 10 ? version.rate.toFixed(1) : count(Math.round(version.rate))} tokens/s`);
  if (version.first) parts.push(`first after ${duration(version.first)}`);
  const end = ENDS[version.finish] || (version.finish === 'stop' && !version.text ? 'no text' : '');
  if (end) parts.push(end);
  return parts.join(' · ');
}
