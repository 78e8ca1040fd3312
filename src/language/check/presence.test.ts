import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SourceText } from '../../diagnostics/source.ts';
import type { Route } from '../../model/world.ts';
import { checkPolicies } from '../check.ts';
import { staticFact } from '../static-value.ts';
import type { CheckedPolicy, FactExpression, Operand, TypedExpression } from '../typed.ts';
import { WORLD } from '../world.cases.ts';

/** Whether a fact may be used where it could be missing: guards that prove it, and guards that do not. */
const GUARDS: readonly (readonly [scope: string, condition: string, 'accepted' | 'PT1301'])[] = [
  ['service "search"', 'tenant.trial is true', 'PT1301'],
  ['service "search"', 'tenant is present and tenant.trial is true', 'accepted'],
  ['service "search"', 'consumer is present and tenant.trial is true', 'accepted'],
  ['service "search"', 'consumer has role "buyer" and tenant.trial is true', 'accepted'],
  ['service "search"', 'consumer does not have role "buyer" or tenant.trial is true', 'accepted'],
  ['service "search"', 'consumer does not have role "buyer" and tenant.trial is true', 'PT1301'],
  ['service "search"', 'consumer has role "buyer" or tenant.trial is true', 'PT1301'],
  ['service "search"', 'consumer is subscribed to route and tenant.trial is true', 'accepted'],
  ['service "search"', 'consumer is not subscribed to route or tenant.trial is true', 'accepted'],
  ['service "search"', 'not (tenant is absent) and tenant.trial is true', 'accepted'],
  ['service "search"', 'not (tenant is absent or tenant.trial is true)', 'accepted'],
  ['service "search"', 'not (tenant is present or tenant.trial is true)', 'PT1301'],
  [
    'service "search"',
    '(tenant is present or consumer has role "buyer") and tenant.trial is true',
    'accepted',
  ],
  ['service "search"', '(tenant is present or true) and tenant.trial is true', 'PT1301'],
  ['service "search"', 'route.requires_identity is true and tenant.trial is true', 'accepted'],
  ['service "search"', 'team is present and team.cost_centre is "x"', 'accepted'],
  ['service "search"', 'team.cost_centre is present and tenant.trial is true', 'accepted'],
  ['service "search"', 'tenant is present and team.cost_centre is "x"', 'PT1301'],
  ['service "search"', 'consumer.contact is present and tenant.trial is true', 'accepted'],
  ['service "search"', 'consumer is present and consumer.contact is "x"', 'PT1301'],
  ['service "search"', 'any of consumer.roles has it is "buyer"', 'PT1301'],
  ['service "search"', 'consumer is present and any of consumer.roles has it is "buyer"', 'accepted'],
  [
    'service "search"',
    'consumer is present and no one of tenant.regions has it is consumer.contact',
    'PT1301',
  ],
  [
    'service "search"',
    'consumer.contact is present and no one of tenant.regions has it is consumer.contact',
    'accepted',
  ],
  ['service "search"', 'request.header["a"] is present and request.header["b"] is "x"', 'PT1301'],
  ['service "search"', 'request.header["a"] is present and tenant.trial is true', 'PT1301'],
  ['service "search"', 'request.header["A"] is present and request.header["a"] is "x"', 'accepted'],
  ['route "status"', 'tenant is present and tenant.trial is true', 'accepted'],
  ['route "get-order"', 'request.parameter["id"] is "5"', 'accepted'],
  ['routes tagged "v1"', 'request.parameter["id"] is "5"', 'PT1301'],
  ['service "search" and tenant is present', 'tenant.trial is true', 'accepted'],
  ['service "search" or routes requiring identity', 'tenant.trial is true', 'PT1301'],
  ['routes requiring identity', 'tenant.trial is true', 'accepted'],
];

function check(scope: string, rule: string) {
  return checkPolicies(
    [new SourceText('a.policy', `language 1\npolicy "p" applies to ${scope} {\n ${rule}\n}`)],
    WORLD,
  );
}

describe('a fact that may be missing is used only where it is proven to be there', () => {
  it.each(GUARDS)('%s: %s – %s', (scope, condition, verdict) => {
    const errors = check(scope, `permit when ${condition}`).diagnostics.filter(
      ({ severity }) => severity === 'error',
    );
    expect(errors.map(({ code }) => code)).toEqual(verdict === 'accepted' ? [] : [verdict]);
  });

  it('the guard of a rule holds for what it requires and for its counter key', () => {
    const guarded = check(
      'service "search"',
      'require tenant.trial is true when tenant is present\n limit at most 5 requests at once for each consumer when tenant is present',
    );
    expect(guarded.diagnostics).toEqual([]);
    const open = check(
      'service "search"',
      'require tenant.trial is true\n limit at most 5 requests at once for each consumer',
    );
    expect(open.diagnostics.map(({ code }) => code)).toEqual(['PT1301', 'PT1302']);
  });
});

/** What one request has; a fact that is used but missing ends the evaluation with an error. */
interface Request {
  readonly route: Route;
  readonly has: (fact: FactExpression) => boolean;
  readonly outcomes: () => boolean;
}

