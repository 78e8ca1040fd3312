import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readProject } from '../../src/cli/run/project-files.ts';
import { buildProject } from '../../src/tools/build-project.ts';
import { ProjectMemory } from '../../src/tools/project-memory.ts';
import type { WarmTimes } from '../check/children.ts';

/**
 * What a running gateway does with a project, in a process of its own: a first build, and then one for each change of
 * a file, with what the last one left in memory. Prints {@link WarmTimes}. Arguments: the folder,
 * then the file below it to change, for each change.
 */
const [folder, ...files] = process.argv.slice(2) as [string, ...string[]];
const memory = new ProjectMemory();

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

async function change(file: string): Promise<number> {
  const path = join(folder, file);
  const text = readFileSync(path, 'utf8');
  writeFileSync(path, file.endsWith('.policy') ? text.replace(/\b1_?0/, '11') : `${text}${newRoute(file)}`);
  try {
    return await build();
  } finally {
    writeFileSync(path, text);
  }
}

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
const changesMs: number[] = [];
for (const file of files) {
  changesMs.push(await change(file));
  await build();
}
const times: WarmTimes = { firstMs, changesMs };
process.stdout.write(JSON.stringify(times));
