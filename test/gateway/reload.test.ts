import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Project, RunningGateway, runPortunus, writeProject } from './running-gateway.ts';
import { startUpstream, type UpstreamServer } from './upstream-server.ts';

/** A change, from a saved file to the epoch that serves it – on the built product, through its own doors. */

const policy = (rules: string): string => `language 1
policy "p" applies to every route {
    permit
${rules}
}
`;

let upstream: UpstreamServer;
let project: Project;
let gateway: RunningGateway;

async function startWith(rules: string): Promise<void> {
  project = await writeProject(
    {
      'routes/r.yaml': `services: { s: { endpoints: [{ url: "http://127.0.0.1:${upstream.port}" }] } }
routes: { all: { service: s, match: { path: "/{rest...}" }, auth: none } }
`,
      'policies/p.policy': policy(rules),
    },
    { dataThreads: 2 },
  );
  gateway = await RunningGateway.start(project);
}

async function get(path: string): Promise<{ status: number; body: { code?: string; detail?: string } }> {
  const response = await fetch(gateway.url + path);
  return { status: response.status, body: (await response.json()) as { code?: string } };
}

beforeEach(async () => {
  upstream = await startUpstream();
});
afterEach(async () => {
  await gateway?.stop('SIGKILL');
  await project?.remove();
  await upstream.close();
});

