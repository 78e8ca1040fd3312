import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../base/ports.ts';
import { err, ok, type Result } from '../../base/result.ts';
import type { Models } from '../../model/pools.ts';
import type { AlertBus } from '../../observe/alert-bus.ts';
import type { EventLog } from '../../observe/event-log.ts';
import type { PoolRegistry } from '../../pools/pool-registry.ts';
import { machineBoot } from '../../state/rates/machine-boot.ts';
import type { SetAsideKey } from '../../state/set-aside-keys.ts';
import { POOLS_FILE_VERSION, type PoolsFile, type ReadPoolsFile, readPoolsFile } from './pools-file.ts';

export interface KeptPoolsParts {
  readonly dataFolder: string;
  readonly registry: PoolRegistry;
  readonly clock: Clock;
  readonly alerts: Pick<AlertBus, 'raise' | 'resolve'>;
  readonly events: Pick<EventLog, 'write'>;
}

/** In the data folder. */
const FILE = 'pools.json';
const FILE_BYTES_MAX = 64 * 1_024 * 1_024;

/**
 * What was learned of provider keys, kept over the end of the process in a file: providers tell it again. What people say of keys is not here,
 * but in the store.
 */
export class KeptPools {
  readonly #parts: KeptPoolsParts;
  readonly #path: string;
  /** Where one that can't be read is put: whoever has looked at it removes it. */
  readonly #damagedPath: string;
  #problem = '';
  #isDamageTold = false;

  constructor(parts: KeptPoolsParts) {
    this.#parts = parts;
    this.#path = join(parts.dataFolder, FILE);
    this.#damagedPath = `${this.#path}.damaged`;
  }

  /** Before the first version. What a file of an earlier version says of keys that people have set aside. */
  restore(): readonly SetAsideKey[] {
    const read = this.#read();
    if (!read.ok) this.#putAside(read.error);
    if (!read.ok || read.value === null) return [];
    if (read.value.dropped > 0)
      this.#parts.events.write('warn', 'a part of what was kept of provider keys can not be read', {
        path: this.#path,
        parts: read.value.dropped,
      });
    const { clock, registry } = this.#parts;
    const { boot, monotonicMs, wallMs } = read.value;
    const nowMs = clock.monotonicMs();
    const passedMs =
      boot !== '' && boot === machineBoot() ? nowMs - monotonicMs : Math.max(0, clock.wallMs() - wallMs);
    registry.restore(read.value, nowMs - monotonicMs - Math.max(0, passedMs));
    return read.value.setAside;
  }

  #read(): Result<ReadPoolsFile | null, string> {
    try {
      const text = readFileSync(this.#path, 'utf8');
      if (text.length > FILE_BYTES_MAX) return err('it is too large');
      return readPoolsFile(text);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      return code === 'ENOENT' ? ok(null) : err(message);
    }
  }

  #putAside(why: string): void {
    try {
      renameSync(this.#path, this.#damagedPath);
    } catch (error) {
      this.tellProblem(`${this.#path} can't be read (${why}) nor moved: ${(error as Error).message}.`);
    }
  }

  /** Not synced: the page cache keeps it over the end of the process, and what a machine that fell has lost is learned again. */
  save(models: Models): void {
    const { registry, clock, alerts } = this.#parts;
    const saved: PoolsFile = {
      version: POOLS_FILE_VERSION,
      boot: machineBoot(),
      monotonicMs: clock.monotonicMs(),
      wallMs: clock.wallMs(),
      ...registry.save(models),
    };
    const fresh = `${this.#path}.next`;
    try {
      writeFileSync(fresh, JSON.stringify(saved), { mode: 0o600 });
      renameSync(fresh, this.#path);
      alerts.resolve(NOT_KEPT);
      this.#problem = '';
    } catch (error) {
      this.tellProblem(`What is known of provider keys can't be kept: ${(error as Error).message}.`);
    }
  }

  /** Tells of a damaged file, also of one that an earlier process found, until somebody removes it. To be called now and then. */
  tellDamage(): void {
    const { alerts } = this.#parts;
    const isDamaged = existsSync(this.#damagedPath);
    if (isDamaged === this.#isDamageTold) return;
    this.#isDamageTold = isDamaged;
    if (isDamaged)
      alerts.raise({
        ...LOST,
        severity: 'warning',
        message: `What was learned of provider keys could not be read at a start, and is learned anew: ${this.#damagedPath}. Keys that people have disabled or drained stay so, unless the file was of a version of Portunus that kept them in it alone.`,
        remedy:
          'Look why the file was damaged, such as a full or failing disk, and at the keys ("portunus keys pools"); then remove it.',
      });
    else alerts.resolve(LOST);
  }

  /** Until the next file is written. */
  tellProblem(message: string): void {
    if (message === this.#problem) return;
    this.#problem = message;
    this.#parts.alerts.raise({ ...NOT_KEPT, severity: 'warning', message, remedy: NOT_KEPT_REMEDY });
  }
}

export const NOT_KEPT_REMEDY = 'Make the data folder writable, with room; it is tried again at once.';
const NOT_KEPT = { kind: 'pools-not-kept', subject: '' } as const;
const LOST = { kind: 'pools-lost', subject: '' } as const;
