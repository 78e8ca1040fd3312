import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { atMost, type Bench, type BenchContext, type BenchResult, type Figure } from '../bench.ts';
import {
  type Change,
  type LargeFileTimes,
  largeFileTimes,
  type WarmTimes,
  warmTimes,
} from '../check/children.ts';
import { type CommandTime, timeCommand } from '../check/command.ts';
import {
  type CompanyOptions,
  largePolicyFile,
  policyFile,
  RESOURCES_MAX,
  RESOURCES_MIN,
  ROUTES_PER_RESOURCE,
  routesFile,
  writeCompany,
} from '../check/company.ts';
import { POLICIES_PER_AREA } from '../check/company-policies.ts';
import { interleave } from '../rounds.ts';

/**
 * How long people wait for an answer about their files. Every measurement is a process of its own, so nothing is
 * warmer than it would be for them.
 */
export const check: Bench = {
  name: 'check',
  summary: 'a project is checked: cold, after a change of one file, and with one very large file',
  run,
};

const COMPANY = {
  full: { areas: 100, resources: RESOURCES_MAX, tenants: 200 },
  quick: { areas: 4, resources: RESOURCES_MAX, tenants: 20 },
} as const;
const LARGE = { areas: 20, resources: RESOURCES_MIN, tenants: 40 } as const;
const LARGE_BYTES = { full: 1_000_000, quick: 150_000 } as const;
const LARGE_FILE = 'policies/large.policy';
/** Changes of one kind within a process: the first meets code that has run once, the last what has run often. */
const CHANGES = 4;

/** One process, and what it told. */
type Sample =
  | { readonly kind: 'command'; readonly time: CommandTime }
  | { readonly kind: 'warm'; readonly times: WarmTimes }
  | { readonly kind: 'large'; readonly times: LargeFileTimes };

async function run(context: BenchContext): Promise<BenchResult> {
  const { company, large, options } = writeProjects(context);
  const commands = [
    { name: START, args: [context.gatewayMain, '--version'], says: '' },
    { name: COLD, args: [context.gatewayMain, 'check', company], says: fineText(options) },
    { name: LARGE_CHECK, args: [context.gatewayMain, 'check', large], says: 'Fine: ' },
  ];
  const contenders = [
    ...commands.map(({ name, args, says }) => ({
      name,
      measure: async (): Promise<Sample> => ({ kind: 'command', time: await command(args, says) }),
    })),
    ...WARM.map(({ name, change }) => ({
      name,
      measure: async (): Promise<Sample> => {
        const changes = Array.from({ length: CHANGES }, (_, at) => change((at * 37 + 3) % options.areas));
        return { kind: 'warm', times: await warmTimes(company, changes) };
      },
    })),
    {
      name: LARGE_IN_PROCESS,
      measure: async (): Promise<Sample> => ({
        kind: 'large',
        times: await largeFileTimes(large, LARGE_FILE),
      }),
    },
  ];
  const samples = await interleave(contenders, {
    rounds: context.rounds,
    warmUps: 0,
    onRound: (round) => context.say(`round ${round + 1} of ${context.rounds}`),
  });
  return { figures: figuresOf(samples), notes: notes(options, LARGE_BYTES[context.mode]) };
}

const START = 'portunus --version';
const COLD = 'check, cold';
const LARGE_CHECK = 'check of one large file';
const LARGE_IN_PROCESS = 'one large file, in process';
const WARM: readonly { readonly name: string; readonly change: (area: number) => Change }[] = [
  {
    name: 'an amount in one policy file changed',
    change: (area) => ({ kind: 'amount', file: policyFile(area, 5) }),
  },
  {
    name: 'a rule added to one policy file',
    change: (area) => ({ kind: 'rule', file: policyFile(area, 5) }),
  },
  { name: 'a route added to one routes file', change: (area) => ({ kind: 'route', file: routesFile(area) }) },
];

function writeProjects({ mode, workFolder }: BenchContext) {
  const company = join(workFolder, 'company');
  const options: CompanyOptions = { folder: company, ...COMPANY[mode], policies: true };
  writeCompany(options);
  const large = join(workFolder, 'large');
  mkdirSync(join(large, 'policies'), { recursive: true });
  writeCompany({ folder: large, ...LARGE, policies: false });
  writeFileSync(join(large, LARGE_FILE), largePolicyFile(LARGE_BYTES[mode], LARGE.areas, LARGE.tenants));
  return { company, large, options };
}

