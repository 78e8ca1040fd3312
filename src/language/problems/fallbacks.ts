import type { Diagnostic } from '../../diagnostics/diagnostic.ts';
import type { Span } from '../../diagnostics/source.ts';
import type { Model } from '../../model/pools.ts';
import type { Route } from '../../model/world.ts';
import { problem, shown } from './problem.ts';

/** Limits that name other models for calls without room. One factory per code. */

export function modelAsWritten(span: Span, model: string, fallback: Span): Diagnostic {
  return problem(
    'PT2107',
    span,
    `request.model is what the caller asked for; this route can also send to "${shown(model)}".`,
    'Write model, so that the rule holds for every model used.',
    [{ span: fallback, message: 'a limit that sends calls there' }],
  );
}

export function fallbackWithoutCalls(span: Span, route: string, place: string): Diagnostic {
  return problem(
    'PT2136',
    span,
    `Requests of route "${shown(route)}" ask no model, so there is no other one for them (${place}).`,
    'Narrow `applies to` to routes that call a model: with `ai`, but not openai/models.',
  );
}

export function foreignModel(span: Span, model: string, route: string, place: string): Diagnostic {
  return problem(
    'PT2137',
    span,
    `Model "${shown(model)}" can't be asked for on route "${shown(route)}": its providers speak another dialect (${place}).`,
    'Name a model that callers of these routes could ask for themselves, or narrow `applies to`.',
  );
}

/** `routes`: none of the models can be asked for on them. */
export function routeWithoutFallback(span: Span, routes: readonly Route[]): Diagnostic {
  const [first] = routes;
  const others = routes.length === 1 ? '' : ` and ${routes.length - 1} more`;
  return problem(
    'PT2143',
    span,
    `On route "${shown(first!.name)}" (${first!.place})${others} this limit refuses: no provider of the models named here speaks its dialect.`,
    'Name a model of that dialect as well, or narrow `applies to`.',
  );
}

export function allowanceOfNoMoney(span: Span): Diagnostic {
  return problem(
    'PT2138',
    span,
    'Only a budget allows calls an amount of money more.',
    'Write `for any amount`, or nothing: then the limit counts the call to the other model as it counts every call.',
  );
}

export function endlessFallback(span: Span, model: string): Diagnostic {
  return problem(
    'PT2139',
    span,
    `A call to "${shown(model)}" finds no room either: this limit counts it as it counts the one before.`,
    'Count `for each … and model`, write `when model is not …`, or let such calls pass uncounted: `for any amount`.',
  );
}

/** `pool`: the one without a price, where others have one. `more`: further models like it. */
export function unpricedModel(
  span: Span,
  { name, place }: Model,
  pool: string | null,
  more: number,
): Diagnostic {
  const where = pool === null ? '' : ` in pool "${shown(pool)}"`;
  return problem(
    'PT2129',
    span,
    `This budget refuses every call to "${shown(name)}"${andMore(more)}: no price of ${itself(name, more)} is known${where} (${place}).`,
    'Say what it costs: price: { input: $1, output: $2, asOf: 2026-11-01 }. Or add `when model is not …`.',
  );
}

export function unboundedModel(span: Span, { name, place }: Model, more: number): Diagnostic {
  return problem(
    'PT2129',
    span,
    `This limit refuses calls to "${shown(name)}"${andMore(more)} that do not say how long their answer may be: nothing is known of ${itself(name, more)} (${place}).`,
    'Say outputTokensMax of the model, or write `cap request.output_cap at …`.',
  );
}

function andMore(more: number): string {
  return more === 0 ? '' : ` and ${more} more`;
}

function itself(name: string, more: number): string {
  return more === 0 ? 'it' : `"${shown(name)}"`;
}
