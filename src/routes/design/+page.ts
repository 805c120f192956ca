import { dev } from '$app/environment';
import { error } from '@sveltejs/kit';
import { CASES, type Case } from './cases';
import type { PageLoad } from './$types';

/** The page's components in every state, for those who work on them; with `?still` nothing arrives. Not part of a build. */
export const load: PageLoad = ({ url }) => {
	if (!dev) error(404, 'Not Found');
	const name = url.searchParams.get('case') ?? 'quiet';
	const still = url.searchParams.has('still');
	return { name: (name in CASES ? name : 'quiet') as Case, still };
};
