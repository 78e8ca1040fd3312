import type { CallFacts } from './model-call.ts';

/** Of a call that says nothing but its model. */
export const PLAIN_CALL: CallFacts = {
  model: 'gpt',
  streams: false,
  outputCap: null,
  capsDiffer: false,
  capByNewName: false,
  thinkingTokens: null,
  choices: 1,
  asksForUsage: false,
  promptBytes: 1,
  images: 0,
  hasTools: false,
  writesCache: false,
  unbounded: null,
  dearer: null,
};
