import { expect, it } from 'vitest';
import { ok } from '../base/result.ts';
import type { Delivery } from '../model/world.ts';
import type { AlertNotice } from './alert-bus.ts';
import { createAlertDeliveries } from './alert-deliveries.ts';

function named(name: string, rest: Partial<Delivery> = {}): Delivery {
  return {
    name,
    url: 'https://a.example/',
    secretFile: '/secret',
    takes: 'all',
    from: 'warning',
    audit: 'none',
    place: 'portunus.yaml:1:1',
    ...rest,
  };
}

function noticeOf(rest: Partial<AlertNotice['alert']>): AlertNotice {
  const alert: AlertNotice['alert'] = {
    ...{ kind: 'service-down', subject: 's', severity: 'warning', message: 'm', remedy: 'r', notify: null },
    ...{ askedBy: 'policy', reach: 'everybody', sinceMs: 0, lastMs: 0, times: 1 },
    ...rest,
  };
  return { event: 'raised', atMs: 0, alert };
}

function deliveries() {
  const acts: string[] = [];
  const made = createAlertDeliveries(({ name, url }) => {
    acts.push(`made ${name} ${url}`);
    return {
      name,
      deliver: () => ok(undefined),
      anchor: ({ sequence }) => void acts.push(`anchored ${name} ${sequence}`),
      inspect: () => {
        throw new Error('nobody asks');
      },
      stop: async () => void acts.push(`stopped ${name}`),
      retire: async () => void acts.push(`retired ${name} ${url}`),
    };
  });
  return { acts, made };
}

it.each([
  [{}, ['all']],
  [{ severity: 'notice' }, []],
  [{ notify: 'oncall', severity: 'notice' }, ['oncall']],
  [{ reach: 'log' }, []],
  [{ reach: 'log', notify: 'oncall' }, []],
] as const)('an alert with %j is for %j', (alert, names) => {
  const { made } = deliveries();
  made.use(new Map([named('all'), named('oncall', { takes: 'named' })].map((each) => [each.name, each])));
  expect(made.for(noticeOf(alert)).map(({ name }) => name)).toEqual(names);
});

it('those that are changed or taken away are retired, all others go on', async () => {
  const { acts, made } = deliveries();
  made.use(new Map(['a', 'b', 'c'].map((name) => [name, named(name)])));
  made.use(new Map([named('a'), named('b', { url: 'https://b.example/' })].map((each) => [each.name, each])));
  await made.stop();
  expect(acts.slice(3)).toEqual([
    'made b https://b.example/',
    'retired b https://a.example/',
    'retired c https://a.example/',
    'stopped a',
    'stopped b',
  ]);
});

it('anchors go to those that ask for them, the newest at once to those that begin to', () => {
  const { acts, made } = deliveries();
  const use = (...each: Delivery[]) => made.use(new Map(each.map((one) => [one.name, one])));
  const anchor = (sequence: number) => made.anchor({ atMs: 0, sequence, hash: 'h', mac: 'm' });
  const anchored = () => acts.filter((act) => act.startsWith('anchored'));
  use(named('a', { audit: 'anchors' }), named('b'));
  anchor(1);
  use(named('a', { audit: 'anchors' }), named('b', { audit: 'anchors' }));
  anchor(2);
  use(named('a'), named('c', { audit: 'anchors' }));
  anchor(3);
  expect(anchored()).toEqual([
    'anchored a 1',
    'anchored b 1',
    'anchored a 2',
    'anchored b 2',
    'anchored c 2',
    'anchored c 3',
  ]);
});
