/** Tenants, teams and consumers made at run time, beside those of files: with the reader of files, and as a data thread sees them. */
import { describe, expect, it } from 'vitest';
import { createDirectoryDesk } from '../../src/cli/run/directory-desk.ts';
import { storedEntityReader } from '../../src/cli/run/stored-entities.ts';
import { loadWorld } from '../../src/config/load.ts';
import { SourceText } from '../../src/diagnostics/source.ts';
import { createIdentitySource } from '../../src/governance/identity-source.ts';
import { ACTOR, liveDirectory, type MemoryEntities } from '../../src/governance/live-directory.cases.ts';
import type { EntityName, StoredEntity } from '../../src/governance/stored-directory.ts';

const PORTUNUS = `portunus: 1
attributes:
  tenant: { plan: { enum: [free, gold] }, region: { type: text } }
  consumer: { floor: { type: number, optional: true }, price: { type: money, optional: true } }
`;
const ROUTES = `services: { s: { endpoints: [{ url: "http://127.0.0.1:1" }] } }
routes: { orders: { service: s, match: { path: "/orders" } } }
`;
const TENANTS = `tenants:
  acme:
    plan: free
    attributes: { region: eu }
    teams: { shop: {} }
    consumers: { web: { team: shop, roles: [buyer], subscriptions: [orders] } }
`;

function worldOf(tenants: string, portunus = PORTUNUS) {
  const texts = [
    new SourceText('portunus.yaml', portunus),
    new SourceText('routes/r.yaml', ROUTES),
    new SourceText('tenants/t.yaml', tenants),
  ];
  const { world, diagnostics } = loadWorld(texts, { projectFolder: '/p' });
  if (world === null) throw new Error(diagnostics.map(({ message }) => message).join('\n'));
  return { world, texts };
}

function running(entities?: MemoryEntities, files = worldOf(TENANTS)) {
  const made = liveDirectory({ reader: storedEntityReader, ...(entities === undefined ? {} : { entities }) });
  const live = made.directory;
  let texts = files.texts;
  const reload = (next: typeof files) => {
    const prepared = live.prepare(next.world);
    if (!prepared.ok) throw new Error(prepared.error);
    made.published.push(prepared.value.snapshot);
    prepared.value.takeUp();
    texts = next.texts;
  };
  expect(live.load().ok).toBe(true);
  reload(files);
  const who = (key: string) => {
    const source = createIdentitySource(made.published.at(-1)!, made.hash);
    const found = source.identify(key, made.clock.wall);
    return typeof found === 'string' ? found : found.identity;
  };
  return { ...made, live, reload, who, desk: createDirectoryDesk(live, () => texts) };
}

const entity = (
  kind: StoredEntity['kind'],
  tenant: string,
  name: string,
  document: object,
): StoredEntity => ({
  kind,
  tenant,
  name,
  document,
});
const GLOBEX = entity('tenant', 'globex', '', {
  plan: 'gold',
  priority: 'low',
  attributes: { region: 'us' },
});
const ERP = entity('consumer', 'globex', 'erp', {
  roles: ['clerk'],
  subscriptions: ['orders'],
  attributes: { floor: 3, price: '$0.50' },
});
const ISSUE = { name: null, environment: 'live', expiresMs: null };

async function withGlobex() {
  const all = running();
  for (const each of [GLOBEX, ERP])
    expect(await all.live.put(each, ACTOR)).toEqual({ ok: true, value: 'made' });
  return all;
}

