/** A client of the stream for benches: tells the event ids that come in `activity` frames. */
import { createParser } from 'eventsource-parser';

/** @param onEvent called with the id of each event as its frame is complete. `joined` resolves when the first state has come */
export function followEvents(
	url: string,
	onEvent: (eventId: string) => void,
	headers: Record<string, string> = {},
): { joined: Promise<void>; stop(): void } {
	const closing = new AbortController();
	let join!: () => void;
	const joined = new Promise<void>((resolve) => (join = resolve));
	const decoder = new TextDecoder();
	const parser = createParser({
		onEvent({ event, data }) {
			if (event === 'reset') join();
			if (event !== 'activity') return;
			for (const { eventId } of JSON.parse(data).events as { eventId: string }[]) onEvent(eventId);
		},
	});
	void (async () => {
		try {
			const response = await fetch(url, { headers, signal: closing.signal });
			for await (const chunk of response.body ?? [])
				parser.feed(decoder.decode(chunk, { stream: true }));
		} catch (error) {
			if (!closing.signal.aborted) throw error;
		}
	})();
	return { joined, stop: () => closing.abort() };
}
