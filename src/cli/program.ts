import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { ADMIN_SCOPE_NAMES } from '../model/admin-scope.ts';
import { LOG_AMOUNTS, LOG_TEXT_FIELDS } from '../pipeline/log-query.ts';
import { USAGE_DIMENSIONS, USAGE_GRANULARITIES } from '../pipeline/usage.ts';
import { CHECK_FORMATS } from './check-formats.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { TEST_FORMATS } from './test-formats.ts';
import { VERSION } from './version.ts';

const program = new Command('portunus')
  .description('A gateway for APIs and AI models that is run by files people can read.')
  .version(VERSION)
  .showHelpAfterError('Run "portunus --help" to see every command.')
  .exitOverride();

/** Each command loads its own modules: `status` needs neither compiler nor store. */
function run<Arguments extends unknown[]>(load: () => Promise<(...values: Arguments) => Promise<ExitCode>>) {
  return async (...values: Arguments): Promise<void> => {
    const command = await load();
    process.exitCode = await command(...values);
  };
}

/** As the quick start's providers have it. */
const MOCK_PROVIDER_PORT = 9002;

const FOLDER = ['[folder]', 'project folder', '.'] as const;

// Of commands that ask a running gateway.
const URL_OPTION = new Option(
  '--url <url>',
  'ask this gateway instead of the one of the folder: https://HOST:PORT of its admin API',
);
const CA_OPTION = new Option(
  '--ca <file>',
  'with --url, PEM file of who vouches for its certificate (default: authorities known to all)',
);
const TOKEN_FILE_OPTION = new Option(
  '--token-file <file>',
  'with --url, file with the admin token (default: the variable PORTUNUS_ADMIN_TOKEN)',
);

program
  .command('init')
  .description('write a small working project, and make its admin token')
  .argument('[folder]', 'new or empty folder', '.')
  .action(run(async () => (await import('./commands/init.ts')).init));

program
  .command('check')
  .description('check every file of a project and report all that is wrong')
  .argument(...FOLDER)
  .addOption(new Option('--format <format>', 'how to report').choices(CHECK_FORMATS))
  .option('--json', 'the same as --format json')
  .option('--warnings-as-errors', 'report warnings as errors, and end with 1 for them too')
  .option('--timings', 'also say, on the standard error, what took how long: by step and by policy')
  .option('--explain <code>', 'print what a code such as PT1203 means, with an example, and check nothing')
  .action(run(async () => (await import('./commands/check.ts')).check));

program
  .command('import')
  .description('bring an API into a project')
  .command('openapi')
  .description('write routes, schemas of bodies and a first policy from an OpenAPI 3.0 or 3.1 document')
  .argument('<file>', 'the document, YAML or JSON; files it refers to lie in its folder')
  .argument(...FOLDER)
  .option('--service <name>', 'name of the service (default: made from the title)')
  .option('--upstream <url>', 'where the service is (default: the first server of the document)')
  .option('--json', 'one JSON document instead of text')
  .action(run(async () => (await import('./commands/import-openapi.ts')).importOpenApiCommand));

program
  .command('fmt')
  .description('write policies in the one canonical style; comments and meaning stay')
  .argument('[paths...]', '*.policy files, and folders that hold them; - for standard input to output', ['.'])
  .option('--check', 'write nothing; name the files that differ and end with 1 if there are any')
  .option('--diff', 'write nothing; show what would change as a unified diff')
  .action(run(async () => (await import('./commands/fmt.ts')).fmt));

program
  .command('test')
  .description('run the tests of the policies, on the code that the gateway runs and without any network')
  .argument(...FOLDER)
  .option('--filter <text>', 'only tests with this text in their name')
  .option('--coverage', 'also say which clauses of the rules the tests have seen true and false')
  .option('--each-rule', 'also leave out each rule in turn: a rule that no test misses is a finding')
  .addOption(new Option('--format <format>', 'how to report').choices(TEST_FORMATS))
  .option('--json', 'the same as --format json')
  .action(run(async () => (await import('./commands/test.ts')).test));

program
  .command('explain')
  .description('what governs a route, what would happen to one request and why, or what is configured')
  .argument('<route>', 'name of a route; config for the configuration in force, with the place of each value')
  .argument(...FOLDER)
  .option('--request <request>', "what would happen to this request: 'GET /orders?page=2'")
  .option('--consumer <name>', 'the consumer who sends it; without one it has no identity')
  .option('--given <item>', `more about it, as tests say it: 'tenant "acme" with plan "free"'`, collect)
  .option('--header <field>', "a header field of it: 'content-type: text/csv'", collect)
  .option('--body <file>', 'the file with its body')
  .option('--code', 'the code that the gateway runs for the route, with the rule of each statement')
  .option('--time <time>', "when it is sent: '2026-12-05 10:00'; without it, now")
  .option('--json', 'one JSON document instead of text')
  .action(run(async () => (await import('./commands/explain.ts')).explain));

