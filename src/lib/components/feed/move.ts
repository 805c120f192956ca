/** How the rows of the feed move, and how the keyboard moves among them. */

/** The list comes down by the height of its first `rows` rows, as one movement. */
export function slideDown(list: HTMLElement, rows: number): void {
	const top = list.getBoundingClientRect().top;
	// the browser's scroll anchoring keeps a scrolled page in place
	if (top < 0) return;
	const height = (list.children[rows]?.getBoundingClientRect().top ?? top) - top;
	list.animate([{ transform: `translateY(${-height}px)` }, { transform: 'none' }], {
		duration: 200,
		easing: 'cubic-bezier(0.2, 0.7, 0.2, 1)',
		composite: 'add',
	});
}

/**
 * A key on a row that has the focus: arrows go to the row above or below.
 * @param toTop what Home does; null: the list is at its top
 */
export function pressRowKey(event: KeyboardEvent, toTop: (() => unknown) | null): void {
	const { key, target } = event;
	if (!(target instanceof HTMLElement) || !target.matches('li > details > summary')) return;
	const item = target.closest('li');
	if (key === 'Home' && toTop) toTop();
	else if (key === 'ArrowDown') item?.nextElementSibling?.querySelector('summary')?.focus();
	else if (key === 'ArrowUp') item?.previousElementSibling?.querySelector('summary')?.focus();
	else return;
	event.preventDefault();
}
