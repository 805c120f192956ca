/** Made by scripts/release/tracker-plugin.ts from tracker.ts: the minified script as a text. */
declare module 'virtual:tracker' {
	const code: string;
	export default code;
}
