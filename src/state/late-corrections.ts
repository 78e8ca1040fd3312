/**
 * Corrections of one thread whose lock could not be had in time. They are made up for before its next take, and by its sweep where
 * none comes: by all rule sets together, because the one that a correction belongs to may have served its last request.
 */
export class LateCorrections {
  #waiting: (() => boolean)[] = [];

  /** @param correct false when the lock can't be had this time either */
  add(correct: () => boolean): void {
    this.#waiting.push(correct);
  }

  makeUp(): void {
    if (this.#waiting.length === 0) return;
    const late = this.#waiting;
    this.#waiting = [];
    for (const correct of late) if (!correct()) this.#waiting.push(correct);
  }
}
