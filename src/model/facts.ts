import { WEEKDAYS } from './local-time.ts';
import { KEY_STATE_NAMES } from './pools.ts';
import type { ValueType } from './types.ts';
import type { World } from './world.ts';

/**
 * When a fact is first known; later phases know it too. The order is the order of the phases. `call`: with the body, on routes whose
 * requests are calls to models. `pool`: of no request – the gateway asks pools and their keys by themselves, all the time.
 */
export const FACT_PHASES = [
  'compile',
  'route',
  'identity',
  'body',
  'call',
  'target',
  'reply',
  'pool',
] as const;
export type FactPhase = (typeof FACT_PHASES)[number];

/**
 * Why a fact may be missing: `never`; `anonymous` – only when the request has no identity; `always` – even then.
 */
export type Absence = 'never' | 'anonymous' | 'always';

export interface FactDefinition {
  /** As written in policies: `request.method`. A fact with a parameter is written `request.header["x"]`. */
  readonly path: string;
  readonly type: ValueType;
  readonly absence: Absence;
  readonly phase: FactPhase;
  /** `internal` facts may not appear in a text that callers see. */
  readonly label: 'caller' | 'internal';
  /** The parameter in brackets, where there is one; a zone may be left out, and is the file's then. */
  readonly parameter: 'none' | 'header-name' | 'query-name' | 'path-parameter-name' | 'zone';
  readonly summary: string;
}

/**
 * The path of what a list has in each place, which rules write as `it`: `tenant.tags[]`, and with a member of it
 * `request.body.items[].price`, written `it.price`.
 */
export function elementPath(list: string): string {
  return `${list}${ELEMENT}`;
}
const ELEMENT = '[]';

export function isElementPath(path: string): boolean {
  return path.includes(ELEMENT);
}

/** `it` alone: it is there whenever it is asked about. */
export function isWholeElement(path: string): boolean {
  return path.endsWith(ELEMENT);
}

/** The list that a path is about an element of; '' outside of lists. */
export function listOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf(ELEMENT)));
}

/** A path as rules write it. */
export function writtenPath(path: string): string {
  const at = path.lastIndexOf(ELEMENT);
  return at === -1 ? path : `it${path.slice(at + ELEMENT.length)}`;
}

/** What `cap` and `default` set in the field that a dialect has for it. */
export const OUTPUT_CAP = 'request.output_cap';

/** The members of bodies that bound an answer, of all APIs. */
export const OUTPUT_CAP_MEMBERS = ['max_completion_tokens', 'max_tokens', 'max_output_tokens'] as const;
export type OutputCapMember = (typeof OUTPUT_CAP_MEMBERS)[number];

const TEXT: ValueType = { kind: 'text' };
const TAGS: ValueType = { kind: 'list', of: { kind: 'reference', to: 'tag' } };

function fact(
  path: string,
  type: ValueType,
  phase: FactPhase,
  absence: Absence,
  summary: string,
  parameter: FactDefinition['parameter'] = 'none',
): FactDefinition {
  return { path, type, absence, phase, label: 'caller', parameter, summary };
}

