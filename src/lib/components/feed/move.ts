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

/** The row above or below the one that has the focus, for an arrow key. */
export function nextRow(row: HTMLElement, key: string): HTMLElement | null {
	const item = row.closest('li');
	const next = key === 'ArrowDown' ? item?.nextElementSibling : item?.previousElementSibling;
	return next?.querySelector('summary') ?? null;
}
