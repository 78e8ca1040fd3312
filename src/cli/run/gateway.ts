import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AdminHealth } from '../../admin/actions.ts';
import type { ConfigurationActions } from '../../admin/routes/configuration.ts';
import type { AdminServer } from '../../admin/server.ts';
import { createHashKey } from '../../base/half-sip-hash.ts';
import type { Clock, Random } from '../../base/ports.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { poolAlertTest, rotationTest } from '../../compiler/runtime/pool-rules.ts';
import { createAddressConnections } from '../../gateway/address-connections.ts';
import { ConnectionRecount } from '../../gateway/connection-recount.ts';
import { DataThreads } from '../../gateway/data-threads.ts';
import { LiveDirectory } from '../../governance/live-directory.ts';
import { NO_MODELS } from '../../model/pools.ts';
import { PoolAlerts } from '../../observe/pool-alerts.ts';
import { createRecordRing } from '../../observe/record-ring.ts';
import { RuleAlerts } from '../../observe/rule-alerts.ts';
import { watchThread } from '../../observe/thread-watch.ts';
import type { AuditActor, AuditEntry } from '../../pipeline/audit.ts';
import type { CounterSpec } from '../../pipeline/counters.ts';
import {
  createThreadGauges,
  readThreadGauges,
  type ThreadGaugeValues,
} from '../../pipeline/thread-gauges.ts';
import { createPoolMemory } from '../../pools/pool-memory.ts';
import { PoolRegistry } from '../../pools/pool-registry.ts';
import type { CounterRegistry } from '../../state/counter-registry.ts';
import { machineBoot } from '../../state/rates/machine-boot.ts';
import { createSeenSignaturesMemory, signaturesWithoutRoom } from '../../state/seen-signatures.ts';
import type { Store } from '../../state/store.ts';
import { httpProbe } from '../../upstream/health-probe.ts';
import { systemLookup } from '../../upstream/name-resolver.ts';
import { timerAfter } from '../../upstream/timers.ts';
import { VERSION } from '../version.ts';
import { addressIsFree } from './address.ts';
import { openAdminAccess } from './admin-access.ts';
import { openAdminApi } from './admin-api.ts';
import { AdminCertificateKeeper } from './admin-certificate.ts';
import { AuditAnchoring } from './audit-anchoring.ts';
import { Configuration, type LiveVersion, type LoadReason, type LoadResult } from './configuration.ts';
import { controlBounds } from './control-bounds.ts';
import { createDirectoryDesk } from './directory-desk.ts';
import { replaceDurably } from './durable-file.ts';
import { EndpointKeeper } from './endpoint-keeper.ts';
import { makeFirstKeys } from './first-keys.ts';
import { HistoryKeeper } from './history-keeper.ts';
import { IssuerAlerts } from './issuer-alerts.ts';
import { LimitAlerts } from './limit-alerts.ts';
import { CONTROL_THREAD, dataThreadName, GatewayMetrics } from './metrics.ts';
import { modelViews } from './model-view.ts';
import type { Observation } from './observation.ts';
import { createObservationDesk } from './observation-desk.ts';
import { openObservation } from './observation-opening.ts';
import { PoolKeeper } from './pool-keeper.ts';
import type { ProjectBuilder } from './project-builder.ts';
import { type ProjectFiles, ProjectWatcher } from './project-files.ts';
import { PromptCounter } from './prompt-counter.ts';
import { QuotaKeeper } from './quota-keeper.ts';
import { RateKeeper } from './rate-keeper.ts';
import type { ReadyProject, ReadyVersion, ServedWorld } from './ready-project.ts';
import { tellRecount } from './recount-alert.ts';
import { type KeptLimit, REPLACED_FILE, ReplacedKeeper } from './replaced-keeper.ts';
import { callRotationHook } from './rotation-call.ts';
import { createSecretDesk } from './secret-desk.ts';
import { formerReader, secretReader } from './secret-reader.ts';
import { secretUsers } from './secret-users.ts';
import { ServedCertificates, TRIED_AGAIN } from './served-certificates.ts';
import { SignatureRoomAlert } from './signature-room-alert.ts';
import { SigningSecretKeeper } from './signing-secrets.ts';
import { adminStatus } from './status-report.ts';
import { storedEntityReader } from './stored-entities.ts';
import { threadCount, threadStarts } from './thread-starts.ts';
import { ThresholdAlerts } from './threshold-alerts.ts';
import { readText } from './tls-files.ts';
import { VersionChange } from './version-change.ts';
import { createVersionDesk, recordedReport } from './version-desk.ts';
import { tellWatching } from './watch-alert.ts';

