import { text } from '@sveltejs/kit';

/** Alive: the process answers. Asks nothing of anyone. */
export const GET = () => text('ok\n', { headers: { 'cache-control': 'no-store' } });
