import { describe, expect, it } from 'vitest';
import { consumer, directory, issued, PEPPER, tenant } from './directory.cases.ts';
import { directoryProblems, snapshotOf } from './directory.ts';

const web = issued(1, 'web-1').credential;
const stored = issued(2, 'first-start').credential;

describe('a directory snapshot', () => {
  it('holds what the files say, with the stored credentials beside', () => {
    const acme = tenant('acme', [consumer('web-shop', [web], { team: 'shop', roles: ['buyer'] })], {
      attributes: { models: ['a', 'b'] },
      teams: new Map([['shop', { name: 'shop', attributes: { size: 3 } }]]),
    });
    const extra = [{ tenant: 'acme', consumer: 'web-shop', credential: stored }];
    expect(snapshotOf(directory(acme), extra, PEPPER, 4)).toEqual({
      epoch: 4,
      pepper: PEPPER,
      tenants: [
        {
          name: 'acme',
          plan: 'free',
          attributes: { models: ['a', 'b'] },
          teams: [{ name: 'shop', attributes: { size: 3 } }],
          consumers: [
            {
              name: 'web-shop',
              team: 'shop',
              roles: ['buyer'],
              subscriptions: [],
              attributes: {},
              credentials: [web, stored],
            },
          ],
        },
      ],
    });
  });

  it('is plain data that can be sent to a thread', () => {
    const snapshot = snapshotOf(directory(tenant('acme', [consumer('web-shop', [web])])), [], PEPPER, 1);
    expect(structuredClone(snapshot)).toEqual(snapshot);
  });

  it('leaves out stored credentials whose consumer is gone, or lives in another tenant', () => {
    const globex = tenant('globex', [consumer('web-shop', [])]);
    const extra = [{ tenant: 'acme', consumer: 'web-shop', credential: stored }];
    const snapshot = snapshotOf(directory(globex), extra, PEPPER, 1);
    expect(snapshot.tenants[0]?.consumers[0]?.credentials).toEqual([]);
  });
});

describe('problems of a directory', () => {
  it('are none when every key is its own', () => {
    const acme = tenant('acme', [consumer('web-shop', [web])]);
    const extra = [{ tenant: 'acme', consumer: 'web-shop', credential: stored }];
    expect(directoryProblems(directory(acme), extra)).toEqual([]);
  });

  it.each([
    ['ptnh1:short', 'no hash at all'],
    [issued(5, 'other').credential.hash, 'the hash of another key id'],
  ])('name a hash that is not one: %s (%s)', (hash) => {
    const acme = tenant('acme', [consumer('web-shop', [{ ...web, hash }])]);
    expect(directoryProblems(directory(acme), [])).toEqual([
      {
        kind: 'malformed-hash',
        tenant: 'acme',
        consumer: 'web-shop',
        credential: 'web-1',
        message: 'The hash of credential "web-1" is not one: issue the key anew.',
      },
    ]);
  });

  it('name a key that two credentials hold, across tenants', () => {
    const twice = directory(
      tenant('acme', [consumer('web-shop', [web])]),
      tenant('globex', [consumer('erp', [{ ...web, name: 'erp-1' }])]),
    );
    expect(directoryProblems(twice, [])).toMatchObject([
      { kind: 'duplicate-key-id', tenant: 'globex', credential: 'erp-1' },
    ]);
  });

  it('name a stored credential that a file names too', () => {
    const acme = tenant('acme', [consumer('web-shop', [web])]);
    const extra = [{ tenant: 'acme', consumer: 'web-shop', credential: { ...stored, name: 'web-1' } }];
    expect(directoryProblems(directory(acme), extra)).toMatchObject([
      { kind: 'duplicate-name', credential: 'web-1' },
    ]);
  });
});
