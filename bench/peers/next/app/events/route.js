/**
 * The design of the tutorials: every browser's request polls the database every two seconds and writes what is new
 * (id > the last one seen) to its own stream.
 */
import postgres from 'postgres';

export const dynamic = 'force-dynamic';
const sql = postgres(process.env.DATABASE_URL, { max: 10 });
const POLL_MS = Number(process.env.POLL_MS ?? 2_000);

export async function GET(request) {
	const encoder = new TextEncoder();
	let timer;
	const body = new ReadableStream({
		async start(controller) {
			const [{ newest }] =
				await sql`select coalesce(max(id), 0)::int as newest from nowboard.events`;
			let last = newest;
			controller.enqueue(encoder.encode(':\n\n'));
			const poll = async () => {
				const rows = await sql`
					select id::int, event_id as "eventId", name, source, session_id as "sessionId", properties, created_at as "createdAt"
					from nowboard.events where id > ${last} order by id limit 1000`;
				if (rows.length > 0) {
					last = rows.at(-1).id;
					controller.enqueue(encoder.encode(`event: activity\ndata: ${JSON.stringify(rows)}\n\n`));
				}
				if (!request.signal.aborted) timer = setTimeout(poll, POLL_MS);
			};
			timer = setTimeout(poll, POLL_MS);
			request.signal.addEventListener('abort', () => clearTimeout(timer));
		},
		cancel: () => clearTimeout(timer),
	});
	return new Response(body, {
		headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-store, no-transform' },
	});
}
