import { readFile } from 'node:fs/promises';
import { readableCode } from '../../compiler/readable-code.ts';
import { renderText } from '../../diagnostics/render/text.ts';
import { nearest } from '../../diagnostics/suggest.ts';
import { routesNamed } from '../../model/route-lines.ts';
import { buildProject } from '../../tools/build-project.ts';
import { explainConfiguration, renderConfiguration } from '../../tools/explain/config.ts';
import { renderRequest } from '../../tools/explain/render-request.ts';
import { renderRoute } from '../../tools/explain/render-route.ts';
import { type ExplainedProject, explainRequest } from '../../tools/explain/request.ts';
import { explainRoute } from '../../tools/explain/route.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { readProject } from '../run/project-files.ts';
import { PromptTables } from '../run/prompt-tables.ts';
import { systemClock } from '../run/system-clock.ts';
import { testPorts } from '../run/test-ports.ts';
import { colourFor } from '../terminal.ts';

export interface ExplainOptions {
  readonly request?: string;
  readonly code?: true;
  readonly consumer?: string;
  readonly given?: readonly string[];
  readonly header?: readonly string[];
  readonly body?: string;
  readonly time?: string;
  readonly json?: true;
}

/** `portunus explain ROUTE|config [FOLDER]`: what governs a route, what would happen to one request, or what is configured. */
export async function explain(what: string, folder: string, options: ExplainOptions): Promise<ExitCode> {
  const files = await readProject(folder);
  if (!files.ok) return couldNot(files.error);
  const { built, diagnostics } = buildProject(files.value.texts, files.value.folder, systemClock().wallMs());
  if (built === null) {
    process.stderr.write(renderText(diagnostics, { colour: colourFor(process.stderr) }));
    return couldNot('the project has errors.');
  }
  if (what === 'config') {
    const values = explainConfiguration(files.value.texts, built.world, built.policies);
    print(options, values, () => renderConfiguration(values));
    return EXIT.fine;
  }
  return explainRouteNamed(what, { ...built, texts: files.value.texts }, options);
}

async function explainRouteNamed(
  name: string,
  project: ExplainedProject,
  options: ExplainOptions,
): Promise<ExitCode> {
  const route = project.world.routes.get(name);
  if (route === undefined) {
    const ofLine = routesNamed(project.world.routes, name);
    if (ofLine.length > 0)
      return usage(`"${name}" stands for several routes. Name one: ${ofLine.join(', ')}.`);
    const near = nearest(name, project.world.routes.keys());
    const help =
      near === null
        ? 'Names of routes are the keys below "routes" in routes/*.yaml.'
        : `Did you mean "${near}"?`;
    return usage(`there is no route "${name}". ${help}`);
  }
  if (options.request !== undefined) return explainOneRequest(name, options.request, project, options);
  if (options.code) {
    const code = readableCode(project.policies, project.world, route);
    print(options, { route: name, code }, () => code);
    return EXIT.fine;
  }
  const explanation = explainRoute(project.policies, project.world, route);
  print(options, explanation, () => renderRoute(explanation));
  return EXIT.fine;
}

async function explainOneRequest(
  name: string,
  target: string,
  project: ExplainedProject,
  { consumer, given, header, body, time, json }: ExplainOptions,
): Promise<ExitCode> {
  const text = body === undefined ? null : await readBody(body);
  if (text instanceof Error) return couldNot(`${body} can't be read: ${text.message}`);
  const asked = {
    target,
    consumer: consumer ?? null,
    given: given ?? [],
    headers: header ?? [],
    body: text,
    time: time ?? null,
    wallMs: systemClock().wallMs(),
  };
  const tables = new PromptTables();
  const ports = testPorts(tables);
  const explanation = await tables.judged(() => explainRequest(project, asked, ports));
  if ('diagnostics' in explanation) {
    process.stderr.write(renderText(explanation.diagnostics, { colour: colourFor(process.stderr) }));
    return EXIT.usage;
  }
  if (explanation.route !== null && explanation.route !== name)
    return usage(`this request is for route "${explanation.route}", not for "${name}".`);
  print({ json }, explanation, () => renderRequest(explanation));
  return explanation.permitted ? EXIT.fine : EXIT.findings;
}

async function readBody(path: string): Promise<string | Error> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error) return error;
    throw error;
  }
}

function print(options: { readonly json?: true | undefined }, data: unknown, text: () => string): void {
  process.stdout.write(options.json ? `${JSON.stringify(data, null, 2)}\n` : text());
}

function usage(message: string): ExitCode {
  process.stderr.write(`portunus explain: ${message}\n`);
  return EXIT.usage;
}

function couldNot(message: string): ExitCode {
  process.stderr.write(`portunus explain: ${message}\n`);
  return EXIT.couldNotRun;
}
