import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AddressConnections, CountedAnew, createAddressConnections } from './address-connections.ts';
import { ConnectionRecount } from './connection-recount.ts';

const SECRET = new Uint8Array(8).fill(7);
const MAX = 4;

type Step = 'open' | 'close' | 'begin' | 'tell' | 'finish';

test('whatever comes and goes while it is counted anew, an address never has one too many', () => {
  const steps = fc.array(fc.constantFrom<Step>('open', 'open', 'close', 'begin', 'tell', 'finish'), {
    maxLength: 80,
  });
  fc.assert(
    fc.property(steps, (taken) => {
      const memory = createAddressConnections(SECRET);
      const address = Uint8Array.of(10, 0, 0, 1);
      const connections = new AddressConnections(memory, MAX, () => {});
      new CountedAnew(memory).finish();
      let open = 0;
      let anew: CountedAnew | null = null;
      let isTold = false;
      for (const step of taken) {
        if (step === 'open' && !connections.isOneTooMany(address)) open++;
        if (step === 'close' && open > 0) open--;
        if (step === 'begin') {
          anew = new CountedAnew(memory);
          isTold = false;
        }
        if (step === 'tell' && anew !== null && !isTold) {
          isTold = true;
          for (let index = 0; index < open; index++) anew.found(address);
        }
        if (step === 'finish' && anew !== null && isTold) {
          anew.finish();
          anew = null;
        }
        expect(open).toBeLessThanOrEqual(MAX);
      }
      // And all of its room is there again once it is counted in peace.
      const last = new CountedAnew(memory);
      for (let index = 0; index < open; index++) last.found(address);
      last.finish();
      for (; open < MAX; open++) expect(connections.isOneTooMany(address)).toBe(false);
      expect(connections.isOneTooMany(address)).toBe(true);
    }),
    { numRuns: 60 },
  );
});

test('a recount is asked for once, as half of the room is used up', () => {
  const memory = createAddressConnections(SECRET);
  let asked = 0;
  const connections = new AddressConnections(memory, 8, () => asked++);
  const address = Uint8Array.of(10, 0, 0, 1);
  const told: number[] = [];
  for (let index = 0; index < 8; index++) {
    connections.isOneTooMany(address);
    told.push(asked);
  }
  expect(told).toEqual([0, 0, 0, 1, 1, 1, 1, 1]);
  const anew = new CountedAnew(memory);
  for (let index = 0; index < 4; index++) anew.found(address);
  anew.finish();
  connections.isOneTooMany(address);
  expect(asked).toBe(1);
  connections.isOneTooMany(address);
  expect(asked).toBe(2);
});

test('clients are told apart by IPv4 address, or by the /64 of IPv6', () => {
  const memory = createAddressConnections(SECRET);
  const connections = new AddressConnections(memory, 1, () => {});
  new CountedAnew(memory).finish();
  const isRefused = (hex: string): boolean =>
    connections.isOneTooMany(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
  expect(isRefused('0a000001')).toBe(false);
  expect(isRefused('00000000 00000000 0000ffff 0a000001')).toBe(true);
  expect(isRefused('0a000002')).toBe(false);
  expect(isRefused('20010db8 00000001 00000000 00000001')).toBe(false);
  expect(isRefused('20010db8 00000001 00000000 00000002')).toBe(true);
  expect(isRefused('20010db8 00000002 00000000 00000001')).toBe(false);
});

const HEAD =
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';
const REST = '00000000:00000000 00:00000000 00000000     0        0 1 1 0000000000000000 20 4 30 10 -1\n';

/** Port 8080 of 127.0.0.1, as a little-endian machine tells it. */
const TOLD = [
  ...['0100007F:1F90 00000000:0000 0A', '0100007F:1F90 0100000A:C350 01', '0100007F:1F90 0100000A:C351 08'],
  ...['0100007F:1F90 0200000A:C350 06', '0100007F:1F91 0200000A:C350 01', '0200007F:1F90 0200000A:C350 01'],
];
const TOLD6 = ['0000000000000000FFFF00000100007F:1F90 0000000000000000FFFF00000300000A:C350 01'];
const told = (lines: readonly string[]): string =>
  HEAD + lines.map((line, index) => `${String(index).padStart(4)}: ${line} ${REST}`).join('');

test('what the kernel tells is read: open connections of this port, in both families', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'recount-'));
  const files = [join(folder, 'tcp'), join(folder, 'tcp6')] as const;
  const memory = createAddressConnections(SECRET);
  const connections = new AddressConnections(memory, 2, () => {});
  const outcomes: (string | null)[] = [];
  const count = async (): Promise<void> => {
    let tell = (): void => {};
    const done = new Promise<void>((resolve) => (tell = resolve));
    const recount = new ConnectionRecount({
      ...{ memory, files, listen: { address: '127.0.0.1', port: 8080 } },
      clock: { monotonicMs: () => 0, wallMs: () => 0 },
      onOutcome: (why) => {
        outcomes.push(why);
        tell();
      },
    });
    recount.ask();
    await done;
    recount.stop();
  };
  const isRefused = (last: number): boolean => connections.isOneTooMany(Uint8Array.of(10, 0, 0, last));

  await count();
  expect(outcomes[0]).toContain('ENOENT');
  for (let index = 0; index < 5; index++) expect(isRefused(4)).toBe(false);

  writeFileSync(files[0], told(TOLD));
  await count();
  expect([isRefused(1), isRefused(2), isRefused(2), isRefused(2)]).toEqual([true, false, false, true]);

  writeFileSync(files[1], told(TOLD6));
  await count();
  expect([isRefused(3), isRefused(3)]).toEqual([false, true]);
  expect(outcomes.slice(1)).toEqual([null, null]);
});
