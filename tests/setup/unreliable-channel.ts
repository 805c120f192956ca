/** What carries messages between instances in one process, as badly as a test wants. */
import type { Channel } from '../../src/lib/server/relay/channel';

export type Wire = {
	connect(): Channel;
	/** what has passed, the oldest first */
	passed: string[];
	/** Says anything to all. */
	say(text: string): void;
	/** decides for each message and each receiver: how often it comes, and how many others overtake it */
	treat: (() => { times: number; late: number }) | null;
	/** nothing passes */
	isCut: boolean;
};

export function createWire(): Wire {
	const receivers = new Set<(text: string) => void>();
	const wire: Wire = {
		passed: [],
		treat: null,
		isCut: false,
		say: (text) => receivers.forEach((hear) => hear(text)),
		connect() {
			let held: { text: string; late: number }[] = [];
			let hear: ((text: string) => void) | null = null;
			function receive(text: string) {
				const { times, late } = wire.treat?.() ?? { times: 1, late: 0 };
				for (const one of held) one.late--;
				for (let i = 0; i < times; i++) held.push({ text, late });
				const due = held.filter((one) => one.late <= 0);
				held = held.filter((one) => one.late > 0);
				for (const one of due) hear?.(one.text);
			}
			return {
				start(onMessage, onState) {
					hear = onMessage;
					receivers.add(receive);
					onState();
				},
				append(text) {
					if (wire.isCut) return false;
					wire.passed.push(text);
					setImmediate(() => wire.say(text));
					return true;
				},
				state: () => ({ up: !wire.isCut, trouble: wire.isCut ? 'unreachable' : null }),
				stop: async () => void receivers.delete(receive),
			};
		},
	};
	return wire;
}
