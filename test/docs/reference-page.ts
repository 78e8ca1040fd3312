import { readFileSync } from 'node:fs';
import type { RuleNode } from '../../src/language/ast.ts';
import { CLAUSES_OF, type ClauseName } from '../../src/language/build/clauses.ts';
import { exampleOf, inWords, ORDERED } from '../../src/language/check/type-names.ts';
import { LATER_PARTS } from '../../src/language/later-words.ts';
import { type Absence, BUILT_IN_FACTS, type FactDefinition, type FactPhase } from '../../src/model/facts.ts';
import { MASK_KINDS } from '../../src/model/masks/kinds.ts';
import type { ScalarKind } from '../../src/model/types.ts';

/** The page `docs/reference.md`: rules and clauses from the parser's tables, facts and types from the checker's. */
export function referencePage(): string {
  return `${[INTRODUCTION, rules(), clauses(), masks(), facts(), types(), later()].join('\n\n')}\n`;
}

const INTRODUCTION = `# Reference of the policy language

What [the ten minutes](language.md) teach by example, whole: rules, clauses, facts and types of this version. The grammar is
[grammar/portunus.ebnf](../grammar/portunus.ebnf); what \`portunus check\` can say is in [diagnostics.md](diagnostics.md).

This page is generated from the tables that parser and checker use, by \`npm run generate\`; a test keeps it up to date.`;

type RuleKind = RuleNode['kind'];

/** Production of the grammar, and what the rule does. */
const RULES: Readonly<Record<RuleKind, readonly [production: string, meaning: string]>> = {
  permit: [
    'Permit',
    'Lets a request through, if nothing refuses it. Without any permit a request is refused.',
  ],
  forbid: ['Forbid', 'Refuses when it holds (403 where it says no status).'],
  require: ['Require', 'Refuses when its condition does not hold (403 where it says no status).'],
  warn: ['Warn', 'Lets through; tells the caller in the field Portunus-Warning, and the log.'],
  limit: [
    'Limit',
    'Refuses with 429 what is more than the amount: in any stretch of time, per time with a burst, or at once.',
  ],
  quota: ['Quota', 'Refuses with 429 what is more than the amount in a period of the calendar.'],
  budget: [
    'Budget',
    'Refuses with 429 what is more than an amount of money in a period of the calendar. Every route of it says what a request costs.',
  ],
  'set-header': [
    'SetHeader',
    'Sets a field of the request for the service, or of the answer for the caller.',
  ],
  'remove-header': ['RemoveHeader', 'Removes a field of the request, or of the answer.'],
  deprecate: [
    'Deprecate',
    'Tells callers by Deprecation, Sunset and Link when a route goes and what takes its place. Answers of the service carry them; a refusal or time-out, which speaks for the gateway, does not.',
  ],
  cap: ['Cap', 'Lessens a number or date of the request body that is greater; of several the least counts.'],
  default: ['Default', 'Sets a member of the request body that is missing or null.'],
  timeout: [
    'Timeout',
    'Bounds the time from the arrival of the request to the end of the answer. The least wins.',
  ],
  cache: [
    'Cache',
    'Lets answers be kept for so long, and answers later requests of the same callers with them: those that ask for the same, byte for byte.',
  ],
  'route-to': [
    'RouteTo',
    'Lets a call to a model use these of its pools only, and tries them in this order. A model that none of them serves is refused with 403.',
  ],
  mask: [
    'Mask',
    'Removes personal data and secrets from the body of the request, of the answer, or both; all masks that apply are one.',
  ],
  alert: [
    'Alert',
    'Tells operators of requests that fit, once they have ended; changes none of them. One alert for each rule and key, over when nothing has fitted for a while. One that asks about pools or their keys is about no request: it is asked of each of them once a second.',
  ],
  rotate: [
    'Rotate',
    'Has the secrets of a pool’s keys replaced: one that is older is due, which people are told, or the hook of the pool is asked for a new one. Of several for one pool the shortest time counts.',
  ],
};

