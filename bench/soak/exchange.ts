import { once } from 'node:events';
import {
  type ClientRequest,
  request as httpRequest,
  type IncomingMessage,
  type RequestOptions,
} from 'node:http';

export interface Answer {
  /** What was asked, on what connection, and how long it took. */
  readonly asked: string;
  readonly status: number;
  readonly body: Buffer;
  readonly headers: IncomingMessage['headers'];
  /** How it ended when it was cut short, or null. */
  readonly cut: string | null;
}

/** What came is none of what may come. Its message tells all of the exchange. */
export class Unexpected extends Error {
  /** Of the problem that the gateway answered with, else empty. */
  readonly code: string;

  constructor(message: string, answer: Answer | null = null) {
    super(answer === null ? message : `${message}\n    ${told(answer)}`);
    this.code = answer === null ? '' : problemCode(answer);
  }
}

export async function exchange(options: RequestOptions, body: Buffer | undefined): Promise<Answer> {
  const beganMs = performance.now();
  const sent = httpRequest({ host: '127.0.0.1', ...options });
  const asked = (): string => {
    const connection = sent.reusedSocket ? 'a used' : 'a new';
    const tookMs = Math.round(performance.now() - beganMs);
    return `${options.method} ${options.path} with ${body?.length ?? 0} bytes on ${connection} connection, ${tookMs} ms`;
  };
  sent.end(body);
  const response = await answerOf(sent, asked);
  const pieces: Buffer[] = [];
  let cut: string | null = null;
  try {
    for await (const piece of response) pieces.push(piece as Buffer);
  } catch (error) {
    cut = (error as NodeJS.ErrnoException).code ?? String(error);
  }
  return {
    asked: asked(),
    status: response.statusCode!,
    headers: response.headers,
    body: Buffer.concat(pieces),
    cut,
  };
}

async function answerOf(sent: ClientRequest, asked: () => string): Promise<IncomingMessage> {
  try {
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    return response;
  } catch (error) {
    throw new Unexpected(`no answer: ${String(error)}\n    ${asked()}`);
  }
}

export function expectStatus(answer: Answer, expected: readonly number[]): void {
  expectThat(answer.cut === null && expected.includes(answer.status), `not ${expected.join(' or ')}`, answer);
}

export function expectThat(holds: boolean, otherwise: string, answer: Answer | null): void {
  if (!holds) throw new Unexpected(otherwise, answer);
}

function problemCode({ headers, body }: Answer): string {
  if (headers['content-type'] !== 'application/problem+json') return '';
  return (JSON.parse(body.toString()) as { readonly code: string }).code;
}

const BODY_SHOWN_MAX = 600;

function told({ asked, status, headers, body, cut }: Answer): string {
  const fields = Object.entries(headers).map(([name, value]) => `${name}: ${String(value)}`);
  const end = cut === null ? '' : `, cut by ${cut}`;
  return [
    asked,
    `${status}; ${fields.join('; ')}`,
    `${body.length} bytes${end}: ${body.toString('latin1', 0, BODY_SHOWN_MAX)}`,
  ].join('\n    ');
}
