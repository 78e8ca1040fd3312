import { once } from 'node:events';
import { cp, readFile, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import {
  freePort,
  type Project,
  RunningGateway,
  runPortunus,
  writeProject,
} from '../gateway/running-gateway.ts';
import { startUpstream, type UpstreamServer } from '../gateway/upstream-server.ts';
import { makeCertificate } from '../upstream/certificate.ts';

const QUICKSTART = fileURLToPath(new URL('../../policies/quickstart', import.meta.url));

const running: RunningGateway[] = [];
const projects: Project[] = [];
const upstreams: UpstreamServer[] = [];
afterEach(async () => {
  for (const gateway of running.splice(0)) await gateway.stop('SIGKILL');
  for (const project of projects.splice(0)) await project.remove();
  for (const upstream of upstreams.splice(0)) await upstream.close();
});

async function openProject(upstream: UpstreamServer | null = null): Promise<Project> {
  const project = await writeProject({
    'routes/r.yaml': `services: { s: { endpoints: [{ url: "http://127.0.0.1:${upstream?.port ?? 1}" }] } }
routes: { all: { service: s, match: { path: "/{rest...}" }, auth: none } }
`,
    'policies/p.policy': 'language 1\npolicy "p" applies to every route { permit }\n',
  });
  projects.push(project);
  return project;
}

async function start(project: Project, commandLine: readonly string[] = []): Promise<RunningGateway> {
  const gateway = await RunningGateway.start(project, { arguments: commandLine });
  running.push(gateway);
  return gateway;
}

describe('the quick start', () => {
  it('prints four requests that answer 200, 401, 403 and 429 as it says', async () => {
    const project = await openProject();
    await cp(QUICKSTART, project.folder, { recursive: true, filter: (source) => !source.endsWith('/data') });
    const mockPort = await freePort();
    await project.write('routes/r.yaml', 'services: {}\n');
    await project.write('policies/p.policy', 'language 1\n');
    for (const [path, edit] of [
      [
        'portunus.yaml',
        (text: string) => text.replace('8080', `${project.port}`).replace('9090', `${project.adminPort}`),
      ],
      ['routes/orders.yaml', (text: string) => text.replace('9001', String(mockPort))],
    ] as const) {
      await project.write(path, edit(await readFile(join(project.folder, path), 'utf8')));
    }
    const gateway = await start(project, ['--mock-upstream', String(mockPort)]);
    await gateway.printed(/follows the new rule/);

    const curls = [...gateway.output.matchAll(/curl -i (\S+)(?: -H "Authorization: Bearer (\S+)")?/g)];
    expect(curls).toHaveLength(4);
    const ask = async (index: number): Promise<Response> => {
      const [, url, key] = curls[index]!;
      return await fetch(url!, key === undefined ? {} : { headers: { authorization: `Bearer ${key}` } });
    };
    expect((await ask(0)).status).toBe(200);
    expect((await ask(1)).status).toBe(401);
    expect((await ask(2)).status).toBe(403);
    const statuses: number[] = [];
    for (let round = 0; round < 6; round++) statuses.push((await ask(3)).status);
    expect(statuses).toEqual([200, 200, 200, 200, 200, 429]);
    expect(Number((await ask(3)).headers.get('retry-after'))).toBeGreaterThan(0);
  });
});

describe('start', () => {
  it('keeps keys and admin access readable for its own account only', async () => {
    const upstream = await startUpstream();
    upstreams.push(upstream);
    const project = await openProject(upstream);
    await project.write(
      'tenants/t.yaml',
      'tenants: { t: { plan: free, consumers: { c: { subscriptions: [all] } } } }\n',
    );
    const gateway = await start(project);
    for (const name of ['first-keys.json', 'admin-access.json']) {
      expect((await stat(join(project.folder, 'data', name))).mode & 0o777).toBe(0o600);
    }
    const key = await gateway.key('t', 'c');
    await gateway.stop();
    const again = await start(project);
    expect(await again.key('t', 'c')).toBe(key);
  });

  it('is refused while another gateway runs on the same data folder', async () => {
    const project = await openProject();
    const gateway = await start(project);
    const second = await runPortunus(['start', project.folder]);
    expect(second).toMatchObject({
      code: 3,
      stderr: expect.stringContaining(
        `Another gateway runs on this data folder (process ${gateway.child.pid})`,
      ),
    });
  });

  it('is refused while another gateway listens on the same address', async () => {
    const [first, second] = [await openProject(), await openProject()];
    await start(first);
    await second.write(
      'portunus.yaml',
      `portunus: 1\nlisten: { address: 127.0.0.1, port: ${first.port} }\nadmin: { address: 127.0.0.1, port: ${second.adminPort} }\ndata: ./data\n`,
    );
    const refused = await runPortunus(['start', second.folder]);
    expect(refused).toMatchObject({
      code: 3,
      stderr: expect.stringContaining(`127.0.0.1:${first.port} is in use`),
    });
  });

  it('is refused to one of two that start at the same moment on one address', async () => {
    const [first, second] = [await openProject(), await openProject()];
    await second.write(
      'portunus.yaml',
      `portunus: 1\nlisten: { address: 127.0.0.1, port: ${first.port} }\nadmin: { address: 127.0.0.1, port: ${second.adminPort} }\ndata: ./data\n`,
    );
    const outcomes = await Promise.all(
      [first, second].map((project) =>
        start(project).then(
          () => 'runs',
          (error: Error) => error.message,
        ),
      ),
    );
    expect(outcomes.filter((outcome) => outcome === 'runs')).toHaveLength(1);
    expect(outcomes.join()).toContain(`127.0.0.1:${first.port} is in use`);
  });

  it('names the setting of the address that is in use', async () => {
    const [first, second] = [await openProject(), await openProject()];
    await start(first);
    await second.write(
      'portunus.yaml',
      `portunus: 1\nlisten: { address: 127.0.0.1, port: ${second.port} }\nadmin: { address: 127.0.0.1, port: ${first.adminPort} }\ndata: ./data\n`,
    );
    const { stderr } = await runPortunus(['start', second.folder]);
    expect(stderr).toContain(`127.0.0.1:${first.adminPort} is in use`);
    expect(stderr).toContain('set another address under "admin" in portunus.yaml');
  });

  it.each(['{', '{}'])('says which file is wrong when first-keys.json holds %s', async (text) => {
    const project = await openProject();
    await project.write('data/first-keys.json', text);
    const refused = await runPortunus(['start', project.folder]);
    expect(refused.code).toBe(3);
    expect(refused.stderr).toContain(join(project.folder, 'data/first-keys.json'));
    expect(refused.stderr).toContain('Put it right, or move it away');
  });

  it('starts again on the data folder of a gateway that was killed', async () => {
    const project = await openProject();
    const gateway = await start(project);
    await gateway.stop('SIGKILL');
    await start(project);
  });

  it('opens the admin API to other machines with TLS only, and shows a renewed certificate', async () => {
    const project = await openProject();
    const settings = await readFile(join(project.folder, 'portunus.yaml'), 'utf8');
    const everywhere = `admin: { address: 0.0.0.0, port: ${project.adminPort}`;
    const open = settings.replace(`admin: { address: 127.0.0.1, port: ${project.adminPort}`, everywhere);
    await project.write('portunus.yaml', open);
    const refused = await runPortunus(['start', project.folder]);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('error[PT3114]')]);

    const authority = makeCertificate({ name: 'authority' });
    const show = async (name: string): Promise<void> => {
      const made = makeCertificate({ name, dnsNames: ['localhost'] }, authority);
      await project.write('admin.pem', made.certificate);
      await project.write('admin.key', made.key);
    };
    await show('first');
    await project.write('ca.pem', authority.certificate);
    const tls = ', tls: { certificate: admin.pem, key: admin.key }';
    await project.write('portunus.yaml', open.replace(everywhere, everywhere + tls));
    const gateway = await start(project);
    await gateway.printed(new RegExp(`admin {5}https://0.0.0.0:${project.adminPort}`));

    const issue = ['tokens', 'issue', 'far', project.folder, '--scope', 'read', '--json'];
    const issued = await runPortunus(issue);
    await project.write('token', (JSON.parse(issued.stdout) as { token: string }).token);
    const [ca, token] = ['ca.pem', 'token'].map((file) => join(project.folder, file));
    const far = ['--url', `https://localhost:${project.adminPort}`, '--ca', ca!, '--token-file', token!];
    const asked = async (): Promise<readonly number[]> => {
      const answers = [
        ['status', project.folder],
        ['status', ...far],
        ['reload', ...far],
      ].map(async (command) => runPortunus(command));
      return (await Promise.all(answers)).map(({ code }) => code);
    };
    // the token may read, and nothing else
    expect(await asked()).toEqual([0, 0, 3]);
    await show('second');
    const shown = async (): Promise<string> => {
      const socket = connectTls({ port: project.adminPort, host: '127.0.0.1', rejectUnauthorized: false });
      await once(socket, 'secureConnect');
      const { subject } = socket.getPeerX509Certificate()!;
      socket.destroy();
      return subject;
    };
    await expect.poll(shown, { timeout: 20_000 }).toBe('CN=second');
    expect(await asked()).toEqual([0, 0, 3]);
  });

  it('says every mistake of a broken project and exits with 1', async () => {
    const project = await openProject();
    await project.write('policies/p.policy', 'language 1\npolicy "p" applies to route "al" { permit }\n');
    const refused = await runPortunus(['start', project.folder]);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('Did you mean "all"');
  });
});

describe('SIGTERM', () => {
  it('stops accepting, finishes what is in flight, and exits with 0', async () => {
    let finish: () => void = () => {};
    const upstream = await startUpstream((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/plain' });
      response.write('begun,');
      finish = () => response.end('ended');
    });
    upstreams.push(upstream);
    const project = await openProject(upstream);
    const gateway = await start(project);
    const response = await fetch(`${gateway.url}/slow`);
    const exited = once(gateway.child, 'close');
    gateway.child.kill('SIGTERM');
    await refusesConnections(project.port);
    finish();
    expect(await response.text()).toBe('begun,ended');
    expect((await exited)[0]).toBe(0);
  });
});

/** Connects until it is refused: events only, each attempt waits for the answer of the one before. */
async function refusesConnections(port: number): Promise<void> {
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    const outcome = await new Promise<string>((resolve) => {
      socket.once('connect', () => resolve('connected'));
      socket.once('error', () => resolve('refused'));
    });
    socket.destroy();
    if (outcome === 'refused') return;
  }
}