const CLAUSES: Readonly<Record<ClauseName, string>> = {
  '10% of …':
    '`10% of requests`, `of consumers` or `of tenants`: the rule counts for a share that a lot draws, always the same of them; a greater share keeps the members of a smaller one.',
  when: 'The rule counts only when this condition holds.',
  from: '`from D`, `from D until D` or `after D`: the rule counts on these days, in the zone of the file.',
  'when exceeded':
    'What the refusal of a limit says: `status`, `code`, `because`. `fall back to model "mini"` before them: a call to a model without room goes to that one instead, if every limit that it exceeds names it; `for any amount`: this limit then does not count it. `queue up to 5s` before them: a request waits that long after its arrival for room, if there can be any by then and each limit that it exceeds says so (the least time counts).',
  'when exhausted':
    'What the refusal of a budget says: `status`, `code`, `because`; or `queue up to 5s` and `fall back to model "mini"` as with limits, `for at most $5 more` where those calls have an amount of their own beside that of the budget.',
  'alert at':
    '`alert at 80%, 100%`: an alert when so much of the amount is used, once for each key and period; 100 % is the first refusal. `notify "oncall"` sends it to that delivery of portunus.yaml instead of all.',
  'for at least':
    '`for at least 10 requests in any 1m`: an alert is raised when so many have fitted, 1s to 24h; without it, by the first one.',
  'for each':
    'Who shares a counter, or has an alert of its own: `for each tenant and route`, `for each consumer otherwise request.ip`, or `in total`.',
  status: 'Status of the refusal, 400 to 599.',
  code: 'A stable word for programs, in the field `code` of the answer.',
  because: 'A sentence for people. `{tenant.name}` is a hole; what is missing prints as `(none)`.',
  was: '`was "old-name"`: a renamed limit keeps what was counted under its old name.',
  overlap:
    '`overlap 24h`: how long a former secret serves beside the new one, where whoever replaces it says nothing else.',
  'max keys':
    'How many keys are counted apart (100,000 where it is not said; 1,000 of an alert); further ones share one counter of the same size, or one alert.',
  notify: '`notify "oncall"`: an alert goes to that delivery of portunus.yaml instead of all.',
  'on failure': '`refuse` (the default) or `allow` when the counter cannot be kept.',
};

function rules(): string {
  const rows = (Object.keys(RULES) as RuleKind[]).map((kind) => {
    const [production, meaning] = RULES[kind];
    return [code(form(production)), meaning, CLAUSES_OF[kind].map((name) => `\`${name}\``).join(', ')];
  });
  return `## Rules\n\n${table(['form', 'what it does', 'its clauses'], rows)}`;
}

function clauses(): string {
  const rows = Object.entries(CLAUSES).map(([name, meaning]) => [`\`${name}\``, meaning]);
  return `## Clauses\n\nEach at most once, in any order; \`portunus fmt\` puts them in the order above.\n\n${table(['clause', 'says'], rows)}`;
}

/** What each word of a mask is about, exactly. */
function masks(): string {
  const rows = Object.entries(MASK_KINDS).map(([kind, { finds, unitsMost }]) => [
    code(kind),
    finds,
    String(unitsMost),
  ]);
  return `## Masks

What a mask finds, wherever it stands in a text: in every text of a JSON body (and in whole numbers of it), in plain text, CSV and tab-separated values, and in all texts of a call to a model
and of its answer, streamed or not. It says nothing of header fields and of what a body of another kind holds: such a body is refused, on the side that is masked; so are
markup (Markdown, too), calendars and cards, whose texts mean something else than what stands there. A text is searched as it stands, and as what it would mean as JSON – arguments of tools – and as JSON within
that, four deep: what is found in any reading is removed, and what was JSON stays JSON. Numbers in calls to models and their answers stay, but for those that tools are called with.
\`pattern /…/\` is a regular expression of RE2 with a longest text. Of a stream as much is held back as may be the beginning of something to be removed, and never
more than the last column says; behind a pattern always as much as its longest text.

${table(['word', 'finds', 'characters held back'], rows)}`;
}

