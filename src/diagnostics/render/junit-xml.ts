import { create } from 'xmlbuilder2';

/** What a JUnit report says, whoever makes it. */
export interface JUnitReport {
  readonly name: string;
  readonly suites: readonly JUnitSuite[];
}

export interface JUnitSuite {
  readonly name: string;
  readonly cases: readonly JUnitCase[];
}

export interface JUnitCase {
  readonly className: string;
  readonly name: string;
  readonly outcome:
    | { readonly kind: 'passed' }
    /** Passed, with something to read. */
    | { readonly kind: 'noted'; readonly output: string }
    | { readonly kind: 'failed'; readonly type: string; readonly message: string; readonly text: string };
}

/** What is no Char of XML 1.0 (2.2). xmlbuilder2's own replacement also takes characters beyond the first plane. */
const NO_XML_CHARACTER = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu;

function xmlText(text: string): string {
  return text.replaceAll(NO_XML_CHARACTER, '\ufffd');
}

/** XML as Jenkins, GitLab and others read it (Jenkins' JUnit schema). Says no times: nothing here has a clock. */
export function renderJUnitXml({ name, suites }: JUnitReport): string {
  const root = create({ version: '1.0', encoding: 'UTF-8' }).ele('testsuites', {
    name: xmlText(name),
    ...counts(suites.flatMap(({ cases }) => cases)),
  });
  for (const suite of suites) {
    const element = root.ele('testsuite', { name: xmlText(suite.name), ...counts(suite.cases) });
    for (const one of suite.cases) addCase(element, one);
  }
  return `${root.end({ prettyPrint: true })}\n`;
}

type XmlElement = ReturnType<typeof create>;

function addCase(suite: XmlElement, { className, name, outcome }: JUnitCase): void {
  const element = suite.ele('testcase', { classname: xmlText(className), name: xmlText(name) });
  switch (outcome.kind) {
    case 'passed':
      return;
    case 'noted':
      element.ele('system-out').txt(xmlText(outcome.output));
      return;
    case 'failed':
      element
        .ele('failure', { type: outcome.type, message: xmlText(outcome.message) })
        .txt(xmlText(outcome.text));
      return;
  }
}

function counts(cases: readonly JUnitCase[]): { readonly tests: number; readonly failures: number } {
  return { tests: cases.length, failures: cases.filter(({ outcome }) => outcome.kind === 'failed').length };
}
