import type { Result } from '../../base/result.ts';
import type { AuditProblem } from '../../pipeline/audit.ts';
import type { AdminActions, AdminHealth, LoadReport } from '../actions.ts';
import type { AdminAnswer, AdminCall, AdminRoute } from '../route.ts';
import { HEALTH_SCHEMA, LOAD_REPORT_SCHEMA, STATUS_SCHEMA } from '../status-schema.ts';

/** The gateway itself: health, status, reload, and the description of this API. */
export const SYSTEM_ROUTES: readonly AdminRoute[] = [
  {
    operation: 'health',
    method: 'GET',
    path: '/healthz',
    scope: 'anyone',
    summary: 'Whether requests are served.',
    answers: {
      200: { description: 'They are.', content: { schema: HEALTH_SCHEMA } },
      503: { description: 'Not yet, or no longer.', content: { schema: HEALTH_SCHEMA } },
    },
    answer: (_call, actions) => healthAnswer(actions.health()),
  },
  {
    operation: 'status',
    method: 'GET',
    path: '/v1/status',
    scope: 'read',
    summary: 'What runs, since when, under which configuration, and how traffic goes.',
    answers: { 200: { description: 'The state at this moment.', content: { schema: STATUS_SCHEMA } } },
    answer: (_call, actions) => ({ status: 200, body: actions.status() }),
  },
  {
    operation: 'openApi',
    method: 'GET',
    path: '/v1/openapi.json',
    scope: 'read',
    summary: 'This API as an OpenAPI 3.1 document.',
    answers: { 200: { description: 'The document.', content: { schema: { type: 'object' } } } },
    answer: (_call, actions) => ({ status: 200, body: actions.openApi() }),
  },
  {
    operation: 'reload',
    method: 'POST',
    path: '/v1/reload',
    scope: 'operate',
    summary: 'Loads the configuration anew.',
    answers: {
      200: { description: 'It is live, or nothing changed.', content: { schema: LOAD_REPORT_SCHEMA } },
      422: {
        description: 'It was refused, and the version before goes on serving.',
        content: { schema: LOAD_REPORT_SCHEMA },
      },
    },
    problems: ['live_not_recorded'],
    answer: reloadAnswer,
  },
];

function healthAnswer(health: AdminHealth): AdminAnswer {
  return { status: health === 'serving' ? 200 : 503, body: { health } };
}

async function reloadAnswer({ actor }: AdminCall, actions: AdminActions): Promise<AdminAnswer> {
  return loadAnswer(await actions.reload(actor));
}

/** Also of a roll-back. */
export function loadAnswer(report: Result<LoadReport, AuditProblem>): AdminAnswer {
  if (report.ok) return { status: report.value.outcome.kind === 'refused' ? 422 : 200, body: report.value };
  const { message, remedy } = report.error;
  return { problem: 'live_not_recorded', detail: `It is live, but not recorded yet: ${message} ${remedy}` };
}