/** Words that are refused today, so that no policy changes its meaning when they come. */
function later(): string {
  const ways = new Map([...LATER_PARTS.values()].map((later) => [`${later.part} ${later.today}`, later]));
  const rows = [...ways].map(([way, { part, today }]) => {
    const words = [...LATER_PARTS].filter(([, later]) => `${later.part} ${later.today}` === way);
    return [part, words.map(([word]) => `\`${word}\``).join(', '), today ?? ''];
  });
  return `## Kept for later\n\nThese words mean nothing yet and cannot be defined names; PT0106 says so where one stands.\n\n${table(['comes with', 'words and facts', 'until then'], rows)}`;
}

const KNOWN: Readonly<Record<FactPhase, string>> = {
  compile: 'before any request: rules over it cost nothing where it decides',
  route: 'with the head of the request',
  identity: 'when the caller is known',
  body: 'once the body has been read and fits its schema',
  call: 'with the body, on routes whose requests are calls to models',
  target: 'of each pool that a call to a model could go to: `forbid` and `require` leave pools out by them',
  reply: 'with the answer',
  pool: 'of no request: an `alert when` that asks about pools or keys is asked of each of them once a second',
};

const MISSING: Readonly<Record<Absence, string>> = {
  never: 'never',
  anonymous: 'without identity',
  always: 'can be missing',
};

function facts(): string {
  const rows = BUILT_IN_FACTS.map((fact) => [
    code(written(fact)),
    inWords(fact.type),
    MISSING[fact.absence],
    fact.summary,
  ]);
  const phases = Object.entries(KNOWN).map(([phase, text]) => {
    const names = BUILT_IN_FACTS.filter((fact) => fact.phase === phase).map((fact) => code(fact.path));
    return names.length === 0 ? '' : `- ${text}: ${names.join(', ')}`;
  });
  return `## Facts

Beside these, every attribute that \`portunus.yaml\` declares: \`tenant.…\`, \`team.…\`, \`consumer.…\`. A fact that can be missing needs a guard
(\`is present and …\`) or a value that stands for it (\`otherwise …\`).

${table(['fact', 'is', 'missing', ''], rows)}

When a fact is known decides when a rule is asked:

${phases.filter((line) => line !== '').join('\n')}`;
}

const SCALARS: Readonly<Record<ScalarKind, true>> = {
  text: true,
  number: true,
  duration: true,
  size: true,
  percent: true,
  money: true,
  date: true,
  time: true,
  boolean: true,
  ip: true,
  network: true,
};

function types(): string {
  const rows = (Object.keys(SCALARS) as ScalarKind[]).map((kind) => [
    kind,
    exampleOf({ kind }),
    ORDERED.has(kind) ? '`is`, `is not`, `<`, `<=`, `>`, `>=`, `in`' : (TESTS[kind] ?? ''),
  ]);
  return `## Types

Two values can be compared when they are of one type; units are converted, types are not. Names of the project – tenants, plans, routes, tags, roles –
are types of their own: comparing one with a name that does not exist is an error.

A list of any of these is asked with \`contains\` and \`in\`, and element by element with \`any of\`, \`every of\` and \`no one of … has\`; there \`it\` is the
element and has its type. Lists of objects come in bodies and are asked in the second way only: \`it.price\`.

${table(['type', 'written', 'tests'], rows)}`;
}

const TEXT_TESTS = '`is`, `is not`, `in`, `contains`, `starts with`, `ends with`, `like`, `matches`';
const TESTS: Readonly<Record<string, string>> = {
  text: TEXT_TESTS,
  boolean: '`is`, `is not`',
  ip: '`is`, `is not`, `in` a network or a list of networks or addresses',
  network: 'on the right of `in`: alone, or in a list',
};

function written({ path, parameter }: FactDefinition): string {
  return parameter === 'none' ? path : `${path}["…"]`;
}

const EBNF = readFileSync(new URL('../../grammar/portunus.ebnf', import.meta.url), 'utf8');

/** The right side of a production, as the grammar has it. */
function form(production: string): string {
  const found = new RegExp(`^${production} = ([\\s\\S]*?) ;$`, 'm').exec(EBNF)?.[1];
  if (found === undefined) throw new Error(`grammar/portunus.ebnf has no ${production}`);
  return found.replaceAll(/\s+/g, ' ');
}

function code(text: string): string {
  return `\`${text.replaceAll('|', '\\|')}\``;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n');
}
