/** What was learned of provider keys, as the file keeps it over the end of the process. It may be damaged, somebody's, or of another version. */
import { err, ok, type Result } from '../../base/result.ts';
import { KEY_STATES, SET_ASIDE } from '../../pools/key-states.ts';
import type { SavedKey, SavedPools } from '../../pools/pool-registry.ts';
import { areLaneCells } from '../../pools/saved-lanes.ts';
import type { SetAsideKey } from '../../state/set-aside-keys.ts';

export const POOLS_FILE_VERSION = 3;
/** Since when lanes lie as they do: their cells say nothing by themselves. */
const LANES_SINCE_VERSION = 2;
/** From this on what people say of keys lies in the store. */
const LEARNED_SINCE_VERSION = 3;

export interface PoolsFile extends SavedPools {
  readonly version: number;
  readonly boot: string;
  readonly monotonicMs: number;
  readonly wallMs: number;
}

export interface ReadPoolsFile extends PoolsFile {
  /** Keys and lanes that can't be read. */
  readonly dropped: number;
  /** What a file of an earlier version says of keys that people have set aside. */
  readonly setAside: readonly SetAsideKey[];
}

/** Keys by themselves, whatever the version. Lanes are learned anew from what providers say. */
export function readPoolsFile(text: string): Result<ReadPoolsFile, string> {
  const saved = parsed(text);
  if (typeof saved !== 'object' || saved === null) return err('it is damaged');
  const { version, boot, monotonicMs, wallMs, keys, lanes } = saved as Readonly<Record<string, unknown>>;
  if (!isCount(version) || typeof boot !== 'string' || !isCount(monotonicMs) || !isCount(wallMs))
    return err('it is damaged');
  const [allKeys, allLanes] = [listOf(keys), listOf(lanes)];
  const goodKeys = allKeys.filter(isSavedKey);
  const hasLanes = version >= LANES_SINCE_VERSION && version <= POOLS_FILE_VERSION;
  const goodLanes = hasLanes ? allLanes.filter(isSavedLane) : [];
  const setAside = version < LEARNED_SINCE_VERSION ? goodKeys.flatMap(setAsideIn) : [];
  const learned = goodKeys.map((key) =>
    SET_ASIDE.has(key.state) ? { ...key, state: 'active' as const } : key,
  );
  const dropped = allKeys.length - goodKeys.length + (allLanes.length - goodLanes.length);
  return ok({ version, boot, monotonicMs, wallMs, keys: learned, lanes: goodLanes, dropped, setAside });
}

function setAsideIn({ name, state }: SavedKey): readonly SetAsideKey[] {
  const [pool, key] = name.split('/');
  if (pool === undefined || key === undefined || !SET_ASIDE.has(state)) return [];
  return [{ pool, key, as: state === 'disabled' ? 'disabled' : 'draining' }];
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function isSavedKey(key: unknown): key is SavedKey {
  if (typeof key !== 'object' || key === null) return false;
  const { name, state, secretDigest, secretSinceMs, creditAtMs } = key as Readonly<Record<string, unknown>>;
  return (
    typeof name === 'string' &&
    typeof secretDigest === 'string' &&
    (secretSinceMs === undefined || isCount(secretSinceMs)) &&
    (creditAtMs === undefined || isCount(creditAtMs)) &&
    typeof state === 'string' &&
    Object.hasOwn(KEY_STATES, state)
  );
}

function isSavedLane(lane: unknown): lane is SavedPools['lanes'][number] {
  if (typeof lane !== 'object' || lane === null) return false;
  const { name, cells } = lane as Readonly<Record<string, unknown>>;
  return typeof name === 'string' && Array.isArray(cells) && areLaneCells(cells);
}
