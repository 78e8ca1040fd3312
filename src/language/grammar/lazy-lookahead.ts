import { type ILookaheadStrategy, type IOrAlt, LLkLookaheadStrategy } from 'chevrotain';

type ForAlternation = ILookaheadStrategy['buildLookaheadForAlternation'];
type ForOptional = ILookaheadStrategy['buildLookaheadForOptional'];

/**
 * Works out what tells alternatives apart when they are first met: most texts use a part of the grammar, and all of it
 * took a third of the time that the grammar needs to be ready.
 */
export class LazyLookahead extends LLkLookaheadStrategy {
  override buildLookaheadForAlternation(options: Parameters<ForAlternation>[0]): ReturnType<ForAlternation> {
    let choose: ReturnType<ForAlternation> | undefined;
    const make = () => super.buildLookaheadForAlternation(options);
    return function (this: unknown, alternatives?: IOrAlt<unknown>[]): number | undefined {
      choose ??= make();
      return choose.call(this, alternatives);
    };
  }

  override buildLookaheadForOptional(options: Parameters<ForOptional>[0]): ReturnType<ForOptional> {
    let isNext: ReturnType<ForOptional> | undefined;
    const make = () => super.buildLookaheadForOptional(options);
    return function (this: unknown): boolean {
      isNext ??= make();
      return isNext.call(this);
    };
  }
}