/** A check that found a mistake would have stopped early: what it says is looked at. */
async function command(args: readonly string[], says: string): Promise<CommandTime> {
  const time = await timeCommand(process.execPath, args);
  if (!time.output.startsWith(says)) throw new Error(`${args.join(' ')} said ${time.output.slice(0, 300)}`);
  return time;
}

function fineText({ areas, resources, tenants }: CompanyOptions): string {
  const routes = areas * resources * ROUTES_PER_RESOURCE;
  return `Fine: ${routes} routes, ${areas * POLICIES_PER_AREA} policies, ${tenants} tenants.`;
}

type Samples = ReadonlyMap<string, readonly Sample[]>;

function figuresOf(samples: Samples): Figure[] {
  const cold = commands(samples, COLD);
  const large = commands(samples, LARGE_CHECK);
  const start = commands(samples, START);
  return [
    seconds(`${COLD} · wall`, cold.map(wall), 2),
    seconds(`${COLD} · CPU`, cold.map(cpu), null),
    ...WARM.flatMap(({ name }) => warmFigures(name, ofKind(samples, name, 'warm'))),
    ...firstFigures(WARM.flatMap(({ name }) => ofKind(samples, name, 'warm'))),
    seconds(`${LARGE_CHECK} · wall`, large.map(wall), 1),
    seconds(`${LARGE_CHECK} · CPU`, large.map(cpu), null),
    ...largeFigures(ofKind(samples, LARGE_IN_PROCESS, 'large')),
    { name: `${START} · wall`, unit: 'ms', values: start.map(wall), bar: null },
  ];
}

function warmFigures(name: string, samples: readonly { readonly times: WarmTimes }[]): Figure[] {
  const at = (index: number): number[] => samples.map(({ times }) => times.changesMs[index]!);
  return [
    { name: `${name} · first change`, unit: 'ms', values: at(0), bar: atMost(100) },
    { name: `${name} · change ${CHANGES}`, unit: 'ms', values: at(CHANGES - 1), bar: atMost(100) },
  ];
}

function firstFigures(samples: readonly { readonly times: WarmTimes }[]): Figure[] {
  return [
    {
      name: 'first build, with code',
      unit: 's',
      values: samples.map(({ times }) => times.firstMs / 1_000),
      bar: null,
    },
    {
      name: 'compiled, for each policy',
      unit: 'ms',
      values: samples.map(({ times }) => times.perPolicyMs),
      bar: null,
    },
  ];
}

function largeFigures(samples: readonly { readonly times: LargeFileTimes }[]): Figure[] {
  return [
    {
      name: `${LARGE_IN_PROCESS} · parsed`,
      unit: 'ms',
      values: samples.map(({ times }) => times.parseMs),
      bar: null,
    },
    {
      name: `${LARGE_IN_PROCESS} · checked`,
      unit: 'ms',
      values: samples.map(({ times }) => times.checkMs),
      bar: null,
    },
  ];
}

function seconds(name: string, ms: readonly number[], bar: number | null): Figure {
  return {
    name,
    unit: 's',
    values: ms.map((value) => value / 1_000),
    bar: bar === null ? null : atMost(bar),
  };
}

function wall(time: CommandTime): number {
  return time.wallMs;
}
function cpu(time: CommandTime): number {
  return time.cpuMs;
}

function commands(samples: Samples, name: string): CommandTime[] {
  return ofKind(samples, name, 'command').map(({ time }) => time);
}

function ofKind<Kind extends Sample['kind']>(samples: Samples, name: string, kind: Kind) {
  return (samples.get(name) ?? []).filter(
    (sample): sample is Extract<Sample, { kind: Kind }> => sample.kind === kind,
  );
}

function notes({ areas, resources, tenants }: CompanyOptions, bytes: number): string[] {
  const routes = areas * resources * ROUTES_PER_RESOURCE;
  return [
    `Project: ${routes} routes in ${areas} files, ${areas * POLICIES_PER_AREA} policies of ten kinds in ${areas * 2} files, ${tenants} tenants.`,
    'check: the command as a whole, from the start of its process to its end. CPU: all of its threads, in steps of 10 ms.',
    'A changed file: folder read, project built with what the last build left in memory, code made – all that a reload does before the data threads prepare.',
    `The large file has ${bytes} bytes, in a project of ${LARGE.areas * LARGE.resources * ROUTES_PER_RESOURCE} routes.`,
  ];
}
