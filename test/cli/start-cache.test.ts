/** What is kept of a project from one start to the next: it is the project, or it is not used. */
import { existsSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deserialize } from 'node:v8';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { err } from '../../src/base/result.ts';
import type { LiveVersion } from '../../src/cli/run/configuration.ts';
import { VersionKeeper } from '../../src/cli/run/prepared-project.ts';
import { BUILDER_IDLE_MS, LocalBuilder, ThreadBuilder } from '../../src/cli/run/project-builder.ts';
import { formOf, fromForm, type ReadyForm } from '../../src/cli/run/ready-form.ts';
import type { ReadyProject } from '../../src/cli/run/ready-project.ts';
import {
  CACHED_FROM_BYTES,
  type CacheInputs,
  cacheInputs,
  START_CACHE_FILE,
  StartCache,
  type StartCacheOptions,
  seemsCached,
} from '../../src/cli/run/start-cache.ts';
import { renderText } from '../../src/diagnostics/render/text.ts';
import { SourceText } from '../../src/diagnostics/source.ts';
import type { PackedBundle } from '../../src/gateway/packed-bundle.ts';
import type { Directory } from '../../src/model/world.ts';
import { freePort, RunningGateway, writeProject } from '../gateway/running-gateway.ts';

const FILLER = `# ${'x'.repeat(CACHED_FROM_BYTES)}\n`;
const FILES: Readonly<Record<string, string>> = {
  'portunus.yaml': 'portunus: 1\n',
  'enforcement.yaml': 'policies: { p: warn }\n',
  'routes/a.yaml': `services: { s: { endpoints: [{ url: "http://127.0.0.1:1" }] } }
routes:
  orders: { service: s, match: { methods: [GET], path: "/orders/{id}", hosts: ["a.example"] } }
  old: { service: s, match: { path: /old, headers: { x-a: "1" } }, tags: [v1] }
  pay: { service: s, match: { methods: [POST], path: /pay }, request: { schema: ../schemas/pay.schema.json } }
`,
  'routes/filler.yaml': `${FILLER}routes: {}\n`,
  'schemas/pay.schema.json':
    '{ "type": "object", "required": ["amount"], "properties": { "amount": { "type": "integer" } } }\n',
  'tenants/acme.yaml':
    'tenants: { acme: { plan: gold, consumers: { web: { subscriptions: [orders, pay] } } } }\n',
  'policies/p.policy': `language 1
policy "p" reviewed 2026-01-01 review every 30 days {
  permit when consumer is subscribed to route
  limit "pace" at most 5 requests in any 10s for each consumer
}
policy "large" applies to route "pay" { forbid "large" when request.body.amount > 7 }
policy "ending" applies to route "old" {
  deprecate from 2027-01-15 sunset 2027-03-31 successor route "orders"
}
policy "open" applies to every route { permit }
`,
  'policies/p.test.policy': 'language 1\n',
};
const FOLDER = '/srv/gateway';
const PROGRAM = 'this build';
const WALL_MS = Date.UTC(2026, 10, 30);
const DAY_MS = 86_400_000;
const SECRET = new Uint8Array(32).fill(7);

const textsOf = (files: Readonly<Record<string, string>>): SourceText[] =>
  Object.entries(files).map(([path, text]) => new SourceText(path, text));
const TEXTS = textsOf(FILES);
const INPUTS = cacheInputs(TEXTS, FOLDER, PROGRAM)!;

let dataFolder: string;
beforeEach(async () => {
  dataFolder = await mkdtemp(join(tmpdir(), 'portunus-cache-'));
});
afterEach(() => rm(dataFolder, { recursive: true, force: true }));

const cacheOf = (parts: Partial<StartCacheOptions> = {}): StartCache =>
  new StartCache({ dataFolder, secret: SECRET, bytesMax: 1 << 30, freeBytes: async () => null, ...parts });
const file = (): string => join(dataFolder, START_CACHE_FILE);

async function built(texts: readonly SourceText[] = TEXTS, wallMs = WALL_MS): Promise<ReadyProject> {
  const project = await new LocalBuilder().build(texts, FOLDER, wallMs);
  expect(renderText(project.diagnostics, { colour: 'off' })).not.toContain('error');
  expect(project.built).not.toBeNull();
  return project;
}

