import { describe, expect, it } from 'vitest';
import { isLocalHost } from './host-check.ts';

describe('the check of the Host field', () => {
  it.each([
    'localhost',
    'LOCALHOST:9090',
    '127.0.0.1',
    '127.0.0.1:9090',
    '[::1]',
    '[::1]:9090',
    '10.1.2.3:80',
  ])('lets %s pass', (host) => expect(isLocalHost(host)).toBe(true));

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
  ])('refuses "%s"', (host) => expect(isLocalHost(host)).toBe(false));
});
