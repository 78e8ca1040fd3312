import { existsSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { renderText } from '../../diagnostics/render/text.ts';
import { createCounterRegistry } from '../../state/counter-registry.ts';
import { openStore } from '../../state/store.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { spellCount } from '../moments.ts';
import { PACKAGE_FOLDER } from '../package-folder.ts';
import { claimAddress } from '../run/address.ts';
import type { LoadResult } from '../run/configuration.ts';
import { readFirstKeys } from '../run/first-keys.ts';
import { Gateway } from '../run/gateway.ts';
import { prepareProject } from '../run/prepared-project.ts';
import { readProject } from '../run/project-files.ts';
import { finishRewrite } from '../run/project-rewrite.ts';
import type { ReadyVersion } from '../run/ready-project.ts';
import { type StandInOptions, startStandIns } from '../run/stand-ins.ts';
import { loadReport } from '../run/status-report.ts';
import { openOrRecover } from '../run/store-recovery.ts';
import { examineInChild } from '../run/store-task.ts';
import { systemClock, systemRandom } from '../run/system-clock.ts';
import { colourFor, PORTUNUS } from '../terminal.ts';
import { sentence } from './reload.ts';
import { tourOf } from './tour.ts';

export interface StartOptions extends StandInOptions {
  readonly watch: boolean;
  readonly log?: string;
  readonly recover?: true;
  /** Ends as soon as the standard input does: whoever has begun it is gone. */
  readonly endWithInput?: true;
}

/** `portunus start [FOLDER]`: runs until SIGTERM or SIGINT. */
export async function start(folder: string, options: StartOptions): Promise<ExitCode> {
  const reloads = reloadsOfProcess();
  const finished = await finishRewrite(folder);
  if (!finished.ok) return failed(finished.error);
  const files = await readProject(folder);
  if (!files.ok) return failed(files.error);
  const [clock, random] = [systemClock(), systemRandom()];
  const prepared = await prepareProject(files.value, clock, (dataFolder) =>
    options.recover
      ? openOrRecover(dataFolder, random, clock)
      : openStore(dataFolder, random, examineInChild, clock),
  );
  const { diagnostics } = prepared;
  if (diagnostics.length > 0)
    process.stderr.write(renderText(diagnostics, { colour: colourFor(process.stderr) }));
  if (prepared.kind === 'refused') {
    process.stderr.write('Not started: the configuration has errors.\n');
    return EXIT.findings;
  }
  const { store, project, built, madeBy, builder, keeper, replaced, formerCounters } = prepared;
  if (!store.ok) return failed(`${store.error.message} ${store.error.remedy}`);
  const claim = await claimAddress(built.world.server.listen);
  const { storedSecrets: secrets } = store.value;
  const standIns = claim.ok ? await startStandIns(options, built.bundle.models, { clock, secrets }) : null;
  const refused = [claim, standIns].find((part) => part?.ok === false);
  if (refused?.ok === false) {
    await store.value.close();
    return failed(refused.error);
  }

  const ended = endOfProcess(options.endWithInput === true ? process.stdin : null);
  const started = await Gateway.start({
    files: files.value,
    project,
    replaced,
    formerCounters,
    builder,
    store: store.value,
    counters: createCounterRegistry(),
    threadEntry: new URL('dist/src/cli/run/data-thread.js', PACKAGE_FOLDER),
    counterEntry: new URL('dist/src/cli/run/count-thread.js', PACKAGE_FOLDER),
    clock,
    random,
    logTo: options.log === undefined ? 'stdout' : { file: options.log },
    watchFiles: options.watch ? 'yes' : 'no',
    onLive: (version) => {
      keeper.keep(version);
      if (standIns?.ok) standIns.value.live(version.ready.bundle.models);
    },
    onLoad: announcer(),
    onFatal: ended.fatal,
  });
  if (!started.ok) {
    await keeper.stop();
    await store.value.close();
    if (standIns?.ok) await standIns.value.close();
    return failed(started.error);
  }
  const gateway = started.value;
  keeper.begin();
  process.stdout.write(await banner(folder, built, madeBy, standIns?.ok ? standIns.value.lines : []));
  reloads.begin(() => void gateway.load('SIGHUP'));

  const why = await ended.promise;
  if (why.kind === 'fatal') process.stderr.write(`Stopping: ${why.message}\n`);
  const unfinished = await gateway.stop();
  await keeper.stop();
  if (standIns?.ok) await standIns.value.close();
  if (claim.ok) claim.value?.close();
  const closed = await store.value.close();
  if (!closed.ok) process.stderr.write(`${closed.error.message} ${closed.error.remedy}\n`);
  if (unfinished > 0)
    process.stderr.write(`Cut off ${spellCount(unfinished, 'request')} that did not end in time.\n`);
  return why.kind === 'fatal' ? EXIT.couldNotRun : EXIT.fine;
}

function failed(why: string): ExitCode {
  process.stderr.write(`portunus start: ${why}\n`);
  return EXIT.couldNotRun;
}

/** SIGHUP asks for a reload. One that comes during the start waits for its end: unheard it would end the process. */
function reloadsOfProcess(): { readonly begin: (load: () => void) => void } {
  let isAsked = false;
  let load = (): void => {
    isAsked = true;
  };
  process.on('SIGHUP', () => load());
  const begin = (served: () => void): void => {
    load = served;
    if (isAsked) served();
  };
  return { begin };
}

type End = { readonly kind: 'asked' } | { readonly kind: 'fatal'; readonly message: string };

function endOfProcess(input: NodeJS.ReadStream | null): {
  readonly promise: Promise<End>;
  readonly fatal: (message: string) => void;
} {
  let settle: (end: End) => void = () => {};
  const promise = new Promise<End>((resolve) => {
    settle = resolve;
  });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => settle({ kind: 'asked' }));
  input?.once('close', () => settle({ kind: 'asked' })).resume();
  return { promise, fatal: (message) => settle({ kind: 'fatal', message }) };
}

