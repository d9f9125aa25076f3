// Colours for code: comments, strings, numbers and keywords, told apart by rules for families of languages.

const LARGEST = 40_000;

const words = (text) => new Set(text.split(' '));
const BRACES = words(
  'abstract actor as async await bool boolean break byte case catch char class const continue crate default defer delete do '
  + 'double else enum export extends extension extern false final finally float fn for foreach func function go guard if impl '
  + 'implements import in init inline instanceof int interface internal is let long loop match mod module mut namespace new '
  + 'nil null nullptr of operator override package private protected protocol pub public range return self short signed sizeof '
  + 'static string struct super switch template this throw throws trait true try type typedef typeof undefined union unsafe '
  + 'unsigned use using val var virtual void volatile when where while with yield');
const SCRIPTS = words(
  'False None True and as assert async await begin break case class continue def del do done elif else elsif end esac except '
  + 'export fi finally for from function global if import in is lambda local module next nil nonlocal not or pass raise '
  + 'require rescue return self then try unless until while with yield true false null echo cd set');
const QUERIES = words(
  'add all alter and as asc between by case create delete desc distinct drop else end exists from full group having in index '
  + 'inner insert into is join key left like limit not null offset on or order outer primary references right select set table '
  + 'then union unique update values view when where with');

const BLOCK = String.raw`\/\*[^]*?(?:\*\/|$(?![^]))`;
const DOUBLE = String.raw`"(?:[^"\\\n]|\\.)*"?`;
const SINGLE = String.raw`'(?:[^'\\\n]|\\.)*'?`;
const TICKS = '`(?:[^`\\\\]|\\\\[^])*`?';
const NUMBER = String.raw`\b(?:0[xXbBoO][\da-fA-F_]+|\d[\d_]*(?:\.\d+)?(?:[eE][+-]?\d+)?)\w*`;
const WORD = String.raw`[\p{L}_$@][\p{L}\p{N}_$]*`;

function rules(comment, strings, keywords, foldsCase = false) {
  const pattern = `(?<comment>${comment})|(?<string>${strings})|(?<number>${NUMBER})|(?<word>${WORD})`;
  return { pattern: new RegExp(pattern, 'gu'), keywords, foldsCase };
}

const NOTHING = '(?!)';
const braces = rules(String.raw`\/\/.*|${BLOCK}`, `${DOUBLE}|${SINGLE}|${TICKS}`, BRACES);
const scripts = rules('#.*', `"""[^]*?(?:"""|$(?![^]))|'''[^]*?(?:'''|$(?![^]))|${DOUBLE}|${SINGLE}`, SCRIPTS);
const queries = rules(`--.*|${BLOCK}`, `${DOUBLE}|${SINGLE}`, QUERIES, true);
const data = rules('#.*', `${DOUBLE}|${SINGLE}`, words('true false null yes no'));
const styles = rules(BLOCK, `${DOUBLE}|${SINGLE}`, words('important'));
const markup = rules('<!--[^]*?(?:-->|$(?![^]))', String.raw`${DOUBLE}|'[^'<>\n]*'`, new Set());
const json = rules(NOTHING, DOUBLE, words('true false null'));

const FAMILIES = new Map(
  [
    [braces, 'c cpp c++ cc h hpp objc swift js javascript ts typescript jsx tsx java kotlin kt scala go golang rust rs cs '
      + 'csharp c# php dart zig proto protobuf'],
    [scripts, 'py python python3 rb ruby sh bash shell zsh console perl pl r elixir julia makefile make dockerfile nim'],
    [queries, 'sql postgres postgresql mysql sqlite'], [data, 'yaml yml toml ini conf env'], [styles, 'css scss less'],
    [markup, 'html xml svg vue'], [json, 'json jsonc json5'],
  ].flatMap(([family, names]) => names.split(' ').map((name) => [name, family])));

/** Code in colours; plain text where the language is not known. */
export function highlighted(text, language) {
  const fragment = document.createDocumentFragment();
  const family = FAMILIES.get(language.toLowerCase());
  if (language.toLowerCase() === 'diff') return changes(text);
  if (!family || text.length > LARGEST) {
    fragment.append(text);
    return fragment;
  }
  let end = 0;
  for (const found of text.matchAll(family.pattern)) {
    const kind = kindOf(found, family, text);
    if (!kind) continue;
    fragment.append(text.slice(end, found.index), coloured(found[0], kind));
    end = found.index + found[0].length;
  }
  fragment.append(text.slice(end));
  return fragment;
}

function kindOf({ groups, index, 0: all }, { keywords, foldsCase }, text) {
  if (groups.comment !== undefined) return 'comment';
  if (groups.string !== undefined) return 'string';
  if (groups.number !== undefined) return 'number';
  if (keywords.has(foldsCase ? all.toLowerCase() : all)) return 'keyword';
  return text[index + all.length] === '(' ? 'call' : null;
}

function changes(text) {
  const fragment = document.createDocumentFragment();
  text.split('\n').forEach((line, place) => {
    const kind = line.startsWith('+') ? 'added' : line.startsWith('-') ? 'removed' : line.startsWith('@') ? 'comment' : null;
    if (place) fragment.append('\n');
    fragment.append(kind ? coloured(line, kind) : line);
  });
  return fragment;
}

function coloured(text, kind) {
  const span = document.createElement('span');
  span.className = 'is-' + kind;
  span.textContent = text;
  return span;
}
