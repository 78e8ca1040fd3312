/**
 * A provider of models for trials, tests and benches: OpenAI's dialect below `/v1`, Anthropic's at `/v1/messages`, with the limits,
 * errors and events of the real ones. What it answers depends on the call and the seed alone. `/mock/*` tells what it has
 * counted, and changes how it behaves.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Clock } from '../../base/ports.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { Account, type AccountOptions } from './accounts.ts';
import { anthropic } from './anthropic.ts';
import { bodyOfCall, type JsonObject, type MockCall, parsedObject, readMockCall } from './call.ts';
import { type Answers, type Control, controlAnswer, type FaultKind } from './control.ts';
import type { Dialect, MockAnswer, MockError } from './dialect.ts';
import { KeyPlaces } from './key-places.ts';
import { openai } from './openai.ts';
import { hashOf } from './words.ts';

export interface MockProviderOptions extends Readonly<Answers>, StoodFor {
  /** On 127.0.0.1; 0 lets the system choose. */
  readonly port: number;
  readonly clock: Clock;
}

/** Whose calls it answers. */
export interface StoodFor {
  readonly accounts: readonly AccountOptions[];
  readonly models: readonly string[];
}

export interface MockProvider {
  /** Without `/v1`. */
  readonly url: string;
  readonly accounts: readonly Account[];
  /** From now on it knows these: an account of a name that it knows keeps what it has counted. */
  standInFor(stoodFor: StoodFor): void;
  /** Ends every connection, open streams too. */
  close(): Promise<void>;
}

const ADDRESS = '127.0.0.1';
const BODY_BYTES_MAX = 16 * 1_024 * 1_024;

export async function startMockProvider(options: MockProviderOptions): Promise<Result<MockProvider, string>> {
  const provider = new Provider(options);
  const server = createServer((request, response) => {
    // Whatever a caller sends, who started it goes on.
    provider.answer(request, response).catch(() => response.destroy());
  });
  return new Promise((resolve) => {
    server.once('error', (error) =>
      resolve(err(`The mock provider can't listen on ${ADDRESS}:${options.port}: ${error.message}.`)),
    );
    server.listen({ host: ADDRESS, port: options.port, exclusive: true }, () => {
      const { port } = server.address() as AddressInfo;
      resolve(
        ok({
          url: `http://${ADDRESS}:${port}`,
          get accounts() {
            return provider.control.accounts;
          },
          standInFor: (stoodFor) => provider.standInFor(stoodFor),
          close: () => close(server),
        }),
      );
    });
  });
}

class Provider {
  readonly #clock: Clock;
  readonly control: Control;
  readonly #told = new Map<string, string>();
  #keyPlaces = new KeyPlaces([]);
  #models: readonly string[] = [];
  #calls = 0;

  constructor(options: MockProviderOptions) {
    const { clock, seed, latencyMs, eventMs } = options;
    this.#clock = clock;
    this.control = {
      accounts: [],
      accountOf: new Map(),
      faults: [],
      answers: { seed, latencyMs, eventMs },
    };
    this.standInFor(options);
  }

