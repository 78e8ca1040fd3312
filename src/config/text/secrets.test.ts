import { describe, expect, test } from 'vitest';
import { findSecrets, maskSecrets } from './secrets.ts';

describe('secrets', () => {
  test.each([
    ['a Portunus consumer key', 'ptn_live_0123456789ab_0123456789abcdef0123456789abcdef'],
    ['an API key', 'sk-proj-abcdEFGH1234ijklMNOPqrst'],
    ['an API key', 'sk-0123456789abcdef0123456789abcdef'],
    ['a Google API key', 'AIzaSyA1234567890abcdefghijklmnopqrstuv'],
    ['an AWS access key', 'AKIAIOSFODNN7EXAMPLE'],
    ['a GitHub token', 'ghp_0123456789abcdefghijklmnopqrstuvwxyz'],
    ['a GitHub token', 'github_pat_0123456789abcdefghijklm'],
    ['a GitLab token', 'glpat-0123456789abcdefghij'],
    ['a Slack token', 'xoxb-123456789012-abcdef'],
    ['a Hugging Face token', 'hf_0123456789abcdefghijABCDEFGHIJ'],
    ['a Groq API key', 'gsk_0123456789abcdefghij0123456789abcdefghij'],
    ['a signed token', 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl'],
  ])('%s: %s', (what, secret) => {
    for (const text of [secret, `key: ${secret}`, `key: "${secret}" # x`, `[${secret}]`]) {
      const start = text.indexOf(secret);
      expect(findSecrets(text)).toEqual([{ what, start, end: start + secret.length }]);
    }
  });

  test.each([
    ['http://user:hunter2@h/', 'http://user:•••••••@h/'],
    ['authorization: Bearer abcdefgh12345678', 'authorization: Bearer ••••••••••••••••'],
    ['-----BEGIN PRIVATE KEY-----\nMIIE\nabc\n-----END', '-----BEGIN PRIVATE KEY-----\n••••\n•••\n-----END'],
    ['a: AKIAIOSFODNN7EXAMPLE\nb: AKIAIOSFODNN7EXAMPLF', 'a: ••••••••••••••••••••\nb: ••••••••••••••••••••'],
  ])('%j is masked', (text, masked) => {
    const shown = maskSecrets(text, findSecrets(text));
    expect(shown).toBe(masked);
    expect(shown).toHaveLength(text.length);
  });

  test.each([
    ...[
      'sk-learn-recommendations-2',
      'task-0123456789abcdef0',
      'orders.example',
      'ptn_live',
      'AKIA',
      'eyJ.eyJ.',
    ],
    'ptnh1:0123456789ab:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
    'http://127.0.0.1:9001/users/me@home',
    'env:OPENAI_KEY_1',
  ])('%s is none', (text) => expect(findSecrets(text)).toEqual([]));
});
