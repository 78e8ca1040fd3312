/** What is done with secrets while no gateway runs. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { readSecretInput } from '../../src/cli/commands/secret-input.ts';
import { secretsRemove } from '../../src/cli/commands/secrets.ts';
import { systemClock, systemRandom } from '../../src/cli/run/system-clock.ts';
import { openStore, type Store } from '../../src/state/store.ts';

let folder: string;
let told: string;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'portunus-secrets-'));
  write('portunus.yaml', 'portunus: 1\n');
  write(
    'providers/p.yaml',
    `providers: { openai: { extends: builtin/openai } }
pools: { spare: { provider: openai, keys: { one: { secret: store:used } } } }
models: { spare: { pools: [spare], as: gpt-4o } }
`,
  );
  await withStore(({ storedSecrets }) => {
    for (const name of ['used', 'unused'])
      storedSecrets.set(name, Buffer.from('sk-1'), {
        actor: { kind: 'account', name: 'test' },
        keepFormerMs: 0,
        usedBy: null,
      });
  });
  told = '';
  for (const stream of [process.stdout, process.stderr])
    vi.spyOn(stream, 'write').mockImplementation((text) => {
      told += String(text);
      return true;
    });
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

function write(path: string, text: string): void {
  mkdirSync(join(folder, path, '..'), { recursive: true });
  writeFileSync(join(folder, path), text);
}

async function withStore<Value>(use: (store: Store) => Value): Promise<Value> {
  const none = () => ({ ok: true, value: { format: null, tables: {}, damaged: [] } }) as const;
  const store = openStore(join(folder, 'data'), systemRandom(), none, systemClock());
  if (!store.ok) throw new Error(store.error.message);
  const value = use(store.value);
  await store.value.close();
  return value;
}

const names = () =>
  withStore(({ storedSecrets }) => storedSecrets.list().map(({ name }) => name)).then((all) =>
    all.toSorted(),
  );

describe('a secret of the store', () => {
  it('is not removed while the files have it, but with --force', async () => {
    expect(await secretsRemove('used', folder, {})).toBe(3);
    expect(told).toContain('It is in use by key "one" of pool "spare".');
    expect(await names()).toEqual(['unused', 'used']);
    expect(await secretsRemove('unused', folder, {})).toBe(0);
    expect(await secretsRemove('used', folder, { force: true })).toBe(0);
    expect(await names()).toEqual([]);
  });

  it('is not removed while nobody knows whether the files have it', async () => {
    write('providers/p.yaml', 'pools: { spare: { provider: nobody } }\n');
    expect(await secretsRemove('used', folder, {})).toBe(3);
    expect(told).toContain('The files have errors');
    expect(await names()).toEqual(['unused', 'used']);
  });
});

describe('a secret from the standard input', () => {
  async function* stream(...pieces: (string | Buffer)[]) {
    yield* pieces;
  }

  it('is text, whatever pieces it comes in, without the line break of an editor', async () => {
    const [first, second] = [Buffer.from('sché').subarray(0, 4), Buffer.from('sché\n').subarray(4)];
    expect(await readSecretInput(stream(first, second))).toEqual({ ok: true, value: 'sché' });
  });

  it('is refused where sealing it would make another one of it', async () => {
    const read = await readSecretInput(stream(Buffer.from([0x73, 0x6b, 0xff, 0xfe])));
    expect(read).toMatchObject({ ok: false, error: expect.stringContaining('UTF-8') });
  });
});
