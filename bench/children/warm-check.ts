import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readProject } from '../../src/cli/run/project-files.ts';
import { buildProject } from '../../src/tools/build-project.ts';
import { BuildTimes } from '../../src/tools/build-times.ts';
import { ProjectMemory } from '../../src/tools/project-memory.ts';
import type { Change, WarmTimes } from '../check/children.ts';

/**
 * What a running gateway does with a project, in a process of its own: a first build, and then one for each change of
 * a file, with what the last one left in memory. Prints {@link WarmTimes}. Arguments: the folder, then a {@link Change} as
 * JSON for each change.
 */
const [folder, ...changes] = process.argv.slice(2) as [string, ...string[]];
const times = new BuildTimes({ monotonicMs: () => performance.now() });
const memory = new ProjectMemory(times);

/** Reads the folder, builds it and makes the code, as a reload does before it asks the data threads to prepare. */
async function build(): Promise<number> {
  const begunMs = performance.now();
  const read = await readProject(folder);
  if (!read.ok) throw new Error(read.error);
  const { built, diagnostics } = buildProject(read.value.texts, read.value.folder, Date.now(), memory);
  if (built === null) throw new Error(`the project has errors: ${JSON.stringify(diagnostics[0])}`);
  if (built.bundle.routes.length === 0) throw new Error('nothing was built');
  return performance.now() - begunMs;
}

async function change({ kind, file }: Change): Promise<number> {
  const path = join(folder, file);
  const text = readFileSync(path, 'utf8');
  writeFileSync(path, EDITS[kind](text, file));
  try {
    return await build();
  } finally {
    writeFileSync(path, text);
  }
}

const EDITS: Readonly<Record<Change['kind'], (text: string, file: string) => string>> = {
  amount: (text) => text.replace(/\b1_?0/, '11'),
  rule: (text) => text.replace(/\n\}/, '\n    forbid "added" when request.method is "OPTIONS"\n}'),
  route: (text, file) => `${text}${newRoute(file)}`,
};

/** One more route of the file, like those that it has. */
function newRoute(file: string): string {
  const name = file.replace(/^routes\/|\.yaml$/g, '');
  return `  ${name}-added:
    service: ${name}-core
    match: { methods: [GET], path: "/v2/${name}/added/{id}" }
    tags: [${name}, orders, v2]
`;
}

const firstMs = await build();
const policies = times.byPolicy();
const perPolicyMs = policies.reduce((sum, { compilingMs }) => sum + compilingMs, 0) / policies.length;
const changesMs: number[] = [];
for (const each of changes) {
  changesMs.push(await change(JSON.parse(each)));
  await build();
}
const measured: WarmTimes = { firstMs, perPolicyMs, changesMs };
process.stdout.write(JSON.stringify(measured));
