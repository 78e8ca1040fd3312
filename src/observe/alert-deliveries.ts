/** The webhooks that portunus.yaml names, as the running configuration has them: those that stay keep their queues. */
import type { Delivery } from '../model/world.ts';
import { ALERT_SEVERITIES, type AlertDelivery, type AlertNotice } from './alert-bus.ts';
import type { AnchorNotice, WebhookDelivery, WebhookStatus } from './webhook-delivery.ts';

export interface AlertDeliveries {
  /** From now on alerts go to these. */
  use(deliveries: ReadonlyMap<string, Delivery>): void;
  /** Those that a notice is for. */
  for(notice: AlertNotice): readonly AlertDelivery[];
  /** To those that take anchors; and to those that will, before there is another one. */
  anchor(anchor: AnchorNotice): void;
  inspect(): readonly WebhookStatus[];
  /** Tries once more what waits. */
  stop(): Promise<void>;
}

export function createAlertDeliveries(make: (delivery: Delivery) => WebhookDelivery): AlertDeliveries {
  let open = new Map<string, { readonly settings: Delivery; readonly webhook: WebhookDelivery }>();
  let newest: AnchorNotice | null = null;
  let closing: Promise<unknown> = Promise.resolve();
  return {
    use(deliveries) {
      const before = open;
      open = new Map();
      for (const [name, settings] of deliveries) {
        const known = before.get(name);
        const stays = known !== undefined && isSame(known.settings, settings);
        const webhook = stays ? known.webhook : make(settings);
        open.set(name, { settings, webhook });
        const tookAnchors = stays && known.settings.audit === 'anchors';
        if (settings.audit === 'anchors' && !tookAnchors && newest !== null) webhook.anchor(newest);
        if (stays) before.delete(name);
      }
      closing = Promise.all([closing, ...[...before.values()].map(({ webhook }) => webhook.retire())]);
    },
    for: (notice) =>
      [...open.values()].filter(({ settings }) => isFor(settings, notice)).map(({ webhook }) => webhook),
    anchor(anchor) {
      newest = anchor;
      for (const { settings, webhook } of open.values())
        if (settings.audit === 'anchors') webhook.anchor(anchor);
    },
    inspect: () => [...open.values()].map(({ webhook }) => webhook.inspect()),
    async stop() {
      await Promise.all([closing, ...[...open.values()].map(({ webhook }) => webhook.stop())]);
    },
  };
}

/** An alert that names a delivery is for that one, however small; others are for those that take all. */
function isFor({ name, takes, from }: Delivery, { alert }: AlertNotice): boolean {
  if (alert.reach === 'log') return false;
  if (alert.notify !== null) return alert.notify === name;
  return takes === 'all' && ALERT_SEVERITIES.indexOf(alert.severity) >= ALERT_SEVERITIES.indexOf(from);
}

function isSame(a: Delivery, b: Delivery): boolean {
  return a.url === b.url && a.secretFile === b.secretFile && a.takes === b.takes && a.from === b.from;
}
