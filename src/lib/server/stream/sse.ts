/**
 * The Server-Sent Events encoder: the only file that knows the syntax. Pure; imports nothing.
 * Two traps: a bare CR ends a line as well (a data line split on LF alone lets
 * a payload forge fields), and an event counts only with the blank line after it: one event, one chunk.
 * Source: https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
 */

export type Message = { event: string; data: string; id?: string | undefined };

/** Exactly this: adapters and proxies compare it as a whole, and UTF-8 is the only encoding there is. */
export const CONTENT_TYPE = 'text/event-stream';

const encoder = new TextEncoder();
const FORBIDDEN = /[\r\n\0]/;
const LINE_END = /\r\n|\r|\n/;

/**
 * One event as bytes, with its blank line. Lone surrogates become U+FFFD, as UTF-8 demands.
 * @throws when `event` is empty, or `event` or `id` holds CR, LF or NUL, or `id` is empty (an empty id would erase the client's)
 */
export function toBytes({ event, data, id }: Message): Uint8Array {
	let text = `event: ${field('event', event)}\n`;
	if (id !== undefined) text += `id: ${field('id', id)}\n`;
	// JSON has no line ends: searching one is far cheaper than splitting
	const lines = data.includes('\n') || data.includes('\r') ? data.split(LINE_END) : [data];
	for (const line of lines) text += `data: ${line}\n`;
	return encoder.encode(`${text}\n`);
}

/** First bytes of every stream: headers leave only with them, and a native client learns its delay. `ms` is rounded to an integer: only digits count. */
export function toOpening(retryMs: number, comment: string): Uint8Array {
	return encoder.encode(`retry: ${Math.round(retryMs)}\n${toCommentText(comment)}`);
}

/** A comment: keeps proxies from closing an idle connection; EventSource does not show it to the page. */
export function toComment(comment: string): Uint8Array {
	return encoder.encode(toCommentText(comment));
}

function toCommentText(comment: string): string {
	return `${comment
		.split(LINE_END)
		.map((line) => `: ${line}`)
		.join('\n')}\n\n`;
}

function field(name: 'event' | 'id', value: string): string {
	if (value === '' || FORBIDDEN.test(value))
		throw new Error(`${name} ${JSON.stringify(value)} may not be empty or contain CR, LF or NUL`);
	return value;
}
