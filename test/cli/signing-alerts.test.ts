/** What ails those who sign is told: secrets that can't be read, each for itself, and a table of signatures that is full. */
import { expect, it } from 'vitest';
import { SignatureRoomAlert } from '../../src/cli/run/signature-room-alert.ts';
import { SigningSecretKeeper } from '../../src/cli/run/signing-secrets.ts';
import type { SecretsRenewed } from '../../src/governance/live-directory.ts';
import type { SecretFault } from '../../src/governance/signing-secrets.ts';
import type { AlertBus, AlertIdentity, AlertRaised } from '../../src/observe/alert-bus.ts';

/** What is open, and how often it was raised. */
class Alerts implements Pick<AlertBus, 'raise' | 'resolve'> {
  readonly open = new Map<string, { readonly alert: AlertRaised; readonly times: number }>();
  raise(alert: AlertRaised, times = 1): boolean {
    const before = this.open.get(`${alert.kind} ${alert.subject}`)?.times ?? 0;
    this.open.set(`${alert.kind} ${alert.subject}`, { alert, times: before + times });
    return true;
  }
  resolve({ kind, subject }: AlertIdentity): void {
    this.open.delete(`${kind} ${subject}`);
  }
}

function fault(name: string): SecretFault {
  return {
    credential: `acme/${name}/signer`,
    place: `/run/${name}`,
    message: `No ${name}.`,
    remedy: 'Write it.',
  };
}

it('each secret that can not be read has an alert of its own, with what to do, until it can be read', async () => {
  const alerts = new Alerts();
  let answer: { ok: true; value: SecretsRenewed } | { ok: false; error: string };
  const keeper = new SigningSecretKeeper({ renewSecrets: () => Promise.resolve(answer) }, alerts);
  answer = { ok: true, value: { outcome: 'renewed', faults: [fault('a'), fault('b')] } };
  await keeper.look();
  expect([...alerts.open.keys()]).toEqual([
    'signing-secret-refused acme/a/signer: /run/a',
    'signing-secret-refused acme/b/signer: /run/b',
  ]);
  expect([...alerts.open.values()][0]!.alert).toMatchObject({
    severity: 'critical',
    message: 'No a. What was read there before still counts.',
    remedy: 'Write it.',
  });
  answer = { ok: true, value: { outcome: 'unchanged', faults: [fault('b')] } };
  await keeper.look();
  expect([...alerts.open.keys()]).toEqual(['signing-secret-refused acme/b/signer: /run/b']);
  answer = { ok: false, error: 'There is no room.' };
  await keeper.look();
  expect(alerts.open.get('signing-secret-refused ')?.alert.message).toBe(
    'The secrets of before still count: There is no room.',
  );
  answer = { ok: true, value: { outcome: 'unchanged', faults: [] } };
  await keeper.look();
  expect(alerts.open.size).toBe(0);
});

it('a table of signatures that is full is told while requests are refused, and a minute longer', () => {
  const alerts = new Alerts();
  const clock = { wallMs: () => 0, nowMs: 0, monotonicMs: () => clock.nowMs };
  let refused = 0;
  const room = new SignatureRoomAlert({ clock, alerts, refused: () => refused, signaturesMax: 250_000 });
  room.look();
  expect(alerts.open.size).toBe(0);
  refused = 7;
  room.look();
  refused = 9;
  room.look();
  const told = alerts.open.get('signatures-full ');
  expect(told?.times).toBe(9);
  expect(told?.alert.message).toBe(
    'Signed requests are refused (503 signatures_full): there is no room to remember more signatures than limits.signaturesRemembered (250,000).',
  );
  clock.nowMs = 59_999;
  room.look();
  expect(alerts.open.size).toBe(1);
  clock.nowMs = 60_000;
  room.look();
  expect(alerts.open.size).toBe(0);
});

it('a count that begins anew is no gap', () => {
  const alerts = new Alerts();
  let refused = 2 ** 32 - 1;
  const clock = { wallMs: () => 0, monotonicMs: () => 0 };
  const room = new SignatureRoomAlert({ clock, alerts, refused: () => refused, signaturesMax: 1_000 });
  room.look();
  const before = alerts.open.get('signatures-full ')!.times;
  refused = 2;
  room.look();
  expect(alerts.open.get('signatures-full ')!.times - before).toBe(3);
});
