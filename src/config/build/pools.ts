import { sameValue } from '../../base/same-value.ts';
import type { KeyLimit, Pool, PoolKey } from '../../model/pools.ts';
import type { MeterKind, MeterUnit } from '../../model/provider-limits.ts';
import { spellSecretPlace } from '../../model/secret-place.ts';
import type {
  AmountsDocument,
  KeyLimitsDocument,
  PoolDocument,
  PoolKeyDocument,
  ProvidersDocument,
} from '../documents.ts';
import { below, type Here, keyAt, type Report, valueAt } from '../finding.ts';
import { type AccountingContext, moneyIn } from './costs.ts';
import { count, durationMs } from './literals.ts';
import { checkReference, definitionsOf, type NameTable } from './names.ts';
import { buildRotationHook, checkStored } from './rotation-hooks.ts';
import { readSecretReference } from './secret-references.ts';
import type { Files } from './sources.ts';

export interface PoolContext extends AccountingContext {
  readonly providers: NameTable;
  readonly models: NameTable;
  readonly projectFolder: string;
}

export function buildPools(
  files: Files<ProvidersDocument>,
  names: NameTable,
  context: PoolContext,
): ReadonlyMap<string, Pool> {
  const pools = new Map<string, Pool>();
  const accounts = new Accounts(context.report);
  for (const { name, here, definition } of definitionsOf(files, 'pools', names)) {
    const pool = buildPool(name, definition, here, context);
    pools.set(name, pool);
    for (const key of pool.keys) accounts.add(pool, key, below(here, 'keys', key.name));
  }
  return pools;
}

function buildPool(name: string, document: PoolDocument, here: Here, context: PoolContext): Pool {
  const { provider, choose, sticky, queue, rotation, keys } = document;
  checkReference(provider, context.providers, valueAt(below(here, 'provider')), context.report);
  const built = Object.entries(keys).flatMap(
    ([key, written]) => buildKey(key, written, below(here, 'keys', key), context) ?? [],
  );
  const hookAt = below(here, 'rotation');
  const rotationHook = rotation === undefined ? null : buildRotationHook(rotation, hookAt, context);
  if (rotationHook !== null) checkStored(name, built, hookAt, context.report);
  return {
    name,
    provider,
    choose,
    sticky: sticky ?? null,
    queue: { upToMs: durationMs(queue.upTo), waiting: count(queue.waiting) },
    rotationHook,
    keys: built,
    place: here.file.placeOf(here.path),
  };
}

function buildKey(name: string, document: PoolKeyDocument, here: Here, context: PoolContext): PoolKey | null {
  const secret = readSecretReference(document.secret, below(here, 'secret'), context);
  const limits = buildLimits(document.limits, below(here, 'limits'), context);
  if (secret === null) return null;
  return {
    name,
    account: document.account ?? name,
    secret,
    priority: count(document.priority),
    weight: count(document.weight),
    limits,
    place: here.file.placeOf(here.path),
  };
}

function buildLimits(document: KeyLimitsDocument, here: Here, context: PoolContext): readonly KeyLimit[] {
  const { perDay, perMonth, zone = null, ...rates } = document;
  const ofModels = Object.entries(document.models).flatMap(([model, amounts]) => {
    const at = below(here, 'models', model);
    checkReference(model, context.models, keyAt(at), context.report);
    return limitsIn(amounts, { model, per: 'model', zone }, at, context);
  });
  // What may be spent is meant for all that a key does, where no model is named.
  const money = {
    ...(perDay === undefined ? {} : { perDay }),
    ...(perMonth === undefined ? {} : { perMonth }),
  };
  return [
    ...limitsIn(rates, { model: null, per: 'model', zone }, here, context),
    ...limitsIn(money, { model: null, per: 'account', zone }, here, context),
    ...ofModels,
    ...limitsIn(
      document.account ?? {},
      { model: null, per: 'account', zone },
      below(here, 'account'),
      context,
    ),
  ];
}

