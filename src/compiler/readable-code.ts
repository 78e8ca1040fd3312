import { placeOf } from '../diagnostics/source.ts';
import type { CheckedPolicies } from '../language/typed.ts';
import type { Route, World } from '../model/world.ts';
import type { ProgramConstant } from '../pipeline/program.ts';
import { programOf } from './compile.ts';
import { counterOf } from './counter-specs.ts';
import { codeOf, type GeneratedPart, generateProgram } from './generate/generate.ts';
import type { RuleIr } from './ir.ts';
import { type Numbering, numbered } from './numbers.ts';
import { bodyRead } from './reads.ts';

/**
 * The generated function of a route as people read it: each statement behind a comment that says which rule it is of, and
 * constants in their places. The code itself is the one that runs, constants apart; a test compares the two.
 */
export function readableCode(checked: CheckedPolicies, world: World, route: Route): string {
  const { program, rules } = programOf(checked, world, route);
  const counters = new Map<string, number>();
  const places = new Map(rules.map((rule, index) => [rule, index]));
  const byRule = new Map(rules.map(({ rule }, index) => [rule, index]));
  const numbering: Numbering = {
    ofRule: (rule) => byRule.get(rule)!,
    ofCounter: (rule, of) => {
      const { identity } = counterOf(rule, of);
      const number = counters.get(identity) ?? counters.size;
      counters.set(identity, number);
      return number;
    },
  };
  const generated = generateProgram(program, bodyRead(program), (rule) => places.get(rule)!);
  const resolved = ({ lines, constants, ...part }: GeneratedPart): GeneratedPart => ({
    ...part,
    constants,
    lines: resolvedLines(
      lines.flatMap((each) => each.split('\n')),
      constants.map((constant) => numbered(constant, numbering)),
      route,
    ),
  });
  const code = codeOf({
    decisions: resolved(generated.decisions),
    shaping: resolved(generated.shaping),
  });
  const lines = code
    .split('\n')
    .map((line) => (line === 'const routeName = constants[0];' ? NAME_OF(route) : line))
    .map((line) => line.replace(MARK, (_mark, numbersOf: string) => `// ${marksInWords(numbersOf, rules)}`));
  const usesName = lines.some((line) => !line.startsWith('const routeName') && ROUTE_NAME.test(line));
  return `${lines.filter((line) => usesName || line !== NAME_OF(route)).join('\n')}\n`;
}

const NAME_OF = ({ name }: Route) => `const routeName = ${JSON.stringify(name)};`;
const ROUTE_NAME = /(?<![\w.$"])routeName(?![\w"])/;

function resolvedLines(
  code: readonly string[],
  constants: readonly ProgramConstant[],
  route: Route,
): string[] {
  const lines = code.filter((line) => !/^const shared = constants\[\d\];$/.test(line));
  // rows of tables have constants of their own by the same names: there, names stay
  const isFlat = !lines.some((line) => /^const table/.test(line));
  return isFlat ? inlined(lines, constants, route) : declared(lines, constants);
}

const MARK = /\/\/ @([\d,]+)$/;

function marksInWords(numbersOf: string, rules: readonly RuleIr[]): string {
  return numbersOf
    .split(',')
    .map((number) => {
      const { policy, rule } = rules[Number(number)]!;
      return `"${policy}" ${rule.kind}${rule.name === null ? '' : ` "${rule.name}"`}  ${placeOf(rule.span)}`;
    })
    .join('; ');
}

const DECLARED = /^const (c\d+) = shared\[(\d+)\];$/;

function declared(lines: readonly string[], constants: readonly ProgramConstant[]): string[] {
  return lines.map((line) => {
    const [, name, at] = DECLARED.exec(line) ?? [];
    return name === undefined ? line : `const ${name} = ${JSON.stringify(constants[Number(at)])};`;
  });
}

/** Texts and numbers stand where they are used; what is larger keeps its name. */
function inlined(lines: readonly string[], constants: readonly ProgramConstant[], route: Route): string[] {
  const small = new Map([['routeName', JSON.stringify(route.name)]]);
  constants.forEach((value, at) => {
    if (typeof value !== 'object' || value === null) small.set(`c${at}`, JSON.stringify(value));
  });
  return lines.flatMap((line) => {
    const [, name, at] = DECLARED.exec(line) ?? [];
    if (name !== undefined)
      return small.has(name) ? [] : [`const ${name} = ${JSON.stringify(constants[Number(at)])};`];
    // in one pass, and never in comments: names in the texts of users stay what they are
    return /^\s*\/\//.test(line) ? [line] : [line.replaceAll(NAMES, (each) => small.get(each) ?? each)];
  });
}

const NAMES = /(?<![\w.$"])(?:c\d+|routeName)(?![\w"])/g;