describe('made at run time', () => {
  it('a tenant and a consumer call by keys, with values typed as those of files', async () => {
    const { live, who, entities } = await withGlobex();
    const issued = live.keys.issue({ tenant: 'globex', consumer: 'erp', ...ISSUE }, ACTOR);
    const key = issued.ok ? issued.value.key : '';
    expect(who(key)).toMatchObject({
      tenant: { name: 'globex', plan: 'gold', priority: 'low', attributes: { region: 'us' } },
      consumer: { name: 'erp', roles: ['clerk'], attributes: { floor: 3, price: 500_000_000 } },
    });
    const changed = await live.put({ ...ERP, document: { roles: ['auditor'] } }, ACTOR);
    expect(changed).toEqual({ ok: true, value: 'changed' });
    expect(who(key)).toMatchObject({ consumer: { roles: ['auditor'], attributes: {} } });
    expect(entities.entries.map(({ action, target }) => `${action} ${target}`)).toEqual([
      'directory.put-tenant tenant globex',
      'directory.put-consumer consumer globex/erp',
      'directory.put-consumer consumer globex/erp',
    ]);
    expect(entities.entries.at(-1)).toMatchObject({ before: ERP.document, after: { roles: ['auditor'] } });
  });

  it('a consumer and a team join a tenant of a file', async () => {
    const { live, who } = running();
    expect(await live.put(entity('team', 'acme', 'night', {}), ACTOR)).toMatchObject({ ok: true });
    expect(await live.put(entity('consumer', 'acme', 'app', { team: 'night' }), ACTOR)).toMatchObject({
      ok: true,
    });
    const issued = live.keys.issue({ tenant: 'acme', consumer: 'app', ...ISSUE }, ACTOR);
    expect(who(issued.ok ? issued.value.key : '')).toMatchObject({
      tenant: { plan: 'free' },
      team: { name: 'night' },
      consumer: { name: 'app' },
    });
  });

  it('is there after a restart', async () => {
    const { entities, keys, live } = await withGlobex();
    const issued = live.keys.issue({ tenant: 'globex', consumer: 'erp', ...ISSUE }, ACTOR);
    const again = liveDirectory({ reader: storedEntityReader, entities, keys });
    again.directory.load();
    const prepared = again.directory.prepare(worldOf(TENANTS).world);
    if (!prepared.ok || !issued.ok) throw new Error('not prepared');
    prepared.value.takeUp();
    const source = createIdentitySource(prepared.value.snapshot, again.hash);
    expect(source.identify(issued.value.key, 0)).toMatchObject({ identity: { consumer: { name: 'erp' } } });
  });

  it.each<[string, StoredEntity, string, string]>([
    ['a name that a file has', entity('consumer', 'acme', 'web', {}), 'defined_in_file', 'tenants/t.yaml:6'],
    [
      'a tenant that a file has',
      entity('tenant', 'acme', '', { plan: 'gold' }),
      'defined_in_file',
      'tenants/t.yaml:2',
    ],
    ['a tenant that is not there', entity('consumer', 'nobody', 'x', {}), 'tenant_not_found', '"nobody"'],
    [
      'an unknown plan',
      entity('tenant', 'x', '', { plan: 'golb', attributes: { region: 'us' } }),
      'malformed',
      'gold',
    ],
    ['a missing attribute', entity('tenant', 'x', '', { plan: 'gold' }), 'malformed', 'region'],
    [
      'an unknown route',
      entity('consumer', 'acme', 'x', { subscriptions: ['order'] }),
      'malformed',
      'Did you mean "orders"?',
    ],
    [
      'an unknown team',
      entity('consumer', 'acme', 'x', { team: 'shops' }),
      'malformed',
      'Did you mean "shop"?',
    ],
    [
      'a value of another type',
      entity('consumer', 'acme', 'x', { attributes: { floor: 'x' } }),
      'malformed',
      'floor',
    ],
  ])('refuses %s, and changes nothing', async (_what, each, code, words) => {
    const { live, entities, published } = running();
    const put = await live.put(each, ACTOR);
    expect(put).toMatchObject({ ok: false, error: { code } });
    expect(JSON.stringify(put)).toContain(words.replaceAll('"', '\\"'));
    expect([entities.kept.size, published.length]).toEqual([0, 1]);
  });

  it('changes nothing that could not be saved', async () => {
    const { live, entities, published, desk } = running();
    entities.broken = true;
    expect(await live.put(GLOBEX, ACTOR)).toMatchObject({ ok: false, error: { code: 'not_saved' } });
    expect(published).toHaveLength(1);
    expect(desk.get({ kind: 'tenant', tenant: 'globex', name: '' })).toBeNull();
  });

  it('of many changes at once loses none', async () => {
    const { live, desk } = running();
    await Promise.all(
      Array.from({ length: 20 }, (_, n) => live.put(entity('consumer', 'acme', `c${n}`, {}), ACTOR)),
    );
    const acme = desk.get({ kind: 'tenant', tenant: 'acme', name: '' });
    expect(acme?.consumers).toHaveLength(21);
  });
});

describe('deleting', () => {
  const name = ({ kind, tenant, name: own }: StoredEntity): EntityName => ({ kind, tenant, name: own });

  it('ends the keys of a consumer, also if it is made again', async () => {
    const { live, who, keys } = await withGlobex();
    const issued = live.keys.issue({ tenant: 'globex', consumer: 'erp', ...ISSUE }, ACTOR);
    const key = issued.ok ? issued.value.key : '';
    expect(await live.remove(name(GLOBEX), ACTOR)).toMatchObject({
      ok: false,
      error: { code: 'still_used' },
    });
    expect(await live.remove(name(ERP), ACTOR)).toEqual({ ok: true, value: undefined });
    expect(who(key)).toBe('unknown');
    await live.put(ERP, ACTOR);
    expect(who(key)).toBe('unknown');
    expect(await live.remove(name(ERP), ACTOR)).toMatchObject({ ok: true });
    expect(await live.remove(name(GLOBEX), ACTOR)).toMatchObject({ ok: true });
    expect(await live.remove(name(GLOBEX), ACTOR)).toMatchObject({
      ok: false,
      error: { code: 'entity_not_found' },
    });
    expect(keys.keys.size).toBe(1);
  });

  it('lets no key be issued that would outlive the consumer', async () => {
    const { live, keys } = await withGlobex();
    const removing = live.remove(name(ERP), ACTOR);
    // The consumer is off the disk already, and still known on the threads.
    while (live.made.get(ERP) !== null) await Promise.resolve();
    expect(live.whole.tenants.get('globex')?.consumers.has('erp')).toBe(true);
    expect(live.keys.issue({ tenant: 'globex', consumer: 'erp', ...ISSUE }, ACTOR)).toMatchObject({
      ok: false,
      error: { code: 'consumer_not_found' },
    });
    expect(await removing).toMatchObject({ ok: true });
    expect(keys.keys.size).toBe(0);
  });

  it('is refused for what a file defines', async () => {
    const { live } = running();
    const web = { kind: 'consumer', tenant: 'acme', name: 'web' } as const;
    expect(await live.remove(web, ACTOR)).toMatchObject({ ok: false, error: { code: 'defined_in_file' } });
  });
});

