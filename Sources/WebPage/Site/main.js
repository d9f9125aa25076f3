// Puts the page together: the conversation, its settings, and the state of the server.
import { get, withKey } from './api.js';
import { Chat } from './chat.js';
import { announce, copyButton, find, make } from './dom.js';
import { ServerView, modelFacts } from './server.js';
import { Settings } from './settings.js';

const SUGGESTIONS = [
  'Explain in three sentences why the sky is blue.',
  'Write a Python function that tells whether a year is a leap year.',
  'Compare tea and coffee in a small table.',
];

const roomy = matchMedia('(min-width: 74rem)');
const touch = matchMedia('(pointer: coarse)');
const settings = new Settings(find('settings-form'));
let card = { id: '' };

const rails = ['settings', 'server'].map((id) => ({ rail: find(id), toggle: find(`${id}-toggle`) }));

const server = new ServerView({ changed: showState, isWatched: () => !find('server').hidden });
const chat = new Chat({
  settings, model: () => card.id, explain: (hasBegun) => server.explain(hasBegun), changed: () => showChat(),
});

// The chat

function showChat() {
  const isBusy = chat.running !== null;
  find('send').hidden = isBusy;
  find('stop').hidden = !isBusy;
  find('new-chat').hidden = chat.isEmpty;
  find('welcome').hidden = !chat.isEmpty || !card.id;
}

const message = find('message');

function fit() {
  message.style.height = 'auto';
  message.style.height = `${Math.min(message.scrollHeight, innerHeight * 0.4)}px`;
}

find('composer').addEventListener('submit', (event) => {
  event.preventDefault();
  const text = message.value.trim();
  if (!text || chat.running) return;
  message.value = '';
  fit();
  chat.send(text);
});
message.addEventListener('input', fit);
message.addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && !event.shiftKey && !event.isComposing && !touch.matches) {
    event.preventDefault();
    find('composer').requestSubmit();
  } else if (event.key === 'ArrowUp' && !message.value && !chat.isEmpty) {
    event.preventDefault();
    chat.editLast();
  }
});
find('stop').addEventListener('click', () => {
  chat.stop();
  message.focus();
});
find('new-chat').addEventListener('click', () => {
  chat.clear();
  message.focus();
});
document.addEventListener('keydown', (event) => {
  if (event.key !== 'Escape' || event.defaultPrevented || document.querySelector('dialog[open]')) return;
  const open = roomy.matches ? null : rails.find(({ rail }) => !rail.hidden);
  if (open) setRail(open, false, true);
  else if (chat.running) chat.stop();
});

// Rails: beside the chat where there is room, over it elsewhere

function setRail({ rail, toggle }, isOpen, movesFocus = false) {
  rail.hidden = !isOpen;
  toggle.setAttribute('aria-expanded', isOpen);
  const covers = !roomy.matches && rails.some((one) => !one.rail.hidden);
  find('main').inert = covers;
  document.body.classList.toggle('has-cover', covers);
  if (movesFocus) (isOpen ? rail.querySelector('.rail-close') : toggle).focus();
  if (isOpen && rail.id === 'server') server.look();
}

for (const one of rails) {
  one.toggle.addEventListener('click', () => {
    const isOpen = one.rail.hidden;
    if (!roomy.matches && isOpen) for (const other of rails) setRail(other, false);
    setRail(one, isOpen, !roomy.matches);
  });
  one.rail.querySelector('.rail-close').addEventListener('click', () => setRail(one, false, true));
}
find('rooms').addEventListener('click', (event) => {
  if (event.target === event.currentTarget && !roomy.matches) for (const one of rails) setRail(one, false);
});
const settle = () => rails.forEach((one) => setRail(one, roomy.matches));
roomy.addEventListener('change', settle);
settle();

// Colours

const THEMES = [['', 'as the system', '◐'], ['light', 'light', '○'], ['dark', 'dark', '●']];

