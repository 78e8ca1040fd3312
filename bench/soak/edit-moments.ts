/** When edits were written, and first seen to be live: what was unexpected may have to do with one. */
export class EditMoments {
  readonly #seenMs = new Map<string, number>();
  #last: { readonly mark: string; readonly writtenMs: number } | null = null;
  #count = 0;

  get count(): number {
    return this.#count;
  }

  written(mark: string, atMs: number): void {
    this.#last = { mark, writtenMs: atMs };
    this.#count++;
  }

  seen(mark: string, atMs: number): void {
    if (!this.#seenMs.has(mark)) this.#seenMs.set(mark, atMs);
  }

  isSeen(mark: string): boolean {
    return this.#seenMs.has(mark);
  }

  /** The last edit, by an exchange that began and ended at these moments. */
  around(beganMs: number, endedMs: number): string {
    if (this.#last === null) return 'before the first edit';
    const { mark, writtenMs } = this.#last;
    const seenMs = this.#seenMs.get(mark);
    const from = (ms: number): string => `${Math.round(ms - writtenMs)} ms`;
    const live = seenMs === undefined ? 'not seen live' : `seen live after ${from(seenMs)}`;
    return `began ${from(beganMs)} and ended ${from(endedMs)} after edit ${mark} was written, ${live}`;
  }
}