program
  .command('start')
  .description('run the gateway until SIGTERM; SIGHUP and changed files load the configuration anew')
  .argument(...FOLDER)
  .option(
    '--mock-upstream <port>',
    'also run the bundled mock upstream on this port of 127.0.0.1 (for trying out)',
    port,
  )
  .addOption(
    new Option(
      '--mock-provider [port]',
      'also run the bundled mock provider on this port of 127.0.0.1: it answers for providers whose baseUrl is there (for trying out)',
    )
      .argParser(port)
      .preset(String(MOCK_PROVIDER_PORT)),
  )
  .option('--log <file>', 'write access records and events to this file instead of the standard output')
  .option('--no-watch', 'do not load changed files by itself')
  .option('--recover', 'where the store is damaged, go back to the newest sound backup')
  .addOption(new Option('--end-with-input', 'end as soon as the standard input does').hideHelp())
  .action(run(async () => (await import('./commands/start.ts')).start));

program
  .command('reload')
  .description('load the configuration anew; a broken one changes nothing')
  .argument(...FOLDER)
  .option('--json', 'one JSON document instead of text')
  .addOption(URL_OPTION)
  .addOption(CA_OPTION)
  .addOption(TOKEN_FILE_OPTION)
  .action(run(async () => (await import('./commands/reload.ts')).reload));

program
  .command('rollback')
  .description('put the files of a version that ran back into the project folder, and load them')
  .argument('<version>', 'its number: "portunus history list" shows them', version)
  .argument(...FOLDER)
  .option('--json', 'one JSON document instead of text')
  .addOption(URL_OPTION)
  .addOption(CA_OPTION)
  .addOption(TOKEN_FILE_OPTION)
  .action(run(async () => (await import('./commands/rollback.ts')).rollback));

const history = program.command('history').description('the versions of the configuration that ran');
history
  .command('list', { isDefault: true })
  .description('all that are kept: since when, by whom')
  .argument(...FOLDER)
  .option('--json', 'one JSON document instead of text')
  .addOption(URL_OPTION)
  .addOption(CA_OPTION)
  .addOption(TOKEN_FILE_OPTION)
  .action(run(async () => (await import('./commands/history.ts')).historyList));
history
  .command('show')
  .description('the files of a version')
  .argument('<version>', 'its number', version)
  .argument(...FOLDER)
  .option('--json', 'one JSON document instead of text')
  .addOption(URL_OPTION)
  .addOption(CA_OPTION)
  .addOption(TOKEN_FILE_OPTION)
  .action(run(async () => (await import('./commands/history.ts')).historyShow));
history
  .command('diff')
  .description('what differs between two versions')
  .argument('<from>', 'number of the one', version)
  .argument(...FOLDER)
  .option('--to <version>', 'number of the other (default: the one that runs)', version)
  .option('--json', 'one JSON document instead of text')
  .addOption(URL_OPTION)
  .addOption(CA_OPTION)
  .addOption(TOKEN_FILE_OPTION)
  .action(run(async () => (await import('./commands/history.ts')).historyDiff));

const tokens = program.command('tokens').description('who may call the admin API, and for what');
tokens
  .command('list')
  .description('all tokens, without the tokens themselves')
  .argument(...FOLDER)
  .option('--json', 'one JSON document instead of text')
  .addOption(URL_OPTION)
  .addOption(CA_OPTION)
  .addOption(TOKEN_FILE_OPTION)
  .action(run(async () => (await import('./commands/tokens.ts')).tokensList));
tokens
  .command('issue')
  .description('make a token and show it, once')
  .argument('<name>', 'what logs and audit call it')
  .argument(...FOLDER)
  .addOption(
    new Option('--scope <scope...>', 'what it may do').choices(ADMIN_SCOPE_NAMES).makeOptionMandatory(),
  )
  .option('--expires <duration>', "when it ends, from now on: '90 days' (default: never)")
  .option('--json', 'one JSON document instead of text')
  .addOption(URL_OPTION)
  .addOption(CA_OPTION)
  .addOption(TOKEN_FILE_OPTION)
  .action(run(async () => (await import('./commands/tokens.ts')).tokensIssue));
