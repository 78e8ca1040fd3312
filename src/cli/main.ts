#!/usr/bin/env node
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { check } from './commands/check.ts';
import { init } from './commands/init.ts';
import { reload } from './commands/reload.ts';
import { type StartOptions, start } from './commands/start.ts';
import { status } from './commands/status.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { VERSION } from './version.ts';

const program = new Command('portunus')
  .description('A gateway for APIs and AI models that is run by files people can read.')
  .version(VERSION)
  .showHelpAfterError('Run "portunus --help" to see every command.')
  .exitOverride();

/** Runs a command and ends the process with its exit code once everything has been written. */
function run<Arguments extends unknown[]>(command: (...values: Arguments) => Promise<ExitCode>) {
  return async (...values: Arguments): Promise<void> => {
    process.exitCode = await command(...values);
  };
}

const FOLDER = ['[folder]', 'project folder', '.'] as const;

program
  .command('init')
  .description('write a small working project')
  .argument('[folder]', 'new or empty folder', '.')
  .action(run((folder: string) => init(folder)));

program
  .command('check')
  .description('check every file of a project and report all that is wrong')
  .argument(...FOLDER)
  .option('--json', 'one JSON document instead of text')
  .action(run((folder: string, options: { json?: true }) => check(folder, options)));

program
  .command('start')
  .description('run the gateway until SIGTERM; SIGHUP and changed files load the configuration anew')
  .argument(...FOLDER)
  .option(
    '--mock-upstream <port>',
    'also run the bundled mock upstream on this port of 127.0.0.1 (for trying out)',
    port,
  )
  .option('--log <file>', 'write access records and events to this file instead of the standard output')
  .option('--no-watch', 'do not load changed files by itself')
  .action(run((folder: string, options: StartOptions) => start(folder, options)));

program
  .command('reload')
  .description('load the configuration anew; a broken one changes nothing')
  .argument(...FOLDER)
  .option('--json', 'one JSON document instead of text')
  .action(run((folder: string, options: { json?: true }) => reload(folder, options)));

program
  .command('status')
  .description('what the running gateway does: version of the rules, last reload, traffic, limits')
  .argument(...FOLDER)
  .option('--json', 'one JSON document instead of text')
  .action(run((folder: string, options: { json?: true }) => status(folder, options)));

function port(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 65_535)
    throw new InvalidArgumentError('A port is 1 to 65535.');
  return value;
}

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode === 0 ? EXIT.fine : EXIT.usage;
}
