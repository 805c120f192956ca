import type { PageServerLoad } from './$types';

export const load: PageServerLoad = ({ locals }) => ({
	health: locals.health(),
	loggedIn: locals.viewer?.kind === 'session',
});