  standInFor({ accounts, models }: StoodFor): void {
    const known = new Map(this.control.accounts.map((account) => [account.name, account]));
    const accountOf = new Map<string, Account>();
    this.control.accounts = accounts.map((options) => {
      const account = known.get(options.name) ?? new Account(options);
      for (const key of options.keys) accountOf.set(key, account);
      // What somebody has set by /mock/limits holds until the limits are others.
      const told = JSON.stringify([options.limits, options.modelLimits]);
      if (this.#told.get(options.name) !== told) account.setLimits(options.limits, options.modelLimits);
      this.#told.set(options.name, told);
      return account;
    });
    this.control.accountOf = accountOf;
    this.#keyPlaces = new KeyPlaces(accounts);
    this.#models = models;
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [path = '/'] = (request.url ?? '/').split('?');
    const bytes = await bodyOf(request);
    if (bytes === null) return;
    if (path.startsWith('/mock/')) {
      const said = controlAnswer(
        this.control,
        request.method ?? '',
        path,
        parsedObject(bytes.toString('utf8')),
      );
      send(response, said.status, {}, said.body);
      return;
    }
    const below = path.replace(/^.*?\/v1(?=\/)/, '');
    const dialect = below.startsWith('/messages') ? anthropic : openai;
    await this.#call(dialect, below, bytes, request, response);
  }

  async #call(
    dialect: Dialect,
    path: string,
    bytes: Buffer,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const { seed } = this.control.answers;
    const key = this.#keyPlaces.shownIn(request.headers, dialect.keyOf(request.headers));
    const account = this.control.accountOf.get(key);
    if (account === undefined || account.revoked.has(key)) {
      if (account !== undefined) account.counts.unauthorised++;
      this.#refuse(response, dialect, { kind: 'key' });
      return;
    }
    if (request.method === 'GET' && path === '/models') {
      send(
        response,
        200,
        {},
        { object: 'list', data: this.#models.map((id) => ({ id, object: 'model', owned_by: 'mock' })) },
      );
      return;
    }
    const body = await bodyOfCall(bytes, request.headers['content-type']);
    if (body === null) {
      this.#refuse(response, dialect, { kind: 'body', why: 'The body is neither a JSON object nor a form.' });
      return;
    }
    const call = readMockCall(body, seed);
    account.counts.requests++;
    const fault = this.#fault(account);
    if (fault !== null && 'breaks' in fault && fault.breaks === 'connection') {
      response.destroy();
      return;
    }
    const scripted = fault !== null && 'status' in fault ? fault : null;
    const refusal =
      scripted === null
        ? this.#refusal(account, call)
        : scripted.status === 200
          ? null
          : ({ kind: 'fault', status: scripted.status } as const);
    const nowMs = this.#clock.monotonicMs();
    const full = refusal ?? this.#take(account, call, nowMs);
    const fields = dialect.limitFields(account.states(call.model, nowMs), this.#clock.wallMs());
    if (full !== null) {
      if (full.kind === 'limit') {
        account.counts.refused++;
        if (Number.isFinite(full.waitMs))
          fields['retry-after'] = String(Math.max(1, Math.ceil(full.waitMs / 1_000)));
      }
      Object.assign(fields, scripted?.fields);
      if (scripted?.body === undefined) this.#refuse(response, dialect, full, fields);
      else send(response, scripted.status, fields, scripted.body);
      return;
    }
    const id = hashOf(`${key} ${this.#calls++}`, seed)
      .toString(16)
      .padStart(8, '0');
    Object.assign(fields, scripted?.fields);
    await this.#serve(dialect, path, account, call, {
      ...{ id, fields, response, body: scripted?.body },
      breaks: fault !== null && scripted === null,
    });
  }

