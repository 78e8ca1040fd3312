/** The limits of one account as its provider enforces them; of what is left it tells what the real ones tell. */
import type { ProviderWindow, WindowUnit } from './scenario.ts';

/** What a call takes of each unit. */
export type Sizes = Readonly<Record<WindowUnit, number>>;

export interface LimitReading {
  readonly unit: WindowUnit;
  readonly windowMs: number;
  readonly amount: number;
  /** Never negative. */
  readonly left: number;
  /** Until nothing is in use any more. */
  readonly resetMs: number;
}

interface Level extends Pick<ProviderWindow, 'unit' | 'kind' | 'windowMs'> {
  amount: number;
  left: number;
  atMs: number;
}

export class TrueLimits {
  readonly #levels: Level[];

  constructor(windows: readonly ProviderWindow[]) {
    this.#levels = windows.map((window) => ({ ...window, left: window.amount, atMs: 0 }));
  }

  /** Null: it is taken; else how long until the limit that lacks most would have room. */
  take(sizes: Sizes, nowMs: number): { readonly unit: WindowUnit; readonly waitMs: number } | null {
    let longest: { unit: WindowUnit; waitMs: number } | null = null;
    for (const level of this.#levels) {
      refresh(level, nowMs);
      const missing = sizes[level.unit] - level.left;
      if (missing <= 0) continue;
      const waitMs =
        level.kind === 'bucket'
          ? (missing * level.windowMs) / level.amount
          : level.windowMs - (nowMs % level.windowMs);
      if (longest === null || waitMs > longest.waitMs) longest = { unit: level.unit, waitMs };
    }
    if (longest === null) for (const level of this.#levels) level.left -= sizes[level.unit];
    return longest;
  }

  /** The answer had fewer tokens than were set aside for it. */
  giveBack(tokens: number, nowMs: number): void {
    for (const level of this.#levels) {
      if (level.unit !== 'tokens') continue;
      refresh(level, nowMs);
      level.left = Math.min(level.amount, level.left + tokens);
    }
  }

  /** A lowered bucket keeps no more than it then holds; a raised one fills up. */
  scale(factor: number, nowMs: number): void {
    for (const level of this.#levels) {
      refresh(level, nowMs);
      level.amount *= factor;
      level.left = Math.min(level.left, level.amount);
    }
  }

  read(nowMs: number): LimitReading[] {
    return this.#levels.map((level) => {
      refresh(level, nowMs);
      const { unit, kind, windowMs, amount, left } = level;
      const resetMs =
        kind === 'bucket' ? ((amount - left) * windowMs) / amount : windowMs - (nowMs % windowMs);
      return { unit, windowMs, amount, left: Math.max(0, Math.floor(left)), resetMs };
    });
  }
}

function refresh(level: Level, nowMs: number): void {
  const { kind, windowMs, amount } = level;
  if (kind === 'bucket')
    level.left = Math.min(amount, level.left + ((nowMs - level.atMs) * amount) / windowMs);
  else if (Math.floor(nowMs / windowMs) > Math.floor(level.atMs / windowMs)) level.left = amount;
  level.atMs = nowMs;
}
