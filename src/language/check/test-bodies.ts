/** Bodies of the requests that tests send, put together member by member. */
export interface Tree {
  [name: string]: unknown;
}

/** Puts a value where the path leads; a number in it counts the elements of a list, from 1. Or says what is wrong. */
export function putInto(
  tree: Tree,
  [name = '', ...rest]: readonly (string | number)[],
  value: unknown,
): string | null {
  const [next] = rest;
  if (next === undefined) {
    put(tree, name, value);
    return null;
  }
  if (typeof next === 'string') return putInto(objectIn(tree, name), rest, value);
  const found = Object.hasOwn(tree, name) ? tree[name] : undefined;
  const list: Tree[] = Array.isArray(found) ? found : [];
  put(tree, name, list);
  if (!Number.isInteger(next) || next < 1)
    return 'The elements of a list are counted from 1: [1] is the first.';
  if (next > list.length + 1)
    return `There is no element ${list.length + 1} of this list before element ${next}.`;
  list[next - 1] ??= {};
  return putInto(list[next - 1]!, rest.slice(1), value);
}

function objectIn(tree: Tree, name: string | number): Tree {
  const found = Object.hasOwn(tree, name) ? tree[name] : undefined;
  const isObject = typeof found === 'object' && found !== null && !Array.isArray(found);
  const inner = isObject ? (found as Tree) : {};
  put(tree, name, inner);
  return inner;
}

/** Defined, not assigned: a name may be `__proto__`. */
function put(tree: Tree, name: string | number, value: unknown): void {
  Object.defineProperty(tree, name, { value, writable: true, enumerable: true, configurable: true });
}
