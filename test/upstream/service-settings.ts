import type { Service } from '../../src/model/world.ts';

/** What a service has that says nothing of it: the defaults of `schemas/routes.schema.json`. */
export const SERVICE_SETTINGS: Pick<
  Service,
  'health' | 'outliers' | 'slowStartMs' | 'resolveMs' | 'retries'
> = {
  health: null,
  outliers: {
    judged: 'beside-others',
    failures: 3,
    errorShare: 0.5,
    windowMs: 10_000,
    requestsMin: 20,
    firstMs: 1_000,
    longestMs: 30_000,
    outMax: 0.5,
  },
  slowStartMs: 10_000,
  resolveMs: 30_000,
  retries: { share: 0.1, attempts: 3 },
};
