import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { applyDamage, damage, wellFormed } from '../../test/upstream/answers.ts';
import type { AnswerFault } from './answer-faults.ts';
import { ResponseHeadReader } from './response-head.ts';
import { PARSER_CASES, type ParserCase } from './response-parser.cases.ts';
import { DATA, FAULT, HEAD, LAST, ResponseParser } from './response-parser.ts';

const HEAD_BYTES_MAX = 4_096;
/** As in production: one reader for all connections, one buffer that every read overwrites. */
const reader = new ResponseHeadReader();
const shared = Buffer.alloc(16_384);

type Outcome =
  | { kind: 'fault'; fault: AnswerFault }
  | { kind: 'cut'; hadHead: boolean }
  | { kind: 'answer'; status: number; fields: string[]; body: string; bodyBytes: number; reusable: boolean };

/** Feeds the pieces as reads, then the end of the connection. */
function parse(pieces: readonly Buffer[], method = 'GET', headBytesMax = HEAD_BYTES_MAX): Outcome {
  const parser = new ResponseParser(reader, headBytesMax);
  parser.begin(method);
  let hadHead = false;
  let isDone = false;
  let reusable = false;
  let filled = 0;
  const answer = { status: 0, fields: [] as string[], body: '', bodyBytes: -1 };
  for (const piece of [...pieces, null]) {
    // What comes after the answer is the connection's business: it arrives while the connection is idle.
    if (isDone) return { kind: 'answer', ...answer, reusable: reusable && piece === null };
    shared.fill(0xee, 0, filled);
    filled = piece?.length ?? 0;
    if (piece !== null) piece.copy(shared);
    const progress = piece === null ? parser.end() : parser.read(shared, 0, piece.length);
    if ((progress & FAULT) !== 0) {
      expect(progress).toBe(FAULT);
      return { kind: 'fault', fault: parser.fault };
    }
    if ((progress & HEAD) !== 0) {
      expect(hadHead).toBe(false);
      hadHead = true;
      Object.assign(answer, {
        status: parser.status,
        fields: [...parser.fields],
        bodyBytes: parser.bodyBytes,
      });
    }
    expect((progress & DATA) !== 0).toBe(parser.bodyEnd > parser.bodyStart && hadHead && progress !== 0);
    answer.body += shared.toString('latin1', parser.bodyStart, parser.bodyEnd);
    if ((progress & LAST) !== 0) {
      isDone = true;
      reusable = parser.reusable;
    }
  }
  return isDone ? { kind: 'answer', ...answer, reusable } : { kind: 'cut', hadHead };
}

function check(outcome: Outcome, { expected }: ParserCase): void {
  if ('fault' in expected) expect(outcome).toEqual({ kind: 'fault', fault: expected.fault });
  else if ('cut' in expected) expect(outcome).toEqual({ kind: 'cut', hadHead: expected.cut === 'in-body' });
  else expect(outcome).toMatchObject({ kind: 'answer', ...expected });
}

function cut(wire: Buffer, ...positions: number[]): Buffer[] {
  const edges = [0, ...positions, wire.length];
  return edges
    .slice(1)
    .map((edge, index) => wire.subarray(edges[index], edge))
    .filter((piece) => piece.length > 0);
}

describe('the parser of answers', () => {
  test.each(PARSER_CASES.map((row) => [`${row.name} (${row.rule})`, row] as const))('%s', (_, row) => {
    check(parse(cut(Buffer.from(row.wire, 'latin1')), row.method), row);
  });

  test.each(PARSER_CASES.map((row) => [row.name, row] as const))('in every split: %s', (_, row) => {
    const wire = Buffer.from(row.wire, 'latin1');
    for (let first = 1; first < wire.length; first++) {
      check(parse(cut(wire, first), row.method), row);
    }
    if (wire.length <= 75) {
      for (let first = 1; first < wire.length; first++) {
        for (let second = first + 1; second < wire.length; second++) {
          check(parse(cut(wire, first, second), row.method), row);
        }
      }
    }
    check(
      parse(
        [...wire].map((byte) => Buffer.of(byte)),
        row.method,
      ),
      row,
    );
  });

  test('a connection carries answer after answer, whatever came before', () => {
    const parser = new ResponseParser(reader, HEAD_BYTES_MAX);
    for (const row of PARSER_CASES) {
      if (!('status' in row.expected) || !row.expected.reusable) continue;
      parser.begin(row.method ?? 'GET');
      const wire = Buffer.from(row.wire, 'latin1');
      expect(parser.read(wire, 0, wire.length) & (HEAD | LAST), row.name).toBe(HEAD | LAST);
      expect(parser.status).toBe(row.expected.status);
      expect(parser.reusable).toBe(true);
    }
  });
});