async function kept(cache = cacheOf(), inputs: CacheInputs = INPUTS): Promise<ReadyForm> {
  const form = formOf(await built(), TEXTS);
  expect(await cache.keep(inputs, () => form)).toEqual({ ok: true, value: undefined });
  return form;
}

/**
 * All that a project is, its packed memory byte for byte. But V8 writes one number in several ways, whichever it had at hand: what it
 * wrote is compared as it is read.
 */
function contents({ built: version, diagnostics }: ReadyProject) {
  if (version === null) return { version, text: renderText(diagnostics, { colour: 'off' }) };
  const { world, bundle, policyCount, days, findings } = version;
  const { hash, services, counters, ruleCount } = bundle;
  const packed = bundle.pack();
  if (!packed.ok) throw new Error(packed.error);
  return {
    world: { ...world, routes: [...world.routes.keys()] },
    bundle: { hash, services, counters, ruleCount },
    packed: {
      ...(inBytes(packed.value) as object),
      partEnds: null,
      ownBytes: null,
      shared: partsOf(packed.value),
    },
    counted: { policyCount, days },
    text: renderText(diagnostics, { colour: 'off' }),
    findings: renderText(findings, { colour: 'off' }),
  };
}

function partsOf({ shared, partEnds }: PackedBundle): readonly unknown[] {
  return partEnds.map((end, part) => deserialize(Buffer.from(shared.subarray(partEnds[part - 1] ?? 0, end))));
}

function inBytes(value: unknown): unknown {
  if (ArrayBuffer.isView(value)) {
    const { buffer, byteOffset, byteLength } = value;
    return `${value.constructor.name} ${Buffer.from(new Uint8Array(buffer, byteOffset, byteLength)).toString('base64')}`;
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, inBytes(each)]));
}

describe('a project that was kept', () => {
  it('is what was made of its files, byte for byte, with the same findings', async () => {
    const form = await kept();
    const reading = cacheOf().read(INPUTS, WALL_MS);
    if (reading.kind !== 'found') throw new Error(reading.kind);
    expect(inBytes(reading.form.built?.packed)).toEqual(inBytes(form.built?.packed));
    const made = contents(await built());
    expect(made.text).toContain('PT2501');
    expect(contents(fromForm(reading.form, TEXTS))).toEqual(made);
    expect((await stat(file())).mode & 0o777).toBe(0o600);
  });

  it('keeps secrets masked that a file must not have', async () => {
    const secret = 'sk-proj-abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJ';
    const texts = textsOf({ ...FILES, 'routes/b.yaml': `# ${secret}\nroutes: { x: { service: s } }\n` });
    const project = await new LocalBuilder().build(texts, FOLDER, WALL_MS);
    const again = fromForm(structuredClone(formOf(project, texts)), texts);
    expect(contents(again)).toEqual(contents(project));
    expect(renderText(again.diagnostics, { colour: 'off' })).not.toContain(secret);
  });

  it('holds for the days on which its findings stay the same', async () => {
    await kept();
    const kindAt = (wallMs: number): string => cacheOf().read(INPUTS, wallMs).kind;
    expect(kindAt(Date.UTC(2027, 0, 14, 23, 59))).toBe('found');
    // from this day on routes are late to be deprecated
    expect(kindAt(Date.UTC(2027, 0, 15))).toBe('none');
    expect(kindAt(WALL_MS - DAY_MS)).toBe('none');
  });

  it('of several that go live one after the other, the last is kept', async () => {
    const cache = cacheOf();
    const form = formOf(await built(), TEXTS);
    const others = ['one', 'two', 'three'].map((program) => cacheInputs(TEXTS, FOLDER, program)!);
    let made = 0;
    const writes = others.map((inputs) =>
      cache.keep(inputs, () => {
        made++;
        return form;
      }),
    );
    await Promise.all(writes);
    expect(others.map((inputs) => cache.read(inputs, WALL_MS).kind)).toEqual(['none', 'none', 'found']);
    expect(made).toBe(1);
    await cache.drop();
    expect(existsSync(file())).toBe(false);
  });
});

