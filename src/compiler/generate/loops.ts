import { testsOf } from '../conditions.ts';
import type { FactReference, SomeTest } from '../ir.ts';
import { factsOfTerm, termsOf } from '../rule-facts.ts';
import { functionCode, indent } from './code.ts';
import { Frame, type Moment } from './frame.ts';

/** The body of a loop over a list, as its frame sees it. */
export interface Loop {
  /** What the function computes before it loops. */
  readonly before: Frame;
  /** The expression of a fact of the element. */
  readonly element: (fact: FactReference) => string;
}

/** Functions that look for an element: one for each list and condition, in a program or in a row of a table. */
export class LoopPool {
  readonly #names = new Map<string, string>();
  readonly #functions: string[] = [];

  get functions(): readonly string[] {
    return this.#functions;
  }

  /** The call that says whether an element fits. */
  call(test: SomeTest, frame: Frame): string {
    const key = `${frame.when} ${test.list.key} ${test.condition.id}`;
    let name = this.#names.get(key);
    if (name === undefined) {
      name = `some${this.#names.size}`;
      this.#names.set(key, name);
      this.#functions.push(loopCode(name, test, frame.scope, frame.when));
    }
    return `${name}(context)`;
  }
}

/** Not even the list is read in a phase that can't know it. */
function loopCode(name: string, { list, condition }: SomeTest, scope: Frame['scope'], when: Moment): string {
  const tested = testsOf(condition).flatMap(termsOf).flatMap(factsOfTerm);
  // Twice: what is asked for each element is read once.
  const before = new Frame(scope, when, [], [list, list, ...tested, ...tested]);
  const elements = before.fact(list);
  if (elements === 'undefined') return functionCode(`${name}(context)`, ['return false;']);
  const missing = before.mayBeMissing({ kind: 'fact', fact: list })
    ? [`if (${elements} === undefined) return false;`]
    : [];
  const loop: Loop = { before, element: () => `${elements}[i]` };
  const within = new Frame(scope, when, [condition], [], loop);
  const found = within.statement(() => [`if (${within.condition(condition)}) return true;`]);
  return functionCode(`${name}(context)`, [
    ...before.locals(),
    ...missing,
    `for (let i = 0; i < ${elements}.length; i++) {`,
    ...indent(found),
    '}',
    'return false;',
  ]);
}
