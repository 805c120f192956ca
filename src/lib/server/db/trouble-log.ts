/** How a trouble of the database is logged: what happened, what Postgres said, and the statement that fixes it. */
import type { Logger } from 'pino';
import { TROUBLES } from '../../database-troubles';
import { fillIn, type Diagnosis } from './diagnose';
import { toFacts } from './errors';

/** @param client of which the options name role and database @param effect what does not work */
export function logTrouble(
	log: Pick<Logger, 'error'>,
	{ user, database }: { user: unknown; database: string },
	diagnosis: Diagnosis | null,
	error: unknown,
	effect: string,
): void {
	const { trouble = 'other', fix = null } = diagnosis ?? {};
	const filled = fix === null ? {} : { fix: fillIn(fix, { user: String(user), database }) };
	log.error({ trouble, error: toFacts(error), ...filled }, `${effect}: ${TROUBLES[trouble].says}`);
}
