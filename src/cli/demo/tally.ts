/** What callers of one side have seen so far. */
import type { Answer } from './calls.ts';
import { TENANTS, type Tenant } from './story.ts';

export interface TenantTally {
  sent: number;
  served: number;
}

export class Tally {
  readonly tenants: Readonly<Record<Tenant, TenantTally>> = {
    acme: { sent: 0, served: 0 },
    globex: { sent: 0, served: 0 },
  };
  /** Served after the quick ones: how long they took. */
  slowestMs = 0;
  /** 429 with the moment to come back. */
  refused = 0;
  /** All else that is no answer of a model. */
  errors = 0;
  readonly #begun = new Map<object, number>();

  begins(tenant: Tenant, nowMs: number): (answer: Answer, endMs: number) => void {
    const call = {};
    this.#begun.set(call, nowMs);
    this.tenants[tenant].sent++;
    return ({ status, retryAfterS }, endMs) => {
      this.#begun.delete(call);
      if (status === 200) {
        this.tenants[tenant].served++;
        this.slowestMs = Math.max(this.slowestMs, endMs - nowMs);
      } else if (status === 429 && retryAfterS !== null) this.refused++;
      else this.errors++;
    };
  }

  get underWay(): number {
    return this.#begun.size;
  }

  get sent(): number {
    return TENANTS.reduce((sum, tenant) => sum + this.tenants[tenant].sent, 0);
  }

  get served(): number {
    return TENANTS.reduce((sum, tenant) => sum + this.tenants[tenant].served, 0);
  }
}
