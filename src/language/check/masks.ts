import { isMaskKind, MASK_KINDS, MASK_TEXT, type MaskKind } from '../../model/masks/kinds.ts';
import { compileRegex, textLengths } from '../../model/regex.ts';
import type { MaskNode, TextNode } from '../ast.ts';
import { compareCodePoints } from '../order.ts';
import {
  badMaskText,
  emptyPattern,
  endlessPattern,
  longPattern,
  unknownMaskKind,
} from '../problems/masks.ts';
import { badRegex } from '../problems/types.ts';
import type { MaskRule } from '../typed.ts';
import type { CheckContext } from './context.ts';
import type { RuleHead, Unfinished } from './rules.ts';

/** Kinds that there are, patterns that have an end, and a text that fits anywhere. Null: reported. */
export function checkMask(
  context: CheckContext,
  node: MaskNode,
  head: RuleHead,
): Unfinished<MaskRule> | null {
  const kinds = node.kinds.map((kind) => kindOf(context, kind));
  const patterns = node.patterns.filter((pattern) => isPattern(context, pattern));
  const textFits = node.text === null || isMaskText(context, node.text);
  if (!kinds.every((kind) => kind !== null) || patterns.length < node.patterns.length || !textFits)
    return null;
  return {
    kind: 'mask',
    ...head,
    kinds: [...new Set(kinds)].sort(compareCodePoints),
    patterns: [...new Set(patterns.map(({ value }) => value))].sort(compareCodePoints),
    sides: (['request', 'response'] as const).filter((side) => node.sides.includes(side)),
    text: node.text?.value ?? MASK_TEXT,
  };
}

function kindOf(context: CheckContext, { value, span }: TextNode): MaskKind | null {
  if (isMaskKind(value)) return value;
  context.report(unknownMaskKind(span, value, Object.keys(MASK_KINDS)));
  return null;
}

function isPattern(context: CheckContext, { value, span }: TextNode): boolean {
  const { regexInstructions, maskPatternCharacters } = context.project.world.limits;
  const compiled = compileRegex(value, regexInstructions);
  if (!compiled.ok) {
    context.report(badRegex(span, compiled.error.why, compiled.error.help));
    return false;
  }
  const lengths = textLengths(value);
  if (lengths === null) context.report(endlessPattern(span));
  else if (lengths.least === 0) context.report(emptyPattern(span));
  else if (lengths.most > maskPatternCharacters)
    context.report(longPattern(span, lengths.most, maskPatternCharacters));
  else return true;
  return false;
}

function isMaskText(context: CheckContext, { value, span }: TextNode): boolean {
  if (value.length <= TEXT_MOST && !UNFIT.test(value)) return true;
  context.report(badMaskText(span, TEXT_MOST));
  return false;
}

const TEXT_MOST = 100;
/** What JSON escapes, and what is not seen. */
const UNFIT = /["\\\p{C}\p{Zl}\p{Zp}]/u;
