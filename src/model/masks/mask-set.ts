import type { Mask } from './kinds.ts';
import { Masker } from './masker.ts';

/** The masks that apply to something, with what removes them: made once for each set that occurs. */
export class MaskSet {
  readonly masks: readonly Mask[];
  readonly #next = new Map<Mask, MaskSet>();
  #masker: Masker | null = null;

  constructor(masks: readonly Mask[] = []) {
    this.masks = masks;
  }

  get masker(): Masker {
    this.#masker ??= new Masker(this.masks);
    return this.#masker;
  }

  /** This one and a further mask; the same object for the same mask, as long as not too many sets occur. */
  with(mask: Mask): MaskSet {
    const known = this.#next.get(mask);
    if (known !== undefined) return known;
    const next = new MaskSet([...this.masks, mask]);
    if (this.#next.size < KEPT_MOST) this.#next.set(mask, next);
    return next;
  }
}

const KEPT_MOST = 100;
