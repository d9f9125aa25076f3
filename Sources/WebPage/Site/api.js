// What the page asks of its server. Addresses are relative, so that a proxy may put the server under any path.
import { find, kept } from './dom.js';

let key = kept.get('key');
let asking = null;

/** A failure that the server tells of. */
export class ServerFailure extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** The connection broke, or nobody answers. */
export class Unreachable extends Error {}

/** Every dialect's way to say what went wrong. */
function messageIn(body, status) {
  const inner = body?.error?.message ?? body?.message ?? body?.detail ?? body?.error;
  return typeof inner === 'string' && inner ? inner : `The server answers ${status}.`;
}

const headers = () => (key ? { Authorization: 'Bearer ' + key } : {});

async function send(path, options) {
  try {
    return await fetch(path, { ...options, headers: { ...options.headers, ...headers() } });
  } catch (error) {
    if (error.name === 'AbortError' || error.name === 'TimeoutError') throw error;
    throw new Unreachable('The server does not answer.');
  }
}

async function answered(answer) {
  if (answer.ok) return answer;
  let body = null;
  try {
    body = await answer.json();
  } catch {
    // No JSON: the status has to do.
  }
  throw new ServerFailure(answer.status, messageIn(body, answer.status));
}

/** Does something that needs a key where the server has one: asks for it, and does it again. */
export async function withKey(action) {
  for (;;) {
    try {
      return await action();
    } catch (error) {
      if (!(error instanceof ServerFailure) || error.status !== 401) throw error;
      await askForKey();
    }
  }
}

/** JSON of an endpoint, within some seconds. */
export async function get(path, seconds = 4) {
  const answer = await answered(await send(path, { signal: AbortSignal.timeout(seconds * 1000) }));
  return answer.json();
}

/**
 * The events of a stream, one value each.
 *
 * Throws `Unreachable` where the connection ends before the stream says so.
 */
export async function* events(path, body, signal) {
  const answer = await answered(
    await send(path, {
      method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body), signal,
    }));
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const piece = await next(reader);
    const lines = (rest + piece).split('\n');
    rest = lines.pop();
    for (const line of lines) {
      if (!line.startsWith('data:')) continue;
      const data = line.slice(5).trim();
      if (data === '[DONE]') return;
      const event = JSON.parse(data);
      if (event.error) throw new ServerFailure(event.error.code ?? 500, messageIn(event, 500));
      yield event;
    }
  }
}

async function next(reader) {
  let piece;
  try {
    piece = await reader.read();
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new Unreachable('The connection broke.');
  }
  if (piece.done) throw new Unreachable('The connection ended before the answer did.');
  return piece.value;
}

/** Asks for the server's key; what was typed is kept in memory, and by this tab if wanted. */
function askForKey() {
  asking ??= new Promise((resolve, reject) => {
    const dialog = find('key-dialog');
    find('key-wrong').hidden = !key;
    find('key').value = '';
    const end = new AbortController();
    const over = (settle, value) => {
      end.abort();
      asking = null;
      settle(value);
    };
    find('key-form').addEventListener('submit', (event) => {
      event.preventDefault();
      key = find('key').value.trim();
      kept.set('key', find('key-kept').checked ? key : null);
      over(resolve);
      dialog.close();
    }, end);
    dialog.addEventListener(
      'close', () => over(reject, new ServerFailure(401, 'This server asks for a key.')), end);
    dialog.showModal();
  });
  return asking;
}
