import { expect, test } from 'vitest';
import { err, ok } from '../../base/result.ts';
import type { AdminActions } from '../actions.ts';
import type { AdminCall } from '../route.ts';
import { CONFIGURATION_ROUTES, type VersionDescription } from './configuration.ts';

/** Of versions 1 … 14 the newest ten are kept. */
const versions = Array.from({ length: 10 }, (_, index) => ({ version: index + 5 })) as VersionDescription[];
const ACTIONS = {
  configuration: {
    versions: () => ({ running: 14, versionsMax: 10, versions }),
    files: () => ok(null),
    rollBack: () => Promise.resolve(err('unknown')),
  },
} as unknown as AdminActions;

test('a version that is kept no more is told apart from one that never was', async () => {
  const details = async (version: number): Promise<readonly unknown[]> => {
    const call = { parameters: { version }, query: { from: version }, body: { version } };
    const routes = CONFIGURATION_ROUTES.filter(({ problems }) => problems?.includes('not_found'));
    const answers = await Promise.all(
      routes.map((route) => route.answer(call as unknown as AdminCall, ACTIONS)),
    );
    return [...new Set(answers.map((answer) => ('detail' in answer ? answer.detail : answer)))];
  };
  expect(await details(4)).toEqual([
    'Version 4 is no longer kept: the newest 10 are (limits.configurationVersions), the oldest of them is 5. A higher bound keeps more of those to come.',
  ]);
  expect(await details(99)).toEqual([
    'Version 99 is not kept: "portunus history list" shows those that are.',
  ]);
});
