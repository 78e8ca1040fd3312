/** Enough numbers that few cases run out of choices. */
const NUMBERS = 700;

/**
 * The numbers behind one random case: SplitMix32 from a seed and the number of the case, so that any case of a long run can
 * be made again by itself.
 */
export function randomNumbers(seed: number, number: number): Uint16Array {
  let state = (Math.imul(seed, 0x85ebca6b) ^ Math.imul(number, 0xc2b2ae35)) | 0;
  return Uint16Array.from({ length: NUMBERS }, () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return (mixed ^ (mixed >>> 15)) & 0xffff;
  });
}
