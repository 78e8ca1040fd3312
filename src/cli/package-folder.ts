/** The folder of this package; `dist/src/cli` lies three folders below it. */
export const PACKAGE_FOLDER = new URL('../../../', import.meta.url);
