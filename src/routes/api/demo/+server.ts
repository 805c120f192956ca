import { error, json } from '@sveltejs/kit';
import type { RequestHandler } from './$types';

/** SvelteKit's redirect would lead out of the path that a proxy strips. */
export const trailingSlash = 'ignore';

/** Whether the simulator should send: it asks every second. 404 outside the demo. */
export const GET: RequestHandler = ({ locals }) => {
	if (!locals.demo) error(404, 'This is not the demo: no data is simulated here.');
	return json(locals.demo, { headers: { 'cache-control': 'no-store' } });
};

/** `{"running": false}` pauses the simulator, `true` lets it go on. */
export const POST: RequestHandler = async ({ request, locals }) => {
	if (!locals.demo) error(404, 'This is not the demo: no data is simulated here.');
	const body: unknown = await request.json().catch(() => null);
	const running =
		body !== null && typeof body === 'object' && 'running' in body ? body.running : undefined;
	if (typeof running !== 'boolean')
		error(400, 'running: it must be true or false, in a JSON object.');
	locals.demo.running = running;
	return json(locals.demo);
};
