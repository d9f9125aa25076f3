/// The page of /docs: reads /openapi.json and shows it, with nothing from elsewhere.
enum DescriptionPage {
    static let html = """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>srt: endpoints</title>
        <style>
        \(style)
        </style>
        </head>
        <body>
        <header><h1>Endpoints</h1><p id="about"></p>
        <form id="access" hidden><label>API key <input id="key" type="password" autocomplete="off"></label>
        <button>Show</button></form></header>
        <main id="groups"></main>
        <script>
        \(script)
        </script>
        </body>
        </html>

        """

    private static let style = """
        :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
        body { max-width: 60rem; margin: 0 auto; padding: 1rem; }
        h2 { margin: 2rem 0 .5rem; font-size: 1.1rem; }
        details { border: 1px solid #8884; border-radius: .4rem; margin: .3rem 0; padding: .3rem .7rem; }
        summary { cursor: pointer; overflow-wrap: anywhere; }
        .method { display: inline-block; min-width: 4rem; font-weight: 600; }
        code, pre, .method { font-family: ui-monospace, monospace; font-size: .9rem; }
        pre { overflow-x: auto; background: #8881; padding: .6rem; border-radius: .3rem; }
        th, td { text-align: left; vertical-align: top; padding: .1rem .8rem .1rem 0; }
        """

    private static let script = #"""
        const make = (tag, text) => {
          const element = document.createElement(tag);
          if (text !== undefined) element.textContent = text;
          return element;
        };
        const resolve = (document, schema) =>
          schema && schema.$ref ? resolve(document, document.components.schemas[schema.$ref.split('/').pop()]) : schema;
        const name = (schema) => {
          if (!schema) return '';
          if (schema.$ref) return schema.$ref.split('/').pop();
          if (schema.anyOf) return schema.anyOf.map(name).join(' or ');
          if (schema.enum) return schema.enum.map((word) => JSON.stringify(word)).join(', ');
          if (schema.type === 'array') return 'list of ' + (name(schema.items) || 'anything');
          return schema.type || 'anything';
        };
        const table = (rows) => {
          const table = make('table');
          for (const cells of rows) {
            const row = table.appendChild(make('tr'));
            cells.forEach((cell, place) => row.appendChild(make(place ? 'td' : 'th', cell)));
          }
          return table;
        };
        const members = (document, schema) => {
          const object = resolve(document, schema);
          if (!object || !object.properties) return make('p', name(object) || 'anything');
          const required = new Set(object.required || []);
          return table(Object.entries(object.properties).map(
            ([key, value]) => [key + (required.has(key) ? ' *' : ''), name(value), value.description || '']));
        };
        const show = (document) => {
          const groups = new Map(document.tags.map((tag) => [tag.name, []]));
          for (const [path, item] of Object.entries(document.paths))
            for (const [method, operation] of Object.entries(item))
              groups.get(operation.tags[0]).push([method.toUpperCase(), path, operation]);
          window.about.textContent = `${document.info.title} ${document.info.version}. ${document.info.description}`;
          window.groups.replaceChildren();
          for (const tag of document.tags) {
            const operations = groups.get(tag.name);
            if (!operations.length) continue;
            window.groups.appendChild(make('h2', tag.description));
            for (const [method, path, operation] of operations) {
              const details = window.groups.appendChild(make('details'));
              const summary = details.appendChild(make('summary'));
              summary.appendChild(make('span', method)).className = 'method';
              summary.appendChild(make('code', path));
              summary.appendChild(make('span', ' ' + operation.summary));
              if (operation.parameters) {
                details.appendChild(make('h4', 'Parameters'));
                details.appendChild(table(operation.parameters.map(
                  (one) => [one.name, `${one.in}, ${name(one.schema)}`, one.description])));
              }
              const body = operation.requestBody && operation.requestBody.content['application/json'];
              if (body) {
                details.appendChild(make('h4', operation.requestBody.required ? 'Body' : 'Body, which may be absent'));
                details.appendChild(members(document, body.schema));
              }
              details.appendChild(make('h4', 'Answers'));
              details.appendChild(table(Object.entries(operation.responses).map(([status, answer]) => [
                status, answer.description,
                Object.entries(answer.content || {}).map(([type, one]) => `${type}: ${name(one.schema)}`).join('; ')])));
            }
          }
        };
        const load = async (key) => {
          const answer = await fetch('openapi.json', key ? { headers: { Authorization: 'Bearer ' + key } } : {});
          window.access.hidden = answer.status !== 401;
          if (answer.ok) show(await answer.json());
          else window.about.textContent = 'The server answers ' + answer.status + '.';
        };
        document.getElementById('access').addEventListener('submit', (event) => {
          event.preventDefault();
          load(document.getElementById('key').value);
        });
        load();
        """#
}
