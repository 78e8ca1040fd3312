import { expect, it } from 'vitest';
import { LIMITS, type LimitName } from '../../base/limits.ts';
import { BOUND_VIEWS, type BoundView } from './bound-table.ts';
import { METRICS, type MetricName } from './metric-table.ts';

const VIEWS = Object.entries(BOUND_VIEWS) as [LimitName, BoundView][];
const SELECTOR = /^(?<metric>[a-z_]+)(?:\{(?<label>[a-z_]+)="(?<value>[^"]+)"\})?$/;

it('has an entry for each bound and no other', () => {
  expect(Object.keys(BOUND_VIEWS)).toEqual(Object.keys(LIMITS));
});

it.each(VIEWS)('%s is seen by metrics that there are, or it is said who hears of it', (name, view) => {
  const { fillsOn, whenFull, seenBy, toldTo } = view;
  expect(fillsOn === null && seenBy.length === 0).toBe(toldTo !== '');
  // A time does not fill.
  if (fillsOn !== null) expect(LIMITS[name].unit).not.toBe('ms');
  if (whenFull === 'oldest-goes') expect(fillsOn).not.toBeNull();
  for (const selector of seenBy) {
    const { metric, label, value } = SELECTOR.exec(selector)!.groups!;
    const { labels } = METRICS[metric as MetricName];
    if (label !== undefined) expect(labels).toContain(label);
    if (label === 'bound') expect(value).toBe(name);
  }
});
