import { RequestContext } from '../../src/pipeline/context.ts';
import type { Identity } from '../../src/pipeline/identity.ts';
import type { Outcome } from '../../src/pipeline/outcome.ts';

/** The same rules and requests for every engine of `bench decide`. */
export interface Scenario {
  readonly name: string;
  /** Texts of our project, by path; its only route is `route`. */
  readonly files: Readonly<Record<string, string>>;
  readonly route: string;
  readonly requests: readonly Sample[];
  /** The rules as a person would write them in JavaScript, with the same answers. */
  readonly byHand: (context: RequestContext) => Outcome;
  readonly cedar: {
    readonly policies: string;
    readonly call: (facts: Facts) => CedarRequest;
  };
  /** One expression over the facts: true permits. */
  readonly cel: string;
  /** Expressions over `r.f`; a request is permitted when an allowing one holds and no denying one. */
  readonly casbin: readonly { readonly rule: string; readonly effect: 'allow' | 'deny' }[];
}

/** What every engine is told of a request, by name. */
export type Facts = Readonly<Record<string, string | number | boolean | readonly string[]>>;

export interface Sample {
  readonly context: RequestContext;
  readonly facts: Facts;
}

/** A name of an entity in Cedar. */
export interface CedarUid {
  readonly type: string;
  readonly id: string;
}
export interface CedarEntity {
  readonly uid: CedarUid;
  readonly attrs: Readonly<Record<string, unknown>>;
  readonly parents: readonly CedarUid[];
}
export interface CedarRequest {
  readonly principal: CedarUid;
  readonly action: CedarUid;
  readonly resource: CedarUid;
  readonly context: Readonly<Record<string, unknown>>;
  readonly entities: readonly CedarEntity[];
}

export function uid(type: string, id: string): CedarUid {
  return { type, id };
}

export function entity(
  of: CedarUid,
  attrs: CedarEntity['attrs'] = {},
  parents: readonly CedarUid[] = [],
): CedarEntity {
  return { uid: of, attrs, parents };
}

/** As Cedar's JSON writes a reference to an entity. */
export function reference(type: string, id: string): { readonly __entity: CedarUid } {
  return { __entity: uid(type, id) };
}

export interface CallerFacts {
  readonly name: string;
  readonly attributes?: Identity['consumer']['attributes'];
  readonly plan?: string;
  readonly roles?: readonly string[];
  readonly subscriptions?: readonly string[];
  readonly createdMs?: number;
  readonly tenant?: string;
}

const NO_HASH = { high: 0, low: 0 };

export function caller(facts: CallerFacts): Identity {
  return {
    tenant: {
      name: facts.tenant ?? 'acme',
      plan: facts.plan ?? 'team',
      priority: 'normal',
      share: 1,
      attributes: {},
      keyHash: NO_HASH,
    },
    team: null,
    consumer: {
      name: facts.name,
      attributes: facts.attributes ?? {},
      keyHash: NO_HASH,
      roles: facts.roles ?? [],
      subscriptions: new Set(facts.subscriptions ?? []),
    },
    credential: {
      name: `${facts.name}-1`,
      kind: 'key',
      keyHash: NO_HASH,
      createdMs: facts.createdMs ?? 0,
      expiresMs: null,
    },
  };
}

/** A request as the gateway hands it to the rules: its parameters are cut out of the path, as the route matcher does. */
export function request(
  identity: Identity,
  path: string,
  values: Partial<Pick<RequestContext, 'method' | 'ip' | 'headers' | 'nowWallMs'>> = {},
): RequestContext {
  const context = new RequestContext();
  const [, ...segments] = path.split('/').slice(1);
  Object.assign(context, { method: 'GET', host: 'api.example', ip: '10.1.2.3' }, values);
  context.path = path;
  context.parameters = segments;
  context.identity = identity;
  return context;
}

/** Repeatable choices: a linear congruential generator (Numerical Recipes, 7.1), its upper bits. */
export class Draw {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  below(limit: number): number {
    this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((this.#state / 2 ** 32) * limit);
  }
  one<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)]!;
  }
  /** About one in `outOf`. */
  some<Item>(items: readonly Item[], outOf: number): Item[] {
    return items.filter(() => this.below(outOf) === 0);
  }
}

/** Texts of a project with one service and one route. */
export function projectFiles(options: {
  readonly policy: string;
  readonly route: string;
  readonly path: string;
  readonly consumerLists?: readonly string[];
}): Record<string, string> {
  const lists = (options.consumerLists ?? []).map((name) => `    ${name}: { list: text, label: caller }\n`);
  const attributes = lists.length === 0 ? '' : `attributes:\n  consumer:\n${lists.join('')}`;
  return {
    'portunus.yaml': `portunus: 1\nlisten: { address: 127.0.0.1, port: 8080 }\n${attributes}`,
    'routes/all.yaml': `services:
  backend: { endpoints: [{ url: "http://127.0.0.1:9000" }] }
routes:
  ${options.route}: { service: backend, match: { path: "${options.path}" }, auth: required }
`,
    'policies/all.policy': options.policy,
  };
}
