import { relative } from 'node:path';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { examineDataFolder, examineProject, type Finding } from '../run/examination.ts';
import { PORTUNUS } from '../terminal.ts';
import { findSettings } from './data-folder.ts';

/** `portunus doctor [FOLDER]`: what a gateway stands on, whether it runs or not. Changes nothing. */
export async function doctor(folder: string, options: { readonly json?: true }): Promise<ExitCode> {
  const findings: Finding[] = [await examineProject(folder)];
  const settings = await findSettings(folder);
  if (settings.ok) findings.push(...(await examineDataFolder(folder, settings.value)));
  else findings.push({ state: 'wrong', what: 'settings', says: settings.error, remedy: '' });
  const wrong = findings.filter(({ state }) => state === 'wrong').length;
  process.stdout.write(
    options.json ? `${JSON.stringify({ findings }, null, 2)}\n` : report(folder, findings, wrong),
  );
  return wrong === 0 ? EXIT.fine : EXIT.findings;
}

const MARKS = { sound: 'ok   ', notable: 'note ', wrong: 'WRONG' } as const;

function report(folder: string, findings: readonly Finding[], wrong: number): string {
  const width = Math.max(...findings.map(({ what }) => what.length)) + 2;
  const lines = findings.flatMap(({ state, what, says, remedy }) => [
    `${MARKS[state]}  ${what.padEnd(width)}${says}`,
    ...(remedy === '' ? [] : [`${' '.repeat(7 + width)}${remedy}`]),
  ]);
  const name = relative('', folder) || '.';
  const end =
    wrong === 0
      ? 'Nothing is wrong.'
      : `${wrong} of ${findings.length} ${wrong === 1 ? 'is' : 'are'} not as ${wrong === 1 ? 'it' : 'they'} should be. "${PORTUNUS} doctor ${name}" can be run again at any time.`;
  return `${[...lines, '', end].join('\n')}\n`;
}
