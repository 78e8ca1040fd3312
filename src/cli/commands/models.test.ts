import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { type ModelsOptions, models } from './models.ts';

const PROVIDERS = `providers:
  openai-eu: { extends: builtin/openai, region: eu }
  groq: { extends: builtin/groq }
  house: { dialect: openai, baseUrl: "http://127.0.0.1:8000/v1" }
pools:
  eu: { provider: openai-eu, keys: { k: { secret: env:A } } }
  groq: { provider: groq, keys: { k: { secret: env:B } } }
  house: { provider: house, keys: { k: { secret: env:C } } }
models:
  gpt-4o: { pools: [eu], tags: [chat], outputTokensMax: 16_384 }
  gpt-oss: { pools: [groq, eu], as: openai/gpt-oss-20b, price: { input: $1, output: $2, request: $0.01, asOf: 2026-11-01 } }
  llama:
    pools: [house]
    pricesFrom: { 2026-12-15: { input: $3, output: $4 }, 2026-12-01: { input: $5, output: $6, cached: $1 } }
`;

let folder: string;
const said = { out: '', err: '' };

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.parse('2026-11-30T12:00:00Z') });
  said.out = said.err = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    said.out += text;
    return true;
  });
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    said.err += text;
    return true;
  });
  folder = await mkdtemp(join(tmpdir(), 'portunus-models-'));
  await mkdir(join(folder, 'providers'));
});
afterEach(async () => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  await rm(folder, { recursive: true });
});

async function run(options: ModelsOptions = {}, providers = PROVIDERS, settings = ''): Promise<number> {
  await writeFile(join(folder, 'portunus.yaml'), `portunus: 1\n${settings}`);
  await writeFile(join(folder, 'providers', 'all.yaml'), providers);
  return models(folder, options);
}

it('lists models with their pools and regions, their context, prices of today and to come, with day and source', async () => {
  expect(await run()).toBe(0);
  expect(said.out).toMatchInlineSnapshot(`
    "model    at the provider     pools                            context  most output  input/1M  cached/1M  output/1M  per request  price of                     tags
    gpt-4o   gpt-4o              eu (openai-eu, eu)                128000        16384   2.5 USD   1.25 USD     10 USD               2026-09-23, the catalogue    chat
    gpt-oss  openai/gpt-oss-20b  groq (groq), eu (openai-eu, eu)   131072                  1 USD      1 USD      2 USD     0.01 USD  2026-11-01, your files
    llama    llama               house (house)                                                                                       not known
                                                                                           5 USD      1 USD      6 USD               from 2026-12-01, your files
                                                                                           3 USD      3 USD      4 USD               from 2026-12-15, your files
    What is not known can't be spent from a budget: such calls are refused by it. The model may say its price:
      price: { input: $2.50, output: $10, asOf: 2026-11-30 }
    "
  `);
});

const OF_KEYS = `providers: { openai: { extends: builtin/openai }, groq: { extends: builtin/groq }, house: { dialect: openai, baseUrl: "http://127.0.0.1:8000/v1" } }
pools:
  main:
    provider: openai
    discount: 10%
    keys:
      k1: { secret: env:A }
      k2: { secret: env:B, discount: 50% }
      k3: { secret: env:C, prices: { gpt-4o: { input: $1, output: $4, asOf: 2026-11-01 } }, pricesFrom: { gpt-4o: { 2026-12-15: { input: $2, output: $5 } } } }
  groq: { provider: groq, keys: { k: { secret: env:D } } }
  house: { provider: house, prices: { ours: { input: $3, output: $3, asOf: 2026-11-01 } }, keys: { k: { secret: env:E } } }
models:
  gpt-4o: { pools: [main] }
  openai/gpt-oss-20b: { pools: [groq, house] }
  ours: { pools: [house] }
`;

