import { join } from 'node:path';
import type { AuditRecord } from '../../pipeline/audit.ts';
import type { AuditVerdict, ForeignAnchor } from '../../state/audit-verification.ts';
import { STORE_FILE } from '../../state/store.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { spellCount } from '../moments.ts';
import { auditRecordsInChild, verifyAuditInChild } from '../run/store-task.ts';
import { findSettings } from './data-folder.ts';
import { actorText } from './history.ts';

interface Options {
  readonly json?: true;
}

/** `portunus audit verify [FOLDER]`: whether the log is as it was written, up to every anchor. Needs no gateway. */
export async function auditVerify(
  folder: string,
  options: Options & { readonly anchor?: readonly string[] },
): Promise<ExitCode> {
  const foreign = (options.anchor ?? []).map(parseForeign);
  if (foreign.includes(null)) {
    process.stderr.write('portunus audit: An anchor is written SEQUENCE:HASH, as the gateway printed it.\n');
    return EXIT.usage;
  }
  const settings = await findSettings(folder);
  if (!settings.ok) return failed(settings.error);
  const verdict = verifyAuditInChild(settings.value.dataFolder, foreign as readonly ForeignAnchor[]);
  if (!verdict.ok) return failed(`${verdict.error.message} ${verdict.error.remedy}`);
  process.stdout.write(options.json ? `${JSON.stringify(verdict.value, null, 2)}\n` : report(verdict.value));
  return verdict.value.findings.length === 0 ? EXIT.fine : EXIT.findings;
}

/** `12:4f…`; what follows a second colon is a signature, which is not needed here. */
function parseForeign(text: string): ForeignAnchor | null {
  const [, sequence, hash] = /^(\d{1,15}):([0-9a-f]{64})(?::[0-9a-f]{64})?$/.exec(text) ?? [];
  return hash === undefined ? null : { sequence: Number(sequence), hash };
}

function report({ records, first, last, anchors, findings, findingsOmitted, notes }: AuditVerdict): string {
  const lines = [
    ...findings.map(({ says }) => `WRONG  ${says}`),
    ...(findingsOmitted === 0 ? [] : [`WRONG  ${spellCount(findingsOmitted, 'further finding')}.`]),
    ...notes.map((note) => `note   ${note}`),
    last === null
      ? 'The log has no records.'
      : `${spellCount(records, 'record')}, ${first} to ${last.sequence}, held against ${spellCount(anchors, 'anchor')}. The end is ${last.sequence}:${last.hash}`,
    findings.length === 0 ? 'The log is as it was written.' : 'The log is not as it was written.',
  ];
  return `${lines.join('\n')}\n`;
}

/** `portunus audit show [FOLDER]`: the newest records, or those behind a number. */
export async function auditShow(
  folder: string,
  options: Options & { readonly after?: number; readonly limit: number },
): Promise<ExitCode> {
  const settings = await findSettings(folder);
  if (!settings.ok) return failed(settings.error);
  const store = join(settings.value.dataFolder, STORE_FILE);
  const records = auditRecordsInChild(store, options.after ?? null, options.limit);
  if (!records.ok) return failed(`${records.error.message} ${records.error.remedy}`);
  process.stdout.write(
    options.json ? `${JSON.stringify(records.value, null, 2)}\n` : records.value.map(lineOf).join(''),
  );
  return EXIT.fine;
}

function lineOf({ sequence, timeMs, actor, action, target, before, after }: AuditRecord): string {
  const change = [before, after].map((value) => JSON.stringify(value)).join(' → ');
  return `${sequence}  ${new Date(timeMs).toISOString()}  ${actorText(actor)}  ${action}  ${target}\n      ${change}\n`;
}

/** So that a log of a million records needs no memory of that size. */
const EXPORTED_AT_ONCE = 1_000;

/** `portunus audit export [FOLDER]`: all records, one JSON object per line, as they are chained. */
export async function auditExport(folder: string): Promise<ExitCode> {
  const settings = await findSettings(folder);
  if (!settings.ok) return failed(settings.error);
  const store = join(settings.value.dataFolder, STORE_FILE);
  let after = 0;
  for (;;) {
    const records = auditRecordsInChild(store, after, EXPORTED_AT_ONCE);
    if (!records.ok) return failed(`${records.error.message} ${records.error.remedy}`);
    for (const record of records.value) process.stdout.write(`${JSON.stringify(record)}\n`);
    if (records.value.length < EXPORTED_AT_ONCE) return EXIT.fine;
    after = records.value.at(-1)!.sequence;
  }
}

function failed(why: string): ExitCode {
  process.stderr.write(`portunus audit: ${why}\n`);
  return EXIT.couldNotRun;
}
