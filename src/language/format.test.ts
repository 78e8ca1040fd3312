import { describe, expect, it } from 'vitest';
import { SourceText } from '../diagnostics/source.ts';
import { FORMAT_CASES } from './format.cases.ts';
import { formatPolicyFile } from './format.ts';

const format = (text: string) => formatPolicyFile(new SourceText('a.policy', text), 64);

describe('the canonical style', () => {
  it.each(FORMAT_CASES)('$name', ({ given, formatted }) => {
    expect(format(given)).toEqual({ kind: 'formatted', text: formatted });
    expect(format(formatted)).toEqual({ kind: 'formatted', text: formatted });
  });
});

describe('a file that cannot be read', () => {
  it.each([
    '',
    'policy "p" { permit }',
    'language 1 policy "p" { permit',
    'language 1 policy "p" { permit when 5 }',
  ])('%j is not formatted, and why is said', (text) => {
    const result = format(text);
    expect(result.kind === 'unreadable' && result.diagnostics.length).toBeGreaterThan(0);
  });
});

describe('the largest file', () => {
  it('is formatted', () => {
    const items = Array.from({ length: 50_000 }, (_, index) => `${index}`).join(',');
    const terms = Array.from({ length: 5_000 }, () => 'tenant.plan is "free"').join(' and ');
    const result = format(`language 1 define a = [${items}] policy "p" { permit when ${terms} }`);
    expect(result.kind === 'formatted' && result.text.split('\n').length).toBeGreaterThan(55_000);
  });
});
