import type { ConstantTemplate } from '../numbers.ts';
import type { ResidualProgram } from '../residual.ts';
import { admitCode } from './admit.ts';
import { alertsCode, readsAddress } from './alerts.ts';
import { cacheCode } from './caches.ts';
import { indent } from './code.ts';
import { authoriseCode, judgeBodyCode, matchCode, type PhaseCode } from './decide.ts';
import type { Marks, ProgramScope } from './frame.ts';
import { LoopPool } from './loops.ts';
import { masksCode } from './masks.ts';
import { ConstantPool } from './pool.ts';
import { filtersCode, poolsCode, targetRefusalCode } from './pools.ts';
import { membersCode, outputCapCode, shapeCode, timeoutCode } from './shape.ts';
import { TablePool } from './tables.ts';
import { targetLimitsCode } from './target-limits.ts';

/** Code whose constants and names are its own, so that it stays as it is whatever stands beside it. */
export interface GeneratedPart {
  /** Declarations, in order. */
  readonly lines: readonly string[];
  /** By name of the phase: the expression of what runs it. */
  readonly entries: Readonly<Record<string, string>>;
  readonly constants: readonly ConstantTemplate[];
  readonly usesRouteName: boolean;
}

/** `constants` of a route: its name where it is used, else null; then those of each part. */
export interface GeneratedProgram {
  readonly decisions: GeneratedPart;
  readonly shaping: GeneratedPart;
}

/** Pass 9: straight-line JavaScript for one residual program, in two parts: many edits change what only one of them says. */
export function generateProgram(
  program: ResidualProgram,
  bodyRead: readonly string[],
  marks: Marks = null,
): GeneratedProgram {
  return {
    decisions: generateDecisions(program, bodyRead, marks),
    shaping: generateShaping(program, bodyRead, marks),
  };
}

export function generateDecisions(
  program: ResidualProgram,
  bodyRead: readonly string[],
  marks: Marks = null,
): GeneratedPart {
  return generatePart({ program, bodyRead, marks, place: DECISIONS_PLACE }, (scope) => ({
    match: matchCode(program, scope),
    authorise: authoriseCode(program, scope),
    judgeBody: judgeBodyCode(program, scope),
    admit: admitCode(program, scope),
    targetLimits: targetLimitsCode(program, scope),
  }));
}

export function generateShaping(
  program: ResidualProgram,
  bodyRead: readonly string[],
  marks: Marks = null,
): GeneratedPart {
  return generatePart({ program, bodyRead, marks, place: SHAPING_PLACE }, (scope) => ({
    shapeRequest: shapeCode(program, scope, 'request'),
    shapeResponse: shapeCode(program, scope, 'response'),
    requestTransform: membersCode(program, scope),
    outputCap: outputCapCode(program, scope),
    totalTimeoutMs: timeoutCode(program, scope),
    cacheForMs: cacheCode(program, scope),
    poolsFor: poolsCode(program, scope),
    barredPools: filtersCode(program, scope),
    refuseTargets: targetRefusalCode(program, scope),
    requestMasks: masksCode(program, scope, 'request'),
    responseMasks: masksCode(program, scope, 'response'),
    alerts: alertsCode(program, scope),
    alertsReadAddress: { entry: String(readsAddress(program)), functions: [] },
  }));
}

/** Among the constants of a route. */
const DECISIONS_PLACE = 1;
const SHAPING_PLACE = 2;

interface PartOf {
  readonly program: ResidualProgram;
  readonly bodyRead: readonly string[];
  readonly marks: Marks;
  readonly place: number;
}

/** The phases of a part hoist what they share into closure constants. */
function generatePart(
  { program: { route, specialiser }, bodyRead, marks, place }: PartOf,
  phasesOf: (scope: ProgramScope) => Readonly<Record<string, PhaseCode>>,
): GeneratedPart {
  const pool = new ConstantPool();
  const tables = new TablePool();
  const loops = new LoopPool();
  const phases = phasesOf({ pool, tables, loops, route, specialiser, bodyRead, marks });
  const functions = [...loops.functions, ...Object.values(phases).flatMap((phase) => phase.functions)];
  return {
    lines: [
      ...(pool.values.length > 0 ? [`const shared = constants[${place}];`] : []),
      ...pool.lines,
      ...threadLines([...tables.lines, ...functions].join('\n')),
      ...tables.lines,
      ...functions,
    ],
    entries: Object.fromEntries(Object.entries(phases).map(([name, { entry }]) => [name, entry])),
    constants: pool.values,
    usesRouteName: pool.usesRouteName,
  };
}

/** Body of `new Function('runtime', 'constants', …)`. */
export function codeOf({ decisions, shaping }: GeneratedProgram): string {
  const isPlain = shaping.lines.length === 0;
  const nested = Object.entries(shaping.entries).map(([name, entry]) =>
    entry === name ? `${name}: shaping.${name},` : `${name}: ${entry},`,
  );
  return [
    "'use strict';",
    ...(decisions.usesRouteName || shaping.usesRouteName ? ['const routeName = constants[0];'] : []),
    ...decisions.lines,
    ...(isPlain ? [] : ['const shaping = (() => {', ...indent(shapingLines(shaping)), '})();']),
    'return {',
    ...indent([...entriesOf(decisions), ...nested]),
    '  readBody: null,',
    '  maskRequest: null,',
    '  responseTransform: null,',
    '};',
  ].join('\n');
}

function shapingLines(shaping: GeneratedPart): string[] {
  const made = Object.entries(shaping.entries).flatMap(([name, entry]) => (entry === name ? [name] : []));
  return [...shaping.lines, `return { ${made.join(', ')} };`];
}

function entriesOf({ entries }: GeneratedPart): string[] {
  return Object.entries(entries).map(([name, entry]) => (entry === name ? `${name},` : `${name}: ${entry},`));
}

/** What belongs to the data thread, in order of dependence; only what the code names is read. */
const THREAD_CONSTANTS = {
  CONTINUE: 'runtime.CONTINUE',
  counters: 'runtime.counters',
  batch: 'runtime.batch',
  counter: 'batch.counter',
  keyHigh: 'batch.keyHigh',
  keyLow: 'batch.keyLow',
  weight: 'batch.weight',
  remaining: 'batch.remaining',
  ordinal: 'runtime.ordinal',
  key: 'runtime.key',
  part: 'runtime.part',
} as const;

function threadLines(code: string): string[] {
  const used = Object.entries(THREAD_CONSTANTS).filter(([name]) =>
    new RegExp(`(?<![.\\w])${name}(?!\\w)`).test(code),
  );
  const needsBatch = used.some(([, source]) => source.startsWith('batch.'));
  return Object.entries(THREAD_CONSTANTS)
    .filter(([name]) => used.some(([each]) => each === name) || (name === 'batch' && needsBatch))
    .map(([name, source]) => `const ${name} = ${source};`);
}
