/**
 * How people, tests and benches look into the mock provider, and change it; docs/mock-provider.md tells of it:
 *
 * | request               | what it does                                                                             |
 * |-----------------------|------------------------------------------------------------------------------------------|
 * | GET /mock/accounts    | what each account has counted                                                            |
 * | POST /mock/limits     | `{"account","limits":{"rpm":5}}`: other limits, what is in use stays in use                |
 * | POST /mock/keys       | `{"key","state":"revoked"|"valid"}`                                                       |
 * | POST /mock/credit     | `{"account","tokens"}`: so many more are paid for                                         |
 * | POST /mock/faults     | `{"status","times","account"?}`: the next calls are answered with that status, with `"fields"` and `"body"` beside it in just these words (of 200, a list is the events of a stream); `"breaks"` in place of it: `"connection"` closes it unanswered, `"answer"` in the middle of the answer |
 * | POST /mock/answers    | `{"latencyMs"?:[50,200],"eventMs"?:20,"seed"?:7}`: when answers come, and what is drawn     |
 */
import { type Account, LIMIT_NAMES, type Limits } from './accounts.ts';
import type { JsonObject } from './call.ts';

export interface Fault {
  readonly kind: FaultKind;
  times: number;
  /** Absent: of all accounts. */
  readonly account?: string;
}

export type FaultKind =
  | {
      readonly status: number;
      /** Header fields of the answer beside its own. */
      readonly fields: Readonly<Record<string, string>>;
      /** Undefined: as the dialect words such a status. */
      readonly body: unknown;
    }
  /** The connection is closed unanswered, or in the middle of the answer. */
  | { readonly breaks: 'connection' | 'answer' };

/** How calls are answered. */
export interface Answers {
  seed: number;
  /** From the call to its answer, or to the first event; the seed draws within. */
  latencyMs: readonly [least: number, most: number];
  /** Between the events of a stream. */
  eventMs: number;
}

export interface Control {
  accounts: readonly Account[];
  accountOf: ReadonlyMap<string, Account>;
  readonly faults: Fault[];
  readonly answers: Answers;
}

export interface Said {
  readonly status: number;
  readonly body: unknown;
}

export function controlAnswer(control: Control, method: string, path: string, body: JsonObject | null): Said {
  const asked = `${method} ${path}`;
  if (asked === 'GET /mock/accounts') {
    return { status: 200, body: control.accounts.map(({ name, counts }) => ({ name, ...counts })) };
  }
  const change = Object.hasOwn(CHANGES, asked) ? CHANGES[asked] : undefined;
  if (change === undefined) return { status: 404, body: { error: `There is no ${asked}.` } };
  const wrong = body === null ? 'The body is not a JSON object.' : change(control, body);
  return wrong === null ? { status: 200, body: {} } : { status: 400, body: { error: wrong } };
}

/** Each answers what is wrong, or null. */
const CHANGES: Readonly<Record<string, (control: Control, body: JsonObject) => string | null>> = {
  'POST /mock/limits': ({ accounts }, { account, limits }) => {
    const found = accountNamed(accounts, account);
    if (typeof found === 'string') return found;
    if (!areLimits(limits)) return `"limits" are amounts above 0 of ${LIMIT_NAMES.join(', ')}.`;
    found.setLimits(limits);
    return null;
  },
  'POST /mock/keys': ({ accountOf }, { key, state }) => {
    const account = accountOf.get(String(key));
    if (account === undefined) return 'There is no such key.';
    if (state !== 'revoked' && state !== 'valid') return '"state" is "revoked" or "valid".';
    if (state === 'revoked') account.revoked.add(String(key));
    else account.revoked.delete(String(key));
    return null;
  },
  'POST /mock/credit': ({ accounts }, { account, tokens }) => {
    const found = accountNamed(accounts, account);
    if (typeof found === 'string') return found;
    if (!isAmount(tokens, 0)) return '"tokens" is a number, 0 or more.';
    found.pay(tokens);
    return null;
  },
  'POST /mock/faults': ({ faults, accounts }, { times, account, ...said }) => {
    const kind = faultKind(said);
    if (kind === null)
      return '"status" is 200 or 400 … 599, with or without "fields" of texts, or "breaks" is "connection" or "answer".';
    if (!isAmount(times, 1)) return '"times" is a number, 1 or more.';
    if (account === undefined) {
      faults.push({ kind, times });
      return null;
    }
    const found = accountNamed(accounts, account);
    if (typeof found === 'string') return found;
    faults.push({ kind, times, account: found.name });
    return null;
  },
  'POST /mock/answers': ({ answers }, { latencyMs, eventMs, seed }) => {
    if (latencyMs !== undefined && !isRange(latencyMs)) return '"latencyMs" is [least, most], up to 60000.';
    if (eventMs !== undefined && !(isAmount(eventMs, 0) && eventMs <= WAIT_MS_MAX))
      return '"eventMs" is a number, 0 … 60000.';
    if (seed !== undefined && !isAmount(seed, 0)) return '"seed" is a number, 0 or more.';
    Object.assign(answers, {
      latencyMs: latencyMs ?? answers.latencyMs,
      eventMs: eventMs ?? answers.eventMs,
      seed: seed ?? answers.seed,
    });
    return null;
  },
};

function accountNamed(accounts: readonly Account[], name: unknown): Account | string {
  const found = accounts.find((account) => account.name === name);
  return (
    found ?? `There is no account ${JSON.stringify(name)}: ${accounts.map((one) => one.name).join(', ')}.`
  );
}

const WAIT_MS_MAX = 60_000;

function isAmount(value: unknown, least: number): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= least;
}

function isRange(value: unknown): boolean {
  if (!Array.isArray(value) || value.length !== 2) return false;
  const [least, most] = value as readonly unknown[];
  return isAmount(least, 0) && isAmount(most, least) && most <= WAIT_MS_MAX;
}

function areLimits(value: unknown): value is Limits {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.entries(value).every(
    ([name, amount]) =>
      (LIMIT_NAMES as readonly string[]).includes(name) && isAmount(amount, Number.MIN_VALUE),
  );
}

function faultKind({ status, breaks, fields = {}, body }: JsonObject): FaultKind | null {
  if (breaks === 'connection' || breaks === 'answer') return { breaks };
  const isSound =
    isAmount(status, 200) && (status === 200 || status >= 400) && status <= 599 && areFields(fields);
  return isSound ? { status, fields, body } : null;
}

function areFields(value: unknown): value is Readonly<Record<string, string>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.entries(value).every(
    ([name, text]) => /^[a-z0-9-]+$/.test(name) && typeof text === 'string' && /^[ -~]*$/.test(text),
  );
}