tokens
  .command('revoke')
  .description('end a token at once')
  .argument('<id>', 'its public part: "portunus tokens list" shows it')
  .argument(...FOLDER)
  .addOption(URL_OPTION)
  .addOption(CA_OPTION)
  .addOption(TOKEN_FILE_OPTION)
  .action(run(async () => (await import('./commands/tokens.ts')).tokensRevoke));

const audit = program.command('audit').description('who changed what');
audit
  .command('verify')
  .description('whether the log is as it was written, up to every anchor')
  .argument(...FOLDER)
  .option(
    '--anchor <place>',
    'also hold it against this anchor, SEQUENCE:HASH, that was kept elsewhere',
    collect,
  )
  .option('--json', 'one JSON document instead of text')
  .action(run(async () => (await import('./commands/audit.ts')).auditVerify));
audit
  .command('show')
  .description('the newest records')
  .argument(...FOLDER)
  .option('--after <sequence>', 'the first ones behind this number instead', whole)
  .option('--limit <count>', 'how many', whole, 50)
  .option('--json', 'one JSON document instead of text')
  .action(run(async () => (await import('./commands/audit.ts')).auditShow));
audit
  .command('export')
  .description('all records as they are chained, one JSON object per line')
  .argument(...FOLDER)
  .action(run(async () => (await import('./commands/audit.ts')).auditExport));

program
  .command('status')
  .description('what the running gateway does: version of the rules, last reload, traffic, limits')
  .argument(...FOLDER)
  .option('--json', 'one JSON document instead of text')
  .addOption(URL_OPTION)
  .addOption(CA_OPTION)
  .addOption(TOKEN_FILE_OPTION)
  .action(run(async () => (await import('./commands/status.ts')).status));

const keys = program
  .command('keys')
  .description(
    'keys of consumers (issue, rotate, revoke …) and of providers (pools, disable …), while the gateway runs',
  );
const KEY = ['<key>', 'TENANT/CONSUMER/KEY'] as const;

keys
  .command('issue')
  .description('issue a key; it is printed once and kept nowhere')
  .argument('<consumer>', 'TENANT/CONSUMER')
  .argument(...FOLDER)
  .option('--name <name>', 'name of the key (default: the consumer with a number)')
  .option('--environment <word>', 'a word that people see in the key, such as test (default: live)')
  .option('--expires-in <duration>', 'how long it counts: 90d')
  .option('--expires <date>', 'last day on which it counts, in UTC: 2027-05-01')
  .option('--json', 'one JSON document instead of text')
  .addOption(URL_OPTION)
  .addOption(CA_OPTION)
  .addOption(TOKEN_FILE_OPTION)
  .action(run(async () => (await import('./commands/keys.ts')).issueKey));

keys
  .command('list')
  .description('name all keys, in files and issued; never the keys themselves')
  .argument(...FOLDER)
  .option('--tenant <name>', 'only keys of this tenant')
  .option('--consumer <consumer>', 'only keys of this TENANT/CONSUMER')
  .option('--json', 'one JSON document instead of text')
  .addOption(URL_OPTION)
  .addOption(CA_OPTION)
  .addOption(TOKEN_FILE_OPTION)
  .action(run(async () => (await import('./commands/keys.ts')).listKeys));

keys
  .command('rotate')
  .description(
    'give a key a successor; both count until the overlap is over. Of a provider key, POOL/KEY, the new secret is read from the standard input',
  )
  .argument('<key>', 'TENANT/CONSUMER/KEY, or POOL/KEY')
  .argument(...FOLDER)
  .option(
    '--overlap <duration>',
    'how long the old key still counts; 0s ends it at once (default: 7d, of provider keys 24h)',
  )
  .option('--environment <word>', 'a word that people see in the key (default: live)')
  .option('--expires-in <duration>', 'how long the new key counts (default: as long as the old one was to)')
  .option('--expires <date>', 'last day on which the new key counts, in UTC')
  .option('--json', 'one JSON document instead of text')
  .addOption(URL_OPTION)
  .addOption(CA_OPTION)
  .addOption(TOKEN_FILE_OPTION)
  .action(run(async () => (await import('./commands/rotate-key.ts')).rotateKey));

keys
  .command('expire')
  .description('set the end of a key')
  .argument(...KEY)
  .argument(...FOLDER)
  .option('--expires-in <duration>', 'how long it still counts: 7d')
  .option('--expires <date>', 'last day on which it counts, in UTC: 2027-05-01')
  .option('--json', 'one JSON document instead of text')
  .addOption(URL_OPTION)
  .addOption(CA_OPTION)
  .addOption(TOKEN_FILE_OPTION)
  .action(run(async () => (await import('./commands/keys.ts')).expireKey));

