import { createTwoFilesPatch, FILE_HEADERS_ONLY } from 'diff';
import { LIMIT_DEFAULTS } from '../../base/limits.ts';
import { renderText } from '../../diagnostics/render/text.ts';
import type { SourceText } from '../../diagnostics/source.ts';
import { formatPolicyFile } from '../../language/format.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { findPolicyFiles, whyNot } from '../run/policy-files.ts';
import { readTextFile, readTextStream, replaceTextFile } from '../run/text-files.ts';
import { colourFor, PORTUNUS } from '../terminal.ts';

export interface FormatOptions {
  readonly check?: true;
  readonly diff?: true;
}

/** `portunus fmt [PATHS]`: policies in the canonical style. What cannot be read is left as it is. */
export async function fmt(paths: readonly string[], options: FormatOptions): Promise<ExitCode> {
  if (paths.includes('-')) {
    if (paths.length === 1) return formatInput(options);
    process.stderr.write('portunus fmt: "-" stands for the standard input, alone.\n');
    return EXIT.usage;
  }
  const files = await findPolicyFiles(paths);
  if (!files.ok) {
    process.stderr.write(`portunus fmt: ${files.error}\n`);
    return EXIT.couldNotRun;
  }
  const counts: Record<Outcome, number> = { fine: 0, differs: 0, unreadable: 0, failed: 0 };
  for (const file of files.value) counts[await formatFile(file, options)]++;
  process.stderr.write(summary(counts, options));
  if (counts.failed > 0) return EXIT.couldNotRun;
  return counts.unreadable > 0 || (options.check && counts.differs > 0) ? EXIT.findings : EXIT.fine;
}

/** `differs` also where the file was written. */
type Outcome = 'fine' | 'differs' | 'unreadable' | 'failed';

async function formatFile(file: string, options: FormatOptions): Promise<Outcome> {
  try {
    const source = readTextFile(file, file);
    if (!source.ok) return fail(source.error);
    const text = formatted(source.value);
    if (text === null) return 'unreadable';
    if (text === source.value.text) return 'fine';
    if (options.diff) process.stdout.write(differences(source.value, text));
    else process.stdout.write(`${file}\n`);
    if (!options.check && !options.diff) await replaceTextFile(file, text);
    return 'differs';
  } catch (error) {
    return fail(`${file}: ${whyNot(error)}`);
  }
}

/** For editors: the formatted text, or on a mistake nothing, so that the buffer is kept. */
async function formatInput(options: FormatOptions): Promise<ExitCode> {
  const source = await readTextStream(process.stdin, 'stdin');
  if (!source.ok) {
    fail(source.error);
    return EXIT.couldNotRun;
  }
  const text = formatted(source.value);
  if (text === null) return EXIT.findings;
  const isFine = text === source.value.text;
  if (options.diff) process.stdout.write(isFine ? '' : differences(source.value, text));
  else if (!options.check) process.stdout.write(text);
  else if (!isFine) process.stdout.write('stdin\n');
  return options.check && !isFine ? EXIT.findings : EXIT.fine;
}

function formatted(source: SourceText): string | null {
  const result = formatPolicyFile(source, LIMIT_DEFAULTS.nestingDepth);
  if (result.kind === 'formatted') return result.text;
  process.stderr.write(renderText(result.diagnostics, { colour: colourFor(process.stderr) }));
  return null;
}

function fail(why: string): Outcome {
  process.stderr.write(`portunus fmt: ${why}\n`);
  return 'failed';
}

function differences({ path, text }: SourceText, now: string): string {
  return createTwoFilesPatch(path, path, text, now, 'as it is', 'formatted', {
    headerOptions: FILE_HEADERS_ONLY,
  });
}

function summary(counts: Readonly<Record<Outcome, number>>, options: FormatOptions): string {
  const files = (count: number): string => `${count} ${count === 1 ? 'file' : 'files'}`;
  const writes = !options.check && !options.diff;
  const total = counts.fine + counts.differs + counts.unreadable + counts.failed;
  if (total === 0) return 'No *.policy files here.\n';
  const parts = [
    counts.differs === 0 ? '' : `${files(counts.differs)} ${writes ? 'formatted' : 'to format'}`,
    counts.fine === 0 ? '' : `${files(counts.fine)} fine`,
    counts.unreadable === 0 ? '' : `${files(counts.unreadable)} with mistakes, left alone`,
    counts.failed === 0 ? '' : `${files(counts.failed)} not done`,
  ];
  const remedy = counts.differs > 0 && options.check ? ` Run: ${PORTUNUS} fmt` : '';
  return `${parts.filter((part) => part !== '').join(', ')}.${remedy}\n`;
}
