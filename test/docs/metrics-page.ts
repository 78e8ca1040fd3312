import { LIMITS, type LimitName } from '../../src/base/limits.ts';
import { BOUND_VIEWS, type BoundView, metricsOf } from '../../src/observe/metrics/bound-table.ts';
import { METRICS } from '../../src/observe/metrics/metric-table.ts';

/** The page `docs/metrics.md`, from the table that the code measures by. */
export function metricsPage(): string {
  const rows = Object.entries(METRICS).map(([name, { type, labels, help }]) => {
    const shown = labels.length === 0 ? '' : labels.map((label) => `\`${label}\``).join(', ');
    return `| \`${name}\` | ${type} | ${shown} | ${help} |`;
  });
  return `${INTRODUCTION}\n\n| metric | type | labels | what |\n| --- | --- | --- | --- |\n${rows.join('\n')}\n\n${boundsSection()}`;
}

function boundsSection(): string {
  const rows = Object.entries(BOUND_VIEWS).map(
    ([name, view]) => `| \`${name}\` | ${viewOf(name as LimitName, view)} |`,
  );
  return `${BOUNDS}\n\n| bound | seen by |\n| --- | --- |\n${rows.join('\n')}\n`;
}

function viewOf(bound: LimitName, { fillsOn, seenBy, toldTo }: BoundView): string {
  const fill = fillsOn === null ? [] : [`${metricsOf(bound).used}{bound="${bound}"}`];
  const selectors = [...fill, ...seenBy];
  return selectors.length === 0 ? `told to ${toldTo}` : selectors.map((each) => `\`${each}\``).join(', ');
}

const ROLLING = Object.entries<BoundView>(BOUND_VIEWS).flatMap(([name, { whenFull }]) =>
  whenFull === 'oldest-goes' ? [name] : [],
);

const BOUNDS = `## Bounds

What can fill says how full it is, by the name of its setting in \`limits\` and by thread. One alert watches all of it:

\`\`\`yaml
- alert: PortunusBoundNear
  expr: >
    portunus_bound_used{bound!~"${ROLLING.join('|')}"} / portunus_bound_max > 0.8
    or portunus_bound_used_bytes / portunus_bound_max_bytes > 0.8
\`\`\`

Those that it leaves out are full once they have run for long: there the oldest go to make room. Gauges of data threads are
those of the last second. More requests than \`normalExchangesPerThread\` and \`lowExchangesPerThread\` may be in flight, of higher
priority. Requests that wait for a further slice of a quota (\`portunus_waiting_requests{waiting_for="lease"}\`) have no bound of their
own: \`exchangesPerThread\` bounds them with all others in flight. Bounds that nothing fills are seen by what they refused:`;

const INTRODUCTION = `# Metrics

\`GET /metrics\` of the admin API answers in the text format of Prometheus, or in that of OpenMetrics where \`Accept\` asks for
it. It wants a token of the admin API with the scope \`metrics\`, which Prometheus sends:

\`\`\`yaml
scrape_configs:
  - job_name: portunus
    authorization: { credentials_file: /etc/prometheus/portunus-token }
    static_configs: [{ targets: ["127.0.0.1:9090"] }]
\`\`\`

Names are those of the OpenTelemetry semantic conventions, where they have one, in the spelling of Prometheus; a status class is
asked for by \`http_response_status_code=~"5.."\`. Everything about requests is counted from their access records on the
control thread: what \`portunus_records_lost_total{where="ring"}\` counts is missing from it.

A metric keeps at most ${LIMITS.metricSeries.default.toLocaleString('en')} label sets (\`limits.metricSeries\`). Further ones are counted together, with
\`(others)\` for every label, and \`portunus_metric_series_left_out_total\` says how often. No label ever holds a key, a consumer or
a path: ask \`portunus usage\` and \`portunus log\` for those.

This page is generated from the table that the gateway measures by, by \`npm run generate\`; a test keeps it up to date.`;
