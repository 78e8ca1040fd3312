/** Steps from files to rules. */
export type BuildStage = 'configuration' | 'reading' | 'checking' | 'compiling';

/** Takes the time of a build, for who has a clock: pure rooms have none. */
export interface Stopwatch {
  /** Of a stage as a whole. */
  readonly stage: <Result>(stage: BuildStage, work: () => Result) => Result;
  /** Of what is done in a stage for some policies, told by their names: each has an equal share. */
  readonly policies: <Result>(
    stage: BuildStage,
    work: () => Result,
    names: (result: Result) => readonly string[],
  ) => Result;
}

export const NO_STOPWATCH: Stopwatch = {
  stage: (_stage, work) => work(),
  policies: (_stage, work) => work(),
};
