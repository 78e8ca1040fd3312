import type { ConstantTemplate } from '../numbers.ts';
import type { ResidualProgram } from '../residual.ts';
import { admitCode } from './admit.ts';
import { indent } from './code.ts';
import { authoriseCode, judgeBodyCode, matchCode } from './decide.ts';
import type { Marks, ProgramScope } from './frame.ts';
import { LoopPool } from './loops.ts';
import { ConstantPool } from './pool.ts';
import { membersCode, shapeCode, timeoutCode } from './shape.ts';
import { TablePool } from './tables.ts';

export interface GeneratedProgram {
  /** Body of `new Function('runtime', 'constants', …)`. */
  readonly code: string;
  /** The second element of a route's constants; the first is its name where `usesRouteName` says so, else null. */
  readonly constants: readonly ConstantTemplate[];
  readonly usesRouteName: boolean;
}

/** Pass 9: straight-line JavaScript for one residual program. The phases hoist what they share into closure constants. */
export function generateProgram(
  program: ResidualProgram,
  bodyRead: readonly string[],
  marks: Marks = null,
): GeneratedProgram {
  const pool = new ConstantPool();
  const tables = new TablePool();
  const loops = new LoopPool();
  const { route, specialiser } = program;
  const scope: ProgramScope = { pool, tables, loops, route, specialiser, bodyRead, marks };
  const phases = {
    match: matchCode(program, scope),
    authorise: authoriseCode(program, scope),
    judgeBody: judgeBodyCode(program, scope),
    admit: admitCode(program, scope),
    shapeRequest: shapeCode(program, scope, 'request'),
    shapeResponse: shapeCode(program, scope, 'response'),
    requestTransform: membersCode(program, scope),
    totalTimeoutMs: timeoutCode(program, scope),
  };
  const functions = [...loops.functions, ...Object.values(phases).flatMap((phase) => phase.functions)];
  const entries = Object.entries(phases).map(([name, { entry }]) =>
    entry === name ? `${name},` : `${name}: ${entry},`,
  );
  const code = [
    "'use strict';",
    ...(pool.usesRouteName ? ['const routeName = constants[0];'] : []),
    ...(pool.values.length > 0 ? ['const shared = constants[1];'] : []),
    ...pool.lines,
    ...threadLines([...tables.lines, ...functions].join('\n')),
    ...tables.lines,
    ...functions,
    'return {',
    ...indent(entries),
    '  readBody: null,',
    '  responseTransform: null,',
    '};',
  ].join('\n');
  return { code, constants: pool.values, usesRouteName: pool.usesRouteName };
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
