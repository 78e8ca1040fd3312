import type { Span } from '../../diagnostics/source.ts';
import { regexFits } from '../../model/regex.ts';
import {
  canBe,
  HEADER_VALUE_FORM,
  HOST_FORM,
  METHOD_FORM,
  NAME_FORM,
  PATH_FORMS,
  type TextForm,
  type TextQuestion,
} from '../../model/text-forms.ts';
import { neverSuchText } from '../problems/types.ts';
import type { Operand, TextTest } from '../typed.ts';
import type { CheckContext } from './context.ts';
import { valueText } from './values.ts';

/**
 * Texts that no request can have, because facts have one spelling: a forbid that asks for another would never hold, and
 * nobody would notice. False: reported.
 */
export function canHold(
  { project, report }: CheckContext,
  fact: Operand,
  question: TextTest | 'is',
  { asked, span }: { readonly asked: string; readonly span: Span },
): boolean {
  const form = formOf(fact, project.world.server.mergeSlashes ? 'merge' : 'keep');
  if (form === null || fits(form, question, asked)) return true;
  const [written, remedy] =
    question === 'matches'
      ? [`/${asked}/`, regexMeant(form, asked)]
      : [JSON.stringify(asked), textMeant(form, question, asked)];
  report(neverSuchText(span, valueText(fact), question, written, form, remedy));
  return false;
}

function fits(form: TextForm, question: TextTest | 'is', asked: string): boolean {
  if (question !== 'matches') return canBe(form, question, asked);
  // values of headers hold more characters than the walk of an expression tries
  return form === HEADER_VALUE_FORM || regexFits(asked, form);
}

/** Null where any text can be. A fallback (`otherwise`) is the author's own. */
export function formOf(fact: Operand, slashes: keyof typeof PATH_FORMS): TextForm | null {
  if (fact.kind !== 'fact') return null;
  // models are called by the names that their providers gave them
  if (fact.type.kind === 'reference') return fact.type.to === 'model' ? null : NAME_FORM;
  const { path } = fact.definition;
  return path === 'request.path' ? PATH_FORMS[slashes] : (FORMS.get(path) ?? null);
}

const FORMS: ReadonlyMap<string, TextForm> = new Map([
  ['request.host', HOST_FORM],
  ['request.method', METHOD_FORM],
  ['request.header', HEADER_VALUE_FORM],
  ['tenant.name', NAME_FORM],
  ['team.name', NAME_FORM],
  ['consumer.name', NAME_FORM],
  ['credential.name', NAME_FORM],
]);

/** What to write instead, from the value on; only what can be. */
function textMeant(form: TextForm, question: TextQuestion, asked: string): string | null {
  for (const spelling of form.spellings) {
    const text = question === 'like' ? betweenWildcards(asked, spelling) : spelling(asked);
    for (const candidate of [text, `/${text}`])
      if (text !== '' && canBe(form, question, candidate)) return `Write ${JSON.stringify(candidate)}.`;
    const pattern = betweenWildcards(asked, spelling);
    if (question === 'is' && /[*?]/.test(asked) && canBe(form, 'like', pattern))
      return `Write like ${JSON.stringify(pattern)}.`;
  }
  return null;
}

function betweenWildcards(pattern: string, spelling: (text: string) => string): string {
  const pieces = pattern.split(/([*?])/);
  return pieces.map((piece, index) => (index % 2 === 0 ? spelling(piece) : piece)).join('');
}

function regexMeant(form: TextForm, asked: string): string | null {
  const candidates = [asked.replace(/^\^/, '^\\/'), `(?i)${asked}`];
  const found = candidates.find((candidate) => regexFits(candidate, form));
  return found === undefined ? null : `Write /${found}/.`;
}
