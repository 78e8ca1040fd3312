/** Makes the disk below a gateway's data folder fail, its wall clock jump and names lead elsewhere while it runs: `fault-shim.c`, preloaded. */
import { spawnSync } from 'node:child_process';
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Errors of system calls by name, for those that are to fail. */
export interface DiskFault {
  readonly writes?: Errno;
  readonly syncs?: Errno;
  /** Writes that are synced as they are made: LMDB's meta pages. */
  readonly syncedWrites?: Errno;
  readonly opening?: Errno;
  /** Of a synced write that fails: its content is in the file all the same, and perhaps can't be taken out of it again. */
  readonly leaves?: 'nothing' | 'content' | 'content for good';
  /** Calls that fail before all succeed again; all of them, if left out. */
  readonly calls?: number;
}

type Errno = 'EIO' | 'ENOSPC' | 'EROFS';

/** As `struct control` of fault-shim.c has it. */
const AT = {
  writes: 0,
  syncs: 4,
  syncedWrites: 8,
  opening: 12,
  leaves: 16,
  calls: 20,
  failed: 24,
  wallOffset: 32,
};
const CONTROL_BYTES = 40;
const LEAVES = { nothing: 0, content: 1, 'content for good': 2 } as const;

export class FaultShim {
  /** What a gateway is to be started with. */
  readonly environment: Readonly<Record<string, string>>;
  /** Has each *.mdb as the disk would have it after a fall of the machine. */
  readonly durableFolder: string;
  readonly #folder: string;
  readonly #names: string;
  readonly #control: number;

  private constructor(folder: string, faultyFolder: string) {
    this.#folder = folder;
    this.durableFolder = join(folder, 'durable');
    mkdirSync(this.durableFolder);
    this.#names = join(folder, 'names');
    const control = join(folder, 'control');
    this.#control = openSync(control, 'w+');
    writeSync(this.#control, Buffer.alloc(CONTROL_BYTES));
    this.environment = {
      LD_PRELOAD: join(folder, 'fault-shim.so'),
      FAULTS_CONTROL: control,
      FAULTS_FOLDER: faultyFolder,
      FAULTS_DURABLE: this.durableFolder,
      FAULTS_NAMES: this.#names,
    };
  }

  /** Null where there is no C compiler, or nothing can be preloaded. */
  static build(faultyFolder: string): FaultShim | null {
    const folder = mkdtempSync(join(tmpdir(), 'portunus-faults-'));
    const source = fileURLToPath(new URL('fault-shim.c', import.meta.url));
    const library = join(folder, 'fault-shim.so');
    const compiled = spawnSync('cc', ['-shared', '-fPIC', '-O1', '-Werror', '-o', library, source, '-ldl']);
    if (compiled.status === 0) return new FaultShim(folder, faultyFolder);
    rmSync(folder, { recursive: true });
    if (compiled.error !== undefined) return null;
    throw new Error(`fault-shim.c does not compile: ${compiled.stderr}`);
  }

  begin({ writes, syncs, syncedWrites, opening, leaves = 'nothing', calls = -1 }: DiskFault): void {
    this.#write(AT.calls, calls);
    this.#write(AT.leaves, LEAVES[leaves]);
    this.#write(AT.failed, 0);
    for (const [at, errno] of [
      [AT.writes, writes],
      [AT.syncs, syncs],
      [AT.syncedWrites, syncedWrites],
      [AT.opening, opening],
    ] as const)
      this.#write(at, errno === undefined ? 0 : constants.errno[errno]);
  }

  end(): void {
    this.begin({});
  }

  /** Calls that were made to fail since it began. */
  get failed(): number {
    const cell = Buffer.alloc(4);
    readSync(this.#control, cell, 0, 4, AT.failed);
    return cell.readInt32LE();
  }

  /** The gateway's wall clock shows the machine's time and so much more. */
  setWallOffset(ms: number): void {
    const cell = Buffer.alloc(8);
    cell.writeBigInt64LE(BigInt(Math.round(ms * 1_000)));
    writeSync(this.#control, cell, 0, 8, AT.wallOffset);
  }

  /** Where these names lead from now on; one without addresses can't be resolved. All others are the system's. */
  setNames(names: Readonly<Record<string, readonly string[]>>): void {
    const lines = Object.entries(names).flatMap(([name, addresses]) =>
      addresses.length === 0 ? [`${name}\n`] : addresses.map((address) => `${name} ${address}\n`),
    );
    writeFileSync(`${this.#names}.new`, lines.join(''));
    renameSync(`${this.#names}.new`, this.#names);
  }

  close(): void {
    closeSync(this.#control);
    rmSync(this.#folder, { recursive: true });
  }

  #write(at: number, value: number): void {
    const cell = Buffer.alloc(4);
    cell.writeInt32LE(value);
    writeSync(this.#control, cell, 0, 4, at);
  }
}
