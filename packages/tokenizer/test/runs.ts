/** Cases of a property: all of them in the long tests (properties.long.test.ts), a fifth in the ordinary ones. */
export const runs = (all: number): number => (process.env['GENOMELM_LONG'] ? all : Math.ceil(all / 5));
