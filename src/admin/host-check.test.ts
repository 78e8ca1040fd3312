import { describe, expect, it } from 'vitest';
import { namesThisGateway } from './host-check.ts';

describe('the check of the Host field', () => {
  it.each([
    'localhost',
    'LOCALHOST:9090',
    '127.0.0.1',
    '127.0.0.1:9090',
    '[::1]',
    '[::1]:9090',
    '10.1.2.3:80',
  ])('lets %s pass', (host) => expect(namesThisGateway(host, [])).toBe(true));

  it.each([
    '',
    'evil.example',
    'evil.example:9090',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    '127.0.0.1:9090:1',
    'localhost:9090x',
    'localhost:',
    '[::1',
    '[::1]x',
    '[localhost]',
    '[127.0.0.1]',
    '::1',
    '0x7f.1',
    'user@localhost',
    ' localhost',
  ])('refuses "%s"', (host) => expect(namesThisGateway(host, [])).toBe(false));

  const NAMES = ['gateway.example', '*.inside.example'];
  it.each(['gateway.example', 'Gateway.Example:9090', 'a.inside.example'])(
    'lets %s pass where the certificate names it',
    (host) => expect(namesThisGateway(host, NAMES)).toBe(true),
  );

  it.each([
    '',
    'example',
    'a.gateway.example',
    'gateway.example.evil.test',
    'inside.example',
    '.inside.example',
    'a.b.inside.example',
    '*.evil.example',
  ])('refuses "%s" where the certificate has other names', (host) =>
    expect(namesThisGateway(host, NAMES)).toBe(false),
  );
});