describe('what a project is kept for', () => {
  const digest = (files: Readonly<Record<string, string>>, folder = FOLDER, program = PROGRAM): string =>
    cacheInputs(textsOf(files), folder, program)!.digest.toString('hex');
  const others = Object.keys(FILES).filter((path) => path !== 'policies/p.test.policy');

  it.each(others)('an edit of %s, or another name of it, makes another', (path) => {
    const { [path]: text, ...rest } = FILES;
    expect(digest({ ...rest, [path]: `${text} ` })).not.toBe(digest({ ...rest, [path]: text! }));
    expect(digest({ ...rest, [`${path}.yaml`]: text! })).not.toBe(digest({ ...rest, [path]: text! }));
    if (path !== 'routes/filler.yaml') expect(digest(rest)).not.toBe(digest(FILES));
  });

  it('so does a further file, text that moves from one to the next, another folder and another program', () => {
    const moved = { ...FILES, 'policies/p.policy': '', 'policies/q.policy': FILES['policies/p.policy']! };
    const digests = [
      digest(FILES),
      digest({ ...FILES, 'routes/z.yaml': '' }),
      digest({ ...FILES, 'routes/z.yaml': '#z' }),
      digest({ ...FILES, 'routes/z.yaml#z': '' }),
      digest(moved),
      digest(FILES, '/srv/other'),
      digest(FILES, FOLDER, 'another build'),
    ];
    expect(new Set(digests).size).toBe(digests.length);
  });

  it('so do limits that stay in force beside the files: which there are, of which text, and under which identity', () => {
    const limit = { path: 'policies/p.policy', text: 'language 1\n', identity: 'pace', lengthMs: 10_000 };
    const digests = [
      [],
      [limit],
      [limit, limit],
      [{ ...limit, path: 'policies/q.policy' }],
      [{ ...limit, text: 'language 1\n\n' }],
      [{ ...limit, identity: 'other' }],
    ].map((replaced) => cacheInputs(TEXTS, FOLDER, PROGRAM, replaced)!.digest.toString('hex'));
    expect(new Set(digests).size).toBe(digests.length);
    expect(digests[0]).toBe(INPUTS.digest.toString('hex'));
  });

  it('tests of policies are not: the gateway does not read them', () => {
    expect(digest({ ...FILES, 'policies/p.test.policy': 'language 1\n\n' })).toBe(digest(FILES));
  });

  it('nothing is kept of a small project', () => {
    const { 'routes/filler.yaml': _, ...small } = FILES;
    expect(cacheInputs(textsOf(small), FOLDER, PROGRAM)).toBeNull();
  });
});

