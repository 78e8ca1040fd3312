/** A part of the language that later versions bring. */
export interface LaterPart {
  readonly part: string;
  /** What does nearly the same today, as a sentence; null where nothing does. */
  readonly today: string | null;
}

/** What the words belong to that are kept for later versions of the language: `tokens.ts` says which these are. */
const PARTS: readonly (readonly [part: string, today: string | null, words: readonly string[]])[] = [
  [
    'prices of calls before they are made',
    'Today budgets count what calls cost: `budget $20 per day  for each consumer`.',
    ['cost', 'request.cost'],
  ],
  [
    'lists of models of tenants and teams',
    'Today a list of names is an attribute: declare `models` below `attributes` in portunus.yaml.',
    ['tenant.models', 'team.models'],
  ],
  ['sets of targets', 'Today a rule asks of each target: `require target.region in ["eu"]`.', ['targets']],
  ['sets of pools', 'Today a rule names them: `route to pool "main" then "spare"`.', ['pools']],
  [
    'weights of requests',
    'Today requests are counted, and money with prices of routes: `budget $20 per day  for each consumer`.',
    ['counting'],
  ],
  [
    'waivers and approvals',
    'Today the exception is a part of the rule: `forbid when tenant.plan is "free" and tenant is not "acme"`.',
    ['waiver', 'waivable', 'may'],
  ],
  [
    'waivers and approvals',
    'Today a role can be demanded: `require consumer has role "finance"`.',
    ['approval'],
  ],
  [
    'rules about the configuration itself',
    'Today `portunus check` finds what is wrong in every project.',
    ['convention'],
  ],
];

/** For one word or fact; undefined for those that belong to no greater part. */
export const LATER_PARTS: ReadonlyMap<string, LaterPart> = new Map(
  PARTS.flatMap(([part, today, words]) => words.map((word) => [word, { part, today }] as const)),
);
