/**
 * A part of the page that is a chunk of its own, loaded when it is needed.
 *
 * @returns null where it can't be had: the server is away, or has another build. The page goes on without it, and the next need asks again.
 */
export async function loadPart<Part>(load: () => Promise<{ default: Part }>): Promise<Part | null> {
	try {
		return (await load()).default;
	} catch (error) {
		console.warn('A part of the page could not be loaded.', error);
		return null;
	}
}
