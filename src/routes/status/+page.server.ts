import type { PageServerLoad } from './$types';

export const load: PageServerLoad = ({ locals, setHeaders }) => {
	setHeaders({ 'cache-control': 'no-store' });
	return { health: locals.health(), loggedIn: locals.viewer?.kind === 'session' };
};
