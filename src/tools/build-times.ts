import type { Clock } from '../base/ports.ts';
import type { BuildStage, Stopwatch } from '../base/stopwatch.ts';
import { compareCodePoints } from '../language/order.ts';

/** Milliseconds of one policy. What is done for several policies at once is shared among them. */
export interface PolicyTime {
  readonly policy: string;
  readonly readingMs: number;
  readonly checkingMs: number;
  readonly compilingMs: number;
  readonly allMs: number;
}

/** Where the time of a build went: by stage, and by policy. */
export class BuildTimes implements Stopwatch {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #stages = new Map<BuildStage, number>();
  readonly #policies = new Map<string, Map<BuildStage, number>>();

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock;
  }

  readonly stage: Stopwatch['stage'] = (stage, work) => {
    const begunMs = this.#clock.monotonicMs();
    const result = work();
    add(this.#stages, stage, this.#clock.monotonicMs() - begunMs);
    return result;
  };

  readonly policies: Stopwatch['policies'] = (stage, work, names) => {
    const begunMs = this.#clock.monotonicMs();
    const result = work();
    const tookMs = this.#clock.monotonicMs() - begunMs;
    const policies = new Set(names(result));
    for (const policy of policies) {
      let stages = this.#policies.get(policy);
      if (stages === undefined) {
        stages = new Map();
        this.#policies.set(policy, stages);
      }
      add(stages, stage, tookMs / policies.size);
    }
    return result;
  };

  stageMs(stage: BuildStage): number {
    return this.#stages.get(stage) ?? 0;
  }

  /** The slowest first. */
  byPolicy(): PolicyTime[] {
    const times = Array.from(this.#policies, ([policy, stages]): PolicyTime => {
      const [readingMs, checkingMs, compilingMs] = POLICY_STAGES.map((stage) => stages.get(stage) ?? 0) as [
        number,
        number,
        number,
      ];
      return { policy, readingMs, checkingMs, compilingMs, allMs: readingMs + checkingMs + compilingMs };
    });
    return times.sort((a, b) => b.allMs - a.allMs || compareCodePoints(a.policy, b.policy));
  }
}

const POLICY_STAGES = ['reading', 'checking', 'compiling'] as const;

function add<Key>(sums: Map<Key, number>, key: Key, ms: number): void {
  sums.set(key, (sums.get(key) ?? 0) + ms);
}

const STAGE_WORDS: Readonly<Record<BuildStage, string>> = {
  configuration: 'routes, tenants and settings read and checked',
  reading: 'policies read',
  checking: 'policies checked',
  compiling: 'rules compiled for all routes, with their code',
};

const POLICIES_SHOWN = 20;

/** As a table for people: stages, then the slowest policies. */
export function renderTimes(times: BuildTimes): string {
  const stages = (Object.keys(STAGE_WORDS) as BuildStage[]).map(
    (stage) => `${msText(times.stageMs(stage))}  ${STAGE_WORDS[stage]}`,
  );
  const policies = times.byPolicy();
  if (policies.length === 0) return `${stages.join('\n')}\n`;
  const shown = policies
    .slice(0, POLICIES_SHOWN)
    .map(({ policy, readingMs, checkingMs, compilingMs, allMs }) =>
      [allMs, readingMs, checkingMs, compilingMs].map(msText).concat(`  "${policy}"`).join(''),
    );
  const others = policies.slice(POLICIES_SHOWN);
  const restMs = others.reduce((sum, { allMs }) => sum + allMs, 0);
  const rest = others.length === 0 ? [] : [`${msText(restMs)}  ${others.length} more, together`];
  const head = ['all', 'reading', 'checking', 'compiling'].map((word) => word.padStart(WIDTH)).join('');
  return `${[...stages, '', `${head}  policy`, ...shown, ...rest].join('\n')}\n`;
}

const WIDTH = 14;

function msText(ms: number): string {
  return `${ms.toFixed(ms < 10 ? 2 : 0)} ms`.padStart(WIDTH);
}
