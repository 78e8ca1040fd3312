/**
 * The candidate nearest to a misspelt name (Damerau–Levenshtein, at most a third of its length away where nothing else is said), or null. Of equally
 * near ones that which begins alike (`hs` is `has`, not `as`), then that
 * which ends alike (`requets` is `requests`, not `request`), then the first in code points.
 */
export function nearest(
  name: string,
  candidates: Iterable<string>,
  distanceMax = Math.max(1, Math.floor(name.length / 3)),
): string | null {
  let best: string | null = null;
  let bestDistance = distanceMax + 1;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - name.length) > bestDistance) continue;
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (
      distance < bestDistance ||
      (distance === bestDistance && best !== null && comesFirst(candidate, best, name))
    ) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** {@link nearest}; or else the only candidate of which the name is the beginning, or which begins the name: `monday` is `mon`. */
export function meant(name: string, candidates: Iterable<string>): string | null {
  const all = [...candidates];
  const near = nearest(name, all);
  if (near !== null) return near;
  const alike = all.filter((candidate) => beginsWith(candidate, name) || beginsWith(name, candidate));
  return alike.length === 1 ? alike[0]! : null;
}

function beginsWith(whole: string, beginning: string): boolean {
  return beginning.length >= BEGINNING_MIN && whole.toLowerCase().startsWith(beginning.toLowerCase());
}

/** Fewer letters begin too much. */
const BEGINNING_MIN = 3;

function comesFirst(a: string, b: string, name: string): boolean {
  for (const isAlike of ALIKE) {
    if (isAlike(a, name) !== isAlike(b, name)) return isAlike(a, name);
  }
  return a < b;
}

const ALIKE: readonly ((a: string, b: string) => boolean)[] = [
  (a, b) => a[0] === b[0],
  (a, b) => a.at(-1) === b.at(-1),
];

function editDistance(from: string, to: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const same = from[row - 1] === to[column - 1];
      let cost = Math.min(
        previous[column]! + 1,
        current[column - 1]! + 1,
        previous[column - 1]! + (same ? 0 : 1),
      );
      if (row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1]) {
        cost = Math.min(cost, beforePrevious[column - 2]! + 1);
      }
      current.push(cost);
    }
    beforePrevious = previous;
    previous = current;
  }
  return previous[to.length]!;
}
