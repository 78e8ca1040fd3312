import fc from 'fast-check';
import { Client } from 'undici';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { applyDamage, damage, wellFormed } from '../../test/upstream/answers.ts';
import { ClientHarness, exchange, request } from '../../test/upstream/harness.ts';
import { RawServer } from '../../test/upstream/raw-server.ts';
import type { UpstreamService } from '../pipeline/upstream.ts';
import { KEPT, KNOWN_NAMES, NAME_ROLES } from './field-names.ts';
import { PARSER_CASES } from './response-parser.cases.ts';

/** What a client made of an answer; an error is an error, whatever its words. */
interface Seen {
  readonly status: number;
  readonly fields: readonly string[];
  readonly body: string;
  readonly error: string;
}

let wire = '';
let server: RawServer;
let service: UpstreamService;
const harness = new ClientHarness();

beforeAll(async () => {
  server = await RawServer.start(async (peer) => {
    await peer.request();
    if (wire !== '') await peer.send(wire);
    peer.end();
  });
  service = harness.service(server.port);
});

afterAll(async () => {
  harness.upstream.close();
  await server.stop();
});

async function seenByUs(method: string): Promise<Seen> {
  const { head, body, error } = await exchange(service, request({ method })).outcome;
  return {
    status: head?.status ?? 0,
    fields: head?.fields ?? [],
    body,
    error: error === null ? '' : error.detail,
  };
}

function seenByUndici(method: string): Promise<Seen> {
  const client = new Client(`http://127.0.0.1:${server.port}`, { pipelining: 1, keepAliveTimeout: 1 });
  const seen = { status: 0, fields: [] as string[], body: '', error: '' };
  return new Promise<Seen>((resolve) => {
    client.dispatch(
      { method: method as 'GET', path: '/' },
      {
        onConnect: () => undefined,
        onHeaders(status, raw) {
          if (status >= 200) Object.assign(seen, { status, fields: passedOn(raw) });
          return true;
        },
        onData(chunk) {
          seen.body += chunk.toString('latin1');
          return true;
        },
        onComplete: () => resolve(seen),
        onError: (error) => resolve({ ...seen, error: error.message }),
      },
    );
  }).finally(() => client.destroy());
}

/** Raw fields as our heads carry them: undici leaves trailing white space and the fields of this hop to its caller. */
function passedOn(raw: readonly Buffer[]): string[] {
  const text = raw.map((part) => part.toString('latin1'));
  const names = text.filter((_, at) => at % 2 === 0).map((name) => name.toLowerCase());
  const values = text.filter((_, at) => at % 2 === 1).map((value) => value.replace(/[ \t]+$/, ''));
  const nominated = new Set(
    values
      .filter((_, index) => names[index] === 'connection')
      .flatMap((value) =>
        value
          .toLowerCase()
          .split(',')
          .map((option) => option.trim()),
      ),
  );
  return names.flatMap((name, index) => {
    const known = KNOWN_NAMES.indexOf(name);
    const isKept = (known < 0 || NAME_ROLES[known] === KEPT) && !nominated.has(name);
    return isKept ? [name, values[index]!] : [];
  });
}

/** Where undici refuses what we take, and the rule that has us take it. None of them moves the end of a message. */
const MORE_LENIENT: readonly { readonly undici: RegExp; readonly wire: RegExp; readonly why: string }[] = [
  {
    undici: /^bad response$/,
    wire: /HTTP\/1\.1 100/,
    why: 'RFC 9110, 15.2: a client takes 1xx answers even when it expects none',
  },
  {
    undici: /^Response body length does not match content-length header$/,
    wire: /^HTTP\/1\.1 (204|304) /,
    why: 'RFC 9112, 6.3 (1): these have no body, whatever the length says',
  },
  {
    undici: /Invalid character in chunk size/,
    wire: /\r\n[0-9a-fA-F]+[ \t]+;/,
    why: 'RFC 9110, 5.6.3: bad white space around the parts of a chunk extension is read and removed',
  },
];

describe('beside undici', () => {
  test('well-formed answers are seen alike', async () => {
    await fc.assert(
      fc.asyncProperty(wellFormed, async (answer) => {
        wire = answer.wire;
        const [ours, theirs] = [await seenByUs('GET'), await seenByUndici('GET')];
        expect(ours).toEqual(theirs);
        expect(ours).toEqual({ status: answer.status, fields: answer.fields, body: answer.body, error: '' });
      }),
      { numRuns: 300 },
    );
  });

  test('on damaged answers we are at least as strict, and agree where both accept', async () => {
    await fc.assert(
      fc.asyncProperty(wellFormed, damage, async (answer, places) => {
        wire = applyDamage(answer.wire, places);
        await compare('GET');
      }),
      { numRuns: 1_000 },
    );
  });

  test('on the case table as well', async () => {
    for (const row of PARSER_CASES) {
      wire = row.wire;
      await compare(row.method ?? 'GET');
    }
  });
});

async function compare(method: string): Promise<void> {
  const [ours, theirs] = [await seenByUs(method), await seenByUndici(method)];
  if (ours.error !== '') return;
  const isIntended = MORE_LENIENT.some((row) => row.undici.test(theirs.error) && row.wire.test(wire));
  if (isIntended) return;
  expect({ ...ours, wire }).toEqual({ ...theirs, wire });
}
