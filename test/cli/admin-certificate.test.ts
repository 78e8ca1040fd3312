/** The certificate of the admin API, renewed by whoever writes its files, and the access file that tells commands of it. */
import { beforeEach, expect, test } from 'vitest';
import { fingerprintOf } from '../../src/admin/proven-connection.ts';
import type { AdminCertificate } from '../../src/admin/server.ts';
import { err, ok, type Result } from '../../src/base/result.ts';
import { AdminCertificateKeeper } from '../../src/cli/run/admin-certificate.ts';
import { createAlertBus } from '../../src/observe/alert-bus.ts';
import { makeCertificate } from '../upstream/certificate.ts';
import { VirtualTime } from '../upstream/virtual-time.ts';

const FILES = { certificateFile: '/admin.pem', keyFile: '/admin.key' };
const [first, second] = ['first', 'second'].map((name) =>
  makeCertificate({ name, dnsNames: [`${name}.test`], years: [2020, 2040] }),
);
const [firstPrint, secondPrint] = [first!, second!].map(({ der }) => fingerprintOf(der));

let texts: Record<string, string>;
/** What happened, in its order. */
let events: string[];
let written: Result<void, string>;
let alerts: ReturnType<typeof createAlertBus>;
let keeper: AdminCertificateKeeper;

beforeEach(() => {
  texts = { '/admin.pem': first!.certificate, '/admin.key': first!.key };
  events = [];
  written = ok(undefined);
  const time = new VirtualTime();
  time.nowMs = Date.UTC(2026, 0, 1);
  alerts = createAlertBus({
    clock: time.clock,
    deliveries: () => [],
    openAlertsMax: { gateway: 10, policy: 10 },
  });
  keeper = new AdminCertificateKeeper({
    files: FILES,
    clock: time.clock,
    readText: (path) => (texts[path] === undefined ? { fault: 'no such file' } : { text: texts[path] }),
    alerts,
  });
});

function use(): void {
  keeper.use(
    {
      listen: { address: '127.0.0.1', port: 1 },
      connections: () => ({ open: 0, refused: 0 }),
      serveCertificate: ({ names }: AdminCertificate) => {
        events.push(`serves ${names}`);
        return ok(undefined);
      },
      close: () => Promise.resolve(),
    },
    {
      write: async (fingerprints) => {
        events.push(`knows ${fingerprints}`);
        return written;
      },
    },
  );
}

function renew(): void {
  texts = { '/admin.pem': second!.certificate, '/admin.key': second!.key };
}

test('commands know a new certificate before it is shown, and the old one until it is', async () => {
  const read = keeper.read();
  expect(read.ok && read.value?.names).toEqual(['first.test']);
  expect(keeper.fingerprints).toEqual([firstPrint]);
  use();
  await keeper.look();
  expect(events).toEqual([]);
  renew();
  await keeper.look();
  await keeper.look();
  expect(events).toEqual([`knows ${secondPrint},${firstPrint}`, 'serves second.test']);
  expect(keeper.fingerprints).toEqual([secondPrint]);
  expect(keeper.served.map(({ names }) => names)).toEqual([['second.test']]);
});

test('an access file that can’t be written keeps the old one, says so, and is tried again', async () => {
  keeper.read();
  use();
  written = err("The admin access can't be written.");
  renew();
  await keeper.look();
  expect(events).toEqual([`knows ${secondPrint},${firstPrint}`]);
  expect(alerts.open()).toMatchObject([{ kind: 'certificate-refused', subject: 'admin API' }]);
  expect(alerts.open()[0]!.message).toBe(
    "New certificate files of the admin API can't be used, so the ones before are still served: " +
      "The admin access can't be written.",
  );
  // Nothing is wrong with the certificate, so nobody is sent to look at it.
  expect(alerts.open()[0]!.remedy).toBe(
    'Make room on the disk of the data folder, and see that it can be written to; it is tried again every few seconds.',
  );
  written = ok(undefined);
  await keeper.look();
  expect(events.at(-1)).toBe('serves second.test');
  expect(alerts.open()).toEqual([]);
});

test('a certificate without its key is told with what to do, and neither shown nor known', async () => {
  keeper.read();
  use();
  texts['/admin.pem'] = second!.certificate;
  await keeper.look();
  expect(events).toEqual([]);
  const { message, remedy } = alerts.open()[0]!;
  expect(message).toBe(
    "New certificate files of the admin API can't be used, so the ones before are still served: " +
      'The key in /admin.key does not belong to the certificate in /admin.pem.',
  );
  expect(remedy).toBe(
    'Put certificate and key in place together; they are read again as soon as they change.',
  );
});

test('files are not looked at before the admin API listens', async () => {
  keeper.read();
  renew();
  await keeper.look();
  expect(keeper.fingerprints).toEqual([firstPrint]);
});
