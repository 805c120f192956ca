/** Everything that the doctor looks at, in the order in which it is said: what is wrong first explains what comes after it. */
import { readVariables } from '../../src/lib/server/config/variables';
import { createClient, type Client } from './client';
import { compareClocks, type Clock } from './clocks';
import { examineDatabase } from './database';
import { examineAccess, examineOrigin, examineUploads } from './access';
import { unseen, well, wrong, type Finding } from './finding';
import { logIn } from './login';
import { examineCertificate, examineProtocol, examineReadiness } from './site';
import { examineRelay } from './relay';
import { examineStream } from './stream';

type Env = Record<string, string | undefined>;

/**
 * @param origin where people find the dashboard; null: only the database is looked at
 * @param env what the server has, as far as it is known here
 */
export async function examine(origin: string | null, env: Env): Promise<Finding[]> {
	const { values, faults } = readVariables(env);
	const findings =
		faults.length > 0
			? faults.map((fault) =>
					wrong('environment', fault, 'Correct it where the server gets it from.'),
				)
			: [well('environment', 'what is set has the right form')];
	const url = values.DATABASE_URL;
	const database = url
		? await examineDatabase({
				url,
				directUrl: values.DATABASE_DIRECT_URL ?? url,
				schema: values.DATABASE_SCHEMA,
				migrations: values.MIGRATIONS_DIR,
			})
		: {
				findings: [unseen('DATABASE_URL', 'not set here: the database is not looked at')],
				clock: null,
			};
	findings.push(...database.findings);
	if (values.RELAY_URL)
		findings.push(await examineRelay(values.RELAY_URL, url ?? '', values.DATABASE_SCHEMA));
	const site = origin
		? await examineSite(origin, env)
		: {
				findings: [unseen('address', 'not given: npm run doctor -- https://now.example.com')],
				clock: null,
			};
	findings.push(...site.findings);
	findings.push(compareClocks({ database: database.clock, server: site.clock }));
	return findings;
}

async function examineSite(
	origin: string,
	env: Env,
): Promise<{ findings: Finding[]; clock: Clock | null }> {
	const findings: Finding[] = [];
	let client: Client | undefined;
	let clock: Clock | null = null;
	try {
		client = await createClient(origin);
		findings.push(well('address', `${origin} answers`));
		findings.push(examineCertificate(client), examineProtocol(client));
		const readiness = await examineReadiness(client);
		findings.push(readiness.finding);
		if (!readiness.isOurs) return { findings, clock };
		clock = readiness.clock;
		findings.push(await examineOrigin(client));
		const access = await examineAccess(client, env);
		findings.push(...access.findings, await examineUploads(client));
		const pass = await logIn(client, env.DASHBOARD_PASSWORD, access.everyoneLooks);
		findings.push(pass.finding, ...(await examineStream(client, pass.cookie)));
		await pass.leave();
	} catch (error) {
		findings.push(unanswered(origin, error));
	} finally {
		client?.close();
	}
	return { findings, clock };
}

function unanswered(origin: string, error: unknown): Finding {
	const { code = '', message } = error as NodeJS.ErrnoException;
	const says = `${origin} does not answer: ${message || code}`;
	if (['ENOTFOUND', 'EAI_AGAIN'].includes(code))
		return wrong('address', says, 'Look at the name, and at its record in the DNS.');
	return wrong(
		'address',
		says,
		'Look whether the proxy runs and listens there, into its log, and at firewalls.',
	);
}
