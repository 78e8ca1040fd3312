import { describe, expect, test } from 'vitest';
import type { Endpoint } from '../../model/world.ts';
import { MINIMAL, PROJECT_FOLDER, sources } from '../config.cases.ts';
import { loadWorld } from '../load.ts';

/** The endpoint of a service, or the codes of what is wrong with it. */
function endpoint(url: string): Endpoint | string {
  const routes = `services: { s: { endpoints: [{ url: ${JSON.stringify(url)} }] } }\n`;
  const { world, diagnostics } = loadWorld(sources({ ...MINIMAL, 'routes/a.yaml': routes }), {
    projectFolder: PROJECT_FOLDER,
  });
  return world?.services.get('s')?.endpoints[0] ?? diagnostics.map(({ code }) => code).join(' ');
}

function caFile(ca: string, path = 'routes/shop/a.yaml'): string | null | undefined {
  const routes = `services: { s: { endpoints: [{ url: "https://h" }], tls: { ca: ${JSON.stringify(ca)} } } }\n`;
  return loadWorld(sources({ ...MINIMAL, [path]: routes }), {
    projectFolder: PROJECT_FOLDER,
  }).world?.services.get('s')?.tls.caFile;
}

describe('endpoints', () => {
  test.each([
    ['http://h', { protocol: 'http', host: 'h', port: 80, basePath: '' }],
    ['https://H.example', { protocol: 'https', host: 'h.example', port: 443, basePath: '' }],
    ['http://127.0.0.1:9001/', { protocol: 'http', host: '127.0.0.1', port: 9001, basePath: '' }],
    [
      'https://[2001:DB8::1]:8443/api/v1/',
      { protocol: 'https', host: '2001:db8::1', port: 8443, basePath: '/api/v1' },
    ],
    [
      'http://my_service:8080/a%20b',
      { protocol: 'http', host: 'my_service', port: 8080, basePath: '/a%20b' },
    ],
  ])('%s', (url, expected) => expect(endpoint(url)).toEqual({ ...expected, weight: 1 }));

  test.each([
    ...[
      'ftp://h',
      'h:80',
      '//h',
      'http:h',
      'http:/h',
      'HTTP://h',
      'http://',
      'http://h:',
      'http://h:0',
      'http://h:65536',
    ],
    ...[
      'http://127.1',
      'http://0x7f.1',
      'http://1.2.3.4.5',
      'http://-h',
      'http://h..i',
      'http://[::1',
      'http://[fe80::1%25e]',
    ],
    ...[
      'http://h\\@i',
      'http://u@h',
      'http://h?a',
      'http://h#a',
      'http://h/a?b',
      'http://h/../a',
      'http://h/a//b',
      'http://h/%2f',
    ],
    ...['http://h ', ' http://h', 'http://h/a b', 'http://é'],
  ])('%j is refused', (url) => expect(endpoint(url)).toBe('PT3113'));

  test('the same endpoint twice is refused, however it is spelled', () => {
    const routes = 'services: { s: { endpoints: [{ url: "http://h" }, { url: "http://H:80/" }] } }\n';
    const { diagnostics } = loadWorld(sources({ ...MINIMAL, 'routes/a.yaml': routes }), {
      projectFolder: '/',
    });
    expect(diagnostics.map(({ code }) => code)).toEqual(['PT3108']);
  });
});

describe('paths of files', () => {
  test.each([
    ['ca.pem', '/srv/gateway/routes/shop/ca.pem'],
    ['./ca.pem', '/srv/gateway/routes/shop/ca.pem'],
    ['../../ca.pem', '/srv/gateway/ca.pem'],
    ['a/../../b//ca.pem', '/srv/gateway/routes/b/ca.pem'],
    ['/etc/ssl/../ca.pem', '/etc/ca.pem'],
  ])('%s is %s', (written, absolute) => expect(caFile(written)).toBe(absolute));

  test.each([
    '../../../ca.pem',
    '../../../../../etc/ca.pem',
    'a/../../../../ca.pem',
    '~/ca.pem',
    'C:\\ca.pem',
    '..\\ca.pem',
  ])('%s is refused', (written) => expect(caFile(written)).toBeUndefined());
});
