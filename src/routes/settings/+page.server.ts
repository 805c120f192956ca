import { error, fail } from '@sveltejs/kit';
import { MAX_LINK_DAYS, MAX_LINK_NAME } from '$lib/server/share-links';
import type { Actions, PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ locals }) => {
	if (!locals.login) error(404, 'There are no settings without DASHBOARD_PASSWORD.');
	return { links: await locals.login.links.list(), now: Date.now() };
};

export const actions: Actions = {
	async share({ request, locals, url }) {
		const form = await request.formData();
		const name = String(form.get('name') ?? '').trim();
		const text = String(form.get('days') ?? '');
		const days = text === '' ? null : Number(text);
		if (name === '' || name.length > MAX_LINK_NAME)
			return fail(400, { problem: `The name must have 1 to ${MAX_LINK_NAME} characters.` });
		if (days !== null && !(Number.isInteger(days) && days >= 1 && days <= MAX_LINK_DAYS))
			return fail(400, {
				problem: `The days are "${text.slice(0, 20)}": they must be 1 to ${MAX_LINK_DAYS}, or left empty.`,
			});
		const token = await locals.login?.links.create(name, days);
		return { made: `${url.origin}/s/${token}` };
	},
	async revoke({ request, locals }) {
		const id = Number((await request.formData()).get('id'));
		if (!Number.isSafeInteger(id)) return fail(400, { problem: 'There is no such link.' });
		await locals.login?.links.revoke(id);
	},
};