/**
 * The first load is told by the banner. A changed file that changes nothing of the rules is told only if it says something
 * new all the same: that all is well again after a refusal, or that a setting waits for the next start.
 */
function announcer(): (result: LoadResult) => void {
  let said = '';
  return (result) => {
    const { reason, outcome } = result;
    const says = outcome.kind === 'refused' ? 'refused' : outcome.notes.join('\n');
    const isNews = outcome.kind !== 'unchanged' || reason !== 'file change' || says !== said;
    said = says;
    if (reason === 'start' || !isNews) return;
    const stream = outcome.kind === 'refused' ? process.stderr : process.stdout;
    stream.write(`${reason}: ${sentence(loadReport(result))}\n`);
  };
}

async function banner(
  folder: string,
  { world, policyCount }: ReadyVersion,
  madeBy: 'this start' | 'an earlier start',
  standIns: readonly string[],
): Promise<string> {
  const { listen, certificates, admin, adminCertificate, dataFolder } = world.server;
  const url = `${certificates === null ? 'http' : 'https'}://${listen.address}:${listen.port}`;
  const made = await readFirstKeys(dataFolder);
  const keys = made.ok ? made.value : [];
  const tourFile = join(folder, 'tour.txt');
  const project = relative('', folder) || '.';
  return [
    `Portunus is running: ${spellCount(world.routes.size, 'route')} under ${policyCount === 1 ? 'one policy' : `${policyCount} policies`} from ${project}${madeBy === 'this start' ? '' : ', kept from an earlier start'}`,
    `  traffic   ${url}`,
    `  admin     ${adminCertificate === null ? 'http' : 'https'}://${admin.address}:${admin.port}   (${PORTUNUS} status ${project})`,
    ...standIns,
    ...(keys.length === 0
      ? []
      : [
          `  keys      ${relative('', join(dataFolder, 'first-keys.json'))}   (made at first start; hand them out, then delete the file)`,
        ]),
    '',
    ...(existsSync(tourFile) ? [tourOf(readFileSync(tourFile, 'utf8'), { url, keys, project }), ''] : []),
  ].join('\n');
}
