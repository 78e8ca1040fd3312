/** How a secret takes the place of another: on a small share of calls, on half of them, on all; then the former one is given up. */

/** A secret that is being replaced; moments by the wall clock. */
export interface FormerSecret {
  readonly value: Uint8Array;
  /** Since when another takes its place. */
  readonly sinceMs: number;
  /** Until when it is kept. */
  readonly untilMs: number;
}

export interface RotationStep {
  /** The share of calls that the new secret is tried for first. */
  readonly share: number;
  /** What the former one still does. */
  readonly former: 'serves' | 'drains' | 'over';
}

/** By the part of the overlap that has passed: a new secret that does not work is found out by few calls, and has proven itself before it is alone. */
const STEPS: readonly (RotationStep & { readonly untilPart: number })[] = [
  { untilPart: 1 / 8, share: 0.1, former: 'serves' },
  { untilPart: 1 / 2, share: 0.5, former: 'serves' },
  { untilPart: 1, share: 1, former: 'drains' },
];

export function rotationStep(
  { sinceMs, untilMs }: Omit<FormerSecret, 'value'>,
  wallMs: number,
): RotationStep {
  const part = (wallMs - sinceMs) / (untilMs - sinceMs);
  return STEPS.find(({ untilPart }) => part < untilPart) ?? { share: 1, former: 'over' };
}
