import type { AccessRecord } from '../../pipeline/record.ts';
import { ROLLUP_SUMS, type RollupSum } from '../../pipeline/usage.ts';
import { LogLinearHistogram } from '../log-linear-histogram.ts';

/** Percentiles of latency are at most an eighth too high; sizes are told by powers of two. */
const LATENCY_PRECISION_BITS = 3;
const SIZE_PRECISION_BITS = 0;

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
  };
  readonly latencyUs = new LogLinearHistogram(LATENCY_PRECISION_BITS);
  readonly requestBytes = new LogLinearHistogram(SIZE_PRECISION_BITS);
  readonly responseBytes = new LogLinearHistogram(SIZE_PRECISION_BITS);

  count(record: AccessRecord): void {
    const { sums } = this;
    const { status, finishedUs } = record;
    sums.requests++;
    if (status >= 400 && status < 500) sums.clientErrors++;
    if (status >= 500) sums.serverErrors++;
    if (record.code !== '' && record.decidingRule !== '') sums.refused++;
    if (record.clientAborted) sums.aborted++;
    sums.requestBytes += record.requestBytes;
    sums.responseBytes += record.responseBytes;
    if (record.inputTokens > 0) sums.inputTokens += record.inputTokens;
    if (record.outputTokens > 0) sums.outputTokens += record.outputTokens;
    if (record.costNano > 0) sums.costNano += record.costNano;
    if (finishedUs > 0) sums.durationUs += finishedUs;
    this.latencyUs.add(finishedUs);
    this.requestBytes.add(record.requestBytes);
    this.responseBytes.add(record.responseBytes);
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
