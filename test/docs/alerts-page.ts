import { ALERT_KINDS } from '../../src/observe/alert-kinds.ts';

/** The page `docs/alerts.md`, from the table of all that can be raised. */
export function alertsPage(): string {
  const rows = Object.entries(ALERT_KINDS).map(
    ([kind, { subject, says }]) => `| \`${kind}\` | ${subject} | ${says} |`,
  );
  return `${INTRODUCTION}\n\n| kind | subject | what it says |\n| --- | --- | --- |\n${rows.join('\n')}\n`;
}

const INTRODUCTION = `# Alerts

An alert is a condition that lasts: it is told once when it begins and once when it is over, in the log and to the
[deliveries](language.md) of portunus.yaml that take it. \`portunus status\` shows those that are open, each with how often it has happened
and what to do. \`kind\` and \`subject\` together name it; no subject means the gateway itself. \`audit-not-sound\` and \`request-log-damaged\`, which a start finds, stay open
until the gateway ends.

This page is generated from the table of all that can be raised, by \`npm run generate\`; a test keeps it up to date.`;
