/**
 * A client for tests: reads an instance's stream as bytes with an independent parser, and keeps the account that the
 * guarantee is about: which events came, how many were omitted, how often it was reset, where it stands.
 */
import { createParser } from 'eventsource-parser';
import { expect } from 'vitest';
import type { StreamEvents, StreamEventName } from '../../src/lib/protocol';

type Source = { open(cursor: string | null): ReadableStream<Uint8Array> };

export type Follower = {
	/** row ids in the order in which they came in `activity` frames */
	ids: number[];
	events: { name: StreamEventName; id: string | undefined; data: StreamEvents[StreamEventName] }[];
	of<E extends StreamEventName>(name: E): StreamEvents[E][];
	omitted(): number;
	resets(): number;
	cursor(): string | null;
	ended(): boolean;
	/** waits until the condition holds for this follower */
	until(condition: (follower: Follower) => boolean, timeout?: number): Promise<void>;
	leave(): Promise<void>;
};

export function follow(source: Source, cursor: string | null = null): Follower {
	const reader = source.open(cursor).getReader();
	const decoder = new TextDecoder();
	let at = cursor;
	let ended = false;
	const parser = createParser({
		onEvent({ event, id, data }) {
			const one = { name: event as StreamEventName, id, data: JSON.parse(data) };
			follower.events.push(one);
			if (id !== undefined) at = id;
			if (one.name === 'activity')
				for (const { id } of one.data.events as { id: number }[]) follower.ids.push(id);
		},
	});
	const follower: Follower = {
		ids: [],
		events: [],
		of: <E extends StreamEventName>(name: E) =>
			follower.events.filter((one) => one.name === name).map((one) => one.data as StreamEvents[E]),
		omitted: () => follower.of('activity').reduce((sum, { omitted }) => sum + omitted, 0),
		resets: () => follower.of('reset').length,
		cursor: () => at,
		ended: () => ended,
		until: (condition, timeout = 60_000) =>
			expect.poll(() => condition(follower), { timeout, interval: 5 }).toBe(true),
		leave: () => reader.cancel(),
	};
	void (async () => {
		for (;;) {
			const { value, done } = await reader.read();
			if (done) break;
			parser.feed(decoder.decode(value, { stream: true }));
		}
		ended = true;
	})();
	return follower;
}
