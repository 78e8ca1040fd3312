import { expect, test } from 'vitest';
import { CERTIFICATE_CODES } from '../diagnostics/catalogue/certificates.ts';
import { renderText } from '../diagnostics/render/text.ts';
import { CERTIFICATE_CASES, GOOD_CERTIFICATE } from './certificate-findings.cases.ts';
import { checkAuthorities, checkCertificate } from './certificate-findings.ts';

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

test('every code has a case', () => {
  const shown = new Set<string>(CERTIFICATE_CASES.map(({ code }) => code));
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