interface AmountMeaning {
  readonly unit: MeterUnit;
  readonly kind: MeterKind;
  readonly windowMs: number;
}

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** What the fields of an amount mean. */
const AMOUNTS: Readonly<Record<keyof AmountsDocument, AmountMeaning>> = {
  rps: { unit: 'requests', kind: 'bucket', windowMs: SECOND_MS },
  rpm: { unit: 'requests', kind: 'bucket', windowMs: MINUTE_MS },
  rpd: { unit: 'requests', kind: 'bucket', windowMs: DAY_MS },
  tpm: { unit: 'tokens', kind: 'bucket', windowMs: MINUTE_MS },
  tpd: { unit: 'tokens', kind: 'bucket', windowMs: DAY_MS },
  itpm: { unit: 'input-tokens', kind: 'bucket', windowMs: MINUTE_MS },
  otpm: { unit: 'output-tokens', kind: 'bucket', windowMs: MINUTE_MS },
  concurrency: { unit: 'slots', kind: 'slots', windowMs: 0 },
  perDay: { unit: 'cost', kind: 'daily', windowMs: DAY_MS },
  perMonth: { unit: 'cost', kind: 'monthly', windowMs: 30 * DAY_MS },
};

function limitsIn(
  amounts: AmountsDocument,
  scope: Pick<KeyLimit, 'model' | 'per' | 'zone'>,
  here: Here,
  context: PoolContext,
): readonly KeyLimit[] {
  return (Object.keys(AMOUNTS) as (keyof AmountsDocument)[]).flatMap((field): readonly KeyLimit[] => {
    const written = amounts[field];
    if (written === undefined) return [];
    const meaning = AMOUNTS[field];
    const amount =
      meaning.unit === 'cost' ? moneyIn(String(written), below(here, field), context) : count(written);
    return amount === null ? [] : [{ ...meaning, amount, source: 'declared', ...scope }];
  });
}

interface KnownAccount {
  readonly limits: readonly KeyLimit[];
  readonly here: Here;
}

interface KnownSecret {
  readonly pool: string;
  readonly key: PoolKey;
  readonly here: Here;
}

/** Keys of one account at one provider share its limits, so they may not say different ones; and one secret is of one account. */
class Accounts {
  readonly #report: Report;
  readonly #known = new Map<string, KnownAccount>();
  /** By provider, and where the secret lies. */
  readonly #secrets = new Map<string, KnownSecret>();

  constructor(report: Report) {
    this.#report = report;
  }

  add(pool: Pool, key: PoolKey, here: Here): void {
    this.#checkLimits(pool.provider, key, here);
    this.#checkSecret(pool, key, here);
  }

  #checkSecret({ name: pool, provider }: Pool, key: PoolKey, here: Here): void {
    const place = `${provider} ${spellSecretPlace(key.secret)}`;
    const first = this.#secrets.get(place);
    if (first === undefined) this.#secrets.set(place, { pool, key, here });
    else if (first.key.account !== key.account)
      this.#report({
        code: 'PT3217',
        message: `"${key.name}" has the same secret as "${first.key.name}" of "${first.pool}", but its account is "${key.account}" and not "${first.key.account}".`,
        target: valueAt(below(here, 'secret')),
        help: `Write at both which account it is: account: ${first.key.account}.`,
        related: [{ target: valueAt(below(first.here, 'secret')), message: 'the other one' }],
      });
  }

  #checkLimits(provider: string, { name, account, limits }: PoolKey, here: Here): void {
    if (limits.length === 0) return;
    const key = `${provider} ${account}`;
    const first = this.#known.get(key);
    if (first === undefined) this.#known.set(key, { limits, here });
    else if (!sameValue(first.limits, limits)) {
      this.#report({
        code: 'PT3213',
        message: `"${name}" says other limits of the account "${account}" than the key before it.`,
        target: valueAt(below(here, 'limits')),
        help: 'Write the limits of an account at one of its keys, or the same ones at each.',
        related: [{ target: valueAt(below(first.here, 'limits')), message: 'the other ones' }],
      });
    }
  }
}
