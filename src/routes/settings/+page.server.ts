import { error, fail, type RequestEvent } from '@sveltejs/kit';
import { parseFilter } from '$lib/filter';
import { readForm } from '$lib/server/http/form-body';
import { textFault } from '$lib/server/db/json-limits';
import { KEY_BOUNDS } from '$lib/server/keys/key-check';
import { parseNewKey } from '$lib/server/keys/parse-new-key';
import { MAX_LINK_DAYS, MAX_LINK_NAME } from '$lib/server/access/share-links';
import type { Actions, PageServerLoad } from './$types';

const MAX_HOSTS = 20;

export const load: PageServerLoad = async ({ locals, url }) => {
	if (!locals.login) error(404, 'Settings need DASHBOARD_PASSWORD.');
	const { links, keyring, audit } = locals.login;
	const [listedLinks, { rows: keys, more: moreKeys }, done] = await Promise.all([
		links.list(),
		keyring.list(),
		audit(),
	]);
	return {
		hosts: await readHosts(locals),
		/** of the view that the page was opened from */
		filter: url.searchParams.getAll('f'),
		links: listedLinks.rows,
		moreLinks: listedLinks.more,
		keys: keys.map(({ createdAt, revokedAt, lastUsedAt, ...key }) => ({
			...key,
			createdAt: createdAt.toISOString(),
			revokedAt: revokedAt?.toISOString() ?? null,
			lastUsedAt: lastUsedAt?.toISOString() ?? null,
		})),
		moreKeys,
		audit: done,
		rejected: {
			since: locals.rejections.since.toISOString(),
			reasons: locals.rejections.list(),
		},
		/** seconds after which no instance accepts a revoked key */
		endsS: KEY_BOUNDS.lifeMs / 1_000,
		open: locals.ingestOpen,
		origin: url.origin + locals.basePath,
		now: Date.now(),
	};
};

/** Sites that sent something in the last half hour. */
async function readHosts({ live }: App.Locals): Promise<string[]> {
	const view = { filter: [], bound: [], by: ['host' as const] };
	const values = await live.values(view, 'host', '', MAX_HOSTS).catch(() => null);
	return (values?.rows ?? []).map(({ key }) => key).filter((host) => host !== '');
}

/** The fields of a form; `id` is NaN when it has none. */
async function readFields(event: RequestEvent) {
	const form = await readForm(event);
	const text = (name: string) => String(form?.get(name) ?? '').trim();
	return { text, id: /^\d{1,15}$/.test(text('id')) ? Number(text('id')) : NaN };
}
const noKey = () => fail(400, { keyProblem: 'This key does not exist or is already revoked.' });

export const actions: Actions = {
	async share(event) {
		const { text } = await readFields(event);
		const name = text('name');
		const days = text('days') === '' ? null : Number(text('days'));
		if (name === '' || name.length > MAX_LINK_NAME)
			return fail(400, { linkProblem: `The name must have 1 to ${MAX_LINK_NAME} characters.` });
		const fault = textFault(name);
		if (fault) return fail(400, { linkProblem: `The name ${fault}.` });
		if (days !== null && !(Number.isInteger(days) && days >= 1 && days <= MAX_LINK_DAYS))
			return fail(400, {
				linkProblem: `The days are "${text('days').slice(0, 20)}": they must be 1 to ${MAX_LINK_DAYS}, or blank.`,
			});
		const clauses = text('filter')
			.split('\n')
			.map((line) => line.trim());
		const parsed = parseFilter(clauses.filter((line) => line !== ''));
		if (!parsed.ok) return fail(400, { linkProblem: parsed.error });
		const token = await event.locals.login?.links.create(name, days, parsed.filter);
		return { link: `${event.url.origin}${event.locals.basePath}/s/${token}` };
	},
	async unshare(event) {
		const { id } = await readFields(event);
		if (Number.isNaN(id)) return fail(400, { linkProblem: 'This link does not exist.' });
		await event.locals.login?.links.revoke(id);
	},
	async makeKey(event) {
		const { text } = await readFields(event);
		const parsed = parseNewKey({
			kind: text('kind'),
			source: text('source'),
			name: text('name') || undefined,
			origins: text('origins')
				.split(/[\s,]+/)
				.filter(Boolean),
		});
		if (!parsed.ok)
			return fail(400, {
				keyProblem: parsed.errors
					.map(({ path, value, rule }) => `${path} is "${String(value ?? '')}" and ${rule}.`)
					.join(' '),
			});
		const made = await event.locals.login?.keyring.create(parsed.key);
		return made && { key: made.key, kind: made.kind };
	},
	async rotateKey(event) {
		const { id } = await readFields(event);
		const made = Number.isNaN(id) ? null : await event.locals.login?.keyring.rotate(id);
		return made ? { key: made.key, kind: made.kind, rotated: true } : noKey();
	},
	async revokeKey(event) {
		const { id } = await readFields(event);
		const revoked = Number.isNaN(id) ? null : await event.locals.login?.keyring.revoke(id);
		if (!revoked) return noKey();
	},
};