keys
  .command('revoke')
  .description('end a key at once and for good')
  .argument(...KEY)
  .argument(...FOLDER)
  .option('--json', 'one JSON document instead of text')
  .addOption(URL_OPTION)
  .addOption(CA_OPTION)
  .addOption(TOKEN_FILE_OPTION)
  .action(run(async () => (await import('./commands/keys.ts')).revokeKey));

keys
  .command('pools')
  .description('show the keys of providers: their state, why, and what is left of their limits')
  .argument(...FOLDER)
  .option('--json', 'one JSON document instead of text')
  .addOption(URL_OPTION)
  .addOption(CA_OPTION)
  .addOption(TOKEN_FILE_OPTION)
  .action(run(async () => (await import('./commands/pool-keys.ts')).listPools));

for (const [change, description] of [
  ['disable', 'switch a key of a provider off: only "enable" switches it on again'],
  ['enable', 'let a key of a provider take calls again, whatever its state was'],
  ['drain', 'give a key of a provider no new calls; those under way end'],
] as const) {
  keys
    .command(change)
    .description(description)
    .argument('<key>', 'POOL/KEY')
    .argument(...FOLDER)
    .option('--json', 'one JSON document instead of text')
    .addOption(URL_OPTION)
    .addOption(CA_OPTION)
    .addOption(TOKEN_FILE_OPTION)
    .action(
      run(async () => {
        const { changePoolKey } = await import('./commands/pool-keys.ts');
        return (key: string, folder: string, options: Parameters<typeof changePoolKey>[3]) =>
          changePoolKey(change, key, folder, options);
      }),
    );
}

program
  .command('models')
  .description(
    'the models that callers may name: their pools and providers, their context, and what they cost, as of when',
  )
  .argument(...FOLDER)
  .option(
    '--name <name>',
    'only this model; with * at the end, a beginning; may be there several times',
    collect,
  )
  .option('--csv', 'comma-separated values, one line for each price')
  .option('--json', 'one JSON document instead of text')
  .action(run(async () => (await import('./commands/models.ts')).models));

const secrets = program
  .command('secrets')
  .description('secrets that the store keeps sealed, for store:NAME in the files');
const SECRET = ['<name>', 'what stands behind store:'] as const;
secrets
  .command('set')
  .description('seal what the standard input has; it counts at once where it is in use')
  .argument(...SECRET)
  .argument(...FOLDER)
  .option('--json', 'one JSON document instead of text')
  .addOption(URL_OPTION)
  .addOption(CA_OPTION)
  .addOption(TOKEN_FILE_OPTION)
  .action(run(async () => (await import('./commands/secrets.ts')).secretsSet));
secrets
  .command('list')
  .description('name them and say since when; never the secrets themselves')
  .argument(...FOLDER)
  .option('--json', 'one JSON document instead of text')
  .addOption(URL_OPTION)
  .addOption(CA_OPTION)
  .addOption(TOKEN_FILE_OPTION)
  .action(run(async () => (await import('./commands/secrets.ts')).secretsList));
secrets
  .command('remove')
  .description('remove one that nothing has')
  .argument(...SECRET)
  .argument(...FOLDER)
  .option('--force', 'also one that the files have, while no gateway runs')
  .addOption(URL_OPTION)
  .addOption(CA_OPTION)
  .addOption(TOKEN_FILE_OPTION)
  .action(run(async () => (await import('./commands/secrets.ts')).secretsRemove));

program
  .command('export')
  .description('write out what the running gateway holds')
  .command('directory')
  .description('all tenants, teams and consumers as a file for tenants/, those made at run time among them')
  .argument(...FOLDER)
  .addOption(URL_OPTION)
  .addOption(CA_OPTION)
  .addOption(TOKEN_FILE_OPTION)
  .action(run(async () => (await import('./commands/export-directory.ts')).exportDirectory));

program
  .command('top')
  .description(
    'what the running gateway does now, again and again: requests, latency, refusals, limits, endpoints',
  )
  .argument(...FOLDER)
  .option('--every <duration>', 'how often to look', '1s')
  .option('--once', 'look once and end, as it does where the output is no terminal')
  .option('--json', 'one JSON document instead of text, once')
  .addOption(URL_OPTION)
  .addOption(CA_OPTION)
  .addOption(TOKEN_FILE_OPTION)
  .action(run(async () => (await import('./commands/top.ts')).top));

