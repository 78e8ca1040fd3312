import { isLimitRule } from '../language/limit-rules.ts';
import type { CheckedRule, FactExpression, TextTemplate } from '../language/typed.ts';
import type { EstimatedMeasure } from '../model/model-call.ts';
import type { FactReference, RuleIr, Term, Test } from './ir.ts';
import { factReference } from './lower.ts';

/** The terms of a test, in order. */
export function termsOf(test: Test): Term[] {
  switch (test.kind) {
    case 'equal':
    case 'lt':
    case 'le':
      return [test.left, test.right];
    case 'member':
      return [test.element, test.list];
    case 'network':
      return [test.address, test.networks];
    case 'contains':
    case 'starts-with':
    case 'ends-with':
    case 'like':
    case 'matches':
      return [test.text];
    case 'present':
      return [{ kind: 'fact', fact: test.fact }];
    case 'some':
      return [{ kind: 'fact', fact: test.list }];
    case 'calendar':
    case 'share':
    case 'role':
    case 'subscribed':
    case 'fallen':
      return [];
  }
}

/** The facts whose values a term needs. */
export function factsOfTerm(term: Term): FactReference[] {
  switch (term.kind) {
    case 'constant':
      return [];
    case 'fact':
    case 'otherwise':
      return [term.fact];
    case 'arithmetic':
      return [...factsOfTerm(term.left), ...factsOfTerm(term.right)];
  }
}

/** Facts that a rule writes out: holes of its text, and the key of its counter. */
export function factsWritten({ rule }: RuleIr): FactReference[] {
  return [
    ...templatesOf(rule).flatMap(factsOfTemplate),
    ...factsOfKey(rule),
    ...factsOfWeight(rule),
    ...membersOf(rule),
  ];
}

/** The member of the body that a rule changes. */
export function membersOf(rule: CheckedRule): FactReference[] {
  return rule.kind === 'cap' || rule.kind === 'default' ? [factReference(rule.member)] : [];
}

/** Holes that hold a fact, in order. */
export function factHoles({ parts }: TextTemplate): FactExpression[] {
  return parts.flatMap((part) => {
    if (typeof part === 'string') return [];
    if (part.kind === 'fact') return [part];
    return part.kind === 'url-part' ? [part.fact] : [];
  });
}

export function factsOfTemplate(template: TextTemplate): FactReference[] {
  return factHoles(template).map(factReference);
}

export function factsOfKey(rule: CheckedRule): FactReference[] {
  if (!('per' in rule) || rule.per.kind === 'total') return [];
  const { keys, otherwise } = rule.per;
  return [...keys, ...(otherwise === null ? [] : [otherwise])].map(factReference);
}

/** What says how much a request weighs in a counter. */
export function factsOfWeight(rule: CheckedRule): FactReference[] {
  return isLimitRule(rule) && 'cost' in rule.measure ? [factReference(rule.measure.cost)] : [];
}

/** What a limit reserves at admission and settles at the end; null where it counts requests, or the rule is no limit. */
export function estimatedBy(rule: CheckedRule): EstimatedMeasure | null {
  return isLimitRule(rule) && rule.measure.kind !== 'requests' ? rule.measure.kind : null;
}

function templatesOf(rule: CheckedRule): TextTemplate[] {
  switch (rule.kind) {
    case 'permit':
    case 'cap':
    case 'default':
    case 'timeout':
    case 'cache':
    case 'route-to':
    case 'mask':
      return [];
    case 'set-header':
    case 'remove-header':
      return [rule.value];
    case 'alert':
      return rule.because === null ? [] : [rule.because];
    case 'deprecate':
      return rule.successor === null ? [] : [rule.successor.url];
    default:
      return rule.reply.because === null ? [] : [rule.reply.because];
  }
}
