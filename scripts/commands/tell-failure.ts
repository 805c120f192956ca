/** What a command says when the database fails it: what happened, what Postgres said, and what fixes it. */
import { TROUBLES } from '../../src/lib/database-troubles';
import { connect } from '../../src/lib/server/db/connect';
import { explain, fillIn } from '../../src/lib/server/db/diagnose';
import { toReason } from '../../src/lib/server/db/errors';

export async function tellFailure(error: unknown, url: string, schema?: string): Promise<string> {
	const open = () => connect(url, { max: 1, prepare: false, schema });
	const { trouble, fix } = await explain(error, open);
	// an error of our own, or one that no list knows
	if (trouble === 'other') return toReason(error);
	const { user, database } = open().options;
	const { says, fix: usual } = TROUBLES[trouble];
	const advice = fix ? `To fix it: ${fillIn(fix, { user: String(user), database })}` : usual;
	return [`${says} ${toReason(error)}`, advice].filter(Boolean).join('\n');
}
