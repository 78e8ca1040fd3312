import type { AccessRecord } from '../../pipeline/record.ts';
import { ROLLUP_SUMS, type RollupSum } from '../../pipeline/usage.ts';
import { bucketOf, histogramValue, LogLinearHistogram } from '../log-linear-histogram.ts';

/** Percentiles of latency are at most an eighth too high; sizes are told by powers of two. */
const LATENCY_PRECISION_BITS = 3;
const SIZE_PRECISION_BITS = 0;

/** What one record adds to each of its cells: found once, for it has five of them. One object, filled anew for each record. */
export class RollupRequest {
  /** Whether any sum is more than zero that is zero for most requests. */
  isRare = false;
  clientErrors = 0;
  serverErrors = 0;
  refused = 0;
  aborted = 0;
  requestBytes = 0;
  responseBytes = 0;
  inputTokens = 0;
  outputTokens = 0;
  costNano = 0;
  durationUs = 0;
  cachedTokens = 0;
  reasoningTokens = 0;
  cacheHits = 0;
  // -- as the histograms see it --------------------------------------------------------------------------------
  latencyUs = 0;
  latencyBucket = 0;
  requestSize = 0;
  requestBucket = 0;
  responseSize = 0;
  responseBucket = 0;

  of(record: AccessRecord): this {
    const { status, finishedUs, requestBytes, responseBytes } = record;
    this.clientErrors = status >= 400 && status < 500 ? 1 : 0;
    this.serverErrors = status >= 500 ? 1 : 0;
    this.refused = record.code !== '' && record.decidingRule !== '' ? 1 : 0;
    this.aborted = record.clientAborted ? 1 : 0;
    this.inputTokens = above0(record.inputTokens);
    this.outputTokens = above0(record.outputTokens);
    this.costNano = above0(record.costNano);
    this.cachedTokens = above0(record.cachedTokens);
    this.reasoningTokens = above0(record.reasoningTokens);
    this.cacheHits = record.cache === 'hit' ? 1 : 0;
    const ofCalls = this.inputTokens + this.outputTokens + this.cachedTokens + this.reasoningTokens;
    this.isRare = status >= 400 || this.aborted + ofCalls + this.costNano + this.refused + this.cacheHits > 0;
    this.requestBytes = requestBytes;
    this.responseBytes = responseBytes;
    this.durationUs = above0(finishedUs);
    this.latencyUs = histogramValue(finishedUs);
    this.latencyBucket = bucketOf(this.latencyUs, LATENCY_PRECISION_BITS);
    this.requestSize = histogramValue(requestBytes);
    this.requestBucket = bucketOf(this.requestSize, SIZE_PRECISION_BITS);
    this.responseSize = histogramValue(responseBytes);
    this.responseBucket = bucketOf(this.responseSize, SIZE_PRECISION_BITS);
    return this;
  }
}

/** -1 says that there is none, and a damaged record may hold NaN. */
function above0(amount: number): number {
  if (amount > 0) return amount;
  return 0;
}

/** What is kept of all requests of one name in one period. */
export class RollupCell {
  readonly sums: Record<RollupSum, number> = {
    requests: 0,
    clientErrors: 0,
    serverErrors: 0,
    refused: 0,
    aborted: 0,
    requestBytes: 0,
    responseBytes: 0,
    inputTokens: 0,
    outputTokens: 0,
    costNano: 0,
    durationUs: 0,
    cachedTokens: 0,
    reasoningTokens: 0,
    cacheHits: 0,
  };
  readonly latencyUs = new LogLinearHistogram(LATENCY_PRECISION_BITS);
  readonly requestBytes = new LogLinearHistogram(SIZE_PRECISION_BITS);
  readonly responseBytes = new LogLinearHistogram(SIZE_PRECISION_BITS);

  count(request: RollupRequest): void {
    const { sums } = this;
    sums.requests++;
    if (request.isRare) this.#countRare(request);
    if (request.requestBytes !== 0) sums.requestBytes += request.requestBytes;
    sums.responseBytes += request.responseBytes;
    sums.durationUs += request.durationUs;
    this.latencyUs.addValue(request.latencyBucket, request.latencyUs);
    this.requestBytes.addValue(request.requestBucket, request.requestSize);
    this.responseBytes.addValue(request.responseBucket, request.responseSize);
  }

  #countRare(request: RollupRequest): void {
    const { sums } = this;
    sums.clientErrors += request.clientErrors;
    sums.serverErrors += request.serverErrors;
    sums.refused += request.refused;
    sums.aborted += request.aborted;
    sums.inputTokens += request.inputTokens;
    sums.outputTokens += request.outputTokens;
    sums.costNano += request.costNano;
    sums.cachedTokens += request.cachedTokens;
    sums.reasoningTokens += request.reasoningTokens;
    sums.cacheHits += request.cacheHits;
  }

  addAll(other: RollupCell): void {
    for (const name of ROLLUP_SUMS) this.sums[name] += other.sums[name];
    this.latencyUs.addAll(other.latencyUs);
    this.requestBytes.addAll(other.requestBytes);
    this.responseBytes.addAll(other.responseBytes);
  }

  addTo(cell: RollupCell): void {
    cell.addAll(this);
  }

  get histograms(): readonly LogLinearHistogram[] {
    return [this.latencyUs, this.requestBytes, this.responseBytes];
  }
}