describe('bounds of the parser', () => {
  const fill = (bytes: number) => `HTTP/1.1 200 OK\r\na: ${'x'.repeat(bytes)}\r\ncontent-length: 0\r\n\r\n`;
  const overhead = fill(0).length;

  test('a head as large as allowed passes, one byte more does not, whole or in pieces', () => {
    const largest = Buffer.from(fill(HEAD_BYTES_MAX - overhead));
    const tooLarge = Buffer.from(fill(HEAD_BYTES_MAX - overhead + 1));
    for (const positions of [[], [20], [20, 1000, 4000]]) {
      expect(parse(cut(largest, ...positions)).kind).toBe('answer');
      expect(parse(cut(tooLarge, ...positions))).toEqual({ kind: 'fault', fault: 'head_too_large' });
    }
  });

  test('a head that never ends is refused at the bound', () => {
    const parser = new ResponseParser(reader, HEAD_BYTES_MAX);
    parser.begin('GET');
    const beginning = Buffer.from('HTTP/1.1 200 OK\r\n');
    parser.read(beginning, 0, beginning.length);
    let bytes = beginning.length;
    const line = Buffer.from('a: b\r\n');
    while (parser.read(line, 0, line.length) === 0) bytes += line.length;
    expect(parser.fault).toBe('head_too_large');
    expect(bytes).toBeLessThanOrEqual(HEAD_BYTES_MAX);
  });

  test('interim answers count against the same bound (RFC 9110, 15.2)', () => {
    const interim = 'HTTP/1.1 100 \r\n\r\n';
    const most = Math.floor((HEAD_BYTES_MAX - overhead) / interim.length);
    const flood = (count: number) => Buffer.from(interim.repeat(count) + fill(0));
    expect(parse([flood(most)]).kind).toBe('answer');
    expect(parse([flood(most + 1)])).toEqual({ kind: 'fault', fault: 'head_too_large' });
    expect(parse(cut(flood(most + 1), 30, 900))).toEqual({ kind: 'fault', fault: 'head_too_large' });
  });

  test('chunk sizes, extensions and trailers are bounded', () => {
    const chunked = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n';
    const fault = (wire: string) => parse([Buffer.from(chunked + wire)]);
    expect(fault(`${'0'.repeat(5_000)}2\r\nhi\r\n0\r\n\r\n`)).toEqual({ kind: 'fault', fault: 'chunk_size' });
    expect(fault(`2;${'a'.repeat(5_000)}\r\nhi`)).toEqual({
      kind: 'fault',
      fault: 'chunk_extension_too_large',
    });
    expect(fault(`0\r\na: ${'a'.repeat(5_000)}\r\n\r\n`)).toEqual({
      kind: 'fault',
      fault: 'trailers_too_large',
    });
    expect(fault(`0\r\n${'a: b\r\n'.repeat(1_000)}\r\n`)).toEqual({
      kind: 'fault',
      fault: 'trailers_too_large',
    });
  });

  test('the bound on extensions is for each chunk, so that a long stream may have many', () => {
    const chunk = `2;${'a'.repeat(1_000)}\r\nhi\r\n`;
    const wire = `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${chunk.repeat(12)}0\r\n\r\n`;
    expect(parse([Buffer.from(wire)])).toMatchObject({ kind: 'answer', body: 'hi'.repeat(12) });
  });

  test('more fields than there is room for at first', () => {
    const names = Array.from({ length: 300 }, (_, index) => `x-${index}`);
    const wire = `HTTP/1.1 200 OK\r\n${names.map((name) => `${name}: ${name}\r\n`).join('')}content-length: 0\r\n\r\n`;
    expect(parse([Buffer.from(wire)], 'GET', 65_536)).toMatchObject({
      kind: 'answer',
      fields: names.flatMap((name) => [name, name]),
    });
  });

  test('Keep-Alive announces how long the peer waits', () => {
    const announced = (value: string) => {
      const parser = new ResponseParser(reader, HEAD_BYTES_MAX);
      parser.begin('GET');
      const wire = Buffer.from(`HTTP/1.1 204 X\r\nKeep-Alive: ${value}\r\n\r\n`);
      parser.read(wire, 0, wire.length);
      return parser.keepAliveMs;
    };
    expect(announced('timeout=5')).toBe(5_000);
    expect(announced('max=100, Timeout=72, x')).toBe(72_000);
    expect(announced('timeout=0')).toBe(0);
    expect(announced('timeout=99999999999999999999')).toBe(31_536_000_000);
    expect(announced('max=100')).toBe(-1);
    expect(announced('timeout')).toBe(-1);
    expect(announced('')).toBe(-1);
  });
});

// -- properties ------------------------------------------------------------------------------------------------

const cuts = fc.array(fc.integer({ min: 0, max: 1_500 }), { maxLength: 8 });

function split(wire: Buffer, positions: readonly number[]): Buffer[] {
  const inside = positions.filter((at) => at < wire.length);
  return cut(wire, ...[...new Set(inside)].sort((a, b) => a - b));
}

describe('properties of the parser', () => {
  test('well-formed answers mean the same in every split', () => {
    fc.assert(
      fc.property(wellFormed, cuts, ({ wire, status, fields, body }, positions) => {
        const outcome = parse(split(Buffer.from(wire, 'latin1'), positions));
        expect(outcome).toMatchObject({ kind: 'answer', status, fields, body });
      }),
      { numRuns: 2_000 },
    );
  });

  test('damaged answers never throw, never pass the bounds, and mean the same in every split', () => {
    fc.assert(
      fc.property(wellFormed, damage, cuts, ({ wire }, places, positions) => {
        const whole = Buffer.from(applyDamage(wire, places), 'latin1');
        const atOnce = parse([whole]);
        const inPieces = parse(split(whole, positions));
        // Bytes behind a complete answer are seen in the same read, or by the connection while it is idle.
        expect(inPieces).toEqual(atOnce);
      }),
      { numRuns: 6_000 },
    );
  });

  test('arbitrary bytes never throw', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ minLength: 1, maxLength: 60 }), { maxLength: 6 }), (pieces) => {
        expect(['fault', 'cut', 'answer']).toContain(parse(pieces.map((piece) => Buffer.from(piece))).kind);
      }),
      { numRuns: 2_000 },
    );
  });
});
