import { DIAGNOSTIC_CASES as CONFIGURATION_CASES } from '../../src/config/diagnostics.cases.ts';
import { CATALOGUE, type DiagnosticCode } from '../../src/diagnostics/catalogue.ts';
import { renderText } from '../../src/diagnostics/render/text.ts';
import { SourceText } from '../../src/diagnostics/source.ts';
import { checkParsedPolicies } from '../../src/language/check.ts';
import { checkTests } from '../../src/language/check-tests.ts';
import { DIAGNOSTIC_CASES as LANGUAGE_CASES } from '../../src/language/diagnostics.cases.ts';
import { parsePolicyFile } from '../../src/language/parse.ts';
import { TEST_DIAGNOSTIC_CASES } from '../../src/language/test-diagnostics.cases.ts';
import { AI_WORLD, WORLD } from '../../src/language/world.cases.ts';
import type { World } from '../../src/model/world.ts';
import { PROJECT_CASES } from '../../src/tools/build-project.cases.ts';
import {
  AUTHORITY_CASES,
  CERTIFICATE_CASES,
  CERTIFICATE_USE_CASES,
} from '../../src/tools/certificate-findings.cases.ts';

/** The page `docs/diagnostics.md`: every code with a case of its test tables, so that nothing on it can be untrue. */
export function diagnosticsPage(): string {
  const codes = (Object.keys(CATALOGUE) as DiagnosticCode[]).sort();
  const examples = exampleByCode();
  const groups = GROUPS.map(([prefix, title]) => {
    const members = codes.filter((code) => code.startsWith(prefix));
    return [`## ${title}`, ...members.map((code) => section(code, examples.get(code)))].join('\n\n');
  });
  return `${[INTRODUCTION, ...groups].join('\n\n')}\n`;
}

/** Each code belongs to exactly one group; the test of this page counts. */
const GROUPS: readonly (readonly [prefix: string, title: string])[] = [
  ['PT01', 'Policies: reading the text'],
  ['PT11', 'Policies: names'],
  ['PT12', 'Policies: types and units'],
  ['PT13', 'Policies: values that may be missing'],
  ['PT14', 'Policies: tests'],
  ['PT21', 'Policies: rules that cannot mean what they say'],
  ['PT22', 'Rules that conflict'],
  ['PT23', 'Who may write what'],
  ['PT24', 'Routes and what governs them'],
  ['PT25', 'What is due'],
  ['PT30', 'YAML: reading the text'],
  ['PT31', 'YAML: fields and values'],
  ['PT32', 'YAML: names and attributes'],
  ['PT33', 'YAML: routes'],
  ['PT34', 'YAML: secrets'],
  ['PT35', 'Certificates and keys'],
];

const INTRODUCTION = `# Diagnostics

What \`portunus check\` (and every start and reload) can say, by code. A code never changes its meaning. \`portunus check --explain PT1203\` prints one of
these sections. The examples are cases of the test suite, with the exact text they give. What common mistakes look like, and what another policy language says to them,
is in [typical-mistakes.md](typical-mistakes.md).

Each finding says what is wrong, shows where – also the second place, where two matter – and ends with what to do. One cause gives one finding. All files are checked in one
run; an error anywhere means that nothing of the project is used, and a running gateway keeps what it has.

| \`portunus check --format …\` | for |
|---|---|
| \`text\` | people (the default); colour only on a terminal, none with \`NO_COLOR\` |
| \`json\` (or \`--json\`) | programs: \`{ errors, warnings, diagnostics: [{ code, severity, message, help, at, related }] }\` |
| \`sarif\` | code scanning and editors: SARIF 2.1.0 |
| \`github\` | annotations in GitHub Actions |
| \`junit\` | CI servers that show test reports |

Exit code 0: no error. 1: errors (with \`--warnings-as-errors\` also warnings). 2: wrong arguments. 3: could not run. Lines and columns count from 1, columns in UTF-16 units.

This page is generated from the catalogue and the tests by \`npm run generate\`; a test keeps it up to date.`;

interface Example {
  readonly what: string;
  readonly files: readonly (readonly [path: string, text: string])[];
  readonly rendered: string;
}