function showTheme() {
  const [, words, sign] = THEMES.find(([name]) => name === (document.documentElement.dataset.theme ?? ''));
  find('theme').textContent = sign;
  find('theme').setAttribute('aria-label', `Colours: ${words}`);
  find('theme').title = `Colours: ${words}`;
}

find('theme').addEventListener('click', () => {
  const root = document.documentElement;
  const place = THEMES.findIndex(([name]) => name === (root.dataset.theme ?? ''));
  const [name, words] = THEMES[(place + 1) % THEMES.length];
  if (name) root.dataset.theme = name;
  else delete root.dataset.theme;
  try {
    localStorage.setItem('srt.theme', name);
  } catch {
    // It holds for this page, then.
  }
  showTheme();
  announce(`Colours: ${words}`);
});
showTheme();

// The server

function showState(state, before) {
  find('status').dataset.state = state.name;
  find('status-text').textContent = state.text;
  const banner = find('banner');
  banner.hidden = !['away', 'failed'].includes(state.name);
  banner.textContent = state.name === 'failed'
    ? `${state.text}. Whoever runs this server has to start it again.`
    : 'The server does not answer. This page goes on trying; nothing you see here is lost.';
  if (state.name === 'ready' && before.name === 'away') announce('The server answers again.');
  if (state.name === 'ready' && !find('facts').childElementCount) start();
}

let isStarting = false;

/** Learns what is served; asks for a key first where one is needed. */
async function start() {
  if (isStarting) return;
  isStarting = true;
  try {
    card = (await withKey(() => get('v1/models'))).data[0];
    server.look();
    const [about, info] = await Promise.all([get('model_info'), get('server_info').catch(() => null)]);
    showModel(about, info);
    const hasDocs = await fetch('docs', { method: 'HEAD', headers: { Accept: 'text/html' } }).catch(() => null);
    find('docs-link').hidden = !hasDocs?.ok;
  } catch (error) {
    find('model-name').textContent = error.message;
  } finally {
    isStarting = false;
  }
}

function showModel(about, info) {
  const { facts, line } = modelFacts(card, info);
  find('model-name').textContent = card.id;
  document.title = `${card.id} · srt`;
  find('welcome-title').textContent = about.is_generation ? card.id : `${card.id} makes vectors`;
  find('welcome-facts').textContent = line;
  find('facts').replaceChildren(
    ...facts.map(([name, value]) => make('div', {}, make('dt', {}, name), make('dd', {}, value))));
  const base = new URL('v1', document.baseURI).href;
  const body = about.is_generation
    ? { model: card.id, messages: [{ role: 'user', content: 'Hello' }] } : { model: card.id, input: 'Hello' };
  const path = about.is_generation ? 'chat/completions' : 'embeddings';
  const command = `curl ${base}/${path} \\\n  -H 'Content-Type: application/json' \\\n  -d '${JSON.stringify(body)}'`;
  find('from-code').replaceChildren(
    make('p', {}, 'Every client of OpenAI’s interface works with this base address:'),
    make('div', { class: 'snippet' }, make('code', {}, base), copyButton('Copy', () => base)),
    make('div', { class: 'snippet' }, make('pre', { tabindex: 0 }, make('code', {}, command)), copyButton('Copy', () => command)));
  find('composer').hidden = !about.is_generation;
  find('suggestions').hidden = !about.is_generation;
  if (!about.is_generation) {
    // An encoder has nothing to set.
    const [own] = rails.splice(0, 1);
    own.rail.hidden = own.toggle.hidden = true;
    find('welcome').querySelector('.from-code').open = true;
  }
  message.placeholder = `Message to ${card.id}`;
  showChat();
  if (!touch.matches && document.activeElement === document.body) message.focus();
}

find('suggestions').append(
  ...SUGGESTIONS.map((text) =>
    make('button', { type: 'button', class: 'suggestion', onclick: () => {
      chat.send(text);
      message.focus();
    } }, text)));
start();
