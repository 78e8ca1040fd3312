/** Ends what a bench started, last first, also when the bench fails. */
export interface Scope {
  /** Gives back what it was given; `stop` is called when the scope ends. */
  readonly own: <Owned extends { readonly stop: () => Promise<void> }>(owned: Owned) => Owned;
}

export async function withScope<Value>(work: (scope: Scope) => Promise<Value>): Promise<Value> {
  const owned: { readonly stop: () => Promise<void> }[] = [];
  const scope: Scope = {
    own: (thing) => {
      owned.push(thing);
      return thing;
    },
  };
  try {
    return await work(scope);
  } finally {
    for (const thing of owned.reverse()) await thing.stop();
  }
}
