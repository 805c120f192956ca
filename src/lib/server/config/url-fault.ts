/** What is wrong with a database URL, as a sentence without its subject; it never repeats a password. */
export class UrlFault extends Error {
	override name = 'UrlFault';
}
