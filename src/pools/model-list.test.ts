import { describe, expect, it } from 'vitest';
import type { ListOperation } from '../model/route-calls.ts';
import type { ResponseHead, UpstreamError, UpstreamHandler, UpstreamRequest } from '../pipeline/upstream.ts';
import { ModelList } from './model-list.ts';
import type { BoundModel } from './model-services.ts';

const bound = (name: string, dialect: 'openai' | 'anthropic'): [string, BoundModel] => [
  name,
  { model: { name }, targets: [{ provider: { name: `p-${dialect}`, dialect } }] } as unknown as BoundModel,
];
const MODELS = new Map([
  bound('gpt', 'openai'),
  bound('meta/llama/models/8b', 'openai'),
  ...['one', 'two', 'three'].map((name) => bound(name, 'anthropic')),
]);

function ask(operation: ListOperation, path: string, target: string): unknown {
  const list = new ModelList(MODELS, { operation, path }, { later: (_, run) => run() });
  let said: unknown = null;
  const handler: Partial<UpstreamHandler> = {
    onHead: (head: ResponseHead, body: Uint8Array) => {
      expect([head.status, head.bodyBytes]).toEqual([200, body.length]);
      said = JSON.parse(Buffer.from(body).toString());
    },
    onError: ({ code, sentence }: UpstreamError) => {
      said = `${code}: ${sentence}`;
    },
  };
  list.dispatch({ target } as UpstreamRequest, handler as UpstreamHandler);
  return said;
}

describe('models that there are', () => {
  it('are those that the dialect can ask for, in its words', () => {
    expect(ask('openai/models', '/v1/models', '/v1/models')).toEqual({
      object: 'list',
      data: ['gpt', 'meta/llama/models/8b'].map((id) => ({
        ...{ id, object: 'model', created: 0, owned_by: 'p-openai' },
      })),
    });
  });

  it('come in pages in the words of Anthropic', () => {
    const page = (query: string): unknown => ask('anthropic/models', '/v1/models', `/v1/models${query}`);
    expect(page('')).toMatchObject({ has_more: false, first_id: 'one', last_id: 'three' });
    expect(page('?limit=2')).toMatchObject({ has_more: true, first_id: 'one', last_id: 'two' });
    expect(page('?limit=2&after_id=two')).toMatchObject({ has_more: false, first_id: 'three' });
    expect(page('?limit=1&before_id=three')).toMatchObject({
      has_more: true,
      first_id: 'two',
      last_id: 'two',
    });
    expect(page('?before_id=one')).toEqual({ data: [], has_more: false, first_id: null, last_id: null });
    expect(page('?after_id=gpt')).toContain('model_request_malformed');
    expect(page('?limit=0')).toContain('model_request_malformed');
    expect(page('?limit=1001')).toContain('model_request_malformed');
  });

  it('are asked for one by one, by names with slashes', () => {
    const one = (target: string): unknown => ask('openai/model', '/models/v1/models/{model...}', target);
    expect(one('/models/v1/models/gpt')).toMatchObject({ id: 'gpt' });
    expect(one('/models/v1/models/meta%2Fllama%2Fmodels%2F8b')).toMatchObject({ id: 'meta/llama/models/8b' });
    expect(one('/models/v1/models/meta/llama/models/8b?x=1')).toMatchObject({ id: 'meta/llama/models/8b' });
    expect(one('/models/v1/models/one')).toBe('model_not_found: There is no model "one" here.');
    expect(ask('anthropic/model', '/v1/models/{model...}', '/v1/models/one')).toEqual({
      ...{ type: 'model', id: 'one', display_name: 'one', created_at: '1970-01-01T00:00:00Z' },
    });
  });
});