export interface GatewayOptions {
  readonly files: ProjectFiles;
  readonly project: ReadyProject;
  /** What the process before this one had in force beside its rules. */
  readonly replaced: readonly KeptLimit[];
  /** Counters of the version before, where its policies were edited while nothing ran; else null. */
  readonly formerCounters: readonly CounterSpec[] | null;
  /** Of {@link GatewayOptions.project}, for reloads; stopped with the gateway. */
  readonly builder: ProjectBuilder;
  readonly store: Store;
  readonly counters: CounterRegistry;
  /** Module that each data thread runs. */
  readonly threadEntry: URL;
  /** Module of the thread that counts prompts. */
  readonly counterEntry: URL;
  readonly clock: Clock;
  readonly random: Random;
  readonly logTo: 'stdout' | { readonly file: string };
  readonly watchFiles: 'yes' | 'no';
  /** Told of every version that goes live, the first one included. */
  readonly onLive: (version: LiveVersion) => void;
  /** Told of every attempt to load, the first one included. */
  readonly onLoad: (result: LoadResult) => void;
  /** The gateway can't go on; it is to be ended. */
  readonly onFatal: (why: string) => void;
}

/** See `CounterRegistry.sweep`. */
const SWEEP_EVERY_MS = 1_000;
/** How soon a service without a well endpoint is told. */
const ENDPOINTS_LOOK_MS = 500;
/** See `CounterRegistry.lookAtUse`; and how soon a limit that is out of memory is told. */
const LOOK_EVERY_MS = 1_000;
/** How soon renewed certificates are served. */
const CERTIFICATES_LOOK_MS = 2_000;
/** How long requests whose quota can't be leased are refused, or allowed, after the disk is back. */
const LEASE_RETRY_MS = 1_000;
/** How much of the anchors a fall of the machine may lose. */
const ANCHOR_SYNC_MS = 1_000;
const THRESHOLDS_EVERY_MS = 1_000;
/** How often the state of rate windows is written. */
const RATES_EVERY_MS = 1_000;
/** How soon a change of a provider key is told, and how much of what is used of its limits a crash may lose. */
const POOLS_EVERY_MS = 250;
/** Each try on a full disk makes LMDB write a line to the console. */
const HISTORY_RETRY_MS = 10_000;

/**
 * The running gateway: the control thread's parts, wired. Data threads serve; this thread loads configurations, keeps
 * the store, drains records and answers the admin API. It never touches a request.
 */
export class Gateway {
  readonly #options: GatewayOptions;
  readonly #world: ServedWorld;
  readonly #counters: CounterRegistry;
  readonly #threads: DataThreads;
  readonly #observation: Observation;
  readonly #watcher: ProjectWatcher;
  readonly #configuration: Configuration;
  readonly #versionChange: VersionChange;
  readonly #startedMs: number;
  readonly #history: HistoryKeeper;
  readonly #anchoring: AuditAnchoring;
  readonly #quotas: QuotaKeeper;
  readonly #rates: RateKeeper;
  readonly #replaced: ReplacedKeeper;
  readonly #endpoints: EndpointKeeper;
  readonly #pools: PoolRegistry;
  readonly #poolKeeper: PoolKeeper;
  readonly #stopping = new AbortController();
  readonly #poolAlerts: PoolAlerts;
  readonly #directory: LiveDirectory;
  readonly #certificates: ServedCertificates;
  readonly #adminCertificate: AdminCertificateKeeper;
  readonly #signingSecrets: SigningSecretKeeper;
  readonly #thresholds: ThresholdAlerts;
  readonly #ruleAlerts: RuleAlerts;
  readonly #chores: readonly NodeJS.Timeout[];
  #liveFiles: ProjectFiles['texts'] = [];
  /** It may have died in the middle of a take. */
  #isThreadLost = false;
  readonly #metrics: GatewayMetrics;
  readonly #threadGauges: ReadonlyMap<string, SharedArrayBuffer>;
  readonly #endWatch: () => void;
  readonly #recount: ConnectionRecount;
  readonly #counter: PromptCounter;
  #admin: AdminServer | null = null;
  #health: AdminHealth = 'starting';

