import { elementPath, isWholeElement } from '../../model/facts.ts';
import { testsOf } from '../conditions.ts';
import type { FactReference, SomeTest } from '../ir.ts';
import { factsOfTerm, termsOf } from '../rule-facts.ts';
import { functionCode, indent } from './code.ts';
import { indexesOf } from './facts.ts';
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
    return `${name}(${argumentsOf(test)})`;
  }
}

/** A list that lies in an element of another is told which one it is. */
function argumentsOf({ list }: SomeTest): string {
  return ['context', ...indexesOf(list.path)].join(', ');
}

/** Not even the list is read in a phase that can't know it. */
function loopCode(name: string, test: SomeTest, scope: Frame['scope'], when: Moment): string {
  const { list, condition } = test;
  const head = `${name}(${argumentsOf(test)})`;
  const tested = testsOf(condition).flatMap(termsOf).flatMap(factsOfTerm);
  // Twice: what is asked for each element is read once.
  const before = new Frame(scope, when, [], [list, list, ...tested, ...tested]);
  const elements = before.fact(list);
  if (elements === 'undefined') return functionCode(head, ['return false;']);
  const missing = before.mayBeMissing({ kind: 'fact', fact: list })
    ? [`if (${elements} === undefined) return false;`]
    : [];
  const index = indexesOf(elementPath(list.path)).at(-1)!;
  const element = (fact: FactReference): string =>
    `${isWholeElement(fact.path) ? elements : before.column(fact)}[${index}]`;
  const within = new Frame(scope, when, [condition], [], { before, element });
  const found = within.statement(() => [`if (${within.condition(condition)}) return true;`]);
  return functionCode(head, [
    ...before.locals(),
    ...missing,
    `for (let ${index} = 0; ${index} < ${elements}.length; ${index}++) {`,
    ...indent(found),
    '}',
    'return false;',
  ]);
}
