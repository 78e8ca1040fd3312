/** The gateway of the demo: the product itself, in a process and on a project folder of its own, both gone afterwards. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { err, ok, type Result } from '../../base/result.ts';
import { PACKAGE_FOLDER } from '../package-folder.ts';
import { readFirstKeys } from '../run/first-keys.ts';
import { DEMO_MODEL } from './calls.ts';
import { KEYS, type Story, type Tenant } from './story.ts';

export interface DemoGateway {
  readonly url: string;
  readonly folder: string;
  readonly keyOf: (tenant: Tenant) => string;
  /** What it has printed. */
  readonly printed: () => string;
  close(): Promise<void>;
}

const CONSUMER = 'app';
const END_WITHIN_MS = 5_000;

/** `secretOf` a key of the provider at `providerUrl`. The error is a sentence; nothing is left behind then. */
export async function startDemoGateway(
  story: Story,
  providerUrl: string,
  secretOf: (key: string) => string,
): Promise<Result<DemoGateway, string>> {
  const folder = await mkdtemp(join(tmpdir(), 'portunus-demo-'));
  let isStarted = false;
  try {
    const [port, adminPort] = [await freePort(), await freePort()];
    for (const [path, text] of Object.entries(projectTexts(story, providerUrl, port, adminPort))) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), text);
    }
    for (const key of KEYS) await writeFile(join(folder, 'providers', `${key}.txt`), secretOf(key));
    const started = await startIn(folder, `http://127.0.0.1:${port}`);
    isStarted = started.ok;
    return started;
  } finally {
    if (!isStarted) await rm(folder, { recursive: true, force: true });
  }
}

async function startIn(folder: string, url: string): Promise<Result<DemoGateway, string>> {
  const main = fileURLToPath(new URL('dist/src/cli/main.js', PACKAGE_FOLDER));
  // It ends with its input: also where this process is killed, and can't end it.
  const child = spawn(process.execPath, [main, 'start', folder, '--no-watch', '--end-with-input'], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const kill = (): void => {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  };
  process.once('exit', kill);
  const close = async (): Promise<void> => {
    await ended(child);
    process.removeListener('exit', kill);
    await rm(folder, { recursive: true, force: true });
  };
  const output = { text: '' };
  if (!(await isRunning(child, output))) {
    await close();
    return err(`The gateway of the demo did not start:\n${output.text}`);
  }
  const keys = await readFirstKeys(join(folder, 'data'));
  if (!keys.ok) {
    await close();
    return keys;
  }
  return ok({
    url,
    folder,
    keyOf: (tenant) => keys.value.find((key) => key.tenant === tenant)!.key,
    printed: () => output.text,
    close,
  });
}

/** It prints records of requests all the time, so only what came last is kept. */
const OUTPUT_CHARS_MAX = 16_384;

function isRunning(child: ChildProcess, output: { text: string }): Promise<boolean> {
  return new Promise((resolve) => {
    const hear = (chunk: Buffer): void => {
      output.text = `${output.text}${chunk.toString('utf8')}`.slice(-OUTPUT_CHARS_MAX);
      if (output.text.includes('Portunus is running')) resolve(true);
    };
    child.stdout!.on('data', hear);
    child.stderr!.on('data', hear);
    child.once('close', () => resolve(false));
  });
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const closed = once(child, 'close');
  child.kill('SIGTERM');
  const killer = setTimeout(() => child.kill('SIGKILL'), END_WITHIN_MS);
  await closed;
  clearTimeout(killer);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { readonly port: number };
  server.close();
  await once(server, 'close');
  return port;
}

function projectTexts(
  { rpm, queueMs }: Story,
  providerUrl: string,
  port: number,
  adminPort: number,
): Readonly<Record<string, string>> {
  return {
    'portunus.yaml': `portunus: 1
listen: { address: 127.0.0.1, port: ${port} }
admin: { address: 127.0.0.1, port: ${adminPort} }
dataThreads: 1
`,
    'providers/models.yaml': `providers:
  mock: { extends: builtin/openai, baseUrl: "${providerUrl}/v1" }
pools:
  main:
    provider: mock
    queue: { upTo: ${queueMs}ms }
    keys:
${KEYS.map((key) => `      ${key}: { secret: "file:${key}.txt", limits: { rpm: ${rpm} } }`).join('\n')}
models:
  ${DEMO_MODEL}: { pools: [main] }
`,
    'routes/models.yaml': 'routes:\n  chat: { ai: openai/chat }\n',
    'tenants/tenants.yaml': `tenants:
  acme: { plan: team, consumers: { ${CONSUMER}: { subscriptions: [chat] } } }
  globex: { plan: team, consumers: { ${CONSUMER}: { subscriptions: [chat] } } }
`,
    'policies/access.policy':
      'language 1\n\npolicy "access" { permit when consumer is subscribed to route }\n',
  };
}