  private constructor(
    options: GatewayOptions,
    world: ServedWorld,
    observation: Observation,
    rings: SharedArrayBuffer[],
  ) {
    this.#options = options;
    this.#world = world;
    this.#observation = observation;
    this.#startedMs = options.clock.wallMs();
    this.#counters = options.counters;
    this.#endpoints = new EndpointKeeper({
      clock: options.clock,
      random: options.random,
      limits: world.limits,
      alerts: observation.alerts,
      after: timerAfter,
      probe: httpProbe(timerAfter),
      lookup: systemLookup,
      readFile: (path) => readFileSync(path, 'utf8'),
      tellAddresses: (changes) => this.#threads.tellAddresses(changes),
    });
    const { history, audit } = options.store;
    this.#history = new HistoryKeeper({
      history,
      audit,
      alerts: observation.alerts,
      versionsMax: world.limits.configurationVersions,
      recordsMax: world.limits.auditRecords,
    });
    const { keyHashSecret } = options.store.secrets;
    this.#rates = new RateKeeper({
      dataFolder: world.server.dataFolder,
      registry: options.counters,
      clock: options.clock,
      random: options.random,
      alerts: observation.alerts,
      keyHashSecret,
      threads: rings.length,
      journalBytes: world.limits.rateJournalBytes,
    });
    const { dataFolder } = world.server;
    const { counters: registry, clock: machineClock } = options;
    this.#replaced = new ReplacedKeeper(
      {
        write: (text) => replaceDurably(join(dataFolder, REPLACED_FILE), text, 0o600),
        registry,
        clock: machineClock,
        boot: machineBoot(),
        alerts: observation.alerts,
      },
      options.replaced,
    );
    const { shared } = this.#endpoints;
    const readSecret = secretReader(options.store.storedSecrets);
    const poolMemory = createPoolMemory(world.limits, rings.length);
    this.#pools = new PoolRegistry({
      memory: poolMemory,
      sizes: world.limits,
      clock: options.clock,
      readSecret,
      readFormer: formerReader(options.store.storedSecrets),
      setAside: (pool, key) => this.#poolKeeper.setAside(pool, key),
    });
    const journals = this.#rates.journals();
    const seenSignatures = createSeenSignaturesMemory(world.limits.signaturesRemembered);
    const addressConnections = createAddressConnections(keyHashSecret);
    this.#recount = new ConnectionRecount({
      memory: addressConnections,
      listen: world.server.listen,
      clock: options.clock,
      onOutcome: (why) => tellRecount(observation.alerts, why),
    });
    const starts = threadStarts(world, rings, {
      addressConnections,
      endpoints: shared,
      takeJournals: journals,
      keyHashSecret,
      startedMs: this.#startedMs,
      seenSignatures,
      poolMemory,
    });
    const ownGauges = createThreadGauges();
    this.#endWatch = watchThread(ownGauges, null);
    this.#threadGauges = new Map([
      [CONTROL_THREAD, ownGauges],
      ...starts.map(({ thread, gauges }) => [dataThreadName(thread), gauges] as const),
    ]);
    this.#poolAlerts = new PoolAlerts({
      clock: options.clock,
      alerts: observation.alerts,
      quietMs: world.limits.alertQuietMs,
    });
    this.#poolKeeper = new PoolKeeper({
      dataFolder: world.server.dataFolder,
      registry: this.#pools,
      clock: options.clock,
      alerts: observation.alerts,
      events: observation.events,
      setAsideKeys: options.store.setAsideKeys,
      models: () => this.#configuration.running?.bundle.models ?? NO_MODELS,
      tellKeys: (keys) => this.#threads.tellKeys(keys),
      secrets: options.store.storedSecrets,
      poolAlerts: this.#poolAlerts,
      callHook: (hook, asked) => callRotationHook(hook, asked, this.#stopping.signal),
    });
    this.#poolKeeper.restore();
    this.#certificates = new ServedCertificates({
      of: '',
      files: world.server.certificates,
      clock: options.clock,
      readText,
      alerts: observation.alerts,
      serve: async (certificates) => {
        const listening = await this.#threads.listen(certificates);
        return listening.ok ? listening : err({ message: `${listening.error}.`, remedy: TRIED_AGAIN });
      },
    });
    const { alerts, events, deliveries } = observation;
    this.#adminCertificate = new AdminCertificateKeeper({
      files: world.server.adminCertificate,
      clock: options.clock,
      readText,
      alerts,
    });
    this.#anchoring = new AuditAnchoring({
      dataFolder,
      audit,
      clock: options.clock,
      alerts,
      events,
      deliver: (anchor) => deliveries.anchor(anchor),
    });
    // uWebSockets.js reads its bound of heads that come in several packets by getenv, which knows the process alone: with that of
    // the thread it stayed at 4 KiB.
    process.env.UWS_HTTP_MAX_HEADERS_SIZE = String(world.limits.requestHeaderBytes);
    const issuers = new IssuerAlerts(alerts);
    this.#counter = new PromptCounter(options.counterEntry, (why) =>
      events.write('error', 'the thread that counts prompts is lost', { why }),
    );
    this.#threads = new DataThreads({
      entry: options.threadEntry,
      starts,
      environment: { ...process.env },
      onLost: (thread, threadId, why) => {
        // Its locks would make the others wait in vain while they finish what is in flight.
        this.#counters.releaseLocksOf(threadId);
        this.#isThreadLost = true;
        options.onFatal(`data thread ${thread} is lost: ${why}`);
      },
      onRulesRetired: (epoch) => this.#versionChange.retired(epoch),
      onLeasesAsked: (asks) => this.#quotas.asked(asks),
      onThresholdsCrossed: (crossings, lost) => this.#thresholds.crossed(crossings, lost),
      onAlertsMatched: (matches, atMs) => this.#ruleAlerts.matched(matches, atMs),
      onCountAsked: ({ encoding, texts }) => this.#counter.count(encoding, texts),
      onRecountAsked: () => this.#recount.ask(),
      onIssuerTold: (thread, issuer, why) => issuers.told(thread, issuer, why),
    });
    const { clock, random, store } = options;
    this.#directory = new LiveDirectory({
      limits: world.limits,
      keys: store.credentials,
      entities: store.directory,
      reader: storedEntityReader,
      publish: (snapshot) => this.#threads.change(0, { rules: null, directory: snapshot }),
      clock,
      random,
      pepper: store.secrets.pepper,
      readSecret,
      hash: createHashKey(store.secrets.keyHashSecret),
    });
    this.#signingSecrets = new SigningSecretKeeper(this.#directory, observation.alerts);
    const signatureRoom = new SignatureRoomAlert({
      clock,
      alerts: observation.alerts,
      refused: () => signaturesWithoutRoom(seenSignatures),
      signaturesMax: world.limits.signaturesRemembered,
    });
    this.#quotas = new QuotaKeeper({
      registry: options.counters,
      marks: options.store.quotaMarks,
      clock,
      alerts: observation.alerts,
      tellGrants: () => this.#threads.tellGrants(),
    });
    this.#thresholds = new ThresholdAlerts({
      clock,
      alerts: observation.alerts,
      counters: () => this.#configuration.running?.bundle.counters ?? [],
      currency: () => this.#configuration.running?.world.currency ?? world.currency,
    });
    this.#ruleAlerts = new RuleAlerts({
      clock,
      alerts: observation.alerts,
      quietMs: world.limits.alertQuietMs,
    });
    const limitAlerts = new LimitAlerts({
      clock,
      alerts: observation.alerts,
      limits: () => this.#counters.inspect(),
    });
    this.#chores = [
      setInterval(() => this.#counters.sweep(clock.monotonicMs(), clock.wallMs()), SWEEP_EVERY_MS),
      setInterval(() => this.#endpoints.look(), ENDPOINTS_LOOK_MS),
      setInterval(() => this.#counters.lookAtUse(clock.monotonicMs(), clock.wallMs()), LOOK_EVERY_MS),
      setInterval(() => void this.#certificates.look(), CERTIFICATES_LOOK_MS),
      setInterval(() => void this.#adminCertificate.look(), CERTIFICATES_LOOK_MS),
      setInterval(() => void this.#signingSecrets.look(), CERTIFICATES_LOOK_MS),
      setInterval(() => this.#poolKeeper.renewSecrets(), CERTIFICATES_LOOK_MS),
      setInterval(() => signatureRoom.look(), THRESHOLDS_EVERY_MS),
      setInterval(() => limitAlerts.look(), LOOK_EVERY_MS),
      setInterval(() => this.#history.retry(), HISTORY_RETRY_MS),
      setInterval(() => this.#anchoring.tend(), ANCHOR_SYNC_MS),
      setInterval(() => this.#quotas.retry(), LEASE_RETRY_MS),
      setInterval(() => this.#rates.tend(), RATES_EVERY_MS),
      setInterval(() => this.#poolKeeper.tend(), POOLS_EVERY_MS),
      setInterval(() => this.#thresholds.resolveEnded(), THRESHOLDS_EVERY_MS),
      setInterval(() => this.#ruleAlerts.resolveQuiet(), THRESHOLDS_EVERY_MS),
    ];
    const boundParts = {
      observation,
      store,
      limits: world.limits,
      dataFolder,
      clock,
      directory: this.#directory,
      endpoints: this.#endpoints,
      seenSignatures,
    };
    this.#metrics = new GatewayMetrics({
      observation,
      startedMs: this.#startedMs,
      clock,
      dataFolder: world.server.dataFolder,
      running: () => this.#configuration.running,
      counters: () => this.#counters.inspect(),
      openSlices: () => this.#quotas.openSlices(),
      rates: () => this.#rates.inspect(),
      replacedInForce: () => this.#replaced.inForce,
      ruleAlerts: () => this.#ruleAlerts.inspect(),
      poolAlerts: () => this.#poolAlerts.inspect(),
      endpoints: () => this.#endpoints.inspect(),
      pools: () => this.#poolKeeper.forecasts(),
      threads: () => this.#gauges(),
      controlBounds: () => controlBounds({ ...boundParts, admin: this.#admin }),
      adminConnections: () => this.#admin?.connections() ?? { open: 0, refused: 0 },
      directoryNames: () => this.#directory.names,
      limits: world.limits,
    });
    this.#watcher = new ProjectWatcher(() => void this.load('file change'), options.clock, timerAfter);
    this.#versionChange = new VersionChange({
      threads: this.#threads,
      directory: this.#directory,
      counters: this.#counters,
      endpoints: this.#endpoints,
      pools: this.#pools,
      quotas: this.#quotas,
      rates: this.#rates,
      replaced: this.#replaced,
      countersBefore: () => this.#configuration.running?.bundle.counters ?? options.formerCounters ?? [],
    });
    this.#configuration = new Configuration({
      folder: options.files.folder,
      clock: options.clock,
      builder: options.builder,
      // Epochs go on across restarts: the history names versions by them.
      firstEpoch: this.#history.epochOf(options.files.texts, options.project.built!.bundle.hash),
      target: {
        change: (epoch, change) => this.#versionChange.make(epoch, change),
        readFiles: (services) => this.#endpoints.readFiles(services),
        live: (version) => this.#live(version),
        watch: (folders) => {
          if (options.watchFiles === 'yes') tellWatching(observation.alerts, this.#watcher.watch(folders));
        },
        isOver: (replaced) => this.#replaced.isOver(replaced),
        counters: () => this.#counters.inspect(),
      },
      onResult: (result) => this.#loaded(result),
    });
  }

  /** Serves when it resolves. The error is one sentence; whatever was opened is closed then. */
  static async start(options: GatewayOptions): Promise<Result<Gateway, string>> {
    const built = options.project.built;
    if (built === null) return err('The configuration has errors.');
    const { world } = built;
    for (const setting of ['listen', 'admin'] as const) {
      const free = await addressIsFree(world.server[setting], setting);
      if (!free.ok) return free;
    }
    const rings = Array.from({ length: threadCount(world.server) }, () =>
      createRecordRing(world.limits.recordRingBytes),
    );
    const { logTo, clock, store } = options;
    const observation = await openObservation({ logTo, rings, clock, lastHolder: store.lastHolder }, world);
    if (!observation.ok) return observation;
    const gateway = new Gateway(options, world, observation.value, rings);
    const started = await gateway.#start(built);
    if (started.ok) return ok(gateway);
    await gateway.stop();
    return started;
  }

  async #start(built: ReadyVersion): Promise<Result<void, string>> {
    const options = this.#options;
    const { server, directory } = built.world;
    const keys = await makeFirstKeys(options.store, directory, server.dataFolder, options);
    if (!keys.ok) return keys;
    // Threads begin while a million keys are read.
    const starting = this.#threads.start();
    const loaded = this.#directory.load();
    const threads = await starting;
    if (!loaded.ok) return loaded;
    if (!threads.ok) return threads;
    const { files, project, formerCounters } = options;
    const first = await this.#configuration.start(built, files, project.diagnostics, formerCounters);
    if (first.outcome.kind === 'refused') return err(first.outcome.why);
    this.#record('gateway.start', 'the start', { software: VERSION, version: first.outcome.epoch });
    const shown = this.#adminCertificate.read();
    if (!shown.ok) return shown;
    const { fingerprints } = this.#adminCertificate;
    const access = await openAdminAccess(options.store, server, { ...options, fingerprints });
    if (!access.ok) return access;
    const admin = await openAdminApi({
      ...options,
      settings: built.world,
      certificate: shown.value,
      health: () => this.#health,
      status: () => this.status(),
      keys: this.#directory.keys,
      pools: this.#poolKeeper,
      models: {
        list: () => {
          const { running } = this.#configuration;
          if (running === null) return [];
          return modelViews(running.bundle.models, running.world.currency, options.clock.wallMs());
        },
      },
      secrets: createSecretDesk({
        stored: options.store.storedSecrets,
        secretsMax: built.world.limits.storedSecrets,
        usersOf: (name) => {
          const { running } = this.#configuration;
          if (running === null) return [];
          const { models } = running.bundle;
          return secretUsers(name, { models, directory: running.world.directory });
        },
        changed: async () => {
          this.#poolKeeper.renewSecrets();
          await this.#signingSecrets.look();
        },
      }),
      directory: createDirectoryDesk(this.#directory, () => this.#liveFiles),
      reload: async (actor) => recordedReport(await this.load('admin API', actor), this.#history),
      configuration: this.#versions(),
      observation: createObservationDesk({
        observation: this.#observation,
        metrics: this.#metrics,
        clock: options.clock,
        limits: this.#world.limits,
        currency: () => this.#configuration.running?.world.currency ?? this.#world.currency,
        counters: () => this.#counters.inspect(),
        services: () => this.status().services,
        threads: () => this.#gauges(),
      }),
      onDefect: (error) =>
        this.#observation.events.write('error', 'the admin API failed', { error: String(error) }),
    });
    if (!admin.ok) return admin;
    this.#admin = admin.value;
    this.#adminCertificate.use(admin.value, access.value);
    const certificates = this.#certificates.read();
    if (!certificates.ok) return certificates;
    // From here on connections are counted.
    this.#recount.ask();
    const listening = await this.#threads.listen(certificates.value);
    if (listening.ok) this.#health = 'serving';
    return listening;
  }

  /** Loads the project as it is on disk now; a broken one changes nothing. */
  load(reason: LoadReason, actor: AuditActor = { kind: 'gateway', cause: reason }): Promise<LoadResult> {
    return this.#configuration.load({ reason, actor });
  }

  status(): ReturnType<typeof adminStatus> {
    return adminStatus({
      project: this.#options.files.folder,
      startedMs: this.#startedMs,
      nowMs: this.#options.clock.wallMs(),
      monotonicMs: this.#options.clock.monotonicMs(),
      health: this.#health,
      settings: this.#world,
      directory: this.#directory.usage,
      consumers: this.#directory.consumers,
      threads: this.#threads.count,
      running: this.#configuration.running,
      lastResult: this.#configuration.lastResult,
      observation: this.#observation,
      counters: this.#counters.inspect(),
      openSlices: this.#quotas.openSlices(),
      rates: this.#rates.inspect(),
      store: this.#options.store,
      services: this.#endpoints.status(),
      certificates: [...this.#certificates.served, ...this.#adminCertificate.served],
    });
  }

  /** Stops accepting, finishes what is in flight, writes what is queued. Returns the number of requests cut off. */
  async stop(): Promise<number> {
    this.#stopping.abort();
    this.#watcher.stop();
    this.#configuration.stop();
    for (const chore of this.#chores) clearInterval(chore);
    this.#endpoints.stop();
    this.#recount.stop();
    this.#endWatch();
    const serving = this.#health === 'serving';
    this.#health = 'draining';
    const unfinished = serving ? await this.#threads.drain(this.#world.limits.drainMs) : 0;
    await this.#threads.stop();
    await this.#options.builder.stop();
    await this.#counter.stop();
    this.#quotas.giveBack();
    this.#rates.close(this.#isThreadLost ? 'in-doubt' : 'whole');
    await this.#admin?.close();
    if (serving) this.#record('gateway.stop', 'the stop', { unfinished });
    this.#anchoring.close();
    await this.#observation.stop();
    return unfinished;
  }

  #versions(): ConfigurationActions {
    const { store, files, clock } = this.#options;
    const { dataFolder } = this.#world.server;
    return createVersionDesk({
      folder: files.folder,
      dataFolder,
      history: store.history,
      audit: store.audit,
      keeper: this.#history,
      configuration: this.#configuration,
      limits: this.#world.limits,
      clock,
    });
  }

  #record(action: AuditEntry['action'], what: string, after: object): void {
    const actor: AuditActor = { kind: 'gateway', cause: 'process' };
    this.#history.record(what, { actor, action, target: 'gateway', before: null, after });
  }

  #live(version: LiveVersion): void {
    const { epoch, files, cause } = version;
    const { hash } = version.ready.bundle;
    this.#liveFiles = files.texts;
    this.#options.onLive(version);
    this.#history.keep({ epoch, hash, timeMs: this.#options.clock.wallMs(), ...cause }, files.texts);
  }

  #gauges(): ReadonlyMap<string, ThreadGaugeValues> {
    return new Map([...this.#threadGauges].map(([thread, memory]) => [thread, readThreadGauges(memory)]));
  }

  #loaded(result: LoadResult): void {
    this.#metrics.loaded(result);
    const identity = { kind: 'configuration-refused', subject: '' } as const;
    if (result.outcome.kind === 'refused') {
      this.#observation.alerts.raise({
        ...identity,
        severity: 'warning',
        message: `The configuration was not loaded (${result.reason}): ${result.outcome.why}`,
        remedy: 'Correct the files; "portunus check" and "portunus status" say what is wrong.',
      });
    } else {
      this.#observation.alerts.resolve(identity);
    }
    const { running } = this.#configuration;
    if (running !== null) {
      // First what ends: deliveries that go with their rules are told of it.
      this.#ruleAlerts.use(running.bundle.alerts, running.epoch);
      this.#poolAlerts.use(running.bundle.poolRules.alerts.map(poolAlertTest));
      this.#poolKeeper.useRotations(running.bundle.poolRules.rotations.map(rotationTest));
      this.#observation.deliveries.use(running.world.deliveries);
    }
    this.#options.onLoad(result);
  }
}
