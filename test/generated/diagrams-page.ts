import railroad, { type Part } from 'railroad-diagrams';
import { unreachable } from '../../src/base/assert.ts';
import type { Form, Grammar } from '../language/ebnf.ts';

/** `grammar/diagrams.html`: one railroad diagram per rule of the EBNF, in one file that needs nothing from the network. */
export function diagramsPage({ rules, tokens }: Grammar): string {
  const names = [...rules.keys()];
  const sections = names.map((name) => section(name, rules.get(name)!, names));
  const rows = [...tokens].map(
    ([name, inWords]) => `<tr id="${name}"><th scope="row">${name}</th><td>${escaped(inWords)}</td></tr>`,
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>The policy language of Portunus in diagrams</title>
<style>${STYLE}</style>
</head>
<body>
<h1>The policy language of Portunus in diagrams</h1>
<p>Made from <a href="portunus.ebnf">portunus.ebnf</a>. Follow a line from left to right: every way through is a sentence.
Round boxes are the words themselves, square boxes lead to another rule or to a token.</p>
<nav>${names.map(link).join('\n')}</nav>
<main>
${sections.join('\n')}
</main>
<h2 id="tokens">Tokens</h2>
<table>
${rows.join('\n')}
</table>
</body>
</html>
`;
}

function section(name: string, form: Form, names: readonly string[]): string {
  const drawing = railroad.Diagram(drawn(form)).toString();
  return `<section id="${name}">
<h2>${name}</h2>
<div class="diagram" role="img" aria-label="${escaped(spoken(form))}">
${linked(drawing, names)}
</div>
</section>`;
}

function drawn(form: Form): Part {
  switch (form.kind) {
    case 'word':
      return railroad.Terminal(form.text);
    case 'name':
      return railroad.NonTerminal(form.name);
    case 'row':
      return railroad.Sequence(...drawnRow(form.parts));
    case 'choice':
      return railroad.Choice(0, ...form.options.map(drawn));
    case 'optional':
      return railroad.Optional(drawn(form.inner));
    case 'repeated':
      return railroad.ZeroOrMore(drawn(form.inner));
    default:
      return unreachable(form);
  }
}

/** `x { "," x }` is one loop with the comma on its way back. */
function drawnRow(parts: readonly Form[]): readonly Part[] {
  return parts.flatMap((part, index) => {
    const next = parts[index + 1];
    const before = parts[index - 1];
    if (next?.kind === 'repeated' && loopOver(part, next) !== null) return [loopOver(part, next)!];
    if (before !== undefined && part.kind === 'repeated' && loopOver(before, part) !== null) return [];
    return [drawn(part)];
  });
}

function loopOver(first: Form, { inner }: Extract<Form, { kind: 'repeated' }>): Part | null {
  if (isSame(first, inner)) return railroad.OneOrMore(drawn(first));
  const [between, again, ...others] = inner.kind === 'row' ? inner.parts : [];
  const isLoop = between !== undefined && again !== undefined && others.length === 0 && isSame(first, again);
  return isLoop ? railroad.OneOrMore(drawn(first), drawn(between)) : null;
}

function isSame(a: Form, b: Form): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** The names in square boxes as links to their rule or token. */
function linked(drawing: string, names: readonly string[]): string {
  return drawing.replaceAll(/<text ([^>]*)>([A-Za-z]+)<\/text>/g, (text, at: string, word: string) =>
    names.includes(word) || /^[A-Z]+$/.test(word)
      ? `<a href="#${word}"><text ${at}>${word}</text></a>`
      : text,
  );
}

/** The rule as its EBNF says it, for screen readers. */
function spoken(form: Form): string {
  switch (form.kind) {
    case 'word':
      return form.text;
    case 'name':
      return form.name;
    case 'row':
      return form.parts.map(spoken).join(' ');
    case 'choice':
      return `either ${form.options.map(spoken).join(', or ')}`;
    case 'optional':
      return `optionally ${spoken(form.inner)}`;
    case 'repeated':
      return `any number of ${spoken(form.inner)}`;
    default:
      return unreachable(form);
  }
}

function link(name: string): string {
  return `<a href="#${name}">${name}</a>`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}

const STYLE = `
:root { color-scheme: light dark; --line: #333; --word: #d9f2d9; --rule: #dbe7fb; --text: #111; --paper: #fff; }
@media (prefers-color-scheme: dark) {
  :root { --line: #bbb; --word: #234a23; --rule: #23375c; --text: #eee; --paper: #161616; }
}
body { font-family: system-ui, sans-serif; margin: 2rem auto; padding: 0 1rem; max-width: 80rem; color: var(--text); background: var(--paper); }
h2 { font-size: 1rem; margin: 2rem 0 0.25rem; }
nav { display: flex; flex-wrap: wrap; gap: 0.25rem 1rem; }
a { color: inherit; }
.diagram { overflow-x: auto; }
.railroad-diagram path { stroke: var(--line); stroke-width: 2; fill: none; }
.railroad-diagram rect { stroke: var(--line); stroke-width: 2; fill: var(--word); }
.railroad-diagram rect:not([rx]) { fill: var(--rule); }
.railroad-diagram text { font: bold 13px ui-monospace, monospace; text-anchor: middle; fill: var(--text); }
.railroad-diagram a { text-decoration: underline; }
table { border-collapse: collapse; }
th { text-align: left; padding: 0.2rem 1rem 0.2rem 0; font-family: ui-monospace, monospace; }
`;
