import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AnswerHomes, accountTag, answerHomesBytes } from './answer-homes.ts';

const homes = (answers: number) => {
  const memory = new SharedArrayBuffer(answerHomesBytes(answers));
  return { memory, homes: new AnswerHomes(memory) };
};
const ACCOUNTS = ['org-1', 'org-2', 'org-3'].map((name) => accountTag('openai', name));

describe('homes of answers', () => {
  it('are known to all threads, for as many as there is room for, the latest ones first', () => {
    const { memory, homes: one } = homes(1_000);
    const other = new AnswerHomes(memory);
    const id = (nth: number) => `resp_${nth.toString(16).padStart(48, '0')}`;
    for (let nth = 0; nth < 3_000; nth++) one.remember(id(nth), ACCOUNTS[nth % 3]!);
    let [known, latest] = [0, 0];
    for (let nth = 0; nth < 3_000; nth++) {
      const account = other.ownerOf(id(nth));
      if (account === null) continue;
      expect(account).toBe(ACCOUNTS[nth % 3]);
      known++;
      if (nth >= 2_800) latest++;
    }
    expect(known).toBe(1_000);
    expect(latest).toBeGreaterThan(195);
    expect(other.ownerOf('resp_of_somebody')).toBeNull();
  });

  it('stay known as long as fewer other ids than a bucket has room for came after', () => {
    const bucket = 4;
    const turns = fc.array(fc.tuple(fc.integer({ min: 0, max: 6 }), fc.constantFrom(...ACCOUNTS)), {
      maxLength: 40,
    });
    fc.assert(
      fc.property(turns, (said) => {
        const { homes: known } = homes(bucket);
        // the latest last
        const latest = new Map<number, number>();
        for (const [id, account] of said) {
          known.remember(`conv_${id}`, account);
          latest.delete(id);
          latest.set(id, account);
        }
        const kept = new Map([...latest].slice(-bucket));
        for (let id = 0; id <= 6; id++) expect(known.ownerOf(`conv_${id}`)).toBe(kept.get(id) ?? null);
      }),
    );
  });

  it('tell accounts of two providers apart, though they have one name', () => {
    expect(accountTag('openai', 'main')).not.toBe(accountTag('azure', 'main'));
  });
});
