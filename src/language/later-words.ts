/** What the words belong to that are kept for later versions of the language: `tokens.ts` says which these are. */
const PARTS: readonly (readonly [part: string, words: readonly string[]])[] = [
  [
    'routes to AI models',
    [
      'model',
      'models',
      'target',
      'targets',
      'tokens',
      'cost',
      'mask',
      'fall',
      'request.model',
      'request.tokens',
    ].concat(['request.cost', 'request.output_cap', 'tenant.models', 'team.models']),
  ],
  ['pools of provider keys', ['pool', 'pools', 'rotate']],
  ['budgets of money', ['budget', 'counting', 'exhausted']],
  ['waivers and approvals', ['waiver', 'waivable', 'approval', 'may']],
  ['rules about the configuration itself', ['convention']],
  ['alerts', ['alert', 'notify']],
  ['queues and caches', ['queue', 'cache']],
];

/** For one word or fact; undefined for those that belong to no greater part. */
export const LATER_PARTS: ReadonlyMap<string, string> = new Map(
  PARTS.flatMap(([part, words]) => words.map((word) => [word, part] as const)),
);
