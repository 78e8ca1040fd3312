/**
 * Whether two values of plain data – records, arrays and scalars – are the same, as two readings of one text are. Aliases make values shared, so pairs that were compared are
 * remembered: without that, a few dozen aliases of aliases would take for ever. Fields of the names `leftOut` may differ.
 */
export function sameValue(
  left: unknown,
  right: unknown,
  leftOut: ReadonlySet<string> = NOTHING,
  compared = new Map<object, object>(),
): boolean {
  if (typeof left !== 'object' || left === null) return Object.is(left, right);
  if (typeof right !== 'object' || right === null || Array.isArray(left) !== Array.isArray(right))
    return false;
  if (left === right || compared.get(left) === right) return true;
  compared.set(left, right);
  const names = Object.keys(left);
  if (names.length !== Object.keys(right).length) return false;
  return names.every(
    (name) =>
      Object.hasOwn(right, name) &&
      (leftOut.has(name) ||
        sameValue(
          (left as Record<string, unknown>)[name],
          (right as Record<string, unknown>)[name],
          leftOut,
          compared,
        )),
  );
}

const NOTHING: ReadonlySet<string> = new Set();
