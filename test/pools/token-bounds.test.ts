/** Limits of tokens and money rely on it: a prompt never has more tokens than a call is bounded by, neither by its bytes nor once it is counted. */
import fc from 'fast-check';
import { countTokens as countCl100k } from 'gpt-tokenizer/encoding/cl100k_base';
import { countTokens as countO200k } from 'gpt-tokenizer/encoding/o200k_base';
import { beforeAll, describe, expect, it } from 'vitest';
import { type CountTexts, loadEncoding } from '../../src/ai/token-count.ts';
import type { CallOperation } from '../../src/model/route-calls.ts';
import { ENCODINGS, type Encoding, type TokenizerName } from '../../src/model/tokenizers.ts';
import type { ModelRequest } from '../../src/pipeline/model-request.ts';
import { Models, TWO_KEYS } from '../../src/pools/model-call.cases.ts';
import { TEXTS } from './texts.cases.ts';

const AS_TEXT = { disallowedSpecial: new Set<string>() };
/** As the package counts, with nothing of ours around it. */
const REAL: Readonly<Record<Encoding, (text: string) => number>> = {
  o200k_base: (text) => countO200k(text, AS_TEXT),
  cl100k_base: (text) => countCl100k(text, AS_TEXT),
};
const own = new Map<Encoding, CountTexts>();
beforeAll(async () => {
  for (const encoding of ENCODINGS) own.set(encoding, await loadEncoding(encoding));
});

interface Message {
  readonly role: string;
  readonly content: string;
  readonly name?: string;
}

/** "How to count tokens with tiktoken" (OpenAI's cookbook): three of each message, one of a name, three that begin the answer. */
function documentedTokens(messages: readonly Message[], count: (text: string) => number): number {
  const each = messages.map(
    ({ role, content, name }) =>
      3 + count(role) + count(content) + (name === undefined ? 0 : count(name) + 1),
  );
  return each.reduce((sum, tokens) => sum + tokens, 3);
}

function modelsOf(tokenizer: TokenizerName | null): Models {
  return new Models({ pools: TWO_KEYS, model: { tokenizer } });
}
const MODELS = {
  o200k_base: modelsOf('o200k_base'),
  cl100k_base: modelsOf('cl100k_base'),
  unknown: modelsOf(null),
};

function planned(
  models: Models,
  body: object | string,
  operation: CallOperation = 'openai/chat',
): ModelRequest {
  const plan = models.read(typeof body === 'string' ? body : { model: 'gpt', ...body }, operation);
  if ('code' in plan) throw new Error(plan.sentence);
  return plan;
}
const boundOf = (plan: ModelRequest): number => plan.bounds['input-tokens'];

/** As the thread that counts would; null: it is not counted. */
function countedBound(models: Models, plan: ModelRequest, operation: CallOperation = 'openai/chat') {
  const prompt = models.prompt(plan, operation);
  if (prompt === null) return null;
  const tokens = own.get(prompt.encoding)!(prompt.texts) + prompt.beside;
  const counted = models.counted(plan, tokens, operation);
  expect(counted.prompt).toBe('counted');
  return boundOf(counted);
}

it.each([
  // of OpenAI's cookbook, "How to count tokens with tiktoken", comparing encodings
  ['antidisestablishmentarianism', 6, 6],
  ['2 + 2 = 4', 7, 7],
  ['お誕生日おめでとう', 9, 8],
])('%s has as many tokens as is published', (text, cl100k, o200k) => {
  expect([REAL.cl100k_base(text), REAL.o200k_base(text)]).toEqual([cl100k, o200k]);
});

