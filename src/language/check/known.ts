import { writtenPath } from '../../model/facts.ts';
import type { Route } from '../../model/world.ts';
import { staticValue } from '../static-value.ts';
import type { FactExpression, TypedExpression } from '../typed.ts';

/**
 * What is known at one place of a policy: the routes whose requests can get there, and the facts that are proven to
 * be present. Conditions are evaluated left to right, so what stands before an operand holds when it is reached.
 */
export class Known {
  readonly #before: Known | null;
  /** What became known after `#before`: a condition and how it turned out. */
  readonly #step: Step | null;
  readonly #present: ReadonlySet<string>;
  readonly #basis: Basis;
  #found: readonly Route[] | null = null;

  private constructor(before: Known | null, step: Step | null, present: ReadonlySet<string>, basis: Basis) {
    this.#before = before;
    this.#step = step;
    this.#present = present;
    this.#basis = basis;
  }

  /**
   * Before any condition. `ofEveryTeam`: the facts below `team` that no team lacks. `onAsked` is told when something depends on
   * which routes they are.
   */
  static of(
    routes: readonly Route[],
    ofEveryTeam: ReadonlySet<string>,
    onAsked: () => void = () => {},
  ): Known {
    const known = new Known(null, null, NOTHING, { ofEveryTeam, trusts: 'proofs', list: null, onAsked });
    known.#found = routes;
    return known;
  }

  /** Routes whose requests can get here. Found when first asked for, and by a loop: chains may be long. */
  get routes(): readonly Route[] {
    this.#basis.onAsked();
    const steps: Step[] = [];
    let known: Known = this;
    while (known.#found === null && known.#before !== null) {
      if (known.#step !== null) steps.push(known.#step);
      known = known.#before;
    }
    let routes = known.#found ?? [];
    for (const { condition, outcome } of steps.reverse()) {
      routes = routes.filter((route) => staticValue(condition, route) !== !outcome);
    }
    this.#found = routes;
    return routes;
  }

  /** After `condition` turned out as `outcome`. */
  after(condition: TypedExpression, outcome: boolean): Known {
    const more = proofs(condition, outcome);
    const present = more.size === 0 ? this.#present : union([this.#present, more]);
    return new Known(this, { condition, outcome }, present, this.#basis);
  }

  /** After something that could not be checked: one mistake must not make a second one out of a missing guard. */
  afterMistake(): Known {
    return new Known(this, null, this.#present, { ...this.#basis, trusts: 'all' });
  }

  /** Something that stands before could not be checked, and was reported. */
  get followsMistake(): boolean {
    return this.#basis.trusts === 'all';
  }

  /** In the condition that is asked of the elements of a list. */
  within(list: FactExpression): Known {
    return new Known(this, null, this.#present, { ...this.#basis, list });
  }

  /** The list whose elements `it` stands for; null outside of quantifiers. */
  get list(): FactExpression | null {
    return this.#basis.list;
  }

  /** Null when the fact is present here; otherwise a route whose requests may lack it (null: any request may). */
  whereMissing(fact: FactExpression): { readonly route: Route | null } | null {
    if (this.#basis.trusts === 'all' || fact.definition.absence === 'never') return null;
    if (this.#impliedBy(fact).some((proof) => this.#present.has(proof))) return null;
    const presence: TypedExpression = { kind: 'present', fact, negated: false, span: fact.span };
    const missing = this.routes.filter((route) => staticValue(presence, route) !== true);
    if (missing.length === 0) return null;
    const byName = missing.reduce((first, route) => (route.name < first.name ? route : first));
    return { route: fact.definition.absence === 'always' ? null : byName };
  }

  /** Any one of these proves that the fact is present. */
  #impliedBy(fact: FactExpression): string[] {
    const own = proofOf(fact);
    if (fact.definition.absence === 'anonymous') return [IDENTITY];
    return this.#basis.ofEveryTeam.has(own) ? [own, TEAM] : [own];
  }
}

interface Step {
  readonly condition: TypedExpression;
  readonly outcome: boolean;
}
interface Basis {
  readonly ofEveryTeam: ReadonlySet<string>;
  /** What counts as present: what is proven, or (after a mistake) everything. */
  readonly trusts: 'proofs' | 'all';
  readonly list: FactExpression | null;
  readonly onAsked: () => void;
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
  const own = proofOf(fact);
  if (fact.definition.phase !== 'identity') return [own];
  return own === TEAM || own.startsWith(`${TEAM}.`) ? [own, IDENTITY, TEAM] : [own, IDENTITY];
}

/** The presence of this very fact: `it.price` of one list is not that of another. */
function proofOf({ definition: { path }, parameter }: FactExpression): string {
  return parameter === null ? path : `${path}[${JSON.stringify(parameter)}]`;
}

/** A fact as written: `tenant.plan`, `request.header["x"]`. */
export function factText(fact: Pick<FactExpression, 'definition' | 'parameter'>): string {
  const path = writtenPath(fact.definition.path);
  return fact.parameter === null ? path : `${path}[${JSON.stringify(fact.parameter)}]`;
}

function union(sets: readonly ReadonlySet<string>[]): ReadonlySet<string> {
  return new Set(sets.flatMap((set) => [...set]));
}

function common(sets: readonly ReadonlySet<string>[]): ReadonlySet<string> {
  const [first = NOTHING, ...others] = sets;
  return new Set([...first].filter((proof) => others.every((other) => other.has(proof))));
}
