import type { Route } from '../../model/world.ts';
import { staticValue } from '../static-value.ts';
import type { FactExpression, TypedExpression } from '../typed.ts';

/**
 * What is known at one place of a policy: the routes whose requests can get there, and the facts that are proven to
 * be present. Conditions are evaluated left to right, so what stands before an operand holds when it is reached.
 */
export class Known {
  readonly #routes: () => readonly Route[];
  readonly #present: ReadonlySet<string>;
  readonly #trusting: boolean;
  /** Facts that every team has: present as soon as there is a team. */
  readonly #ofEveryTeam: ReadonlySet<string>;
  #found: readonly Route[] | null = null;

  private constructor(
    routes: () => readonly Route[],
    present: ReadonlySet<string>,
    trust: 'proofs' | 'all',
    ofEveryTeam: ReadonlySet<string>,
  ) {
    this.#routes = routes;
    this.#present = present;
    this.#trusting = trust === 'all';
    this.#ofEveryTeam = ofEveryTeam;
  }

  /** Before any condition. `ofEveryTeam`: the facts below `team` that no team lacks. */
  static of(routes: () => readonly Route[], ofEveryTeam: ReadonlySet<string>): Known {
    return new Known(routes, new Set(), 'proofs', ofEveryTeam);
  }

  /** Routes whose requests can get here. */
  get routes(): readonly Route[] {
    this.#found ??= this.#routes();
    return this.#found;
  }

  /** After `condition` turned out as `outcome`. */
  after(condition: TypedExpression, outcome: boolean): Known {
    return new Known(
      () => this.routes.filter((route) => staticValue(condition, route) !== !outcome),
      new Set([...this.#present, ...proofs(condition, outcome)]),
      this.#trusting ? 'all' : 'proofs',
      this.#ofEveryTeam,
    );
  }

  /** After something that could not be checked: one mistake must not make a second one out of a missing guard. */
  afterMistake(): Known {
    return new Known(() => this.routes, this.#present, 'all', this.#ofEveryTeam);
  }

  /** Null when the fact is present here; otherwise a route whose requests may lack it (null: any request may). */
  whereMissing(fact: FactExpression): { readonly route: Route | null } | null {
    if (this.#trusting || fact.definition.absence === 'never') return null;
    if (this.#impliedBy(fact).some((proof) => this.#present.has(proof))) return null;
    const presence: TypedExpression = { kind: 'present', fact, negated: false, span: fact.span };
    const missing = this.routes.filter((route) => staticValue(presence, route) !== true);
    if (missing.length === 0) return null;
    const byName = missing.reduce((first, route) => (route.name < first.name ? route : first));
    return { route: fact.definition.absence === 'always' ? null : byName };
  }

  /** Any one of these proves that the fact is present. */
  #impliedBy(fact: FactExpression): string[] {
    const own = factText(fact);
    if (fact.definition.absence === 'anonymous') return [IDENTITY];
    return this.#ofEveryTeam.has(own) ? [own, TEAM] : [own];
  }
}

const IDENTITY = 'identity';
const TEAM = 'team';

/** Proofs of presence that follow when `condition` turned out as `outcome`. */
function proofs(condition: TypedExpression, outcome: boolean): ReadonlySet<string> {
  switch (condition.kind) {
    case 'present':
      return new Set(condition.negated === outcome ? [] : proven(condition.fact));
    case 'has-role':
    case 'subscribed':
      return new Set(condition.negated === outcome ? [] : [IDENTITY]);
    case 'not':
      return proofs(condition.operand, !outcome);
    case 'and':
    case 'or':
      return (condition.kind === 'and') === outcome
        ? union(condition.operands.map((operand) => proofs(operand, outcome)))
        : common(condition.operands.map((operand) => proofs(operand, outcome)));
    default:
      return NOTHING;
  }
}
const NOTHING: ReadonlySet<string> = new Set();

/** What the presence of a fact proves. */
function proven(fact: FactExpression): string[] {
  const own = factText(fact);
  if (fact.definition.phase !== 'identity') return [own];
  return own === TEAM || own.startsWith(`${TEAM}.`) ? [own, IDENTITY, TEAM] : [own, IDENTITY];
}

/** A fact as written: `tenant.plan`, `request.header["x"]`. */
export function factText(fact: Pick<FactExpression, 'definition' | 'parameter'>): string {
  const { path } = fact.definition;
  return fact.parameter === null ? path : `${path}[${JSON.stringify(fact.parameter)}]`;
}

function union(sets: readonly ReadonlySet<string>[]): ReadonlySet<string> {
  return new Set(sets.flatMap((set) => [...set]));
}

function common(sets: readonly ReadonlySet<string>[]): ReadonlySet<string> {
  const [first = NOTHING, ...others] = sets;
  return new Set([...first].filter((proof) => others.every((other) => other.has(proof))));
}
