import { elementPath } from '../model/facts.ts';
import type { FactReference } from './ir.ts';

/** The fact that stands for an element of a list of plain values. */
export function elementOf({ path, type, phase }: FactReference): FactReference {
  const element = elementPath(path);
  const of = type.kind === 'list' ? type.of : type;
  return { key: element, path: element, parameter: null, type: of, phase, absence: 'never' };
}
