/**
 * What is known of an event beside what was sent: `events.context`. From the request where a person sends, or given
 * by a server for its visitors. The sender's `properties` are never changed, and the address is not kept.
 */
import type { EventContext } from '../../protocol';
import { toChannel } from './channel';
import { toCountry, type Countries } from './countries';
import { hostOf } from './page-host';
import type { InputEvent } from './parse-events';
import { createAgents } from './user-agent';
import type { Visitor } from './visitor';

const LANGUAGE = /^\s*([a-z]{2,3})(?=[-_;,\s]|$)/i;

export type ContextReader = {
	/** What the request of a person says of them. */
	ofRequest(headers: Headers, address: string): EventContext;
};

/**
 * @param countryHeader set by a proxy that is trusted; null: none is
 */
export function createContextReader({
	countries,
	countryHeader,
}: {
	countries: Countries;
	countryHeader: string | null;
}): ContextReader {
	const agents = createAgents();
	return {
		ofRequest(headers, address) {
			const told = countryHeader === null ? null : toCountry(headers.get(countryHeader));
			const country = told ?? countries(address);
			const language = LANGUAGE.exec(headers.get('accept-language') ?? '')?.[1]?.toLowerCase();
			return {
				...(country && { country }),
				...agents(headers.get('user-agent')),
				...(language && { language }),
			};
		},
	};
}

/**
 * The events with their context: what a server gave comes first, then what the request says.
 * @param visitor null: the request says nothing of a person
 */
export function addContext<Sent extends Pick<InputEvent, 'properties' | 'context'>>(
	events: readonly Sent[],
	visitor: Visitor | null,
	ofRequest: () => EventContext,
): readonly Sent[] {
	const seen = visitor ? ofRequest() : {};
	return events.map((event) => {
		const host = hostOf(event.properties.url);
		const channel = toChannel(event.properties);
		const context = {
			...seen,
			...(host && { host }),
			...(channel && { channel }),
			...event.context,
		};
		return { ...event, context: Object.keys(context).length > 0 ? context : null };
	});
}
