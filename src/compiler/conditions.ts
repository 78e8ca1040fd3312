import type { Condition, FactReference, Test } from './ir.ts';

/**
 * Makes conditions, each different one once: equal conditions come back as the same object. Constants are folded,
 * nested junctions flattened, duplicates dropped, and a condition beside its own negation is decided.
 */
export class Conditions {
  readonly always: Condition = { kind: 'constant', id: 0, value: true };
  readonly never: Condition = { kind: 'constant', id: 1, value: false };
  readonly #known = new Map<string, Condition>();
  #next = 2;

  /** How many there are, the two constants apart. */
  get size(): number {
    return this.#known.size;
  }

  constant(value: boolean): Condition {
    return value ? this.always : this.never;
  }

  test(test: Test): Condition {
    return this.#intern(`test ${JSON.stringify(test)}`, (id) => ({ kind: 'test', id, test }));
  }

  /** Nothing is asked of the elements where they can't decide. */
  some(list: FactReference, condition: Condition): Condition {
    return condition === this.never ? condition : this.test({ kind: 'some', list, condition });
  }

  not(operand: Condition): Condition {
    if (operand.kind === 'constant') return this.constant(!operand.value);
    if (operand.kind === 'not') return operand.operand;
    return this.#intern(`not ${operand.id}`, (id) => ({ kind: 'not', id, operand }));
  }

  all(operands: readonly Condition[]): Condition {
    return this.#junction('all', operands, this.always, this.never);
  }

  any(operands: readonly Condition[]): Condition {
    return this.#junction('any', operands, this.never, this.always);
  }

  #junction(
    kind: 'all' | 'any',
    operands: readonly Condition[],
    neutral: Condition,
    absorbing: Condition,
  ): Condition {
    const kept = new Map<number, Condition>();
    for (const operand of operands.flatMap((each) => (each.kind === kind ? each.operands : [each]))) {
      if (operand === neutral) continue;
      if (operand === absorbing || kept.has(this.not(operand).id)) return absorbing;
      kept.set(operand.id, operand);
    }
    const list = [...kept.values()];
    if (list.length < 2) return list[0] ?? neutral;
    const key = `${kind} ${list.map((operand) => operand.id).join()}`;
    return this.#intern(key, (id) => ({ kind, id, operands: list }));
  }

  #intern(key: string, make: (id: number) => Condition): Condition {
    let condition = this.#known.get(key);
    if (condition === undefined) {
      condition = make(this.#next++);
      this.#known.set(key, condition);
    }
    return condition;
  }
}

/** Every test below a condition, those about elements of lists too; each once per place it stands at. */
export function testsOf(condition: Condition): Test[] {
  switch (condition.kind) {
    case 'constant':
      return [];
    case 'not':
      return testsOf(condition.operand);
    case 'all':
    case 'any':
      return condition.operands.flatMap(testsOf);
    case 'test': {
      const { test } = condition;
      return test.kind === 'some' ? [test, ...testsOf(test.condition)] : [test];
    }
  }
}
