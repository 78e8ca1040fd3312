import { expect, it } from 'vitest';
import { METRICS } from './metric-table.ts';

it.each(Object.entries(METRICS))(
  '%s is named as Prometheus and OpenMetrics ask',
  (name, { type, labels, help }) => {
    expect(name).toMatch(/^[a-z][a-z0-9_]*$/);
    expect(name.endsWith('_total')).toBe(type === 'counter');
    // A unit is a base unit, and stands last (https://prometheus.io/docs/practices/naming).
    expect(name).not.toMatch(/_(ms|us|milliseconds|kib|mib)(_|$)/);
    if (type === 'histogram') expect(name).toMatch(/_seconds$/);
    for (const label of labels) expect(label).toMatch(/^(?!le$)[a-z][a-z0-9_]*$/);
    expect(help).toMatch(/\.$/);
    expect(help).not.toContain('\n');
  },
);
