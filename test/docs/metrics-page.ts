import { LIMITS } from '../../src/base/limits.ts';
import { METRICS } from '../../src/observe/metrics/metric-table.ts';

/** The page `docs/metrics.md`, from the table that the code measures by. */
export function metricsPage(): string {
  const rows = Object.entries(METRICS).map(([name, { type, labels, help }]) => {
    const shown = labels.length === 0 ? '' : labels.map((label) => `\`${label}\``).join(', ');
    return `| \`${name}\` | ${type} | ${shown} | ${help} |`;
  });
  return `${INTRODUCTION}\n\n| metric | type | labels | what |\n| --- | --- | --- | --- |\n${rows.join('\n')}\n`;
}

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
