import type { AlertBus } from '../../observe/alert-bus.ts';

const IDENTITY = { kind: 'connections-not-counted', subject: '' } as const;

/** `why`: why it can't be told whose connections there are, or null where it can. */
export function tellRecount(alerts: Pick<AlertBus, 'raise' | 'resolve'>, why: string | null): void {
  if (why === null) {
    alerts.resolve(IDENTITY);
    return;
  }
  alerts.raise({
    ...IDENTITY,
    severity: 'warning',
    message: `limits.connectionsPerAddress is not kept, because the connections of each address can't be counted: ${why}`,
    remedy:
      'Linux tells them in /proc/net/tcp: mount /proc. Elsewhere bound the connections of an address in front of the gateway.',
  });
}