  #fault(account: Account): FaultKind | null {
    const fault = this.control.faults.find(
      ({ times, account: of }) => times > 0 && (of === undefined || of === account.name),
    );
    if (fault === undefined) return null;
    fault.times--;
    return fault.kind;
  }

  #refusal(account: Account, { model }: MockCall): MockError | null {
    if (!this.#models.includes(model)) return { kind: 'model', model };
    return account.hasCredit ? null : { kind: 'credit' };
  }

  #take(
    account: Account,
    { model, inputTokens, outputMax, choices }: MockCall,
    nowMs: number,
  ): MockError | null {
    const full = account.take(model, { inputTokens, outputTokens: outputMax * choices }, nowMs);
    if (full === null) return null;
    const { amount } = account.states(model, nowMs).find(({ name }) => name === full.limit)!;
    return { kind: 'limit', ...full, amount, model, account: account.name };
  }

  async #serve(
    dialect: Dialect,
    path: string,
    account: Account,
    call: MockCall,
    {
      id,
      fields,
      response,
      body,
      breaks,
    }: {
      readonly id: string;
      readonly fields: Record<string, string>;
      readonly response: ServerResponse;
      /** In place of what the dialect answers; undefined: nothing is. */
      readonly body: unknown;
      /** In the middle of the answer. */
      readonly breaks: boolean;
    },
  ): Promise<void> {
    const { latencyMs, eventMs, seed } = this.control.answers;
    const answer = body === undefined ? dialect.answer(path, call, id) : scriptedAnswer(body);
    if (answer === null) {
      this.#refuse(response, dialect, { kind: 'path' });
      return;
    }
    const [least, most] = latencyMs;
    await wait(least + ((most - least) * (hashOf(id, seed) % 1_000)) / 1_000);
    const outputTokens = call.words.length * call.choices;
    if (answer.kind === 'json')
      send(response, 200, { ...fields, 'x-request-id': `req_${id}` }, answer.body, breaks);
    else if (answer.kind === 'bytes')
      sendBytes(response, { ...fields, 'x-request-id': `req_${id}` }, answer, breaks);
    else {
      response.writeHead(200, {
        ...fields,
        'content-type': 'text/event-stream',
        'x-request-id': `req_${id}`,
      });
      const events = breaks ? answer.events.slice(0, answer.events.length / 2) : answer.events;
      for (const event of events) {
        if (response.destroyed) break;
        response.write(event);
        await wait(eventMs);
      }
      // Not before all of them are on their way.
      if (breaks) response.write(': broken off\n\n', () => response.destroy());
      else response.end();
    }
    account.use(call.inputTokens, outputTokens);
    const unused = { inputTokens: 0, outputTokens: call.outputMax * call.choices - outputTokens };
    if (dialect.settles) account.giveBack(call.model, unused, this.#clock.monotonicMs());
  }

  #refuse(
    response: ServerResponse,
    dialect: Dialect,
    error: MockError,
    fields: Record<string, string> = {},
  ): void {
    const { status, body } = dialect.errorBody(error);
    send(response, status, fields, body);
  }
}

/** A list is the events of a stream, in data or as texts. */
function scriptedAnswer(body: unknown): MockAnswer {
  if (!Array.isArray(body)) return { kind: 'json', body: body as JsonObject };
  const dataOf = (event: unknown): string => (typeof event === 'string' ? event : JSON.stringify(event));
  return { kind: 'events', events: body.map((event) => `data: ${dataOf(event)}\n\n`) };
}

function send(
  response: ServerResponse,
  status: number,
  fields: Record<string, string>,
  body: unknown,
  breaks = false,
): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    ...fields,
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
  });
  if (breaks) response.write(text.slice(0, text.length / 2), () => response.destroy());
  else response.end(text);
}

function sendBytes(
  response: ServerResponse,
  fields: Record<string, string>,
  { contentType, bytes }: { readonly contentType: string; readonly bytes: Uint8Array },
  breaks: boolean,
): void {
  response.writeHead(200, { ...fields, 'content-type': contentType, 'content-length': bytes.length });
  if (breaks) response.write(bytes.subarray(0, bytes.length / 2), () => response.destroy());
  else response.end(bytes);
}

/** Null when the caller left, or sends more than anybody needs. */
async function bodyOf(request: IncomingMessage): Promise<Buffer | null> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const piece of request) {
      bytes += (piece as Buffer).length;
      if (bytes > BODY_BYTES_MAX) {
        request.destroy();
        return null;
      }
      pieces.push(piece as Buffer);
    }
  } catch {
    // The caller left: there is nobody to answer.
    return null;
  }
  return Buffer.concat(pieces);
}

/** Latency 0 answers in the same turn. */
function wait(ms: number): Promise<void> {
  return ms <= 0 ? Promise.resolve() : new Promise((resolve) => setTimeout(resolve, ms));
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
