import { ok } from '../base/result.ts';
import type { AlertDelivery, AlertNotice, AlertSeverity } from './alert-bus.ts';
import type { EventLevel, EventLog } from './event-log.ts';

const LEVELS: Readonly<Record<AlertSeverity, EventLevel>> = {
  notice: 'info',
  warning: 'warn',
  critical: 'error',
};

/** Writes every notice to the event log. */
export function createAlertLogDelivery(log: EventLog): AlertDelivery {
  return {
    name: 'log',
    deliver(notice: AlertNotice) {
      const { alert, event } = notice;
      const level = event === 'resolved' ? 'info' : LEVELS[alert.severity];
      log.write(level, `alert ${event}: ${alert.message}`, {
        'portunus.alert.kind': alert.kind,
        'portunus.alert.subject': alert.subject,
        'portunus.alert.severity': alert.severity,
        'portunus.alert.since_ms': alert.sinceMs,
        'portunus.alert.times': alert.times,
        'portunus.alert.remedy': alert.remedy,
      });
      return ok(undefined);
    },
  };
}
