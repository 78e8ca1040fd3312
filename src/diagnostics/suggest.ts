/**
 * The candidate nearest to a misspelt name (Damerau–Levenshtein, at most a third of its length away), or null. Of equally
 * near ones that which ends alike (`requets` is `requests`, not `request`), then the first in code points.
 */
export function nearest(name: string, candidates: Iterable<string>): string | null {
  let best: string | null = null;
  let bestDistance = Math.max(1, Math.floor(name.length / 3)) + 1;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - name.length) >= bestDistance) continue;
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (
      distance < bestDistance ||
      (distance === bestDistance && best !== null && comesFirst(candidate, best))
    ) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;

  function comesFirst(a: string, b: string): boolean {
    const endsAlike = (one: string): boolean => one.at(-1) === name.at(-1);
    return endsAlike(a) === endsAlike(b) ? a < b : endsAlike(a);
  }
}

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