describe('what is not used', () => {
  it('any byte that changed', async () => {
    await kept();
    const sound = readFileSync(file());
    expect(seemsCached(dataFolder, INPUTS)).toBe(true);
    const place = fc.oneof(fc.nat(200), fc.nat(sound.length - 1), fc.constant(sound.length - 1));
    fc.assert(
      fc.property(place, fc.integer({ min: 1, max: 255 }), (at, change) => {
        const bytes = Buffer.from(sound);
        bytes[at]! ^= change;
        writeFileSync(file(), bytes);
        const { kind } = cacheOf().read(INPUTS, WALL_MS);
        // what says which files it is of says so no more
        expect(kind).toBe(at >= 8 && at < 40 ? 'none' : 'unusable');
      }),
      { numRuns: 150 },
    );
  });

  it('a file that was cut short, or got longer', async () => {
    await kept();
    const sound = readFileSync(file());
    fc.assert(
      fc.property(fc.nat(sound.length - 1), (length) => {
        writeFileSync(file(), sound);
        truncateSync(file(), length);
        expect(cacheOf().read(INPUTS, WALL_MS).kind).toBe('unusable');
      }),
      { numRuns: 40 },
    );
    writeFileSync(file(), Buffer.concat([sound, Buffer.alloc(8)]));
    expect(cacheOf().read(INPUTS, WALL_MS).kind).toBe('unusable');
  });

  it('what another instance made, other files, or more than it may be', async () => {
    await kept();
    const other = cacheInputs(TEXTS, '/srv/other', PROGRAM)!;
    expect(cacheOf({ secret: new Uint8Array(32) }).read(INPUTS, WALL_MS)).toEqual({
      kind: 'unusable',
      why: 'it is damaged, or another instance made it',
    });
    expect(cacheOf().read(other, WALL_MS).kind).toBe('none');
    expect(seemsCached(dataFolder, other)).toBe(false);
    const { size } = await stat(file());
    expect(cacheOf({ bytesMax: size }).read(INPUTS, WALL_MS).kind).toBe('found');
    expect(cacheOf({ bytesMax: size - 1 }).read(INPUTS, WALL_MS).kind).toBe('unusable');
  });

  it('nothing larger than its bound is kept, and what was there goes', async () => {
    await kept();
    const form = formOf(await built(), TEXTS);
    expect(await cacheOf({ bytesMax: 1_000 }).keep(INPUTS, () => form)).toMatchObject({ ok: false });
    expect(existsSync(file())).toBe(false);
    expect(cacheOf().read(INPUTS, WALL_MS)).toEqual({ kind: 'none' });
  });

  it('a folder that can not be written to leaves nothing behind, and says why', async () => {
    const cache = cacheOf({ dataFolder: join(dataFolder, 'gone') });
    const form = formOf(await built(), TEXTS);
    expect(await cache.keep(INPUTS, () => form)).toMatchObject({
      ok: false,
      error: expect.stringContaining('ENOENT'),
    });
  });
});