/** The facts every project has. Attributes declared in `portunus.yaml` come on top: see {@link factsOf}. */
export const BUILT_IN_FACTS: readonly FactDefinition[] = [
  fact('request.method', TEXT, 'route', 'never', 'The method, in capitals: GET.'),
  fact('request.path', TEXT, 'route', 'never', 'The normalised path, without the query.'),
  fact(
    'request.host',
    TEXT,
    'route',
    'never',
    'The host the client asked for, in lower case, without the port.',
  ),
  fact('request.ip', { kind: 'ip' }, 'route', 'never', 'The address of the client.'),
  fact(
    'request.size',
    { kind: 'size' },
    'route',
    'always',
    'The declared length of the body; missing when it comes in chunks.',
  ),
  fact('request.header', TEXT, 'route', 'always', 'The value of a header field.', 'header-name'),
  fact(
    'request.query',
    TEXT,
    'route',
    'always',
    'The value of a query parameter, percent-decoded.',
    'query-name',
  ),
  fact(
    'request.parameter',
    TEXT,
    'route',
    'always',
    'The value of a path parameter of the route.',
    'path-parameter-name',
  ),
  fact(
    'request.date',
    { kind: 'date' },
    'route',
    'never',
    'The local date when the request is judged.',
    'zone',
  ),
  fact(
    'request.time',
    { kind: 'time' },
    'route',
    'never',
    'The local time of day when the request is judged, in whole minutes.',
    'zone',
  ),
  fact(
    'request.weekday',
    { kind: 'enum', values: WEEKDAYS },
    'route',
    'never',
    'The local day of the week when the request is judged: mon, tue, wed, thu, fri, sat or sun.',
    'zone',
  ),

  fact('route', { kind: 'reference', to: 'route' }, 'compile', 'never', 'The route that matched.'),
  fact(
    'route.service',
    { kind: 'reference', to: 'service' },
    'compile',
    'never',
    'The service behind the route.',
  ),
  fact('route.tags', TAGS, 'compile', 'never', 'The tags of the route.'),
  fact(
    'route.state',
    { kind: 'enum', values: ['draft', 'published', 'deprecated', 'retired'] },
    'compile',
    'never',
    'Where the route is in its life.',
  ),
  fact(
    'route.requires_identity',
    { kind: 'boolean' },
    'compile',
    'never',
    'Whether calls without identity are refused before any rule is asked.',
  ),
  fact('route.version', TEXT, 'compile', 'always', 'The version of the route.'),
  fact('route.cost', { kind: 'money' }, 'compile', 'always', 'The most that one request to the route costs.'),

  fact('tenant', { kind: 'reference', to: 'tenant' }, 'identity', 'anonymous', 'The tenant of the caller.'),
  fact('tenant.name', TEXT, 'identity', 'anonymous', 'The name of the tenant.'),
  fact('tenant.plan', { kind: 'reference', to: 'plan' }, 'identity', 'anonymous', 'The plan of the tenant.'),
  fact(
    'team',
    { kind: 'reference', to: 'team' },
    'identity',
    'always',
    'The team of the consumer, if it is in one.',
  ),
  fact('team.name', TEXT, 'identity', 'always', 'The name of the team.'),
  fact(
    'consumer',
    { kind: 'reference', to: 'consumer' },
    'identity',
    'anonymous',
    'The application that calls.',
  ),
  fact('consumer.name', TEXT, 'identity', 'anonymous', 'The name of the consumer.'),
  fact(
    'consumer.roles',
    { kind: 'list', of: { kind: 'reference', to: 'role' } },
    'identity',
    'anonymous',
    'The roles of the consumer.',
  ),
  fact(
    'credential',
    { kind: 'reference', to: 'credential' },
    'identity',
    'anonymous',
    'The key that was presented.',
  ),
  fact('credential.name', TEXT, 'identity', 'anonymous', 'The name of the credential.'),
  fact(
    'credential.kind',
    { kind: 'enum', values: ['key', 'token', 'certificate', 'signature'] },
    'identity',
    'anonymous',
    'What was presented: a consumer key, a JSON Web Token, a client certificate, or a signature of the request.',
  ),
  fact(
    'credential.age',
    { kind: 'duration' },
    'identity',
    'anonymous',
    'Time since the credential was made.',
  ),
  fact(
    'credential.expires_in',
    { kind: 'duration' },
    'identity',
    'always',
    'Time until the credential expires, if it does.',
  ),

  fact(
    'model',
    { kind: 'reference', to: 'model' },
    'call',
    'always',
    'The model that is called; missing where a request is no call to one.',
  ),
  fact('request.model', TEXT, 'call', 'always', 'The model as the caller wrote it.'),
  fact(
    'request.tokens',
    { kind: 'number' },
    'call',
    'always',
    'The most tokens that the prompt of a call can be; missing where nothing bounds it, as with an image by its URL.',
  ),
  fact(
    OUTPUT_CAP,
    { kind: 'number' },
    'call',
    'always',
    'The most tokens that the caller lets each answer have; missing where it says nothing.',
  ),

  fact(
    'target.pool',
    TEXT,
    'target',
    'never',
    'The pool whose keys a call to a model would use: `forbid` and `require` ask, of each pool of the model, and limits count for each.',
  ),
  fact('target', TEXT, 'target', 'never', 'The same.'),
  fact('target.provider', TEXT, 'target', 'never', 'The provider of that pool.'),
  fact(
    'target.region',
    TEXT,
    'target',
    'never',
    'The region of that provider. A pool without one is left out by every rule that asks for it and applies.',
  ),

  fact(
    'response.status',
    { kind: 'number' },
    'reply',
    'never',
    'The status of the answer, of the service or of the gateway; 499 where the caller left before there was one.',
  ),
  fact(
    'response.duration',
    { kind: 'duration' },
    'reply',
    'never',
    'Time from the arrival of the request to the end of its answer.',
  ),
  fact(
    'response.code',
    TEXT,
    'reply',
    'always',
    'The code of what the gateway answered, or why an answer broke off; missing where the service answered in full.',
  ),

  fact(
    'usage.input_tokens',
    { kind: 'number' },
    'reply',
    'always',
    'Tokens of the prompt, as the provider tells them; where it does not, the most that they can be.',
  ),
  fact('usage.output_tokens', { kind: 'number' }, 'reply', 'always', 'The same of the answer.'),
  fact(
    'usage.tokens',
    { kind: 'number' },
    'reply',
    'always',
    'Both together, as limits of `tokens` count them.',
  ),
  fact(
    'usage.cached_tokens',
    { kind: 'number' },
    'reply',
    'always',
    'Tokens of the prompt that the provider had in its cache; missing where nobody tells them.',
  ),
  fact(
    'usage.reasoning_tokens',
    { kind: 'number' },
    'reply',
    'always',
    'Tokens of the answer that the model thought with; missing where nobody tells them.',
  ),
  fact(
    'usage.cost',
    { kind: 'money' },
    'reply',
    'always',
    'What the request cost; missing where that is not known.',
  ),

  ofPools('pool', TEXT, 'never', 'The name of the pool.'),
  ofPools('pool.name', TEXT, 'never', 'The name of the pool.'),
  ofPools('pool.provider', TEXT, 'never', 'Its provider.'),
  ofPools(
    'pool.headroom',
    { kind: 'percent' },
    'never',
    'The least share that is left of what its keys have together; 0% where none takes calls.',
  ),
  ofPools('pool.keys', { kind: 'number' }, 'never', 'How many keys it has.'),
  ofPools('pool.usable_keys', { kind: 'number' }, 'never', 'How many of them take calls.'),
  ofPools(
    'pool.exhausted_in',
    { kind: 'duration' },
    'always',
    'In how long nothing will be left, by the forecast that says it sooner; missing where none does. `pool exhausted within 10m` asks both.',
  ),
  ofPools('key', TEXT, 'never', 'The name of a key; of each pool each key is asked.'),
  ofPools('key.name', TEXT, 'never', 'The name of the key.'),
  ofPools('key.account', TEXT, 'never', 'The account whose limits it shares.'),
  ofPools('key.state', { kind: 'enum', values: KEY_STATE_NAMES }, 'never', 'Its state.'),
  ofPools(
    'key.headroom',
    { kind: 'percent' },
    'never',
    'The least share that is left of a limit of it; 0% where it takes no calls.',
  ),
  ofPools(
    'key.age',
    { kind: 'duration' },
    'never',
    'How long it has had its secret: one of the store since it was set, another since the gateway first saw it.',
  ),
  ofPools('key.exhausted_in', { kind: 'duration' }, 'always', 'The same as of a pool, of the key alone.'),
];

/** Operators alone are told of pools and keys. */
function ofPools(path: string, type: ValueType, absence: Absence, summary: string): FactDefinition {
  return { ...fact(path, type, 'pool', absence, summary), label: 'internal' };
}

/**
 * All facts of a project: the built-in ones and, below `tenant`, `team` and `consumer`, the declared attributes.
 * The array is the one list that checker, compiler, completion and reference page read.
 */
export function factsOf(world: Pick<World, 'attributes' | 'currency'>): readonly FactDefinition[] {
  const declared = Object.entries(world.attributes).flatMap(([owner, attributes]) =>
    Object.entries(attributes).map(
      ([name, attribute]): FactDefinition => ({
        path: `${owner}.${name}`,
        type: attribute.type,
        absence: owner === 'team' || attribute.optional ? 'always' : 'anonymous',
        phase: 'identity',
        label: attribute.label,
        parameter: 'none',
        summary: `Declared in portunus.yaml for every ${owner}.`,
      }),
    ),
  );
  const builtIn = BUILT_IN_FACTS.map((fact) =>
    fact.type.kind === 'money' ? { ...fact, type: { ...fact.type, currency: world.currency } } : fact,
  );
  return [...builtIn, ...declared];
}
