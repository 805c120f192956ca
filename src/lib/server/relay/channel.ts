/**
 * What carries messages between processes. It may lose, repeat, delay and reorder them, and keep old ones: what is made of
 * them depends on none of that.
 */
import type { RelayTrouble } from './trouble';

export type ChannelState = {
	/** it answers */
	up: boolean;
	/** why not; null: it does, or nothing was tried yet */
	trouble: RelayTrouble | null;
};

export type Channel = {
	/** @param onMessage called with each text, also with those of this process; @param onState it answers, or no longer */
	start(onMessage: (text: string) => void, onState: () => void): void;
	/** Hands the text on, or loses it; never throws. @returns false when it is known to be lost */
	append(text: string): boolean;
	state(): ChannelState;
	stop(): Promise<void>;
};
