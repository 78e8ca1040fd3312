/** What one request waits for: its turn in limits, a grant of a lease, the check of its token or the count of its prompt. It holds nothing meanwhile. */
import type { RequestContext } from '../pipeline/context.ts';
import type { Refusal, Wait } from '../pipeline/outcome.ts';
import type { Waiting } from './deciding.ts';
import type { ExchangeThread } from './exchange-thread.ts';
import type { LimitWaiter } from './limit-queue.ts';

/** Made when it waits first. */
export class RequestWaits {
  readonly #thread: Pick<ExchangeThread, 'grants' | 'turns'>;
  readonly #request: LimitWaiter;
  readonly #context: RequestContext;
  /** Null while it does not wait. */
  #sinceMs: number | null = null;
  /** What ends its waiting for its turn. */
  #inVain: Refusal | null = null;
  #waitsForGrant = false;

  constructor(
    thread: Pick<ExchangeThread, 'grants' | 'turns'>,
    request: LimitWaiter,
    context: RequestContext,
  ) {
    this.#thread = thread;
    this.#request = request;
    this.#context = context;
  }

  get areOn(): boolean {
    return this.#sinceMs !== null;
  }

  /** What it is answered where it waits for its turn and is to wait no longer; null where it does not. */
  get inVain(): Refusal | null {
    return this.#inVain;
  }

  /** `untilMs`: its deadline. What it is answered where it can't wait; null: it is woken. */
  begin(waiting: Waiting, untilMs: number): Refusal | null {
    this.#sinceMs = this.#context.nowMonotonicMs;
    switch (waiting.kind) {
      case 'wait-for-token':
        void waiting.outcome.then((outcome) => {
          this.#context.tokenOutcome = outcome;
          this.#request.wake();
        });
        return null;
      case 'wait-for-count':
        void waiting.tokens.then(() => this.#request.wake());
        return null;
      case 'wait-for-grant':
        this.#waitsForGrant = true;
        this.#thread.grants.await(this.#request);
        return null;
      case 'wait':
        return this.#enter(waiting, untilMs);
    }
  }

  #enter(waiting: Wait, untilMs: number): Refusal | null {
    const { identity, arrivedMonotonicMs, nowMonotonicMs } = this.#context;
    const place = { tenant: identity?.tenant.name ?? '', arrivedMs: arrivedMonotonicMs };
    const untilMonotonicMs = Math.min(waiting.untilMonotonicMs, untilMs);
    const isTooLate =
      nowMonotonicMs >= untilMonotonicMs ||
      waiting.counters.some(({ room, atMs }) => room === 'clock' && atMs > untilMonotonicMs);
    this.#inVain = waiting.refusal;
    if (isTooLate) return waiting.refusal;
    const hasPlace = this.#thread.turns.enter(this.#request, { ...waiting, untilMonotonicMs }, place);
    return hasPlace ? null : waiting.refusal;
  }

  /** It goes on, or is answered. How long it waited, in ms. */
  end(nowMs: number): number {
    const waitedMs = this.#sinceMs === null ? 0 : nowMs - this.#sinceMs;
    this.#sinceMs = null;
    this.#inVain = null;
    return waitedMs;
  }

  /** It is over, and nobody is to wake it. */
  stop(): void {
    if (this.#waitsForGrant) this.#thread.grants.forget(this.#request);
    this.#thread.turns.forget(this.#request);
  }
}
