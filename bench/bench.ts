/** What a bench is and what it gives back. The runner (`run.ts`) knows nothing else about one. */

export interface Bench {
  readonly name: string;
  /** One line: what it shows. */
  readonly summary: string;
  readonly run: (context: BenchContext) => Promise<BenchResult>;
}

export interface BenchContext {
  readonly mode: 'full' | 'quick';
  /** Interleaved rounds; each contender is measured once in each. */
  readonly rounds: number;
  /** Length of one measurement. */
  readonly seconds: number;
  /** `main.js` of the gateway to measure. */
  readonly gatewayMain: string;
  /** `main.js` of another build to decide a change by, or null. Benches that can't compare builds ignore it. */
  readonly againstMain: string | null;
  /** Only the part of a bench whose name holds this text; '' for all of it. */
  readonly only: string;
  /** Of a bench that repeats something until it is enough: how often, or null for its own choice. */
  readonly cycles: number | null;
  /** Of a bench that draws by chance. */
  readonly seed: number;
  /** Empty folder for projects, configurations and logs; the runner removes it. */
  readonly workFolder: string;
  /** Tells the person who waits what is going on. */
  readonly say: (line: string) => void;
}

export interface BenchResult {
  readonly figures: readonly Figure[];
  /** What a reader must know to read the figures: placement, what was left out and why. */
  readonly notes: readonly string[];
}

export interface Figure {
  readonly name: string;
  readonly unit: string;
  /** One value per round; the figure is their median. Empty: not measured, so a bar on it does not hold. */
  readonly values: readonly number[];
  readonly bar: Bar | null;
}

export type Bar =
  | { readonly kind: 'at-most'; readonly value: number }
  | { readonly kind: 'at-least'; readonly value: number };

export function atMost(value: number): Bar {
  return { kind: 'at-most', value };
}

export function atLeast(value: number): Bar {
  return { kind: 'at-least', value };
}

export function barText(bar: Bar): string {
  return `${bar.kind === 'at-most' ? '≤' : '≥'} ${bar.value}`;
}

/** A value that was not measured (null) holds no bar. */
export function barHolds(bar: Bar, value: number | null): boolean {
  if (value === null || Number.isNaN(value)) return false;
  return bar.kind === 'at-most' ? value <= bar.value : value >= bar.value;
}