function evaluate(node: TypedExpression, request: Request): boolean {
  switch (node.kind) {
    case 'constant':
      return node.value;
    case 'not':
      return !evaluate(node.operand, request);
    case 'and':
      return node.operands.every((operand) => evaluate(operand, request));
    case 'or':
      return node.operands.some((operand) => evaluate(operand, request));
    case 'present':
      return request.has(node.fact) !== node.negated;
    case 'has-role':
    case 'subscribed':
      return (hasIdentity(request) && request.outcomes()) !== node.negated;
    case 'in-calendar':
      return request.outcomes();
    case 'share':
      if (node.of !== 'requests' && !hasIdentity(request)) throw new Error('nobody to draw for');
      return request.outcomes();
    case 'compare':
      return compare(node, request);
    case 'in':
      use(node.element, request);
      use(node.list, request);
      return request.outcomes();
    case 'in-networks':
      use(node.address, request);
      use(node.networks, request);
      return request.outcomes();
    case 'text-test':
      use(node.text, request);
      return request.outcomes();
    case 'quantified':
      use(node.list, request);
      return request.outcomes() && evaluate(node.condition, request);
  }
}

function compare(node: Extract<TypedExpression, { kind: 'compare' }>, request: Request): boolean {
  use(node.left, request);
  use(node.right, request);
  const known = knownValue(node.left, request);
  const equals =
    known !== undefined && node.right.kind === 'literal' ? known === node.right.value : request.outcomes();
  return equals === (node.operator === 'is');
}

/** A value that does not depend on what the request says: of the route, or what stands for a missing fact. */
function knownValue(operand: Operand, request: Request): unknown {
  if (operand.kind === 'otherwise' && !request.has(operand.fact)) return operand.fallback.value;
  return operand.kind === 'fact' ? staticFact(operand, request.route) : undefined;
}

function use(operand: Operand, request: Request): void {
  if (operand.kind === 'converted') use(operand.number, request);
  if (operand.kind === 'arithmetic') {
    use(operand.left, request);
    use(operand.right, request);
  }
  if (operand.kind === 'fact' && !request.has(operand))
    throw new Error(`${operand.definition.path} is missing`);
}

const IDENTITY_FACT = check('every route', 'permit when tenant is present').policies.policies[0]!.rules[0]!
  .when!;

function hasIdentity(request: Request): boolean {
  return IDENTITY_FACT.kind === 'present' && request.has(IDENTITY_FACT.fact);
}

describe('accepted policies never meet a missing fact', () => {
  const atom = fc.constantFrom(
    ...['tenant is present', 'tenant is absent', 'team is present', 'team is absent', 'true', 'false'],
    ...['tenant.trial is true', 'team is "shop"', 'team.cost_centre is "x"', 'consumer.contact is "x"'],
    ...['consumer.contact is present', 'consumer has role "buyer"', 'consumer is not subscribed to route'],
    ...['any of consumer.roles has it is "buyer"', 'every of tenant.regions has it is team.cost_centre'],
    ...['request.header["a"] is present', 'request.header["a"] is "x"', 'route is "status"'],
    ...['route.requires_identity is true', 'route is not "open-search"', 'team otherwise "shop" is "shop"'],
  );
  const { condition } = fc.letrec<{ condition: string }>((tie) => ({
    condition: fc.oneof(
      { maxDepth: 4 },
      atom,
      tie('condition').map((inner) => `not (${inner})`),
      fc
        .tuple(fc.constantFrom(' and ', ' or '), fc.array(tie('condition'), { minLength: 2, maxLength: 3 }))
        .map(([link, all]) => all.map((one) => `(${one})`).join(link)),
    ),
  }));

  /** Which facts a request has, consistent with the route: from eight random bits. */
  function requestOf(route: Route, bits: number): Request {
    const identity = route.auth === 'required' || (route.auth === 'optional' && (bits & 1) !== 0);
    const team = identity && (bits & 2) !== 0;
    let turn = bits;
    return {
      route,
      has: ({ definition }) => {
        if (definition.phase !== 'identity') return definition.absence === 'never' || (bits & 4) !== 0;
        if (definition.path.startsWith('team')) return team;
        return identity && (definition.path !== 'consumer.contact' || (bits & 8) !== 0);
      },
      outcomes: () => {
        turn = (turn * 1_103_515_245 + 12_345) & 0x7fffffff;
        return (turn & 0x10000) !== 0;
      },
    };
  }

  it('whatever the request has', () => {
    let accepted = 0;
    fc.assert(
      fc.property(condition, condition, fc.nat(), (scope, when, seed) => {
        const { policies } = check(scope, `permit when ${when}`);
        const policy: CheckedPolicy | undefined = policies.policies[0];
        if (policy === undefined) return;
        accepted++;
        for (const route of WORLD.routes.values()) {
          for (let bits = 0; bits < 16; bits++) {
            const request = requestOf(route, bits + 16 * seed);
            if (policy.scope === null || evaluate(policy.scope, request))
              evaluate(policy.rules[0]!.when!, request);
          }
        }
      }),
      { numRuns: 2_000 },
    );
    expect(accepted).toBeGreaterThan(100);
  });
});
