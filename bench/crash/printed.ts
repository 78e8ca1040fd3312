import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { AdminStatus } from '../../src/admin/actions.ts';
import type { AdminClient } from './admin-client.ts';
import { COUNTED_ROUTES, policyOf } from './counters.ts';

/** What `status` said of the counter of one route. */
export interface PrintedCounter {
  /** Its identity in the gateway. */
  readonly identity: string;
  readonly openSlice: number;
  readonly reserved: number;
}

/** By the name of the route. */
export type Printed = Readonly<Record<string, PrintedCounter>>;

/** So often that little happens between the last word and the kill, so seldom that the control thread has other work, too. */
const LOOK_EVERY_MS = 15;

/** Of a gateway that is left alone: a lease that a thread asked for ahead comes within this, or shows in the next look. */
const STEADY_MS = 150;
const STEADY_WITHIN_MS = 20_000;

/** Keeps what `status` said last, as an operator would have it on the screen in the moment of the crash. */
export class StatusWatch {
  printed: Printed | null = null;
  readonly alerts = new Set<string>();
  readonly #admin: AdminClient;
  readonly #group: number;

  constructor(admin: AdminClient, group: number) {
    this.#admin = admin;
    this.#group = group;
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.look();
      await delay(LOOK_EVERY_MS);
    }
  }

  /** Of a gateway that nobody asks anything: until it says the same twice, so that what was printed is what is. */
  async lookUntilSteady(): Promise<void> {
    const deadlineMs = performance.now() + STEADY_WITHIN_MS;
    for (let before: Printed | null = null; before === null || !isDeepStrictEqual(before, this.printed); ) {
      if (performance.now() > deadlineMs) throw new Error('status did not come to rest');
      before = this.printed;
      await delay(STEADY_MS);
      this.printed = null;
      await this.look();
    }
  }

  async look(): Promise<void> {
    const status = await this.#admin.status();
    if (status === null) return;
    this.printed = printedIn(status, this.#group);
    for (const { kind, message } of status.alerts) this.alerts.add(`${kind}: ${message}`);
  }
}

function printedIn({ counters }: AdminStatus, group: number): Printed {
  const byPolicy = new Map(
    counters.map((counter) => [(JSON.parse(counter.identity) as string[])[0]!, counter]),
  );
  return Object.fromEntries(
    COUNTED_ROUTES.map((route) => {
      const counter = byPolicy.get(policyOf(route, group));
      if (counter === undefined) throw new Error(`status does not tell of ${policyOf(route, group)}`);
      const { identity, openSlice, reserved } = counter;
      return [route.name, { identity, openSlice: openSlice ?? 0, reserved: reserved ?? 0 }];
    }),
  );
}
