import { describe, expect, it } from 'vitest';
import { LIMIT_DEFAULTS } from '../../base/limits.ts';
import { MemberChanges } from './member-changes.ts';

function changed(text: string, ...changes: readonly (readonly [path: string, value: string | number])[]) {
  const members = new MemberChanges(LIMIT_DEFAULTS);
  for (const [path, value] of changes)
    members.set({ name: path, type: path.endsWith('due') ? 'date' : 'text' }, value);
  return new TextDecoder().decode(members.push(new TextEncoder().encode(text), true));
}

describe('changes of a body', () => {
  it('leave every other byte as it was', () => {
    expect(changed('{ "a" : 1.50 ,"b":"\\u00e4" }', ['a', 2])).toBe('{ "a" : 2 ,"b":"\\u00e4" }');
  });

  it('add members behind the last, several to one object', () => {
    expect(changed('{"a":{}}', ['a.x', 1], ['a.y', 'ü'], ['b', 3])).toBe('{"a":{"x":1,"y":"ü"},"b":3}');
  });

  it('put a value in the place of null', () => {
    expect(changed('{"a":null}', ['a', 'x'])).toBe('{"a":"x"}');
  });

  it('make no objects: what is not there has no members', () => {
    const texts = ['{"b":1}', '{"a":null}', '{"a":[1]}'];
    for (const text of texts) expect(changed(text, ['a.x', 1])).toBe(text);
  });

  it('write dates as dates', () => {
    expect(changed('{}', ['due', 20_758])).toBe('{"due":"2026-11-01"}');
  });
});
