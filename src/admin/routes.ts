import type { AdminActions, AdminHealth } from './actions.ts';

/**
 * Every route of the admin API. Who may call is part of a route's type, so one without a rule does not compile; what
 * is not in this table is refused.
 */
export interface AdminRoute {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly authorisation: Authorisation;
  readonly summary: string;
  readonly answer: (actions: AdminActions) => AdminAnswer | Promise<AdminAnswer>;
}

/** `admin`: whoever presents the admin token. `anyone`: no credential is looked at. */
export type Authorisation = 'admin' | 'anyone';

export interface AdminAnswer {
  readonly status: number;
  readonly body: object;
}

export const ADMIN_ROUTES: readonly AdminRoute[] = [
  {
    method: 'GET',
    path: '/healthz',
    authorisation: 'anyone',
    summary: 'Whether requests are served: 200, or 503 while starting and draining.',
    answer: (actions) => healthAnswer(actions.health()),
  },
  {
    method: 'GET',
    path: '/v1/status',
    authorisation: 'admin',
    summary: 'What runs, since when, under which configuration, and how traffic goes.',
    answer: (actions) => ({ status: 200, body: actions.status() }),
  },
  {
    method: 'POST',
    path: '/v1/reload',
    authorisation: 'admin',
    summary: 'Loads the configuration anew: 200 when it is live, 422 with diagnostics when it was refused.',
    answer: reloadAnswer,
  },
];

function healthAnswer(health: AdminHealth): AdminAnswer {
  return { status: health === 'serving' ? 200 : 503, body: { health } };
}

async function reloadAnswer(actions: AdminActions): Promise<AdminAnswer> {
  const report = await actions.reload();
  return { status: report.outcome.kind === 'refused' ? 422 : 200, body: report };
}
