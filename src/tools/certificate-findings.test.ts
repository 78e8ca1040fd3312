import { expect, test } from 'vitest';
import { loadWorld } from '../config/load.ts';
import { CERTIFICATE_CODES } from '../diagnostics/catalogue/certificates.ts';
import { renderText } from '../diagnostics/render/text.ts';
import { SourceText } from '../diagnostics/source.ts';
import {
  AUTHORITY_CASES,
  CERTIFICATE_CASES,
  CERTIFICATE_USE_CASES,
  GOOD_CERTIFICATE,
} from './certificate-findings.cases.ts';
import { checkAuthorities, checkCertificate, checkCertificateUse } from './certificate-findings.ts';

const IN_2026 = GOOD_CERTIFICATE.wallMs;
const NO_CERTIFICATE = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
const FILES = { certificateFile: '/tls/front.pem', keyFile: '/tls/front.key' };

function checked({
  texts,
  wallMs,
}: {
  readonly texts: Readonly<Record<string, string>>;
  readonly wallMs: number;
}) {
  return checkCertificate(
    FILES,
    (path) => (texts[path] === undefined ? { fault: 'no such file' } : { text: texts[path] }),
    wallMs,
  );
}

test.each(CERTIFICATE_CASES)('$code: $what', (each) => {
  expect(renderText(checked(each).diagnostics, { colour: 'off' })).toBe(each.rendered);
});

test.each(AUTHORITY_CASES)('$code: $what', ({ texts, wallMs, rendered }) => {
  const [[file, text]] = Object.entries(texts) as [[string, string]];
  const found = checkAuthorities(file, () => ({ text }), wallMs);
  expect(renderText(found, { colour: 'off' })).toBe(rendered);
});

function useOf(texts: Readonly<Record<string, string>>): string {
  const files = Object.entries(texts).map(([path, text]) => new SourceText(path, text));
  const { world, diagnostics } = loadWorld(files, { projectFolder: '/project' });
  expect(diagnostics).toEqual([]);
  return renderText(checkCertificateUse(world!), { colour: 'off' });
}

test.each(CERTIFICATE_USE_CASES)('$code: $what', ({ texts, rendered }) => {
  expect(useOf(texts)).toBe(rendered);
  const asking = texts['routes/a.yaml']!.replace('path: / }', 'path: / }, identify: [mtls]');
  expect(useOf({ ...texts, 'routes/a.yaml': asking })).not.toContain('PT3507');
});

test('every code has a case', () => {
  const cases = [...CERTIFICATE_CASES, ...AUTHORITY_CASES, ...CERTIFICATE_USE_CASES];
  const shown = new Set<string>(cases.map(({ code }) => code));
  expect(Object.keys(CERTIFICATE_CODES).filter((code) => !shown.has(code))).toEqual([]);
});

test('a good one: its names in small letters, and when it expires', () => {
  expect(checked(GOOD_CERTIFICATE)).toEqual({
    certificate: { ...FILES, names: ['shop.example', 'shop.test'], expiresMs: Date.UTC(2027, 0, 1) },
    diagnostics: [],
  });
});

test.each([
  ['one in force', GOOD_CERTIFICATE.texts['/tls/front.pem'], IN_2026, []],
  ['one that expired', GOOD_CERTIFICATE.texts['/tls/front.pem'], Date.UTC(2028, 0, 1), ['PT3504']],
  ['no PEM', 'DER', IN_2026, ['PT3502']],
  [
    'one of two that is none',
    `${GOOD_CERTIFICATE.texts['/tls/front.pem']}${NO_CERTIFICATE}`,
    IN_2026,
    ['PT3502'],
  ],
  ['no file', null, IN_2026, ['PT3501']],
] as const)('authorities of clients: %s', (_what, text, wallMs, codes) => {
  const read = () => (text === null ? { fault: 'no such file' } : { text });
  expect(checkAuthorities('/tls/ca.pem', read, wallMs).map(({ code }) => code)).toEqual(codes);
});

test('from the 30th day before its end on it is told', () => {
  const soon = Date.UTC(2027, 0, 1) - 30 * 24 * 3_600_000;
  expect(checked({ ...GOOD_CERTIFICATE, wallMs: soon - 1 }).diagnostics).toEqual([]);
  expect(checked({ ...GOOD_CERTIFICATE, wallMs: soon }).diagnostics).toHaveLength(1);
});
