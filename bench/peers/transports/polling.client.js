/** Asks again and again; the delay is half of the pause, and the price of a short pause is in requests. */
export function follow(url, onEvents, pauseMs) {
	let after = null;
	let left = false;
	let timer;
	const ask = async () => {
		try {
			const response = await fetch(after === null ? url : `${url}?after=${after}`);
			const { events, newest } = await response.json();
			after = newest;
			if (events.length > 0) onEvents(events);
		} catch {
			// the next time will tell
		}
		if (!left) timer = setTimeout(ask, pauseMs);
	};
	// not all at the same moment
	timer = setTimeout(ask, Math.random() * pauseMs);
	return () => {
		left = true;
		clearTimeout(timer);
	};
}
