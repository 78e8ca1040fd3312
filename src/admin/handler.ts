/** One admin request, from its head to its answer. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { LimitValues } from '../base/limits.ts';
import type { CheckSchema } from '../model/request-body.ts';
import type { AdminActions } from './actions.ts';
import { type Admission, type Admitted, actorOf, admit } from './admission.ts';
import { entityTag, namesTag } from './entity-tag.ts';
import { type IdempotencyKeeper, idempotencyKeyOf } from './idempotency.ts';
import { OneByOne } from './one-by-one.ts';
import { type CheckMaker, isDeclaredJson, parseBody, readBody } from './request-body.ts';
import { type AdminAnswer, type AdminCall, type AdminRoute, isRefusal } from './route.ts';
import { type SendOptions, send, sendRefusal } from './send.ts';

export interface HandlerOptions extends Admission {
  readonly actions: AdminActions;
  readonly limits: Pick<LimitValues, 'adminBodyBytes' | 'requestJsonDepth' | 'requestJsonValues'>;
  readonly makeCheck: CheckMaker;
  readonly idempotency: IdempotencyKeeper;
  /** An action threw: a defect of the gateway, for its log. The caller is told `internal_error`. */
  readonly onDefect: (error: unknown) => void;
}

export type AdminHandler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

export function createAdminHandler(options: HandlerOptions): AdminHandler {
  const changes = new OneByOne();
  const checks = new Map<AdminRoute, CheckSchema>();

  return async (request, response) => {
    const admitted = admit(request, options);
    if ('refusal' in admitted) {
      sendRefusal(response, admitted.refusal, admitted.allow);
      return;
    }
    try {
      const { answer, sendOptions } = await answerTo(request, admitted, signalOf(response));
      send(response, answer, sendOptions);
    } catch (error) {
      // A caller who went away is no defect.
      if (response.destroyed || request.errored !== null) return;
      options.onDefect(error);
      sendRefusal(response, { problem: 'internal_error' });
    }
  };

  async function answerTo(
    request: IncomingMessage,
    admitted: Admitted,
    gone: AbortSignal,
  ): Promise<Answered> {
    const { route } = admitted;
    const body = route.body === undefined ? NO_BODY : await bodyOf(request, route, route.body);
    if ('problem' in body) return { answer: body, sendOptions: {} };
    const { actor, parameters, query } = admitted;
    const accept = request.headers.accept ?? '';
    const call: AdminCall = { actor, parameters, query, accept, body: body.value, gone };
    if (route.method === 'GET')
      return { answer: await route.answer(call, options.actions), sendOptions: conditional(request) };
    const answer = await changes.run(familyOf(route), () => change(request, admitted, call, body.bytes));
    return { answer, sendOptions: {} };
  }

  async function bodyOf(
    request: IncomingMessage,
    route: AdminRoute,
    schema: NonNullable<AdminRoute['body']>,
  ) {
    if (!isDeclaredJson(request)) return { problem: 'body_not_json' } as const;
    const bytes = await readBody(request, options.limits.adminBodyBytes);
    if (!bytes.ok) return bytes.error;
    let check = checks.get(route);
    if (check === undefined) {
      check = options.makeCheck(schema);
      checks.set(route, check);
    }
    const value = parseBody(bytes.value, { check, schema }, options.limits);
    return value.ok ? { bytes: bytes.value, value: value.value } : value.error;
  }

  /** In its turn: nothing else of its family changes meanwhile. */
  async function change(
    request: IncomingMessage,
    { route, token }: Admitted,
    call: AdminCall,
    bytes: Buffer,
  ): Promise<AdminAnswer> {
    // The token may have been revoked while this waited.
    const actor = actorOf(route.scope, token, options);
    if ('problem' in actor) return actor;
    const work = async (): Promise<AdminAnswer> => {
      const stale = await precondition(request, route, call);
      return stale ?? (await route.answer({ ...call, actor }, options.actions));
    };
    if (route.method !== 'POST') return work();
    const key = idempotencyKeyOf(request);
    if (key === null) return work();
    if (typeof key !== 'string') return key;
    return options.idempotency.once({ key, token, target: request.url ?? '', body: bytes }, work);
  }

  /** RFC 9110, 13.1.1. Null where the change may be made. */
  async function precondition(
    request: IncomingMessage,
    route: AdminRoute,
    call: AdminCall,
  ): Promise<AdminAnswer | null> {
    const field = request.headers['if-match'];
    if (field === undefined) return null;
    const reader = options.routes.find(({ operation }) => operation === route.changes);
    if (reader === undefined) return { problem: 'precondition_unknown' };
    const present = await reader.answer({ ...call, query: {} }, options.actions);
    if (isRefusal(present) || !('body' in present)) return { problem: 'precondition_failed' };
    return namesTag(field, entityTag(JSON.stringify(present.body)))
      ? null
      : { problem: 'precondition_failed' };
  }
}

function signalOf(response: ServerResponse): AbortSignal {
  const controller = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) controller.abort();
  });
  return controller.signal;
}

interface Answered {
  readonly answer: AdminAnswer;
  readonly sendOptions: SendOptions;
}

const NO_BODY = { bytes: Buffer.alloc(0), value: undefined } as const;

function conditional({ headers }: IncomingMessage): SendOptions {
  return { tagged: true, ifNoneMatch: headers['if-none-match'] ?? '' };
}

/** `/v1/keys/{id}/rotate` is of the family `keys`. */
function familyOf({ path }: AdminRoute): string {
  return path.split('/')[2] ?? path;
}