/** The first case of each code. */
function exampleByCode(): ReadonlyMap<string, Example> {
  const examples = new Map<string, Example>();
  const add = (code: string, example: () => Example): void => {
    if (!examples.has(code)) examples.set(code, example());
  };
  for (const { code, what, text, routes } of LANGUAGE_CASES)
    add(code, () => languageExample(what, text, routes === 'models' ? AI_WORLD : WORLD));
  for (const { code, what, text } of TEST_DIAGNOSTIC_CASES)
    add(code, () => languageExample(what, text, WORLD));
  for (const { code, what, texts, rendered } of PROJECT_CASES)
    add(code, () => ({ what, files: shownFiles(texts), rendered }));
  for (const { code, name, texts, rendered } of CONFIGURATION_CASES)
    add(code, () => ({ what: name, files: shownFiles(texts), rendered }));
  for (const { code, what, rendered } of CERTIFICATE_CASES)
    add(code, () => ({ what, files: [['portunus.yaml', CERTIFICATES]], rendered }));
  for (const { code, what, rendered } of AUTHORITY_CASES)
    add(code, () => ({ what, files: [['portunus.yaml', AUTHORITIES]], rendered }));
  for (const { code, what, texts, rendered } of CERTIFICATE_USE_CASES)
    add(code, () => ({ what, files: shownFiles(texts), rendered }));
  return examples;
}

const AUTHORITIES = `portunus: 1
clientCertificates: { trustedProxies: [10.0.0.7], authorities: /tls/clients.pem }
`;

const CERTIFICATES = `portunus: 1
listen: { tls: { certificate: /tls/front.pem, key: /tls/front.key } }
`;

function languageExample(what: string, text: string, world: World): Example {
  const files = [parsePolicyFile(new SourceText('a.policy', text), world.limits.nestingDepth)];
  const diagnostics = [
    ...checkParsedPolicies(files, world).diagnostics,
    ...checkTests(files, world).diagnostics,
  ];
  return { what, files: [['a.policy', text]], rendered: renderText(diagnostics, { colour: 'off' }) };
}

/** The file that only says `portunus: 1` says nothing. */
function shownFiles(texts: Readonly<Record<string, string>>): Example['files'] {
  const files = Object.entries(texts);
  const telling = files.filter(([, text]) => text !== 'portunus: 1\n');
  return telling.length === 0 ? files : telling;
}

function section(code: DiagnosticCode, example: Example | undefined): string {
  const { title, severity, explanation } = CATALOGUE[code];
  const head = [`### ${code}`, `**${title}** (${severity}). ${explanation}`];
  // That each code has a case is the business of the room that reports it.
  if (example === undefined) return head.join('\n\n');
  const files = example.files.flatMap(([path, text]) => [
    `\`${path}\``,
    block(path.endsWith('.policy') ? 'portunus' : 'yaml', text),
  ]);
  return [...head, `Example: ${example.what}.`, ...files, block('text', withoutCount(example.rendered))].join(
    '\n\n',
  );
}

function withoutCount(rendered: string): string {
  return rendered.replace(/\n\d+ (?:error|warning)s?(?:, \d+ warnings?)?\.\n$/, '\n');
}

export function block(language: string, text: string): string {
  return `\`\`\`${language}\n${shortened(visible(text.trimEnd()))}\n\`\`\``;
}

/** Characters that nobody would see. */
function visible(text: string): string {
  return text.replace(
    /[^\P{C}\n\t]/gu,
    (character) => `⟨U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}⟩`,
  );
}

const LINES_MAX = 24;
const LINE_CHARACTERS_MAX = 400;

/** Some cases are about being too long. */
function shortened(text: string): string {
  const lines = text
    .split('\n')
    .map((line) => (line.length > LINE_CHARACTERS_MAX ? `${line.slice(0, LINE_CHARACTERS_MAX)}…` : line));
  const tooMany = lines.length > LINES_MAX;
  return (tooMany ? [...lines.slice(0, 4), '…', ...lines.slice(-4)] : lines).join('\n');
}
