/**
 * How tests and benches look into the mock provider, and change it:
 *
 * | request               | what it does                                                                             |
 * |-----------------------|------------------------------------------------------------------------------------------|
 * | GET /mock/accounts    | what each account has counted                                                            |
 * | POST /mock/limits     | `{"account","limits":{"rpm":5}}`: other limits, what is in use stays in use                |
 * | POST /mock/keys       | `{"key","state":"revoked"|"valid"}`                                                       |
 * | POST /mock/credit     | `{"account","tokens"}`: so many more are paid for                                         |
 * | POST /mock/faults     | `{"status","times","account"?}`: the next calls are answered with that status             |
 */
import type { Account, Limits } from './accounts.ts';
import type { JsonObject } from './call.ts';

export interface Fault {
  readonly status: number;
  times: number;
  /** Absent: of all accounts. */
  readonly account?: string;
}

export interface Control {
  readonly accounts: readonly Account[];
  readonly accountOf: ReadonlyMap<string, Account>;
  readonly faults: Fault[];
}

export interface Said {
  readonly status: number;
  readonly body: unknown;
}

export function controlAnswer(control: Control, method: string, path: string, text: string): Said {
  const asked = `${method} ${path}`;
  if (asked === 'GET /mock/accounts') {
    return { status: 200, body: control.accounts.map(({ name, counts }) => ({ name, ...counts })) };
  }
  const change = Object.hasOwn(CHANGES, asked) ? CHANGES[asked] : undefined;
  if (change === undefined) return { status: 404, body: { error: `There is no ${asked}.` } };
  const wrong = change(control, JSON.parse(text) as JsonObject);
  return wrong === null ? { status: 200, body: {} } : { status: 400, body: { error: wrong } };
}

/** Each answers what is wrong, or null. */
const CHANGES: Readonly<Record<string, (control: Control, body: JsonObject) => string | null>> = {
  'POST /mock/limits': ({ accounts }, { account, limits }) => {
    const found = accounts.find(({ name }) => name === account);
    found?.setLimits(limits as Limits);
    return found === undefined ? `There is no account ${String(account)}.` : null;
  },
  'POST /mock/keys': ({ accountOf }, { key, state }) => {
    const account = accountOf.get(String(key));
    if (account === undefined) return 'There is no such key.';
    if (state === 'revoked') account.revoked.add(String(key));
    else account.revoked.delete(String(key));
    return null;
  },
  'POST /mock/credit': ({ accounts }, { account, tokens }) => {
    const found = accounts.find(({ name }) => name === account);
    found?.pay(Number(tokens));
    return found === undefined ? `There is no account ${String(account)}.` : null;
  },
  'POST /mock/faults': ({ faults }, { status, times, account }) => {
    const fault = { status: Number(status), times: Number(times) };
    faults.push(account === undefined ? fault : { ...fault, account: String(account) });
    return null;
  },
};
