import type { MaskRule, MaskSide } from '../../language/typed.ts';
import { byCondition } from '../fact-tables.ts';
import type { Residual, ResidualProgram } from '../residual.ts';
import { functionCode, guarded } from './code.ts';
import type { PhaseCode } from './decide.ts';
import { Frame, type ProgramScope } from './frame.ts';
import { factsOfTables, forRows, type Tabled, tabled } from './tables.ts';

/** All masks of one side that apply; null where none does. */
export function masksCode({ masks }: ResidualProgram, scope: ProgramScope, side: MaskSide): PhaseCode {
  if (masks[side].length === 0) return { entry: 'null', functions: [] };
  const name = `${side}Masks`;
  const body = ['let masks = null;', ...maskStatements(tabledMasks(masks[side], scope), scope)];
  return { entry: name, functions: [functionCode(`${name}(context)`, body)] };
}

type Masking = Residual<MaskRule>;

function tabledMasks(masks: readonly Masking[], scope: ProgramScope): Tabled<Masking> {
  return tabled(masks, byCondition(), scope, (items, inRow) => ({
    mask: functionCode('mask(context, masks)', maskStatements(tabledMasks(items, inRow), inRow)),
  }));
}

/** Statements that add to `masks`, and return it. */
function maskStatements(masks: Tabled<Masking>, scope: ProgramScope): string[] {
  const conditions = masks.always.map(({ condition }) => condition);
  const frame = new Frame(scope, 'after-body', conditions, factsOfTables(masks));
  return [
    ...masks.always.flatMap((mask) =>
      frame.statement(
        () => guarded(frame.condition(mask.condition), [maskStatement(mask, frame)]),
        [mask.ir],
      ),
    ),
    ...forRows(masks, frame, (row) => [`masks = ${row}.mask(context, masks);`]),
    'return masks;',
  ];
}

function maskStatement({ rule: { kinds, patterns, text } }: Masking, frame: Frame): string {
  return `masks = runtime.addMask(masks, ${frame.scope.pool.constant({ kinds, patterns, text })});`;
}
