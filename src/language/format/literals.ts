import type { TokenType } from 'chevrotain';
import { DURATION_UNITS, parseDuration, SPELLED_DURATION_UNITS } from '../../model/literals.ts';
import { DurationLiteral, MoneyLiteral, NumberLiteral, PercentLiteral, SizeLiteral } from '../tokens.ts';

/** How literals are written: numbers from 10,000 on in groups of three, lengths of time in their largest whole unit. */
export const LITERAL_STYLES: ReadonlyMap<TokenType, (image: string) => string> = new Map([
  [NumberLiteral, groupDigits],
  [MoneyLiteral, groupDigits],
  [PercentLiteral, groupDigits],
  [SizeLiteral, groupDigits],
  [DurationLiteral, (image) => lengthOfTime(image, null)],
]);

/** Units that are glued to their number, the largest first; days and weeks are spelled, as the author chose. */
const GLUED_UNITS = Object.entries(DURATION_UNITS)
  .filter(([, ms]) => ms < DURATION_UNITS.d)
  .sort(([, a], [, b]) => b - a);
const SPELLED = { d: 'day', w: 'week' } as const;

/** `90s`, `2m` for `120s`, `24h`, `90 days` for `90d`. `unit` is the word behind the number, if it was spelled. */
export function lengthOfTime(number: string, unit: string | null): string {
  const amount = /^[\d_.]+/.exec(number)![0];
  const written = unit ?? number.slice(amount.length);
  const value = parseDuration(unit === null ? number : `${number} ${unit}`);
  const ms = value.ok ? value.value : null;
  const spelled = spelledUnit(written);
  if (spelled !== null && (!amount.includes('.') || ms === null)) {
    return `${groupDigits(amount)} ${spelled}${Number(amount.replaceAll('_', '')) === 1 ? '' : 's'}`;
  }
  const [name, size] = GLUED_UNITS.find(([, unitMs]) => ms !== null && ms > 0 && ms % unitMs === 0) ?? [];
  if (name === undefined || size === undefined || ms === null)
    return groupDigits(number) + (unit === null ? '' : ` ${unit}`);
  return groupDigits(`${ms / size}${name}`);
}

function spelledUnit(written: string): string | null {
  const ms = { ...DURATION_UNITS, ...SPELLED_DURATION_UNITS }[written];
  return (
    Object.entries(SPELLED).find(([letter]) => DURATION_UNITS[letter as keyof typeof SPELLED] === ms)?.[1] ??
    null
  );
}

const GROUPED_FROM_DIGITS = 5;

/** The whole number in the image in groups of three; what stands around it (`$`, `.50`, `%`, `MiB`) stays. */
function groupDigits(image: string): string {
  return image.replace(/[\d_]+/, (digits) => {
    const plain = digits.replaceAll('_', '').replace(/^0+(?=\d)/, '');
    return plain.length < GROUPED_FROM_DIGITS
      ? digits.replace(/^[0_]+(?=\d)/, '')
      : plain.replace(/\B(?=(?:\d{3})+$)/g, '_');
  });
}