describe.each(ENCODINGS)('a chat to a model with %s', (encoding) => {
  const models = MODELS[encoding];
  const real = REAL[encoding];

  function hold(messages: readonly Message[]): void {
    const plan = planned(models, { messages });
    const tokens = documentedTokens(messages, real);
    const counted = countedBound(models, plan)!;
    expect(counted).toBeGreaterThanOrEqual(tokens);
    expect(boundOf(plan)).toBeGreaterThanOrEqual(counted);
  }

  it.each(Object.entries(TEXTS))('has no more tokens than its bounds: %s', (_name, content) => {
    hold([{ role: 'user', content }]);
    hold([
      { role: 'system', content, name: [...content].slice(0, 20).join('') },
      { role: 'user', content },
    ]);
  });

  it('nor has one of many messages, or of none', () => {
    hold([]);
    hold(
      Array.from({ length: 300 }, (_, nth) => ({ role: nth % 2 === 0 ? 'user' : 'assistant', content: '' })),
    );
    hold(Object.values(TEXTS).map((content) => ({ role: 'user', content })));
    hold(Array.from({ length: 300 }, () => ({ role: 'user', content: '', name: 'n' })));
  });

  it('nor one of any texts', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 60 }),
      fc.string({ unit: 'grapheme', maxLength: 60 }),
      fc
        .array(fc.constantFrom(...Object.values(TEXTS), ' ', '\n', '7', 'é'), { maxLength: 4 })
        .map((parts) => parts.join('')),
    );
    const message = fc.record({
      role: fc.constantFrom('user', 'assistant', 'developer'),
      content: text,
      name: text,
    });
    fc.assert(fc.property(fc.array(message, { maxLength: 4 }), hold), { numRuns: 60 });
  });

  it('is bounded by its bytes some times too high, once it is counted by little', () => {
    const messages = [{ role: 'user', content: TEXTS.prose! }];
    const plan = planned(models, { messages });
    const tokens = documentedTokens(messages, real);
    expect(boundOf(plan)).toBeGreaterThan(3 * tokens);
    expect(countedBound(models, plan)!).toBeLessThan(tokens + 16);
  });
});

it('tools of a chat have no more tokens than their bytes', () => {
  // as the cookbook counts them for gpt-4o
  const tool = (name: string, description: string, properties: Readonly<Record<string, string>>) => ({
    type: 'function',
    function: {
      name,
      ...(description === '' ? {} : { description }),
      parameters: {
        type: 'object',
        properties: Object.fromEntries(
          Object.entries(properties).map(([key, text]) => [key, { type: 'string', description: text }]),
        ),
      },
    },
  });
  for (const content of ['', TEXTS.emoji!, TEXTS.prose!]) {
    const properties = { a: content, b: content };
    const tools = [tool('f', '', {}), tool('g', content, properties)];
    const count = REAL.o200k_base;
    const ofTools =
      [7 + count('f:'), 7 + count(`g:${content}`) + 3].reduce((a, b) => a + b, 12) +
      Object.entries(properties).reduce((sum, [key, text]) => sum + 3 + count(`${key}:string:${text}`), 0);
    const messages = [{ role: 'user', content }];
    const plan = planned(MODELS.o200k_base, { messages, tools });
    expect(boundOf(plan)).toBeGreaterThanOrEqual(ofTools + documentedTokens(messages, count));
  }
});

describe('what is embedded or completed', () => {
  const models = MODELS.cl100k_base;
  const real = REAL.cl100k_base;
  const texts = Object.values(TEXTS);
  const sum = (each: readonly string[]) => each.reduce((all, text) => all + real(text), 0);
  const tokens = [[1, 22, 333, 100_256], [7], []];
  const many = [Array.from({ length: 500 }, (_, token) => token)];
  const cases = [
    ['openai/embeddings', 'input', texts, sum(texts)],
    ['openai/embeddings', 'input', '', 0],
    ['openai/embeddings', 'input', tokens[0]!, 4],
    ['openai/embeddings', 'input', tokens, 5],
    ['openai/completions', 'prompt', texts[1]!, sum([texts[1]!])],
    ['openai/completions', 'prompt', tokens, 5],
    ['openai/completions', 'prompt', many, 500],
  ] as const;

  it.each(cases)('by %s (%s) has no more tokens than its bounds', (operation, member, value, most) => {
    const plan = planned(models, { [member]: value }, operation);
    const counted = countedBound(models, plan, operation)!;
    expect(counted).toBeGreaterThanOrEqual(most);
    expect(boundOf(plan)).toBeGreaterThanOrEqual(counted);
  });
});

