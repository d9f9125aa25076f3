// What goes with every message: the system prompt and how answers are drawn. Empty fields leave it to the server.
import { kept, make } from './dom.js';

const NUMBERS = [
  { name: 'temperature', label: 'Temperature', min: 0, step: 0.1, hint: '0 always takes the likeliest token' },
  { name: 'top_p', label: 'Top p', min: 0, max: 1, step: 0.05, hint: 'Likeliest tokens that make up this share' },
  { name: 'top_k', label: 'Top k', min: -1, step: 1, hint: 'This many likeliest tokens; −1 for all' },
  { name: 'min_p', label: 'Min p', min: 0, max: 1, step: 0.01, hint: 'At least this share of the likeliest token' },
  { name: 'max_tokens', label: 'Longest answer', min: 1, step: 1, hint: 'In tokens' },
  { name: 'seed', label: 'Seed', step: 1, hint: 'The same seed gives the same answer' },
  { name: 'repetition_penalty', label: 'Repetition', min: 0, max: 2, step: 0.05, hint: 'Penalty; above 1 against repeating' },
  { name: 'presence_penalty', label: 'Presence', min: -2, max: 2, step: 0.1, hint: 'Penalty for what has occurred' },
  { name: 'frequency_penalty', label: 'Frequency', min: -2, max: 2, step: 0.1, hint: 'Penalty for how often it has' },
];

const THINKING = [['', 'as the model does'], ['none', 'off'], ['low', 'a little'], ['medium', 'some'], ['high', 'much']];

/** The form of the settings. */
export class Settings {
  constructor(form) {
    this.form = form;
    this.values = kept.get('settings') ?? {};
    form.append(
      make(
        'div', { class: 'field' }, make('label', { for: 'set-system' }, 'System prompt'),
        this.input('textarea', 'system', { rows: 4, placeholder: 'None' })),
      make('h3', {}, 'Sampling'),
      make('div', { class: 'numbers' }, ...NUMBERS.map((field) => this.number(field))),
      make(
        'div', { class: 'field' }, make('label', { for: 'set-stop' }, 'Stop at'),
        this.input('textarea', 'stop', { rows: 2, placeholder: 'One text a line' })),
      make(
        'div', { class: 'field' }, make('label', { for: 'set-thinking' }, 'Thinking'),
        this.input('select', 'thinking', {}, THINKING.map(([value, text]) => make('option', { value }, text)))),
      make('p', { class: 'row' }, make('button', { type: 'button', class: 'quiet', onclick: () => this.reset() }, 'Back to defaults')),
    );
    form.addEventListener('submit', (event) => event.preventDefault());
    form.addEventListener('input', (event) => this.changed(event.target));
  }

  number({ name, label, hint, ...limits }) {
    const id = `set-${name}`;
    const input = this.input('input', name, {
      type: 'number', inputMode: limits.step < 1 ? 'decimal' : 'numeric', placeholder: 'default', ...limits,
      'aria-describedby': `${id}-hint`,
    });
    return make(
      'div', { class: 'number' }, make('label', { for: id, title: hint }, label), input,
      make('span', { id: `${id}-hint`, class: 'offscreen' }, hint));
  }

  input(tag, name, properties, children = []) {
    const { placeholder, ...others } = properties;
    const input = make(tag, { id: `set-${name}`, name, placeholder, ...others }, ...children);
    input.value = this.values[name] ?? '';
    return input;
  }

  changed(input) {
    input.toggleAttribute('aria-invalid', !input.checkValidity());
    if (input.value === '') delete this.values[input.name];
    else this.values[input.name] = input.value;
    kept.set('settings', this.values);
  }

  reset() {
    const { system } = this.values;
    this.values = system ? { system } : {};
    for (const input of this.form.elements) {
      if (input.name && input.name !== 'system') input.value = '';
      input.removeAttribute('aria-invalid');
    }
    kept.set('settings', this.values);
  }

  get system() {
    return this.values.system?.trim() ?? '';
  }

  /** The fields of a request. */
  get fields() {
    const fields = {};
    for (const { name } of NUMBERS) if (this.values[name] !== undefined) fields[name] = Number(this.values[name]);
    const stops = (this.values.stop ?? '').split('\n').filter((line) => line);
    if (stops.length) fields.stop = stops;
    if (this.values.thinking) fields.reasoning_effort = this.values.thinking;
    return fields;
  }
}
