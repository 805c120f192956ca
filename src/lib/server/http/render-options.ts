/** How SvelteKit writes a page: its theme before the first paint, its font with the styles. */
import type { ResolveOptions } from '@sveltejs/kit';
import { createInitialModeExpression } from 'mode-watcher';
import { THEME } from '../../theme';

/** Sets the theme before the first paint, so that nothing flashes. */
const THEME_SCRIPT = createInitialModeExpression(THEME);

/** What the first view is written in. Without a preload it is found when the styles have come, and the text moves. */
const FIRST_FONT = /instrument-sans-latin-wght-normal[^/]*\.woff2$/;

/** Addresses in a page are relative. Below a path, `/now` must be `/now/`; only the browser sees the difference. */
const SLASH_SCRIPT =
	"if(!location.pathname.endsWith('/'))location.replace(location.pathname+'/'+location.search+location.hash);";

/** @param pathname of the page, as this process sees it */
export function toRenderOptions(pathname: string): ResolveOptions {
	const script = pathname === '/' ? SLASH_SCRIPT + THEME_SCRIPT : THEME_SCRIPT;
	return {
		preload: ({ type, path }) => type === 'js' || type === 'css' || FIRST_FONT.test(path),
		transformPageChunk: ({ html }) => html.replace('%nowboard.theme%', script),
	};
}