it('lists what keys cost that cost something else', async () => {
  expect(await run({}, OF_KEYS)).toBe(0);
  expect(said.out).toMatchInlineSnapshot(`
    "model               at the provider     pools                       context  most output   input/1M   cached/1M  output/1M  per request  price of                     tags
    gpt-4o              gpt-4o              main (openai)                128000        16384    2.5 USD    1.25 USD     10 USD               2026-09-23, the catalogue
                                            main                                               2.25 USD   1.125 USD      9 USD               2026-09-23, the catalogue
                                            main/k2                                            1.25 USD   0.625 USD      5 USD               2026-09-23, the catalogue
                                            main/k3                                               1 USD       1 USD      4 USD               2026-11-01, your files
                                                                                                  2 USD       2 USD      5 USD               from 2026-12-15, your files
    openai/gpt-oss-20b  openai/gpt-oss-20b  groq (groq), house (house)   131072                                                              not known
                                            groq                                              0.075 USD  0.0375 USD    0.3 USD               2026-09-23, the catalogue
    ours                ours                house (house)                                                                                    not known
                                            house                                                 3 USD       3 USD      3 USD               2026-11-01, your files
    What is not known can't be spent from a budget: such calls are refused by it. The model may say its price:
      price: { input: $2.50, output: $10, asOf: 2026-11-30 }
    "
  `);
  said.out = '';
  expect(await run({ csv: true, name: ['gpt-4o'] }, OF_KEYS)).toBe(0);
  expect(said.out.replaceAll('\r\n', '\n')).toMatchInlineSnapshot(`
    "model,upstreamName,dialect,pools,regions,contextTokens,outputTokensMax,currency,input,cachedInput,output,request,asOf,source,inForce,tags,key
    gpt-4o,gpt-4o,openai,main,,128000,16384,USD,2.5,1.25,10,0,2026-09-23,catalogue,true,,
    gpt-4o,gpt-4o,openai,main,,128000,16384,USD,2.25,1.125,9,0,2026-09-23,catalogue,true,,
    gpt-4o,gpt-4o,openai,main,,128000,16384,USD,1.25,0.625,5,0,2026-09-23,catalogue,true,,k2
    gpt-4o,gpt-4o,openai,main,,128000,16384,USD,1,1,4,0,2026-11-01,project,true,,k3
    gpt-4o,gpt-4o,openai,main,,128000,16384,USD,2,2,5,0,2026-12-15,project,false,,k3
    "
  `);
  said.out = '';
  expect(await run({ name: ['ours'] }, OF_KEYS)).toBe(0);
  expect(said.out).not.toContain('What is not known');
});

it('counts a price from its day on, in the zone of the project', async () => {
  const asOf = async (settings: string): Promise<string | undefined> => {
    said.out = '';
    await run({ json: true, name: ['llama'] }, PROVIDERS, settings);
    const [llama] = JSON.parse(said.out) as { price: { asOf: string } | null }[];
    return llama!.price?.asOf;
  };
  vi.setSystemTime(Date.parse('2026-11-30T23:30:00Z'));
  expect(await asOf('')).toBeUndefined();
  expect(await asOf('zone: Europe/Berlin\n')).toBe('2026-12-01');
  vi.setSystemTime(Date.parse('2026-12-15T00:00:00Z'));
  expect(await asOf('')).toBe('2026-12-15');
});

it('writes one line for each price as comma-separated values', async () => {
  expect(await run({ csv: true, name: ['llama', 'gpt-oss'] })).toBe(0);
  expect(said.out.replaceAll('\r\n', '\n')).toMatchInlineSnapshot(`
    "model,upstreamName,dialect,pools,regions,contextTokens,outputTokensMax,currency,input,cachedInput,output,request,asOf,source,inForce,tags,key
    gpt-oss,openai/gpt-oss-20b,openai,groq eu,eu,131072,,USD,1,1,2,0.01,2026-11-01,project,true,,
    llama,llama,openai,house,,,,,,,,,,,true,,
    llama,llama,openai,house,,,,USD,5,1,6,0,2026-12-01,project,false,,
    llama,llama,openai,house,,,,USD,3,3,4,0,2026-12-15,project,false,,
    "
  `);
});

it('lists those alone that are named, and says what was meant by another name', async () => {
  expect(await run({ json: true, name: ['gpt-*'] })).toBe(0);
  expect((JSON.parse(said.out) as { name: string }[]).map(({ name }) => name)).toEqual(['gpt-4o', 'gpt-oss']);
  expect(await run({ name: ['gpt4o'] })).toBe(2);
  expect(await run({ name: ['claude*'] })).toBe(2);
  expect(said.err).toBe(`portunus models: --name gpt4o: There is no such model. Did you mean "gpt-4o"?
portunus models: --name claude*: No name of a model begins so. Without --name all of them are listed.
`);
});

it('says how models are defined where there are none', async () => {
  expect(await run({}, 'providers: {}\n')).toBe(0);
  expect(said.out).toBe(`There are no models: they are defined in providers/*.yaml.
  models: { gpt-4o: { pools: [main] } }
`);
});

it('tells errors of the files with their places', async () => {
  expect(await run({}, PROVIDERS.replace('pools: [house]', 'pools: [hous]'))).toBe(3);
  expect(said.err).toContain('Did you mean "house"?');
  expect(said.err).toContain('providers/all.yaml:13');
});