program
  .command('demo')
  .description('see it at work, on this machine alone')
  .command('exhaustion')
  .description(
    "three keys of a provider under a load that they can't take: two minutes, naive rotation beside it",
  )
  .option('--fast', 'the same in some seconds')
  .addOption(new Option('--seed <seed>', 'other calls at other moments').argParser(wholeNumber).default(1))
  .option('--json', 'only the figures at the end, as one JSON document')
  .action(run(async () => (await import('./commands/demo.ts')).demoExhaustion));

const logCommand = program
  .command('log')
  .description('search the request log, newest first; a value that ends in * is a beginning')
  .argument(...FOLDER);
for (const [name, { what }] of Object.entries(LOG_TEXT_FIELDS)) {
  logCommand.option(`--${name} <${name}>`, `only with this ${what}; may be there several times`, collect);
}
logCommand
  .option('--status <status>', 'only this status, or class: 429, 5xx; may be there several times', collect)
  .option('--since <time>', "arrived then or later: '15m' ago, or '2026-12-05 10:00'")
  .option('--until <time>', 'arrived before')
  .option('--longer-than <duration>', "took longer than this: '250ms'")
  .option(
    '--where <comparison>',
    `only where this holds, 'took > 200ms'; all of several have to. Amounts: ${Object.keys(LOG_AMOUNTS).join(', ')}`,
    collect,
  )
  .option('--aborted', 'only requests whose client went away')
  .addOption(new Option('--limit <count>', 'how many at most').argParser(wholeNumber).default(50))
  .option('--csv', 'comma-separated values with all fields')
  .option('--json', 'one JSON document instead of text')
  .addOption(URL_OPTION)
  .addOption(CA_OPTION)
  .addOption(TOKEN_FILE_OPTION)
  .action(run(async () => (await import('./commands/log.ts')).log));

program
  .command('usage')
  .description('requests, errors, latency, bytes and cost, added up')
  .argument(...FOLDER)
  .addOption(new Option('--by <dimension>', 'what to add up by').choices(USAGE_DIMENSIONS).default('route'))
  .option('--last <duration>', 'from then until now', '24h')
  .option('--since <time>', "instead of --last: '2026-12-01', or '7d' ago")
  .option('--until <time>', 'where it ends; now, where nothing is said')
  .addOption(
    new Option('--per <period>', 'periods of the sparkline and of --csv').choices(USAGE_GRANULARITIES),
  )
  .option('--name <name>', 'only this name; with * at the end, a beginning')
  .addOption(new Option('--limit <count>', 'how many names at most').argParser(wholeNumber).default(30))
  .option('--csv', 'comma-separated values, one line for each name')
  .option('--json', 'one JSON document instead of text')
  .addOption(URL_OPTION)
  .addOption(CA_OPTION)
  .addOption(TOKEN_FILE_OPTION)
  .action(run(async () => (await import('./commands/usage.ts')).usage));

program
  .command('backup')
  .description('copy the store of a project, also while its gateway runs')
  .argument(...FOLDER)
  .option('--to <file>', 'where to (default: into the folder of backups beside the store, which keeps ten)')
  .option('--json', 'one JSON document instead of text')
  .action(run(async () => (await import('./commands/backup.ts')).backup));

program
  .command('restore')
  .description('put a copy in the place of the store; what was there is kept beside it')
  .argument(...FOLDER)
  .option('--from <file>', 'the copy (default: the newest backup)')
  .option('--json', 'one JSON document instead of text')
  .action(run(async () => (await import('./commands/restore.ts')).restore));

program
  .command('doctor')
  .description('look at everything that a gateway stands on, and say what is not as it should be')
  .argument(...FOLDER)
  .option('--json', 'one JSON document instead of text')
  .action(run(async () => (await import('./commands/doctor.ts')).doctor));

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 1_000_000)
    throw new InvalidArgumentError('Write a whole number from 1 to 1,000,000.');
  return value;
}

function port(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 65_535)
    throw new InvalidArgumentError('A port is 1 to 65535.');
  return value;
}

function version(text: string): number {
  const value = whole(text);
  if (value < 1) throw new InvalidArgumentError('A version is a number from 1.');
  return value;
}

function whole(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('A whole number is needed.');
  return Number(text);
}

let outputFailed = false;
/** A reader that has seen enough (`| head`) is no failure; a full disk is one. The gateway serves on in both cases. */
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE' || outputFailed) return;
  outputFailed = true;
  process.stderr.write(`portunus: the output cannot be written: ${error.message}\n`);
});

/** Nobody is left who could be told. */
process.stderr.on('error', () => {});

void program.parseAsync().catch((error: unknown) => {
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode === 0 ? EXIT.fine : EXIT.usage;
});
process.once('exit', () => {
  if (outputFailed) process.exitCode = EXIT.couldNotRun;
});
