/** Waits until a web server answers; says so when it ends instead. */

const DEADLINE_MS = 60_000;
const INTERVAL_MS = 50;
const REQUEST_TIMEOUT_MS = 5_000;

/** @param exited resolves with the reason when the server has ended */
export async function waitForServer(url: string, exited: Promise<string>): Promise<void> {
	const deadline = Date.now() + DEADLINE_MS;
	let ended: string | undefined;
	void exited.then((reason) => (ended = reason));
	while (Date.now() < deadline) {
		if (ended !== undefined) throw new Error(`The web server ended before it answered (${ended}).`);
		if (await answers(`${url}/readyz`)) return;
		await new Promise((resolve) => setTimeout(resolve, INTERVAL_MS));
	}
	throw new Error(`${url}/readyz was not ready within ${DEADLINE_MS / 1000} s.`);
}

async function answers(url: string): Promise<boolean> {
	try {
		const response = await fetch(url, { signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) });
		await response.body?.cancel();
		return response.ok;
	} catch {
		return false;
	}
}
