/**
 * Keeps the screen on while the page is shown, where the browser can (https, or localhost). The lock ends whenever the page is
 * hidden: it is asked for again.
 * @returns lets the screen sleep again
 */
export function keepAwake(): () => void {
	let lock: WakeLockSentinel | null = null;
	let over = false;
	async function hold() {
		if (over || document.hidden || !('wakeLock' in navigator)) return;
		// refused when the battery is low: then the screen sleeps as it would
		lock = await navigator.wakeLock.request('screen').catch(() => null);
		if (over) void lock?.release();
	}
	document.addEventListener('visibilitychange', hold);
	void hold();
	return () => {
		over = true;
		document.removeEventListener('visibilitychange', hold);
		void lock?.release();
	};
}
