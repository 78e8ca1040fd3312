import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileRules, programOf } from '../../src/compiler/compile.ts';
import { codeOf, generateProgram } from '../../src/compiler/generate/generate.ts';
import { readableCode } from '../../src/compiler/readable-code.ts';
import { bodyRead } from '../../src/compiler/reads.ts';
import { quickstart } from '../tools/quickstart.ts';
import { Choices } from './choices.ts';
import { randomCase } from './run.ts';

const numbers = fc.uint16Array({ minLength: 300, maxLength: 700, size: 'max' });

describe('the code that explain shows', () => {
  it('is the code that runs, but for the comments', () => {
    let marks = 0;
    fc.assert(
      fc.property(numbers, (values) => {
        const { policies, world } = randomCase(new Choices(values));
        const { bundle } = compileRules(policies, world);
        for (const { route, function: at } of bundle.routes) {
          const { program, rules } = programOf(policies, world, route);
          const code = codeOf(generateProgram(program, bodyRead(program), (rule) => rules.indexOf(rule)));
          const lines = code.split('\n');
          const plain = lines.filter((line) => !/^\s*\/\/ @[\d,]+$/.test(line));
          marks += lines.length - plain.length;
          expect(plain.join('\n')).toBe(bundle.functions[at]);
        }
      }),
      { numRuns: 100, endOnFailure: true },
    );
    expect(marks).toBeGreaterThan(500);
  });

  it('names the rule of each statement, and has constants in their places', () => {
    const { policies, world } = quickstart().built!;
    const code = readableCode(policies, world, world.routes.get('order-reports')!);
    expect(code).toContain(
      '  // "plans" forbid "reports"  policies/plans.policy:9:5\n  if (identity.tenant.plan === "free") ',
    );
    expect(code).toContain(
      '  // "subscriptions" permit  policies/access.policy:10:5\n  if (identity.consumer.subscriptions.has(writtenName',
    );
    expect(code).toMatch(/^const writtenName\d+ = runtime\.writtenName\("order-reports"\);$/m);
    expect(code).not.toMatch(/shared\[|routeName/);
  });

  it('leaves the texts of users as they are', () => {
    const { policies, world } = quickstart((path, text) =>
      path.endsWith('plans.policy')
        ? text.replace('"plan_too_small"', '"c0"').replace('is "free"\n', 'is "free"  # c1\n')
        : text,
    ).built!;
    const code = readableCode(policies, world, world.routes.get('order-reports')!);
    expect(code).toContain('"code":"c0"');
  });
});
