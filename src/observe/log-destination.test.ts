import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createEventLog } from './event-log.ts';
import { type LogDestination, openLogDestination } from './log-destination.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'portunus-log-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function open(file: string, queueBytes = 1_024 * 1_024): Promise<LogDestination> {
  const opened = await openLogDestination({ to: { file }, queueBytes });
  if (!opened.ok) throw new Error(opened.error);
  return opened.value;
}

describe('a log file', () => {
  it('holds all that was taken once it has ended, and is appended to', async () => {
    const file = join(folder, 'logs', 'access.log');
    for (const round of [1, 2]) {
      const log = await open(file);
      for (let line = 0; line < 1_000; line++) expect(log.write(`${round} ${line} größe\n`)).toBe('taken');
      await log.end();
    }
    const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
    expect(lines).toHaveLength(2_000);
    expect(lines[1_999]).toBe('2 999 größe');
    expect((await stat(file)).mode & 0o007).toBe(0);
  });

  it('says full instead of queueing without end, and never writes half of a refused text', async () => {
    const file = join(folder, 'access.log');
    const log = await open(file, 64 * 1_024);
    const line = `${'x'.repeat(10_000)}\n`;
    const verdicts = Array.from({ length: 20 }, () => log.write(line));
    expect(verdicts.slice(0, 6)).toEqual(Array(6).fill('taken'));
    expect(verdicts.slice(6)).toEqual(Array(14).fill('full'));
    expect(log.queuedBytes).toBe(6 * line.length);
    await log.end();
    expect(log.queuedBytes).toBe(0);
    expect(await readFile(file, 'utf8')).toBe(line.repeat(6));
  });

  it('takes nothing after its end, and ends only once', async () => {
    const file = join(folder, 'access.log');
    const log = await open(file);
    log.write('a\n');
    const ended = log.end();
    expect(log.write('b\n')).toBe('full');
    await ended;
    await log.end();
    expect(log.write('c\n')).toBe('full');
    expect(await readFile(file, 'utf8')).toBe('a\n');
  });

  it('can be refused: the error says which file and why', async () => {
    const opened = await openLogDestination({ to: { file: folder }, queueBytes: 65_536 });
    expect(opened.ok ? null : opened.error).toMatch(/^The log .*portunus-log-.* can't be opened: EISDIR/);
  });

  it.runIf(process.platform === 'linux')(
    'says why it can not write, drops when its queue is full, and still ends',
    async () => {
      const log = await open('/dev/full', 64 * 1_024);
      log.write('lost\n');
      await expect.poll(() => log.lastError).toContain('ENOSPC');
      const verdicts = Array.from({ length: 10 }, () => log.write('x'.repeat(10_000)));
      expect(verdicts).toContain('full');
      await log.end();
      expect(log.write('late\n')).toBe('full');
    },
  );
});

describe.runIf(process.platform === 'linux')('a pipe whose reader has gone', () => {
  it('takes nothing more, and does not keep the gateway from ending', async () => {
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    const reader = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK);
    const log = await open(pipe);
    closeSync(reader);
    log.write('lost\n');
    await expect.poll(() => log.lastError).toContain('EPIPE');
    expect(log.write('lost\n')).toBe('full');
    await log.end();
  });
});

describe('the event log', () => {
  it('writes lines in the shape of the access log', async () => {
    const file = join(folder, 'events.log');
    const destination = await open(file);
    const log = createEventLog(destination, () => 42);
    log.write('warn', 'reload failed', { 'portunus.diagnostics': 3 });
    log.write('info', 'started');
    await destination.end();
    const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      { level: 40, time: 42, 'portunus.diagnostics': 3, msg: 'reload failed' },
      { level: 30, time: 42, msg: 'started' },
    ]);
  });
});
