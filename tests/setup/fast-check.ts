/**
 * fast-check for tests: the same cases in every run. FC_SEED=random tries others, and FC_SEED=<number> those of a failure, which
 * names its seed and path.
 */
import fc from 'fast-check';

const SEED = 20_261_130;
const given = process.env.FC_SEED;
const seed = given === 'random' ? undefined : given ? Number(given) : SEED;
if (Number.isNaN(seed))
	throw new Error(`FC_SEED is "${given}": it must be a whole number or "random".`);
fc.configureGlobal({ ...fc.readConfigureGlobal(), seed });

/** How many cases a property has in `npm test`, which repeats them in every run, and in `npm run test:long`, which tries others. */
export const casesOf = ({ short, long }: { short: number; long: number }): number =>
	given === undefined ? short : long;

export default fc;
