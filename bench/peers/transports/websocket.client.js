/** Coming back, and where it was, is the page's own business. */
const MAX_WAIT_MS = 30_000;

export function follow(url, onEvents) {
	let after = null;
	let failures = 0;
	let left = false;
	let socket;
	let timer;
	const open = () => {
		socket = new WebSocket(url.replace(/^http/, 'ws') + (after === null ? '' : `?after=${after}`));
		socket.addEventListener('message', ({ data }) => {
			const events = JSON.parse(data);
			failures = 0;
			after = events.at(-1).id;
			onEvents(events);
		});
		socket.addEventListener('error', () => {});
		socket.addEventListener('close', () => {
			if (left) return;
			const wait = Math.min(1_000 * 2 ** failures++, MAX_WAIT_MS) * (0.7 + 0.3 * Math.random());
			timer = setTimeout(open, wait);
		});
	};
	open();
	return () => {
		left = true;
		clearTimeout(timer);
		socket.close();
	};
}
