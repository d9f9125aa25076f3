// Shows /openapi.json to people.
import { get, withKey } from './api.js';
import { find, make, plural } from './dom.js';

const nameOf = (schema) => {
  if (!schema) return '';
  if (schema.$ref) return schema.$ref.split('/').pop();
  if (schema.anyOf) return schema.anyOf.map(nameOf).join(' or ');
  if (schema.enum) return schema.enum.map((word) => JSON.stringify(word)).join(', ');
  if (schema.type === 'array') return `list of ${nameOf(schema.items) || 'anything'}`;
  const bounds = [schema.minimum !== undefined && `from ${schema.minimum}`, schema.maximum !== undefined && `to ${schema.maximum}`];
  return [schema.type || 'anything', ...bounds].filter(Boolean).join(' ');
};

function table(label, rows) {
  const row = ([name, ...others]) => make('tr', {}, make('th', { scope: 'row' }, name), ...others.map((text) => make('td', {}, text ?? '')));
  return make(
    'div', { class: 'wide', tabindex: 0, role: 'region', 'aria-label': label },
    make('table', {}, make('tbody', {}, ...rows.map(row))));
}

function members(document, schema) {
  let object = schema;
  while (object?.$ref) object = document.components.schemas[object.$ref.split('/').pop()];
  if (!object?.properties) return [make('p', {}, nameOf(schema) || 'anything')];
  const required = new Set(object.required ?? []);
  return [
    table('Members', Object.entries(object.properties).map(([key, value]) => [
      make('span', {}, key, required.has(key) && make('span', { class: 'required', title: 'required' }, ' *')),
      nameOf(value), value.description,
    ])),
  ];
}

function contents(document, operation) {
  const parts = [];
  if (operation.parameters) {
    parts.push(
      make('h3', {}, 'Parameters'),
      table('Parameters', operation.parameters.map((one) => [one.name, `${one.in}, ${nameOf(one.schema)}`, one.description])));
  }
  const body = operation.requestBody;
  if (body) {
    const schema = body.content['application/json'].schema;
    parts.push(make('h3', {}, body.required ? 'Body' : 'Body, which may be absent'), ...members(document, schema));
  }
  const kinds = (answer) =>
    Object.entries(answer.content ?? {}).map(([type, { schema }]) => `${type}: ${nameOf(schema)}`).join('; ');
  parts.push(
    make('h3', {}, 'Answers'),
    table('Answers', Object.entries(operation.responses).map(([status, answer]) => [status, kinds(answer), answer.description])));
  return parts;
}

function endpoint(document, [method, path, operation]) {
  const summary = make(
    'summary', {}, make('span', { class: `method is-${method}` }, method.toUpperCase()), make('code', {}, path),
    make('span', { class: 'purpose' }, operation.summary));
  const details = make('details', { class: 'endpoint' }, summary);
  details.dataset.words = `${method} ${path} ${operation.summary}`.toLowerCase();
  // What few people open is made when they do.
  details.addEventListener('toggle', () => details.append(make('div', {}, ...contents(document, operation))), { once: true });
  return details;
}

function show(document) {
  const groups = new Map(document.tags.map((tag) => [tag.name, []]));
  for (const [path, item] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(item)) groups.get(operation.tags[0]).push([method, path, operation]);
  }
  find('about').textContent = `${document.info.title} ${document.info.version}. ${document.info.description}`;
  const sections = document.tags.filter((tag) => groups.get(tag.name).length).map((tag) =>
    make(
      'section', {}, make('h2', {}, tag.description),
      make('div', {}, ...groups.get(tag.name).map((one) => endpoint(document, one)))));
  find('groups').replaceChildren(...sections);
  const filter = find('filter');
  filter.hidden = false;
  filter.addEventListener('input', () => {
    const words = filter.value.toLowerCase().split(/\s+/);
    let shown = 0;
    for (const section of sections) {
      const all = [...section.querySelectorAll('.endpoint')];
      for (const one of all) one.hidden = !words.every((word) => one.dataset.words.includes(word));
      const left = all.filter((one) => !one.hidden).length;
      section.hidden = left === 0;
      shown += left;
    }
    find('announcements').textContent = plural(shown, 'endpoint');
  });
}

try {
  show(await withKey(() => get('openapi.json')));
} catch (error) {
  find('about').textContent = error.message;
}
