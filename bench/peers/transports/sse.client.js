/** The browser reconnects by itself, and says where it was. */
export function follow(url, onEvents) {
	const source = new EventSource(url);
	source.addEventListener('message', ({ data }) => onEvents(JSON.parse(data)));
	return () => source.close();
}
