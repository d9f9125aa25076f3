// Elements without markup: text never becomes HTML here.

/** An element with properties, attributes (`aria-…`, `data-…`, `role`, `for`) and children; null children are left out. */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null) continue;
    if (name === 'class') element.className = value;
    else if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (name in element && !name.includes('-')) element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** An element of a drawing. */
export function draw(tag, attributes = {}, ...children) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

export const find = (id) => document.getElementById(id);

/** Tells people who do not see the page what happened. */
export function announce(text) {
  const region = find('announcements');
  region.textContent = '';
  requestAnimationFrame(() => (region.textContent = text));
}

/** A button that copies a text and says so for a moment. */
export function copyButton(label, text) {
  const button = make('button', { type: 'button', class: 'quiet' }, label);
  button.addEventListener('click', async () => {
    button.textContent = (await copy(text())) ? 'Copied' : 'Not allowed';
    announce(button.textContent);
    setTimeout(() => (button.textContent = label), 1500);
  });
  return button;
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Pages that come over plain HTTP from another machine have no clipboard; a selection still has.
    const area = make('textarea', { value: text, class: 'offscreen', 'aria-hidden': 'true' });
    document.body.append(area);
    area.select();
    const done = document.execCommand('copy');
    area.remove();
    return done;
  }
}

/** A value that this tab keeps, until it is closed. */
export const kept = {
  get(name) {
    try {
      return JSON.parse(sessionStorage.getItem('srt.' + name));
    } catch {
      return null;
    }
  },
  set(name, value) {
    try {
      if (value === null) sessionStorage.removeItem('srt.' + name);
      else sessionStorage.setItem('srt.' + name, JSON.stringify(value));
    } catch {
      // Nothing is kept, then.
    }
  },
};

const counts = new Intl.NumberFormat('en');
export const count = (number) => counts.format(number);
export const plural = (number, noun) => `${count(number)} ${noun}${number === 1 ? '' : 's'}`;

/** Seconds as people say them. */
export function duration(seconds) {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
  return plural(Math.floor(seconds / 86400), 'day');
}

export function bytes(number) {
  if (number < 1 << 20) return `${Math.round(number / 1024)} kB`;
  if (number < 1 << 30) return `${Math.round(number / (1 << 20))} MB`;
  return `${(number / (1 << 30)).toFixed(1)} GB`;
}
