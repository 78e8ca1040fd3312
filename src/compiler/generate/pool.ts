import type { ConstantTemplate } from '../numbers.ts';

/**
 * Constants of one program. Generated code names them by index only: no text or number of a user is ever part of
 * the code, so it cannot be broken out of, and routes whose rules differ only in such values share one function.
 */
export class ConstantPool {
  readonly #values: ConstantTemplate[] = [];
  readonly #names = new Map<string, string>();
  readonly #prepared: string[] = [];
  /** The pool of the whole program, when this one is of a row of a table. */
  readonly #outer: ConstantPool | null;
  #usesRouteName = false;

  constructor(outer: ConstantPool | null = null) {
    this.#outer = outer;
  }

  /**
   * The name of a constant holding `value`. Ordinals are kept apart from values, as numbers of rules and of counters are by
   * themselves: where two of them happen to be equal the code must not look different.
   */
  constant(value: ConstantTemplate, role: 'value' | 'ordinal' = 'value'): string {
    const key = `${role} ${JSON.stringify(value)}`;
    return this.#name(key, () => {
      this.#values.push(value);
      const at = this.#values.length - 1;
      this.#prepared.push(`const c${at} = shared[${at}];`);
      return `c${at}`;
    });
  }

  /** The name of what `runtime[maker]` makes of the arguments when the route is instantiated. */
  prepared(maker: string, ...argumentNames: readonly string[]): string {
    const call = `runtime.${maker}(${argumentNames.join(', ')})`;
    return this.#name(`prepared ${call}`, () => {
      const name = `${maker}${this.#prepared.length}`;
      this.#prepared.push(`const ${name} = ${call};`);
      return name;
    });
  }

  /** The name of the route, which differs between routes that share everything else. */
  routeName(): string {
    this.#usesRouteName = true;
    this.#outer?.routeName();
    return 'routeName';
  }

  get usesRouteName(): boolean {
    return this.#usesRouteName;
  }
  get values(): readonly ConstantTemplate[] {
    return this.#values;
  }
  /** Lines that read and prepare the constants. */
  get lines(): readonly string[] {
    return this.#prepared;
  }

  #name(key: string, make: () => string): string {
    let name = this.#names.get(key);
    if (name === undefined) {
      name = make();
      this.#names.set(key, name);
    }
    return name;
  }
}
