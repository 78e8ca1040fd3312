import type { CheckedExpect } from '../../language/typed-tests.ts';
import type { Observation } from './machine.ts';

/** In which ways a call to a model did not go, or come back, as expected, one sentence each. Empty: it did. */
export function callDiffers(expect: CheckedExpect, observation: Observation): string[] {
  return [
    ...modelDiffers(expect, observation),
    ...poolDiffers(expect, observation),
    ...(expect.calls === 'none' && observation.decision === 'permitted'
      ? [`it was sent${observation.pool === null ? '' : ` to pool "${observation.pool}"`}`]
      : []),
    ...replyDiffers(expect, observation),
  ];
}

function modelDiffers({ model }: CheckedExpect, { decision, request }: Observation): string[] {
  if (model === null) return [];
  const made = request?.call?.model.name;
  if (decision !== 'permitted') return ['it was refused, so no model gets it'];
  if (made === model) return [];
  return [made === undefined ? NO_CALL : `the model was "${made}"`];
}

function poolDiffers({ pool }: CheckedExpect, { decision, pool: made }: Observation): string[] {
  if (pool === null) return [];
  if (decision !== 'permitted') return ['it was refused, so no pool gets it'];
  if (made === pool) return [];
  return [made === null ? NO_CALL : `the pool was "${made}"`];
}

function replyDiffers({ reply }: CheckedExpect, { decision, request, reply: made }: Observation): string[] {
  if (reply === null) return [];
  if (decision !== 'permitted') return ['it was refused, so no model replies'];
  if (made === null) {
    const called = request?.call?.model.name;
    return [
      called === undefined
        ? NO_CALL
        : `the test does not say what it replies: given model "${called}" replies "…"`,
    ];
  }
  if (made.kind === 'fault') return [`the reply was not passed on: ${made.detail} (${made.code})`];
  const fits = reply.match === 'is' ? made.text === reply.text : made.text.includes(reply.text);
  return fits ? [] : [`the reply was ${JSON.stringify(made.text)}`];
}

const NO_CALL = 'it is no call to a model';
