/** What every command's exit code means (product.md). */
export const EXIT = { fine: 0, findings: 1, usage: 2, couldNotRun: 3 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
