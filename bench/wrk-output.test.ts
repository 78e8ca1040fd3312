import { describe, expect, it } from 'vitest';
import { parseWrkOutput } from './wrk-output.ts';

const CLEAN = `Running 2s test @ http://127.0.0.1:40001/v1/items/42
  1 threads and 32 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     0.86ms  123.45us   5.01ms   91.20%
    Req/Sec    37.01k     1.02k   38.90k    85.00%
  Latency Distribution
     50%  850.00us
     75%    0.91ms
     90%    1.02ms
     99%    1.31ms
  73654 requests in 2.00s, 13.2MB read
Requests/sec:  36827.00
Transfer/sec:      6.60MB
`;

describe('the output of wrk', () => {
  it('gives requests, length and latencies', () => {
    expect(parseWrkOutput(CLEAN)).toEqual({
      requests: 73_654,
      seconds: 2,
      p50Ms: 0.85,
      p99Ms: 1.31,
      socketErrors: 0,
      otherStatuses: 0,
    });
  });

  it('counts failures of every kind', () => {
    const failing = CLEAN.replace(
      'Requests/sec',
      '  Socket errors: connect 1, read 20, write 300, timeout 4000\n  Non-2xx or 3xx responses: 17\nRequests/sec',
    );
    expect(parseWrkOutput(failing)).toMatchObject({ socketErrors: 4_321, otherStatuses: 17 });
  });

  it('reads lengths in minutes and latencies in seconds', () => {
    const long = CLEAN.replace('in 2.00s', 'in 1.50m').replace('1.31ms', '2.50s');
    expect(parseWrkOutput(long)).toMatchObject({ seconds: 90, p99Ms: 2_500 });
  });

  it('refuses what is no report', () => {
    expect(() => parseWrkOutput('unable to connect to 127.0.0.1:1 Connection refused')).toThrow('no total');
    expect(() => parseWrkOutput('  5 requests in 2.00s, 1KB read\n')).toThrow('no 50 % latency');
  });
});
