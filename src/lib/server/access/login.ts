/** The login as a whole: the password, who is logged in, share links, tokens, and the audit log. */
import type { Logger } from 'pino';
import type { Sql } from '../db/connect';
import { readAudit, writeAudit, type AuditEntry } from './audit-log';
import { createPasswordCheck, type PasswordCheck } from './password';
import { createShareLinks, type ShareLinks } from './share-links';
import { createTokens, readSecret, type Tokens } from './tokens';
import { createViewers, type Viewers } from './viewers';

export type Login = {
	password: PasswordCheck;
	viewers: Viewers;
	links: ShareLinks;
	tokens: Tokens;
	/** the newest entries of the audit log */
	audit(): Promise<AuditEntry[]>;
};

/**
 * @param secret signs tokens; null: the one in the database
 * @param connect makes a client for viewers, so that lookups of unknown clients delay nothing else
 * @param sql for everything else
 */
export function createLogin({
	password,
	secret,
	connect,
	sql,
	log,
}: {
	password: string;
	secret: string | null;
	connect: () => Sql;
	sql: Sql;
	log: Logger;
}): Login {
	function onLimited(whose: string) {
		log.warn({ whose }, 'logins over a limit are refused');
		writeAudit(sql, 'logins refused', `too many wrong passwords ${whose}`).catch((error: unknown) =>
			log.warn({ reason: String(error) }, 'refused logins were not noted'),
		);
	}
	const viewers = createViewers({ connect });
	return {
		password: createPasswordCheck(password, { onLimited }),
		viewers,
		links: createShareLinks(sql, viewers),
		tokens: createTokens(async () => secret ?? readSecret(sql)),
		audit: () => readAudit(sql),
	};
}
