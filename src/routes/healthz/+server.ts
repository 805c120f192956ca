import { text } from '@sveltejs/kit';

/** SvelteKit's redirect would lead out of the path that a proxy strips. */
export const trailingSlash = 'ignore';

/** Alive: the process answers. Asks nothing of anyone. */
export const GET = () => text('ok\n', { headers: { 'cache-control': 'no-store' } });
