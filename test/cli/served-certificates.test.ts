/** Certificates of the front, renewed by whoever writes their files. */
import { beforeEach, expect, test } from 'vitest';
import { err, ok, type Result } from '../../src/base/result.ts';
import { type NotServed, ServedCertificates } from '../../src/cli/run/served-certificates.ts';
import { createAlertBus } from '../../src/observe/alert-bus.ts';
import type { ReadCertificate } from '../../src/tools/certificate-findings.ts';
import { makeCertificate } from '../upstream/certificate.ts';
import { VirtualTime } from '../upstream/virtual-time.ts';

const FILES = [{ certificateFile: '/front.pem', keyFile: '/front.key' }];
const [first, second] = [1, 2].map((number) =>
  makeCertificate({
    name: `front ${number}`,
    dnsNames: [`front-${number}.test`],
    years: [2020, 2030 + number],
  }),
);

let texts: Record<string, string>;
let time: VirtualTime;
let served: string[];
let outcome: Result<void, NotServed>;
let thrown: Error | null;
let alerts: ReturnType<typeof createAlertBus>;
beforeEach(() => {
  texts = { '/front.pem': first!.certificate, '/front.key': first!.key };
  time = new VirtualTime();
  time.nowMs = Date.UTC(2026, 0, 1);
  served = [];
  outcome = ok(undefined);
  thrown = null;
  alerts = createAlertBus({
    clock: time.clock,
    deliveries: () => [],
    openAlertsMax: { gateway: 10, policy: 10 },
  });
});

function front(files: typeof FILES | null = FILES): ServedCertificates {
  return new ServedCertificates({
    of: '',
    files,
    clock: time.clock,
    readText: (path) => (texts[path] === undefined ? { fault: 'no such file' } : { text: texts[path] }),
    alerts,
    serve: async (certificates: readonly ReadCertificate[]) => {
      if (thrown !== null) throw thrown;
      served.push(certificates.flatMap(({ names }) => names).join());
      return outcome;
    },
  });
}

test('other files are served once, and what is served is told', async () => {
  const certificates = front();
  expect(certificates.read().ok).toBe(true);
  await certificates.look();
  expect(served).toEqual([]);
  Object.assign(texts, { '/front.pem': second!.certificate, '/front.key': second!.key });
  await certificates.look();
  await certificates.look();
  expect(served).toEqual(['front-2.test']);
  expect(certificates.served.map(({ expiresMs }) => new Date(expiresMs).getUTCFullYear())).toEqual([2032]);
});

test('a certificate without its key waits for it: an alert, and the old one is served on', async () => {
  const certificates = front();
  certificates.read();
  texts['/front.pem'] = second!.certificate;
  await certificates.look();
  await certificates.look();
  expect(served).toEqual([]);
  expect(alerts.open()).toMatchObject([{ kind: 'certificate-refused', severity: 'critical', times: 1 }]);
  expect(alerts.open()[0]!.message).toBe(
    "New certificate files can't be used, so the ones before are still served: " +
      'The key in /front.key does not belong to the certificate in /front.pem.',
  );
  expect(alerts.open()[0]!.remedy).toMatch(/^Put certificate and key in place together/);
  texts['/front.key'] = second!.key;
  await certificates.look();
  expect(served).toEqual(['front-2.test']);
  expect(alerts.open()).toEqual([]);
});

test('a data thread that can’t serve them is an alert; the old files end it', async () => {
  const certificates = front();
  certificates.read();
  outcome = err({ message: 'data thread 1: no', remedy: 'wait' });
  Object.assign(texts, { '/front.pem': second!.certificate, '/front.key': second!.key });
  await certificates.look();
  expect(alerts.open()[0]).toMatchObject({
    message: expect.stringContaining('data thread 1: no'),
    remedy: 'wait',
  });
  Object.assign(texts, { '/front.pem': first!.certificate, '/front.key': first!.key });
  await certificates.look();
  expect(alerts.open()).toEqual([]);
});

test('an exception is an alert, and the next look tries again', async () => {
  const certificates = front();
  certificates.read();
  Object.assign(texts, { '/front.pem': second!.certificate, '/front.key': second!.key });
  thrown = new Error('the thread is gone');
  await certificates.look();
  expect(alerts.open()[0]).toMatchObject({
    message: expect.stringContaining('still served: the thread is gone.'),
    remedy: expect.stringContaining('tried again every few seconds'),
  });
  thrown = null;
  await certificates.look();
  expect(served).toEqual(['front-2.test']);
  expect(alerts.open()).toEqual([]);
});

test('the end of a certificate is told 30 days before, is urgent for 7, and passes with a new one', async () => {
  const certificates = front();
  certificates.read();
  const end = Date.UTC(2031, 0, 1);
  const told = async (nowMs: number) => {
    time.nowMs = nowMs;
    await certificates.look();
    return alerts.open().map(({ kind, severity, message }) => `${kind} ${severity}: ${message}`);
  };
  expect(await told(end - 31 * 86_400_000)).toEqual([]);
  expect(await told(end - 29 * 86_400_000)).toEqual([
    'certificate-expires warning: The certificate in /front.pem expires on 2031-01-01.',
  ]);
  expect((await told(end - 6 * 86_400_000))[0]).toMatch(/^certificate-expires critical: .* expires on/);
  expect((await told(end + 1))[0]).toMatch(/expired on 2031-01-01\.$/);
  Object.assign(texts, { '/front.pem': second!.certificate, '/front.key': second!.key });
  expect(await told(end + 2)).toEqual([]);
});

test('without TLS there is nothing to look at', async () => {
  const certificates = front(null);
  expect(certificates.read()).toEqual(ok(null));
  await certificates.look();
  expect(certificates.served).toEqual([]);
});
