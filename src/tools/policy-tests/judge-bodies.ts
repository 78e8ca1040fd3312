import type { CheckedExpect } from '../../language/typed-tests.ts';
import { OUTPUT_CAP_MEMBERS } from '../../model/facts.ts';
import { memberPath } from '../../model/member-path.ts';
import type { Observation } from './machine.ts';

type Member = CheckedExpect['body'][number];

/** In which way a member of the body that the service gets is not as expected, as a sentence. Empty: it is. */
export function memberDiffers({ path, value }: Member, { body, decision }: Observation): string[] {
  const name = written(path);
  if (decision !== 'permitted') return [`it was refused, so the service gets no ${name}`];
  const found = path.reduce<unknown>(memberOf, body);
  if (found === value) return [];
  if (found !== undefined) return [`${name} was ${JSON.stringify(found)}`];
  return [`${name} was missing${otherNameOf(path, body)}`];
}

/** `body.items[2].price`. */
function written(path: Member['path']): string {
  return path.reduce<string>(
    (before, step) => (typeof step === 'number' ? `${before}[${step}]` : memberPath(before, step)),
    'body',
  );
}

function memberOf(value: unknown, step: string | number): unknown {
  if (typeof step === 'number') return Array.isArray(value) ? value[step - 1] : undefined;
  return typeof value === 'object' && value !== null && Object.hasOwn(value, step)
    ? (value as Readonly<Record<string, unknown>>)[step]
    : undefined;
}

/** A provider is told the bound of an answer by the name that it knows. */
function otherNameOf([member, ...rest]: Member['path'], body: unknown): string {
  if (rest.length > 0 || !OUTPUT_CAP_MEMBERS.some((name) => name === member)) return '';
  const other = OUTPUT_CAP_MEMBERS.find((name) => memberOf(body, name) !== undefined);
  return other === undefined
    ? ''
    : `: its provider knows it as body.${other}, which was ${memberOf(body, other)}`;
}