describe('a changed file', () => {
  it('takes effect by being saved, without a restart', async () => {
    await startWith('');
    expect((await get('/x')).status).toBe(200);

    await project.write('policies/p.policy', policy('forbid "closed" code "closed_now" because "Back soon"'));
    await gateway.printed(/file change: Version \d+ .* is live/);

    expect(await get('/x')).toMatchObject({ status: 403, body: { code: 'closed_now', detail: 'Back soon' } });
  });

  it('changes nothing when it is broken, and says why on the console and in status', async () => {
    await startWith('');
    await project.write('policies/p.policy', policy('forbid when request.metod is "GET"'));
    await gateway.printed(/The version before goes on serving/);

    expect((await get('/x')).status).toBe(200);
    expect(gateway.output).toContain('policies/p.policy:4:13');
    expect(gateway.output).toContain('request.method');

    const status = await runPortunus(['status', project.folder]);
    expect(status.code).toBe(0);
    expect(status.stdout).toContain('policies/p.policy:4:13');

    const reload = await runPortunus(['reload', project.folder]);
    expect(reload.code).toBe(1);
    expect(reload.stdout).toContain('Not loaded');

    await project.write('policies/p.policy', policy(''));
    await gateway.printed(/file change: Nothing changed: version 1 .* goes on\./);
  });

  it('takes effect on SIGHUP and on "portunus reload" when files are not watched', async () => {
    upstream = await startUpstream();
    await startWith('');
    await gateway.stop();
    gateway = await RunningGateway.start(project, { arguments: ['--no-watch'] });

    await project.write('policies/p.policy', policy('forbid code "first"'));
    gateway.child.kill('SIGHUP');
    await gateway.printed(/SIGHUP: Version \d+/);
    expect((await get('/x')).body.code).toBe('first');

    await project.write('policies/p.policy', policy('forbid code "second"'));
    const reload = await runPortunus(['reload', project.folder]);
    expect(reload).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^Version \d+ \([0-9a-f]{16}\) is live/),
    });
    expect((await get('/x')).body.code).toBe('second');
  });

  it('is named when it waits for the next start, for as long as it waits', async () => {
    await startWith('');
    const settings = await readFile(join(project.folder, 'portunus.yaml'), 'utf8');
    const waits = '"listen" changed in portunus.yaml: it takes effect at the next start.';
    await project.write('portunus.yaml', settings.replace(String(project.port), '1'));
    await gateway.printed(/file change: Nothing changed: version 1 .* goes on\.\n"listen" changed/);
    await project.write('policies/p.policy', policy('forbid'));
    await gateway.printed(/file change: Version 2 .*\n"listen" changed/);
    expect((await runPortunus(['status', project.folder])).stdout).toContain(`note           ${waits}\n`);

    const printed = gateway.output.length;
    await project.write('portunus.yaml', settings);
    await gateway.printed(/file change: Nothing changed: version 2 .* goes on\.\n/, printed);
    expect((await runPortunus(['status', project.folder])).stdout).not.toContain(waits);
  });

  it('that says nothing new is told to whoever asked for it', async () => {
    await startWith('');
    gateway.child.kill('SIGHUP');
    await gateway.printed(/SIGHUP: Nothing changed: version 1/);
    expect((await runPortunus(['reload', project.folder])).stdout).toContain('Nothing changed: version 1');
  });

  it('keeps what a limit has counted when only its amount changes', async () => {
    await startWith('limit "few" at most 3 requests in any 1h in total');
    expect([(await get('/1')).status, (await get('/2')).status]).toEqual([200, 200]);

    await project.write('policies/p.policy', policy('limit "few" at most 4 requests in any 1h in total'));
    await gateway.printed(/file change: Version/);

    const statuses = [(await get('/3')).status, (await get('/4')).status, (await get('/5')).status];
    expect(statuses).toEqual([200, 200, 429]);
  });

  it('of the window of a limit leaves it in force as it was, also after a restart, until it is removed', async () => {
    await startWith('limit "few" at most 1 requests in any 1h in total');
    expect((await get('/1')).status).toBe(200);
    await project.write('policies/p.policy', policy('limit "few" at most 9 requests in any 2h in total'));
    await gateway.printed(
      /p\/few in total: starts empty, because .*; as it was it stays in force for 60 min\./,
    );
    expect((await get('/2')).status).toBe(429);
    const diff = await runPortunus(['history', 'diff', '1', project.folder]);
    expect(diff.stdout).toMatch(
      /\n\np\/few in total: starts empty, because .* stays in force for 60 min\.\n$/,
    );
    await gateway.stop();
    gateway = await RunningGateway.start(project);
    expect((await get('/3')).status).toBe(429);
    const status = (await runPortunus(['status', project.folder])).stdout;
    expect(status).toMatch(
      /counter +p\/few in total as before an edit \(in force until 20.*Z\): 1 of \d+ keys/,
    );
    expect(status).toMatch(/counter +p\/few in total: 0 of \d+ keys/);
    const printed = gateway.output.length;
    await project.write('policies/p.policy', policy(''));
    await gateway.printed(/file change: Version/, printed);
    expect((await get('/4')).status).toBe(200);
  });

  it('that asks for more keys of a limit than there is memory for is told so, and again until the next start', async () => {
    const keys = (count: number) =>
      policy(`limit "few" at most 3 requests in any 1h for each request.ip  max keys ${count}`);
    await startWith('');
    await project.write('policies/p.policy', keys(10));
    await gateway.printed(/file change: Version 2/);
    await project.write('policies/p.policy', keys(20));
    await gateway.printed(
      /file change: Version 3 .*\n.*keeps 10 keys apart until the next start, and 20 from then on\./,
    );
    const status = (await runPortunus(['status', project.folder])).stdout;
    expect(status).toMatch(/note .*p\/few.* keeps 10 keys apart until the next start/);
    expect(status).toMatch(/counter .*p\/few.*: 0 of 10 keys \(20 from the next start on\)/);

    await gateway.stop();
    gateway = await RunningGateway.start(project);
    const after = (await runPortunus(['status', project.folder])).stdout;
    expect(after).toMatch(/counter .*p\/few.*: 0 of 20 keys\n/);
    expect(after).not.toContain('next start');
  });
});

describe('enforcement.yaml', () => {
  it('lets a policy enforce, warn or only shadow in this deployment', async () => {
    await startWith('');
    const watched = 'policies/watched.policy';
    await project.write(
      watched,
      `language 1\npolicy "watched" applies to every route { forbid "all" code "no" }\n`,
    );
    await gateway.printed(/file change: Version/);
    expect((await get('/x')).status).toBe(403);

    let printed = gateway.output.length;
    await project.write('enforcement.yaml', 'policies: { watched: shadow }\n');
    await gateway.printed(/file change: Version/, printed);
    expect((await get('/x')).status).toBe(200);

    printed = gateway.output.length;
    await project.write('enforcement.yaml', 'policies: { watched: warn }\n');
    await gateway.printed(/file change: Version/, printed);
    const warned = await fetch(`${gateway.url}/x`);
    expect(warned.status).toBe(200);
    expect(warned.headers.get('portunus-warning')).toBe(
      '"watched/all";code="no";detail="Forbidden by \\"all\\" of policy \\"watched\\"."',
    );
  });
});