describe('a version that went live', () => {
  const { 'routes/filler.yaml': _, ...SMALL } = FILES;
  const live = async (texts: readonly SourceText[]): Promise<LiveVersion> => ({
    epoch: 1,
    ready: (await built(texts)).built!,
    files: { folder: FOLDER, texts: [...texts], folders: [] },
    cause: { reason: 'start', actor: { kind: 'gateway', cause: 'start' } },
  });
  /** What is said while one version after the other goes live. */
  async function said(cache: StartCache, versions: readonly LiveVersion[]): Promise<string[]> {
    const lines: string[] = [];
    const keeper = new VersionKeeper(cache, PROGRAM, (line) => lines.push(line));
    keeper.begin();
    for (const version of versions) {
      keeper.keep(version);
      // until all that was asked for is done
      await cache.clear();
    }
    await keeper.stop();
    return lines;
  }
  const edited = textsOf({ ...FILES, 'routes/z.yaml': '#z' });

  it('is not kept, packed or spoken of where nothing may be kept, and the file goes', async () => {
    await kept();
    const version = await live(TEXTS);
    const ready = { ...version.ready, bundle: { ...version.ready.bundle, pack: () => err('packed') } };
    expect(await said(cacheOf({ bytesMax: 0 }), [{ ...version, ready }, await live(edited)])).toEqual([]);
    expect(existsSync(file())).toBe(false);
  });

  it('is told once of a file that can not be removed, whatever asks for that', async () => {
    mkdirSync(file());
    const small = await live(textsOf(SMALL));
    expect(await said(cacheOf(), [small, small])).toEqual([
      expect.stringMatching(/^What was kept for the next start can't be removed: .*EISDIR.*\.\n$/s),
    ]);
    expect(await cacheOf().drop()).toMatchObject({ ok: false, error: expect.stringContaining('EISDIR') });
    const form = formOf(await built(), TEXTS);
    expect(await cacheOf({ bytesMax: 1_000 }).keep(INPUTS, () => form)).toMatchObject({
      ok: false,
      error: expect.stringMatching(/more than limits.compiledCacheBytes, and .* can't be removed: .*EISDIR/s),
    });
  });

  it('is not written where less than twice its size is free, which is told once', async () => {
    await kept();
    const { size } = await stat(file());
    const form = formOf(await built(), TEXTS);
    const keptWith = async (free: number) =>
      (await cacheOf({ freeBytes: async () => free }).keep(INPUTS, () => form)).ok;
    expect([await keptWith(2 * size - 1), await keptWith(2 * size)]).toEqual([false, true]);
    await rm(file());
    const versions = [await live(TEXTS), await live(edited)];
    expect(await said(cacheOf({ freeBytes: async () => size }), versions)).toEqual([
      'The next start will compile the project anew: less than twice its size is free in the data folder.\n',
    ]);
    expect(existsSync(file())).toBe(false);
  });

  it('what a killed process left half written goes', async () => {
    const unfinished = `${file()}.unfinished`;
    writeFileSync(unfinished, 'half');
    await cacheOf().drop();
    expect(existsSync(unfinished)).toBe(false);
    writeFileSync(unfinished, 'half');
    expect(await said(cacheOf(), [])).toEqual([]);
    expect(existsSync(unfinished)).toBe(false);
  });
});

describe('a thread that builds', () => {
  const ENTRY = new URL('../../dist/src/cli/run/build-thread.js', import.meta.url);
  const NOBODY: Directory = { tenants: new Map(), plans: new Set(), roles: new Set() };

  it('makes what is made here, and keeps tenants that stayed the same', async () => {
    const builder = new ThreadBuilder(ENTRY, NOBODY);
    const first = await builder.build(TEXTS, FOLDER, WALL_MS);
    expect(contents(first)).toEqual(contents(await built()));
    const policies = FILES['policies/p.policy']!;
    const edited = textsOf({ ...FILES, 'policies/p.policy': policies.replace('5 requests', '6 requests') });
    const second = await builder.build(edited, FOLDER, WALL_MS);
    expect(contents(second)).toEqual(contents(await built(edited)));
    const acme = (project: ReadyProject) => project.built?.world.directory.tenants.get('acme');
    expect(acme(second)).toBe(acme(first));
    const wrong = textsOf({ ...FILES, 'policies/p.policy': 'language 1\npolicy "p" { permt }\n' });
    const third = await builder.build(wrong, FOLDER, WALL_MS);
    expect(contents(third)).toEqual(contents(await new LocalBuilder().build(wrong, FOLDER, WALL_MS)));
    expect(third.built).toBeNull();
    await builder.stop();
  });

  it('that ends makes one build fail, and the next one begins another', async () => {
    const script = `import { parentPort } from 'node:worker_threads';
      parentPort.on('message', () => process.exit(3));`;
    const builder = new ThreadBuilder(new URL(`data:text/javascript,${encodeURIComponent(script)}`), NOBODY);
    for (let time = 0; time < 2; time++)
      await expect(builder.build(TEXTS, FOLDER, WALL_MS)).rejects.toThrow('ended with code 3');
    await builder.stop();
  });

  it('that ended touches nothing of the one that follows it', async () => {
    const script = `import { parentPort } from 'node:worker_threads';
      parentPort.on('message', ({ folder }) => {
        if (folder === 'defective') throw new Error('out of order');
        parentPort.postMessage({ built: null, findings: { sources: [], diagnostics: [] } });
      });`;
    const builder = new ThreadBuilder(new URL(`data:text/javascript,${encodeURIComponent(script)}`), NOBODY);
    await expect(builder.build(TEXTS, 'defective', WALL_MS)).rejects.toThrow('out of order');
    expect((await builder.build(TEXTS, FOLDER, WALL_MS)).built).toBeNull();
    await builder.stop();
  });

  it('ends when nobody edits for minutes, and begins anew with the next edit', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const ended = vi.spyOn(Worker.prototype, 'terminate');
    const script = `import { parentPort } from 'node:worker_threads';
      const nothing = { built: null, findings: { sources: [], diagnostics: [] } };
      parentPort.on('message', () => parentPort.postMessage(nothing));`;
    const builder = new ThreadBuilder(new URL(`data:text/javascript,${encodeURIComponent(script)}`), NOBODY);
    try {
      const first = builder.build(TEXTS, FOLDER, WALL_MS);
      // Not while it works, however long that takes.
      vi.advanceTimersByTime(2 * BUILDER_IDLE_MS);
      await first;
      vi.advanceTimersByTime(BUILDER_IDLE_MS - 1);
      await builder.build(TEXTS, FOLDER, WALL_MS);
      vi.advanceTimersByTime(BUILDER_IDLE_MS - 1);
      expect(ended).not.toHaveBeenCalled();
      vi.advanceTimersByTime(1);
      expect(ended).toHaveBeenCalledTimes(1);
      // It may still be ending: what is asked now isn't asked of it.
      await builder.build(TEXTS, FOLDER, WALL_MS);
      expect(await ended.mock.results[0]!.value).toBe(1);
      await builder.build(TEXTS, FOLDER, WALL_MS);
      await builder.stop();
      vi.advanceTimersByTime(BUILDER_IDLE_MS);
      expect(ended).toHaveBeenCalledTimes(2);
    } finally {
      ended.mockRestore();
      vi.useRealTimers();
    }
  });

  it('begins no more once it was stopped', async () => {
    const script = `import { parentPort } from 'node:worker_threads';
      parentPort.on('message', () => process.exit(3));`;
    const builder = new ThreadBuilder(new URL(`data:text/javascript,${encodeURIComponent(script)}`), NOBODY);
    const asked = expect(builder.build(TEXTS, FOLDER, WALL_MS)).rejects.toThrow('ended with code');
    await builder.stop();
    await asked;
    await expect(builder.build(TEXTS, FOLDER, WALL_MS)).rejects.toThrow('was stopped');
  });
});

it('a gateway starts from what it kept, goes on from there, and makes anew what is damaged', async () => {
  const upstreamPort = await freePort();
  const routes = (name: string): string =>
    `services: { s: { endpoints: [{ url: "http://127.0.0.1:${upstreamPort}" }] } }
routes: { ${name}: { service: s, match: { path: "/${name}" }, auth: none } }\n`;
  const project = await writeProject({
    'routes/a.yaml': routes('one'),
    'routes/filler.yaml': FILES['routes/filler.yaml']!,
    'policies/p.policy':
      'language 1\npolicy "p" applies to every route { permit forbid "no" when request.method is "GET" }\n',
  });
  const running = async (): Promise<RunningGateway> =>
    RunningGateway.start(project, { arguments: ['--no-watch'] });
  const statusOf = async (gateway: RunningGateway, path: string): Promise<number> =>
    (await fetch(`${gateway.url}/${path}`)).status;
  const cached = join(project.folder, 'data', START_CACHE_FILE);
  try {
    const cold = await running();
    expect(cold.output).not.toContain('kept from');
    await cold.stop();
    writeFileSync(`${cached}.unfinished`, 'half');
    const warm = await running();
    expect(warm.output).toContain('kept from an earlier start');
    expect(await statusOf(warm, 'one')).toBe(403);
    await project.write('routes/a.yaml', routes('two'));
    warm.child.kill('SIGHUP');
    await warm.printed(/SIGHUP: .*live/);
    expect([await statusOf(warm, 'one'), await statusOf(warm, 'two')]).toEqual([404, 403]);
    await warm.stop();
    const warmer = await running();
    expect(warmer.output).toContain('kept from an earlier start');
    expect(await statusOf(warmer, 'two')).toBe(403);
    expect(existsSync(`${cached}.unfinished`)).toBe(false);
    // one load begins the thread, one waits, and nothing of either holds up the end
    await project.write('routes/a.yaml', routes('three'));
    warmer.child.kill('SIGHUP');
    await fetch(`http://127.0.0.1:${project.adminPort}/`);
    warmer.child.kill('SIGHUP');
    await fetch(`http://127.0.0.1:${project.adminPort}/`);
    expect(await warmer.stop()).toBe(0);
    expect(warmer.output).not.toContain('defect');
    await project.write('routes/a.yaml', routes('two'));
    const bytes = readFileSync(cached);
    bytes[bytes.length - 9]! ^= 1;
    writeFileSync(cached, bytes);
    const mended = await running();
    expect(mended.output).toContain(
      'compiled.cache is not used: it is damaged, or another instance made it. The project is compiled anew.',
    );
    expect(await statusOf(mended, 'two')).toBe(403);
    expect(await mended.stop()).toBe(0);
    expect(readFileSync(cached).equals(bytes)).toBe(false);
  } finally {
    await project.remove();
  }
}, 60_000);
