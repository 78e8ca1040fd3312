/**
 * Interleaved rounds: in each, every contender is measured once. A slow minute of the machine then hits all of them,
 * and ratios within a round stay true. The order rotates from round to round, so nobody always comes first.
 */
export interface Contender<Sample> {
  readonly name: string;
  readonly measure: () => Promise<Sample>;
}

export interface RoundsPlan {
  readonly rounds: number;
  /** Unrecorded measurements of each contender before the first round: connections, caches, JIT. */
  readonly warmUps: number;
  readonly onRound: (round: number) => void;
}

/** Samples by contender name; index i of each list comes from round i. */
export async function interleave<Sample>(
  contenders: readonly Contender<Sample>[],
  plan: RoundsPlan,
): Promise<ReadonlyMap<string, readonly Sample[]>> {
  for (let warmUp = 0; warmUp < plan.warmUps; warmUp++) {
    for (const contender of contenders) await contender.measure();
  }
  const samples = new Map<string, Sample[]>(contenders.map(({ name }) => [name, []]));
  for (let round = 0; round < plan.rounds; round++) {
    plan.onRound(round);
    for (const contender of rotated(contenders, round)) {
      samples.get(contender.name)!.push(await contender.measure());
    }
  }
  return samples;
}

function rotated<Item>(items: readonly Item[], by: number): Item[] {
  const first = items.length === 0 ? 0 : by % items.length;
  return [...items.slice(first), ...items.slice(0, first)];
}