it('instructions and input of responses have no more tokens than their bounds', () => {
  const real = REAL.o200k_base;
  const message = { type: 'message', role: 'user', content: [{ type: 'input_text', text: TEXTS.code! }] };
  for (const input of [TEXTS.chinese!, [message, { role: 'assistant', content: TEXTS.thai! }]]) {
    const plan = planned(MODELS.o200k_base, { input, instructions: TEXTS.prose! }, 'openai/responses');
    const said = typeof input === 'string' ? [input] : [TEXTS.code!, TEXTS.thai!];
    const most = [TEXTS.prose!, ...said].reduce((sum, text) => sum + real(text) + 4, 3);
    const counted = countedBound(MODELS.o200k_base, plan, 'openai/responses')!;
    expect(counted).toBeGreaterThanOrEqual(most);
    expect(boundOf(plan)).toBeGreaterThanOrEqual(counted);
  }
});

describe('a prompt is not counted', () => {
  const hello = { role: 'user', content: 'hello' };
  const chat = (body: object) => ({ messages: [hello], ...body });
  const said = (content: unknown) => ({ messages: [{ role: 'user', content }] });
  const text = { type: 'text', text: 'a' };
  const image = { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } };

  it.each([
    ['tools', chat({ tools: [{ type: 'function', function: { name: 'f' } }] })],
    ['functions', chat({ functions: [{ name: 'f' }] })],
    ['a schema of the answer', chat({ response_format: { type: 'json_object' } })],
    ['an expected answer', chat({ prediction: { type: 'content', content: 'a' } })],
    ['a member that nobody knows', chat({ next_year: 1 })],
    ['a member that every object has', chat({ toString: 1 })],
    ['a call of a tool', { messages: [hello, { role: 'assistant', content: null, tool_calls: [] }] }],
    ['several parts', said([text, text])],
    ['an image', said([image])],
    ['sound', said([{ type: 'input_audio', input_audio: { data: 'AAAA', format: 'wav' } }])],
    ['a part that is not whole', said([{ ...text, cache_control: {} }])],
    ['a content of another kind', said(7)],
    ['messages of another kind', { messages: hello }],
  ])('that has %s', (_what, body) => {
    const plan = planned(MODELS.o200k_base, body);
    expect(plan.prompt === 'countable' ? countedBound(MODELS.o200k_base, plan) : null).toBe(null);
  });

  it.each([
    ['openai/embeddings', { input: [['a']] }],
    ['openai/embeddings', { input: [{ text: 'a' }] }],
    ['openai/completions', { prompt: 'a', suffix: 'b' }],
    ['openai/responses', { input: 'a', text: { format: { type: 'json_object' } } }],
    ['openai/responses', { input: [{ type: 'function_call_output', call_id: 'c', output: 'a' }] }],
  ] as const)('of %s %j', (operation, body) => {
    const plan = planned(MODELS.o200k_base, body, operation);
    expect(plan.prompt).toBe('countable');
    expect(countedBound(MODELS.o200k_base, plan, operation)).toBe(null);
  });

  it('whose tokenizer is not known, that is too long, or of an operation whose prompts are no texts', () => {
    expect(planned(MODELS.unknown, chat({})).prompt).toBe('bytes');
    const brief = new Models({
      pools: TWO_KEYS,
      model: { tokenizer: 'o200k_base' },
      limits: { countedPromptBytes: 100 },
    });
    const [short, long] = ['', 'x'.repeat(60)].map((content) => planned(brief, said(content)).prompt);
    expect([short, long]).toEqual(['countable', 'bytes']);
    for (const operation of ['openai/images', 'openai/moderations', 'openai/rerank'] as const)
      expect(planned(MODELS.o200k_base, { input: 'a' }, operation).prompt).toBe('bytes');
  });

  it('but one of which every member is known is', () => {
    const body = chat({
      ...{ temperature: 1, n: 2, stream: true, stream_options: null, tools: null, user: 'u', max_tokens: 5 },
      messages: [
        { role: 'user', content: [text], name: 'n' },
        { role: 'assistant', content: null },
      ],
    });
    expect(countedBound(MODELS.o200k_base, planned(MODELS.o200k_base, body))).toBeGreaterThan(0);
  });
});

