/**
 * A deadline for every query of our own: when the server dies under load, some queries of postgres.js never settle.
 * The caller ends the client after one; the abandoned promise is silenced.
 */

export class DeadlineError extends Error {
	constructor(what: string, ms: number) {
		super(`${what} took longer than ${ms} ms`);
		this.name = 'DeadlineError';
	}
}

/** Settles like `promise`, or rejects with a DeadlineError after `ms`. */
export async function withDeadline<T>(
	promise: PromiseLike<T>,
	ms: number,
	what: string,
): Promise<T> {
	let timer: ReturnType<typeof setTimeout> | undefined;
	const late = new Promise<never>((_, reject) => {
		timer = setTimeout(() => reject(new DeadlineError(what, ms)), ms);
	});
	try {
		return await Promise.race([promise, late]);
	} finally {
		clearTimeout(timer);
	}
}
