import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The product as its users run it: the built CLI in a process of its own, on a project folder of its own. */
export const PORTUNUS = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url));

/** Texts of a project folder by path; `portunus.yaml` is made by the fixture. */
export type ProjectTexts = Readonly<Record<string, string>>;

export interface GatewayOptions {
  readonly dataThreads?: number;
  /** Further lines of portunus.yaml. */
  readonly settings?: string;
  readonly arguments?: readonly string[];
  /** Further variables of its environment. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Done while it starts, as soon as its process is there. */
  readonly whileStarting?: (child: ChildProcess) => Promise<void>;
}

export interface Project {
  readonly folder: string;
  readonly port: number;
  readonly adminPort: number;
  write(path: string, text: string): Promise<void>;
  remove(): Promise<void>;
}

export async function writeProject(texts: ProjectTexts, options: GatewayOptions = {}): Promise<Project> {
  const folder = await mkdtemp(join(tmpdir(), 'portunus-test-'));
  const port = await freePort();
  let adminPort = await freePort();
  // The system gives a port that was closed a second time now and then.
  while (adminPort === port) adminPort = await freePort();
  const project: Project = {
    folder,
    port,
    adminPort,
    write: async (path, text) => {
      const file = join(folder, path);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, text);
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
  await project.write(
    'portunus.yaml',
    [
      'portunus: 1',
      `listen: { address: 127.0.0.1, port: ${port} }`,
      `admin: { address: 127.0.0.1, port: ${adminPort} }`,
      `dataThreads: ${options.dataThreads ?? 1}`,
      'data: ./data',
      options.settings ?? '',
      '',
    ].join('\n'),
  );
  for (const [path, text] of Object.entries(texts)) await project.write(path, text);
  return project;
}

interface RunOptions {
  readonly input?: string;
  readonly folder?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

/** A process that runs to its end: its exit code and everything it printed. */
export async function runPortunus(
  commandLine: readonly string[],
  { input = '', folder = process.cwd(), environment = {} }: RunOptions = {},
): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  const child = spawn(process.execPath, [PORTUNUS, ...commandLine], {
    stdio: 'pipe',
    cwd: folder,
    env: { ...process.env, ...environment },
  });
  // a command that does not read its input may end before it is written
  child.stdin.on('error', () => {}).end(input);
  const output = collect(child);
  const [code] = (await once(child, 'close')) as [number];
  return { code, stdout: output.stdout(), stderr: output.stderr() };
}

export class RunningGateway {
  readonly project: Project;
  readonly child: ChildProcess;
  readonly #output: Output;

  private constructor(project: Project, child: ChildProcess, output: Output) {
    this.project = project;
    this.child = child;
    this.#output = output;
  }

  static async start(project: Project, options: GatewayOptions = {}): Promise<RunningGateway> {
    const child = spawn(process.execPath, [PORTUNUS, 'start', project.folder, ...(options.arguments ?? [])], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...options.environment },
    });
    const gateway = new RunningGateway(project, child, collect(child));
    await options.whileStarting?.(child);
    await gateway.printed(/Portunus is running/);
    return gateway;
  }

  get url(): string {
    return `http://127.0.0.1:${this.project.port}`;
  }

  get output(): string {
    return this.#output.stdout() + this.#output.stderr();
  }

  /** Waits until what the gateway has printed matches; fails if it ends before. */
  printed(pattern: RegExp, from = 0): Promise<string> {
    return this.#output.until(pattern, from);
  }

  /** The key that the gateway made for a consumer at its first start. */
  async key(tenant: string, consumer: string): Promise<string> {
    const text = await readFile(join(this.project.folder, 'data', 'first-keys.json'), 'utf8');
    const keys = JSON.parse(text) as { tenant: string; consumer: string; key: string }[];
    const found = keys.find((entry) => entry.tenant === tenant && entry.consumer === consumer);
    if (found === undefined) throw new Error(`no first key for ${tenant}/${consumer} in ${text}`);
    return found.key;
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return this.child.exitCode;
    const closed = once(this.child, 'close');
    this.child.kill(signal);
    const [code] = (await closed) as [number | null];
    return code;
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

interface Output {
  readonly stdout: () => string;
  readonly stderr: () => string;
  readonly until: (pattern: RegExp, from: number) => Promise<string>;
}

function collect(child: ChildProcess): Output {
  let stdout = '';
  let stderr = '';
  const watching = new Set<() => void>();
  const tell = (): void => {
    for (const look of watching) look();
  };
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    tell();
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    tell();
  });
  child.on('close', tell);
  const until = (pattern: RegExp, from: number): Promise<string> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const text = stdout + stderr;
        const found = pattern.exec(text.slice(from));
        if (found === null && child.exitCode === null && child.signalCode === null) return;
        watching.delete(look);
        if (found === null)
          reject(new Error(`it ended (${child.exitCode}) before printing ${pattern}:\n${text}`));
        else resolve(found[0]);
      };
      watching.add(look);
      look();
    });
  return { stdout: () => stdout, stderr: () => stderr, until };
}