it('what a template writes besides is added to both bounds', () => {
  const messages = [{ role: 'user', content: 'hi' }];
  const harmony = modelsOf('o200k_harmony');
  const [plain, oss] = [MODELS.o200k_base, harmony].map((models) => planned(models, { messages }));
  expect(boundOf(oss!) - boundOf(plain!)).toBe(160);
  expect(countedBound(harmony, oss!)! - countedBound(MODELS.o200k_base, plain!)!).toBe(160);
});

describe('a prompt to a model whose tokenizer nobody knows', () => {
  const UTF_8 = new TextEncoder();
  /** A token for each byte of a text that is composed again, as of those that fall back to bytes; else for each character. */
  const longest = (text: string): number => {
    const cased = [text, text.toLowerCase()];
    const forms = (...names: readonly string[]) =>
      names.flatMap((form) =>
        cased.flatMap((each) => [each.normalize(form), each.normalize(form).toLowerCase()]),
      );
    const composed = forms('NFC', 'NFKC').map((form) => UTF_8.encode(form).length);
    return Math.max(...composed, ...forms('NFD', 'NFKD').map((form) => [...form].length));
  };
  const hold = (content: string): void => {
    const body = JSON.stringify({ model: 'gpt', messages: [{ role: 'user', content }] });
    const text = JSON.stringify(content);
    for (const write of [String, escaped]) {
      // what stands around it is bounded for itself
      const around = Buffer.byteLength(write(body)) - Buffer.byteLength(write(text)) + 2;
      const bound = boundOf(planned(MODELS.unknown, write(body)));
      expect(bound - around).toBeGreaterThanOrEqual(longest(content));
    }
  };

  it.each(Object.entries(TEXTS))(
    'has no more tokens than its bytes once they are normalised: %s',
    (_name, content) => {
      hold(content);
    },
  );

  it('nor has any text, however its marks stand', () => {
    const mark = fc.constantFrom('\u0327', '\u0323', '\u0301', '\u0308', '\u0345', '\u1161', '\u11a8');
    const character = fc.oneof(
      fc.string({ unit: 'binary', minLength: 1, maxLength: 3 }),
      fc.constantFrom('é', 'ṩ', 'ǟ', 'ᾧ', '한', '가', 'ﷺ', '\u{1d160}', 'İ', 'Ⱥ', '½', 'क़', 'שּׁ', '\u0344'),
      mark,
    );
    const text = fc.array(character, { maxLength: 30 }).map((parts) => parts.join('').toWellFormed());
    fc.assert(fc.property(text, hold), { numRuns: 150 });
  });

  it('is bounded by its bytes alone where they are ASCII, or its tokenizer takes texts as they are', () => {
    const body = (content: string) => ({ model: 'gpt', messages: [{ role: 'user', content }] });
    const bytes = (content: string) => Buffer.byteLength(JSON.stringify(body(content)));
    expect(boundOf(planned(MODELS.unknown, body('plain')))).toBe(bytes('plain'));
    expect(boundOf(planned(MODELS.o200k_base, body('ﷺ')))).toBe(bytes('ﷺ'));
    expect(boundOf(planned(MODELS.unknown, body('ﷺ')))).toBe(bytes('ﷺ') + 30);
  });

  it('that compares a query with documents has it once more with each of them', () => {
    const real = REAL.cl100k_base;
    const query = TEXTS.prose!;
    for (const documents of [['a'], Array.from({ length: 50 }, (_, nth) => `${nth}`), ['', 'ﷺ']]) {
      const plan = planned(MODELS.unknown, { query, documents }, 'openai/rerank');
      const pairs = documents.reduce((sum, text) => sum + real(query) + real(text) + 4, 0);
      expect(boundOf(plan)).toBeGreaterThanOrEqual(pairs);
    }
    const twice = planned(MODELS.unknown, { query: 'ﷺ', documents: ['a', 'b'] }, 'openai/rerank');
    expect(boundOf(twice)).toBeGreaterThanOrEqual(3 * 33);
  });
});

/** The same JSON, with everything beyond ASCII escaped. */
function escaped(json: string): string {
  return json.replaceAll(
    /[\u0080-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
