import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readProject } from '../../src/cli/run/project-files.ts';
import { loadWorld } from '../../src/config/load.ts';
import { SourceText } from '../../src/diagnostics/source.ts';
import { checkParsedPolicies } from '../../src/language/check.ts';
import { parsePolicyFile } from '../../src/language/parse.ts';
import type { LargeFileTimes } from '../check/children.ts';

/**
 * One policy file, parsed and checked in a process that has done neither before. Prints {@link LargeFileTimes}.
 * Arguments: a project folder, and the file below it.
 */
const [folder, path] = process.argv.slice(2) as [string, string];
const read = await readProject(folder);
if (!read.ok) throw new Error(read.error);
const { texts } = read.value;
const { world } = loadWorld(
  texts.filter((text) => !text.path.endsWith('.policy')),
  { projectFolder: folder },
);
if (world === null) throw new Error('the project has errors');
const text = readFileSync(join(folder, path), 'utf8');

const begunMs = performance.now();
const parsed = parsePolicyFile(new SourceText(path, text), world.limits.nestingDepth);
const parsedMs = performance.now();
const checked = checkParsedPolicies([parsed], world);
const checkedMs = performance.now();
if (checked.diagnostics.length > 0) throw new Error(JSON.stringify(checked.diagnostics[0]?.message));
const times: LargeFileTimes = { parseMs: parsedMs - begunMs, checkMs: checkedMs - parsedMs };
process.stdout.write(JSON.stringify(times));