describe('files that change', () => {
  it('win over what was made here, which comes back when they have it no more', async () => {
    const { live, reload, who, desk } = await withGlobex();
    const issued = live.keys.issue({ tenant: 'globex', consumer: 'erp', ...ISSUE }, ACTOR);
    const key = issued.ok ? issued.value.key : '';
    const both = `${TENANTS}  globex:\n    plan: free\n    attributes: { region: asia }\n    consumers: { erp: { roles: [robot] } }\n`;
    reload(worldOf(both));
    expect(who(key)).toMatchObject({ tenant: { plan: 'free' }, consumer: { roles: ['robot'] } });
    expect(desk.get(ERP)).toMatchObject({ in: 'file' });
    reload(worldOf(TENANTS));
    expect(who(key)).toMatchObject({ tenant: { plan: 'gold' }, consumer: { roles: ['clerk'] } });
    expect(desk.get(ERP)).toMatchObject({ in: 'store' });
  });

  it('leave out what does not fit any more, and say so, until it fits again', async () => {
    const { live, reload, who, desk } = await withGlobex();
    const issued = live.keys.issue({ tenant: 'globex', consumer: 'erp', ...ISSUE }, ACTOR);
    const key = issued.ok ? issued.value.key : '';
    reload(worldOf(TENANTS, PORTUNUS.replace('floor: { type: number', 'floor: { type: text')));
    expect(who(key)).toBe('unknown');
    expect(desk.leftOut()).toMatchObject([{ what: 'consumer "erp" of "globex"' }]);
    reload(worldOf(TENANTS));
    expect(who(key)).toMatchObject({ consumer: { name: 'erp' } });
    expect(desk.leftOut()).toEqual([]);
  });
});

describe('a version that is prepared', () => {
  it('changes nothing of what is made here before it is taken up', async () => {
    const { live, desk } = await withGlobex();
    const other = worldOf(TENANTS, PORTUNUS.replace('floor: { type: number', 'floor: { type: text'));
    expect(live.prepare(other.world).ok).toBe(true);
    expect(desk.leftOut()).toEqual([]);
    expect(await live.put(ERP, ACTOR)).toEqual({ ok: true, value: 'changed' });
  });

  it('is exported as it is in force, when a change here made fit what had been left out', async () => {
    const { live, desk, reload } = await withGlobex();
    reload(worldOf(TENANTS, PORTUNUS.replace('floor: { type: number', 'floor: { type: text')));
    expect(desk.leftOut()).toHaveLength(1);
    expect(await live.put({ ...ERP, document: { roles: ['clerk'] } }, ACTOR)).toMatchObject({ ok: true });
    expect(desk.leftOut()).toEqual([]);
    expect(desk.exported()).toMatchObject({ value: expect.stringContaining('erp') });
  });
});

describe('the export', () => {
  it('is a file that loads to the same directory', async () => {
    const { live, desk, reload } = await withGlobex();
    await live.put(entity('team', 'acme', 'night', {}), ACTOR);
    await live.put(entity('consumer', 'acme', 'app', { team: 'night' }), ACTOR);
    const exported = desk.exported();
    const text = exported.ok ? exported.value : '';
    const loaded = worldOf(text);
    const withoutPlaces = (value: unknown) =>
      JSON.parse(
        JSON.stringify(value, (field, member) =>
          field === 'place'
            ? undefined
            : member instanceof Map
              ? Object.fromEntries([...member].sort())
              : member,
        ),
      ) as unknown;
    expect(withoutPlaces(loaded.world.directory.tenants)).toEqual(withoutPlaces(live.whole.tenants));
    reload(loaded);
    expect(desk.get(ERP)).toMatchObject({ in: 'file' });
    expect(desk.exported()).toEqual(exported);
  });
});
